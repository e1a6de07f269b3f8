/// Writes the header part of messages into one reused buffer.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace volan::net {

/// The Date header's value, formatted once a second. Confined to one io loop.
class DateText {
 public:
  /// "Mon, 23 Nov 2026 09:45:00 GMT" (RFC 9110, 5.6.7), for now.
  std::string_view now();

 private:
  std::time_t second_ = -1;
  std::string text_;
};

enum class Framing {
  length,   ///< content-length: `length` bytes follow
  chunked,  ///< transfer-encoding: chunked
  close,    ///< until the connection ends (HTTP/1.0)
  none,     ///< no body by definition: 204 and 304
};
enum class KeepAlive { yes, yes_said, no };  ///< yes_said: HTTP/1.0 wants it in words

struct HeadParts {
  Framing framing = Framing::length;
  std::uint64_t length = 0;
  KeepAlive keep_alive = KeepAlive::yes;
  std::string_view date;
  std::string_view request_id;
};

/// Appends status line and header of an answer, with the empty line at its end.
void append_head(std::string& out, const Response& response, const HeadParts& parts);
/// "Not Found"; empty for a status without a well-known phrase.
std::string_view reason_of(unsigned status);
/// Appends "name: value\r\n". Control bytes become spaces, so that no value can start another header; a name that is not a token is skipped.
void append_field(std::string& out, std::string_view name, std::string_view value);
/// The start of a chunk of that many bytes: "1f\r\n".
void append_chunk_head(std::string& out, std::size_t bytes);

}  // namespace volan::net
