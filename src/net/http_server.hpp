/// The HTTP/1.1 server: limits, keep-alive, TLS, streaming, graceful stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "net/http.hpp"

namespace volan::net {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8400;                  ///< 0 = any free port
  std::string tls_certificate_file{};         ///< PEM; both set = TLS
  std::string tls_key_file{};
  std::uint64_t body_bytes_max = 10u << 20;   ///< 413 beyond it
  std::uint32_t header_bytes_max = 32u << 10; ///< 431 beyond it
  std::chrono::milliseconds header_timeout{10'000};   ///< from the first byte of a request to the end of its header (408)
  std::chrono::milliseconds body_timeout{60'000};     ///< for the whole body (408)
  std::chrono::milliseconds idle_timeout{60'000};     ///< between requests
  std::chrono::milliseconds write_timeout{60'000};    ///< one write to a client that does not read
  std::uint32_t connections_max = 10'000;     ///< beyond it: 503 with Retry-After and close
};

/// Serves a Router. Every connection lives on one io loop of Pools. One catch per connection: logs, closes it, goes on.
/// Request smuggling shapes (both Content-Length and Transfer-Encoding, bad chunk sizes, pipelined bytes) are handled correctly or refused.
class HttpServer {
 public:
  /// Binds at once. Errors: conflict when the port is in use (fix names --listen), invalid_argument for a bad address or certificate.
  static core::Result<std::unique_ptr<HttpServer>> start(core::Pools& pools, const Router& router, Authenticator authenticator,
                                                         ServerOptions options, const core::Log& log, core::Metrics& metrics);
  ~HttpServer();
  std::uint16_t port() const;
  std::string url() const;  ///< "http://127.0.0.1:8400"
  /// Stops accepting, lets running requests finish up to `grace`, then cancels them and waits up to 2 s more for their handlers to end.
  /// Blocks; call from a thread outside the io pool, while the pools run. Idempotent. The destructor does it without grace.
  void stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connections that are still open
};

}  // namespace volan::net
