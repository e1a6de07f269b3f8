/// What all connections of one server share.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/head.hpp"
#include "net/http_server.hpp"
#include "net/sweeper.hpp"
#include "net/wire.hpp"

namespace volan::net {

/// The part of the server that lives on one io loop.
struct ServerLoop {
  ServerLoop(boost::asio::io_context& context, std::chrono::milliseconds period) : io(context), sweeper(std::make_shared<Sweeper>(context, period)) {}
  boost::asio::io_context& io;
  std::shared_ptr<Sweeper> sweeper;  // shared with its own pending timer
  DateText date;
};

/// Counters of requests by route and status class. Thread-safe: a counter is looked up at its first use and then kept.
class ServerMetrics {
 public:
  ServerMetrics(core::Metrics& metrics, const Router& router);
  /// `route` is null for a request that met none.
  void count(const Route* route, unsigned status, std::chrono::nanoseconds took);
  core::Gauge& connections;

 private:
  using ByClass = std::array<std::atomic<core::Counter*>, 6>;  ///< index = status / 100
  core::Metrics& metrics_;
  const Router& router_;
  core::Histogram& seconds_;
  std::vector<ByClass> by_route_;  ///< the last one is for no route
};

struct ServerState {
  ServerState(core::Pools& pools_in, const Router& router_in, Authenticator authenticator_in, ServerOptions options_in, const core::Log& log_in,
              core::Metrics& metrics_in);

  core::Pools& pools;
  const Router& router;
  const Authenticator authenticator;
  const ServerOptions options;
  const core::Log& log;
  ServerMetrics metrics;
  std::optional<boost::asio::ssl::context> tls;
  std::vector<std::unique_ptr<ServerLoop>> loops;
  std::optional<boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>> acceptor;  ///< on loop 0
  std::uint16_t port = 0;

  std::atomic<bool> is_stopping = false;   ///< answers say "connection: close", no new request is read
  std::atomic<bool> is_orphaned = false;   ///< the HttpServer is gone, and with it log and metrics
  void connection_opened();
  void connection_closed();
  std::uint32_t open() const { return open_.load(std::memory_order_relaxed); }
  /// Blocks until no connection is open, or the time is over. False in the second case.
  bool wait_until_empty(std::chrono::milliseconds at_most);

 private:
  std::atomic<std::uint32_t> open_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace volan::net
