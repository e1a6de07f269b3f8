/// Connections of the HTTP client on one io loop, in use and idle.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http_client.hpp"
#include "net/sweeper.hpp"
#include "net/url.hpp"
#include "net/wire.hpp"

namespace volan::net {

class ClientPool;

/// One connection to a server. In use it belongs to an exchange, idle to the pool. Confined to its io loop. Destruction closes it.
class ClientConnection final : public Sweeper::Entry {
 public:
  ClientConnection(ClientPool& pool, std::string origin);
  ~ClientConnection();
  /// Resolves and connects, and shakes hands for https. Errors: unavailable, deadline_exceeded (only if `deadline` had passed), cancelled.
  core::Task<> connect(const Url& url);

  Wire wire;
  std::vector<char> received;          ///< bytes from begin to end are not parsed yet
  std::size_t begin = 0, end = 0;
  std::string out;                     ///< header of the request, reused
  bool timed_out = false;              ///< the deadline has passed
  bool is_reused = false;

 private:
  friend class ClientPool;
  core::Task<> shake_hands(const Url& url);
  core::Error failure(const char* what, const Wire::Error& error) const;
  void on_deadline() override;
  void on_hangup() override;

  ClientPool& pool_;  // outlives it: an exchange holds on to the pool
  std::string origin_;
  std::unique_ptr<boost::asio::ip::basic_resolver<boost::asio::ip::tcp, boost::asio::io_context::executor_type>> resolver_;
  bool is_idle_ = false;
};

/// Confined to one io loop. Shared by the client and the exchanges that run.
class ClientPool {
 public:
  ClientPool(boost::asio::io_context& io, const ClientOptions& options, std::shared_ptr<boost::asio::ssl::context> tls);
  ~ClientPool();
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  /// The idle connection that was used last, or null.
  std::unique_ptr<ClientConnection> take_idle(std::string_view origin);
  /// A new one, not connected yet. Errors: resource_exhausted at connections_per_host_max.
  core::Result<std::unique_ptr<ClientConnection>> make(std::string_view origin);
  /// Takes a connection back after an answer that was read to its end.
  void put_idle(std::unique_ptr<ClientConnection> connection);
  /// Closes the idle connections and keeps none from now on.
  void close();

  boost::asio::io_context& io;
  const ClientOptions options;
  const std::shared_ptr<boost::asio::ssl::context> tls;  // shared by the pools of all loops
  const std::shared_ptr<Sweeper> sweeper;                // shared with its own pending timer

 private:
  friend class ClientConnection;
  struct Host {
    std::vector<std::unique_ptr<ClientConnection>> idle;
    std::uint32_t open = 0;
  };
  void drop_idle(ClientConnection& connection);
  std::map<std::string, Host, std::less<>> hosts_;
  bool is_closed_ = false;
};

}  // namespace volan::net
