/// A blocking client for tests and benchmarks that sends exact bytes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace volan::net::testing {

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
    VOLAN_CHECK(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "the server of this test listens");
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

}  // namespace volan::net::testing
