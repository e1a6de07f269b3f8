/// One TCP connection, plain or TLS, as server and client use it.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <tuple>

namespace volan::net {

/// Confined to its io loop. A plain write is tried at once and waits only for what the kernel did not take: that saves the trip through the
/// scheduler (and its extra epoll_wait) that an asynchronous write makes even when it succeeds immediately.
class Wire {
 public:
  using Error = boost::system::error_code;
  /// With the polymorphic executor on purpose: it is the coroutines' own, so completions find the two equal and resume at once. With the
  /// concrete one Asio 1.81 counts work and dispatches through a function object for each operation.
  using Socket = boost::asio::ip::tcp::socket;
  using Buffers = std::array<boost::asio::const_buffer, 3>;  ///< header, body, tail; the unused ones are empty
  static constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable_t<>{});

  explicit Wire(boost::asio::io_context& io) : socket_(io.get_executor()) {}
  explicit Wire(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  /// Sets what every connection has: no delay for small packets, and calls that do not block. Call once it is connected.
  void prepare() {
    Error ignored;
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
  }
  void use_tls(boost::asio::ssl::context& context) { tls_ = std::make_unique<Tls>(socket_, context); }
  bool is_tls() const { return tls_ != nullptr; }
  /// The peer's certificate must be valid for that name or address.
  void verify_host(const std::string& host) {
    tls_->set_verify_mode(boost::asio::ssl::verify_peer);
    tls_->set_verify_callback(boost::asio::ssl::host_name_verification(host));
  }
  SSL* native_tls() { return tls_->native_handle(); }
  boost::asio::awaitable<std::tuple<Error>> handshake(boost::asio::ssl::stream_base::handshake_type side) {
    return tls_->async_handshake(side, token);
  }

  /// Waits for at least one byte.
  boost::asio::awaitable<std::tuple<Error, std::size_t>> read_some(boost::asio::mutable_buffer into) {
    return tls_ ? tls_->async_read_some(into, token) : socket_.async_read_some(into, token);
  }

  /// Hands the kernel what it takes now and drops that from `buffers`; true when nothing is left or the connection is broken.
  bool write_now(Buffers& buffers, Error& error) {
    error.clear();
    if (tls_) return false;
    const std::size_t done = buffers[1].size() + buffers[2].size() == 0 ? socket_.write_some(boost::asio::buffer(buffers[0]), error)
                                                                        : socket_.write_some(buffers, error);
    if (error == boost::asio::error::would_block) error.clear();
    if (error) return true;
    return drop_front(buffers, done) == 0;
  }
  /// Writes the rest; the bytes must stay until then.
  boost::asio::awaitable<std::tuple<Error, std::size_t>> write_rest(const Buffers& buffers) {
    return tls_ ? boost::asio::async_write(*tls_, buffers, token) : boost::asio::async_write(socket_, buffers, token);
  }

  /// Ends pending operations with operation_aborted.
  void cancel() {
    Error ignored;
    socket_.cancel(ignored);
  }
  void close() {
    Error ignored;
    socket_.close(ignored);
  }
  /// Tells the peer that nothing more will come. For TLS without its own good-bye, which would have to be waited for.
  void shut_write() {
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  boost::asio::awaitable<std::tuple<Error>> tls_goodbye() { return tls_->async_shutdown(token); }

 private:
  using Tls = boost::asio::ssl::stream<Socket&>;

  static std::size_t drop_front(Buffers& buffers, std::size_t bytes) {
    std::size_t left = 0;
    for (auto& buffer : buffers) {
      const std::size_t taken = std::min(bytes, buffer.size());
      buffer += taken;
      bytes -= taken;
      left += buffer.size();
    }
    return left;
  }

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace volan::net
