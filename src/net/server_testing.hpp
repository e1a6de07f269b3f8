/// What the tests of this module share: a server on a free port, a client that sends exact bytes, and a way to run coroutines.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

/// A blocking socket that sends and receives exact bytes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// Bytes that the kernel took; less than all of them when the server has closed.
  std::size_t send(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    return sent;
  }
  /// Everything until the server closes, or resets, or is silent for 20 s.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }
  /// One answer with a content-length (or without a body, for `is_head`): header and body.
  std::string read_answer(bool is_head = false) {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return std::exchange(buffer_, {});
    std::size_t total = end + 4;
    if (const auto at = buffer_.find("content-length: "); at < end && !is_head) total += std::stoul(buffer_.substr(at + 16));
    while (buffer_.size() < total)
      if (!receive()) return std::exchange(buffer_, {});
    std::string answer = buffer_.substr(0, total);
    buffer_.erase(0, total);
    return answer;
  }
  /// Reads until the bytes so far contain the text.
  bool read_until(std::string_view text) {
    while (buffer_.find(text) == std::string::npos)
      if (!receive()) return false;
    return true;
  }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void shut_write() { ::shutdown(socket_, SHUT_WR); }
  /// Ends the connection with a reset instead of an orderly close.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close();
  }
  std::string exchange(std::string_view request) {
    send(request);
    return read_answer();
  }

 private:
  bool receive() {
    char bytes[65536];
    const auto n = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (n > 0) buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }
  int socket_;
  std::string buffer_;
};

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
