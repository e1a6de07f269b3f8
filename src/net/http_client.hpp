/// Pooled HTTP/1.1 client for model traffic: keep-alive, deadlines, cancellation, streamed answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/pools.hpp"
#include "net/http.hpp"

namespace volan::net {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{60'000};  ///< until the header of the answer has arrived
  std::chrono::milliseconds total_timeout{600'000};
  std::chrono::milliseconds idle_timeout{55'000};        ///< pooled connections older than this are closed
  std::uint32_t connections_per_host_max = 256;          ///< per io loop; resource_exhausted beyond it
  std::uint64_t body_bytes_max = 64u << 20;              ///< whole answers only; a stream has no limit but time
  std::uint32_t header_bytes_max = 64u << 10;
  std::string tls_ca_file{};                             ///< PEM; trusted besides the system's authorities
};

struct ClientRequest {
  Verb verb = Verb::get;
  std::string url{};  ///< http:// or https://, host from configuration, never from a request's field
  Headers headers{};
  std::string body{};
  std::chrono::milliseconds first_byte_timeout{0};  ///< 0 = the client's
  std::chrono::milliseconds total_timeout{0};
};

struct ClientResponse {
  unsigned status = 0;
  Headers headers;
  std::string body;
};

/// A streamed answer: read() returns the next bytes as they arrive. Confined to the io loop it was opened on.
/// Destroying it before the end closes the connection, which cancels the work behind it.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual unsigned status() const = 0;
  virtual const Headers& headers() const = 0;
  /// The next piece of the body (chunk framing removed); an empty string is the end. The view is valid until the next call.
  /// Errors: upstream when the connection breaks before the end, deadline_exceeded, cancelled.
  virtual core::Task<std::string_view> read() = 0;
};

/// Thread-safe: each io loop has its own pool of connections, so no lock is taken. Must be called on an io loop of `pools`.
/// A request on a reused connection that dies before the first byte of the answer is sent once more on a new one. Redirects are not
/// followed, no proxy is used, no compressed answer is asked for. Certificates are checked against the system's authorities and the host.
/// Deadlines are met up to 100 ms late. It may be destroyed while exchanges run; they go on.
class HttpClient {
 public:
  /// Aborts when `options.tls_ca_file` cannot be read: check it before.
  explicit HttpClient(core::Pools& pools, ClientOptions options = {});
  ~HttpClient();
  /// Whole answer. Any status is a success here. Errors: unavailable (cannot connect), deadline_exceeded, upstream (broken answer), cancelled,
  /// too_large (a body beyond body_bytes_max), resource_exhausted (too many connections), invalid_argument (a bad URL or header).
  core::Task<ClientResponse> send(ClientRequest request);
  /// Returns when the header of the answer has arrived. The same errors.
  core::Task<std::unique_ptr<ClientStream>> stream(ClientRequest request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Incremental parser of server-sent events (WHATWG HTML, 9.2): feed bytes, take events. Pure; not thread-safe.
class SseParser {
 public:
  struct Event {
    std::string type;  ///< "" = message
    std::string data;
    std::string id;    ///< of this event or the last one before it that had one
  };
  /// Adds bytes; complete events are appended to `out`. Errors: too_large when one event exceeds `event_bytes_max`.
  core::Result<> feed(std::string_view bytes, std::vector<Event>& out);
  std::size_t event_bytes_max = 1u << 20;

 private:
  void take_line(std::string_view line, std::vector<Event>& out);
  std::string line_, data_, type_, id_;
  bool at_start_ = true;  ///< a byte order mark before the first line is dropped
  bool last_was_cr_ = false;
  bool has_data_ = false;
};

}  // namespace volan::net
