// HTTP messages parse the same however they are cut: the first byte says where. The parsers never read beyond what they were given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/message_parser.hpp"

namespace {

using volan::net::Headers;

/// Feeds growing views, each copied into a buffer of exactly its size so that a sanitizer sees every step outside. True when it was complete.
template <class Parser>
bool feed(Parser& parser, std::string_view bytes, std::size_t first) {
  parser.header_limit(256);
  parser.body_limit(4096u);
  parser.eager(true);
  std::size_t used = 0;
  for (const std::size_t end : {first, bytes.size()}) {
    const std::vector<char> given(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.begin() + static_cast<std::ptrdiff_t>(end));
    if (!parser.takes(given.size())) continue;
    volan::net::ParseError error;
    used += parser.put({given.data(), given.size()}, error);
    if (parser.is_done()) return true;
    if (error && error != boost::beast::http::error::need_more) return false;
    if (used > end) std::abort();
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = data[0] % bytes.size();

  volan::net::Request whole, pieces;
  volan::net::RequestParser whole_parser(whole, 20), pieces_parser(pieces, 20);
  const bool is_whole = feed(whole_parser, bytes, bytes.size());
  const bool is_cut = feed(pieces_parser, bytes, cut);
  // A long header may be within the limit in one piece and beyond it in two, so only what both accept is compared.
  if (is_whole && is_cut) {
    if (whole.body != pieces.body || whole.target != pieces.target || whole.headers.size() != pieces.headers.size()) std::abort();
    if (whole_parser.hosts() != pieces_parser.hosts() || whole_parser.is_only_chunked() != pieces_parser.is_only_chunked()) std::abort();
  }

  Headers headers;
  std::string body;
  volan::net::ResponseParser answer(headers, &body);
  feed(answer, bytes, cut);
  return 0;
}
