/// What the tests of this module share: a server on a free port and a way to run coroutines.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <semaphore>
#include <string>

#include "net/http_server.hpp"
#include "net/raw_client.hpp"

namespace volan::net::testing {

using namespace std::chrono_literals;
constexpr auto patience = 20s;  ///< how long a test waits for an event that must come; never waited for in full when all is well

/// Runs a coroutine on an io loop and blocks until it ends.
template <class T>
core::Result<T> run(core::Pools& pools, core::Task<T> task) {
  auto future = boost::asio::co_spawn(pools.io(0), std::move(task), boost::asio::use_future);
  if (future.wait_for(patience) != std::future_status::ready) {
    ADD_FAILURE() << "the coroutine did not end";
    std::abort();
  }
  return future.get();
}

/// Key "member" is a member of project p, "admin" an admin, the cookie "session" a browser session.
inline core::Result<Principal> test_principal(const Request& request) {
  const auto key = request.headers.get("authorization");
  if (key == "Bearer member") return Principal{"p", "k1", Access::member, false};
  if (key == "Bearer admin") return Principal{"p", "k2", Access::admin, false};
  if (request.headers.get("cookie") == "session") return Principal{"p", "u1", Access::member, true};
  return core::fail(core::ErrorCode::unauthenticated, "no such key", "authorization", "send a key");
}

inline core::Task<Response> answer_text(std::string text) { co_return Response::text(std::move(text)); }

/// A server with its surroundings. Add routes to `router`, then start().
struct TestServer {
  core::Pools pools{{.io = 2, .compute = 1, .disk = 1}};
  Router router;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  ServerOptions options{.port = 0};
  std::unique_ptr<HttpServer> server;

  void get(std::string path, Handler handler, Access access = Access::anyone) { add(Verb::get, std::move(path), std::move(handler), access); }
  void add(Verb verb, std::string path, Handler handler, Access access = Access::anyone) {
    router.add(Route{verb, std::move(path), access, std::move(handler), {}});
  }
  void start() {
    auto started = HttpServer::start(pools, router, test_principal, options, log, metrics);
    ASSERT_TRUE(started.has_value()) << core::to_text(started.error());
    server = std::move(*started);
  }
  std::uint16_t port() const { return server->port(); }
};

/// Lets a test see a handler begin and end, and end it.
struct Watched {
  std::binary_semaphore begun{0}, ended{0};
  std::atomic<bool> was_cancelled = false;
  bool wait(std::binary_semaphore& event) { return event.try_acquire_for(patience); }
};

/// A handler that waits until it is cancelled.
inline core::Task<Response> wait_for_cancel(Watched& watched) {
  boost::asio::steady_timer forever(co_await boost::asio::this_coro::executor, std::chrono::hours(1));
  watched.begun.release();
  const auto [error] = co_await forever.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable_t<>{}));
  watched.was_cancelled = error == boost::asio::error::operation_aborted;
  watched.ended.release();
  co_return core::fail(core::ErrorCode::cancelled, "cancelled");
}

}  // namespace volan::net::testing
