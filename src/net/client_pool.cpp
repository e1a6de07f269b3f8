#include "net/client_pool.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/connect.hpp>

namespace volan::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t buffer_bytes = 16u << 10;

std::chrono::milliseconds sweep_period(const ClientOptions& options) {
  using std::chrono::milliseconds;
  const auto shortest = std::min({options.connect_timeout, options.first_byte_timeout, options.total_timeout, options.idle_timeout});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(100));
}

}  // namespace

ClientConnection::ClientConnection(ClientPool& pool, std::string origin)
    : wire(pool.io), received(buffer_bytes), pool_(pool), origin_(std::move(origin)) {
  pool_.sweeper->add(*this);
}

ClientConnection::~ClientConnection() {
  pool_.sweeper->remove(*this);
  if (const auto host = pool_.hosts_.find(origin_); host != pool_.hosts_.end()) --host->second.open;
}

core::Error ClientConnection::failure(const char* what, const Wire::Error& error) const {
  if (timed_out) return {core::ErrorCode::deadline_exceeded, fmt::format("{}: {} took longer than {} ms", origin_, what, pool_.options.connect_timeout.count())};
  if (error == asio::error::operation_aborted) return {core::ErrorCode::cancelled, fmt::format("{}: cancelled", origin_)};
  return {core::ErrorCode::unavailable, fmt::format("cannot connect to {}: {} failed: {}", origin_, what, error.message()), {},
          "check that the server runs and that the address is right"};
}

core::Task<> ClientConnection::connect(const Url& url) {
  Wire::Error error;
  const auto address = asio::ip::make_address(std::string(url.host), error);
  if (!error) {
    const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(std::stoul(std::string(url.port))));
    const auto [failed] = co_await wire.socket().async_connect(endpoint, Wire::token);
    error = failed;
  } else {
    resolver_ = std::make_unique<asio::ip::basic_resolver<tcp, asio::io_context::executor_type>>(pool_.io.get_executor());
    const std::string host(url.host), port(url.port);
    const auto [failed, found] = co_await resolver_->async_resolve(host, port, Wire::token);
    if (failed) co_return core::fail(failure("the look-up of the name", failed));
    const auto [unconnected, endpoint] = co_await asio::async_connect(wire.socket(), found, Wire::token);
    error = unconnected;
  }
  if (error) co_return core::fail(failure("connecting", error));
  wire.prepare();
  watched_socket = wire.socket().native_handle();
  if (url.is_tls) co_return co_await shake_hands(url);
  co_return core::Result<>{};
}

core::Task<> ClientConnection::shake_hands(const Url& url) {
  wire.use_tls(*pool_.tls);
  const std::string host(url.host);
  Wire::Error ignored;
  // A name goes into the handshake, so that a server with many certificates knows which one; an address must not (RFC 6066, 3).
  asio::ip::make_address(host, ignored);
  if (ignored) SSL_set_tlsext_host_name(wire.native_tls(), host.c_str());
  wire.verify_host(host);
  const auto [error] = co_await wire.handshake(asio::ssl::stream_base::client);
  if (error) co_return core::fail(failure("the TLS handshake", error));
  co_return core::Result<>{};
}

void ClientConnection::on_deadline() {
  if (is_idle_) return pool_.drop_idle(*this);
  timed_out = true;
  if (resolver_) resolver_->cancel();
  wire.cancel();
}

void ClientConnection::on_hangup() {
  if (is_idle_) pool_.drop_idle(*this);
}

ClientPool::ClientPool(asio::io_context& io_in, const ClientOptions& options_in, std::shared_ptr<asio::ssl::context> tls_in)
    : io(io_in), options(options_in), tls(std::move(tls_in)), sweeper(std::make_shared<Sweeper>(io_in, sweep_period(options_in))) {}

ClientPool::~ClientPool() { close(); }

std::unique_ptr<ClientConnection> ClientPool::take_idle(std::string_view origin) {
  const auto host = hosts_.find(origin);
  if (host == hosts_.end() || host->second.idle.empty()) return nullptr;
  auto connection = std::move(host->second.idle.back());
  host->second.idle.pop_back();
  connection->is_idle_ = false;
  connection->is_reused = true;
  connection->deadline = connection->watched_from = Sweeper::never;
  return connection;
}

core::Result<std::unique_ptr<ClientConnection>> ClientPool::make(std::string_view origin) {
  auto host = hosts_.find(origin);
  if (host == hosts_.end()) host = hosts_.emplace(std::string(origin), Host{}).first;
  if (host->second.open >= options.connections_per_host_max)
    return core::fail(core::ErrorCode::resource_exhausted, fmt::format("all {} connections to {} are in use", options.connections_per_host_max, origin), {},
                      "try again later, or raise the limit of connections");
  ++host->second.open;
  return std::make_unique<ClientConnection>(*this, std::string(origin));
}

void ClientPool::put_idle(std::unique_ptr<ClientConnection> connection) {
  const auto host = hosts_.find(connection->origin_);
  if (is_closed_ || host == hosts_.end() || connection->begin != connection->end) return;  // bytes that nobody asked for: not to be trusted
  connection->begin = connection->end = 0;
  connection->timed_out = false;
  connection->is_idle_ = true;
  connection->is_silent = true;
  connection->deadline = Sweeper::Clock::now() + options.idle_timeout;
  connection->watched_from = Sweeper::Clock::time_point::min();
  host->second.idle.push_back(std::move(connection));
}

void ClientPool::drop_idle(ClientConnection& connection) {
  auto& idle = hosts_.find(connection.origin_)->second.idle;
  const auto it = std::find_if(idle.begin(), idle.end(), [&](const auto& other) { return other.get() == &connection; });
  const auto dropped = std::move(*it);
  idle.erase(it);
}

void ClientPool::close() {
  is_closed_ = true;
  for (auto& [origin, host] : hosts_) {
    const auto dropped = std::exchange(host.idle, {});
  }
}

}  // namespace volan::net
