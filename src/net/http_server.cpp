#include "net/http_server.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>

#include "net/connection.hpp"

namespace volan::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds accept_pause(100);  ///< after a failed accept, for example when file descriptors have run out
constexpr std::chrono::seconds cancel_time_max(2);      ///< for handlers to end after they were cancelled
constexpr std::chrono::milliseconds loop_check(50);     ///< how often a wait for a loop checks that it still runs
constexpr std::uint32_t refused_at_once_max = 256;      ///< connections beyond the limit that still get their 503; more are just closed

core::Error bad_option(std::string path, std::string message, std::string fix) {
  return {core::ErrorCode::invalid_argument, std::move(message), std::move(path), std::move(fix)};
}

core::Result<tcp::endpoint> endpoint_of(asio::io_context& io, const ServerOptions& options) {
  Wire::Error error;
  const auto address = asio::ip::make_address(options.host, error);
  if (!error) return tcp::endpoint(address, options.port);
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(options.host, std::to_string(options.port), error);
  if (error || found.empty())
    return core::fail(bad_option("listen", fmt::format("{} is not an address of this machine: {}", options.host, error.message()), "use an IP address such as 127.0.0.1"));
  return found.begin()->endpoint();
}

core::Result<> open_acceptor(ServerState& state) {
  auto& acceptor = state.acceptor.emplace(state.loops[0]->io.get_executor());
  VOLAN_TRY(const auto endpoint, endpoint_of(state.loops[0]->io, state.options));
  Wire::Error error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (error == asio::error::address_in_use)
    return core::fail(core::ErrorCode::conflict, fmt::format("port {} of {} is in use by another program", state.options.port, state.options.host), "listen",
                      "choose another address with --listen, or port 0 for any free one");
  if (error)
    return core::fail(bad_option("listen", fmt::format("cannot listen on {}:{}: {}", state.options.host, state.options.port, error.message()),
                                 "choose an address of this machine and a port that you may use"));
  state.port = acceptor.local_endpoint(error).port();
  return {};
}

core::Result<> load_tls(ServerState& state) {
  const auto& options = state.options;
  if (options.tls_certificate_file.empty() && options.tls_key_file.empty()) return {};
  if (options.tls_certificate_file.empty() || options.tls_key_file.empty())
    return core::fail(bad_option("tls", "a TLS certificate and its key belong together, only one was given", "set both files, or neither"));
  auto& tls = state.tls.emplace(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  Wire::Error error;
  tls.use_certificate_chain_file(options.tls_certificate_file, error);
  if (error) return core::fail(bad_option("tls_certificate_file", fmt::format("{}: {}", options.tls_certificate_file, error.message()), "give a PEM file with the certificate chain"));
  tls.use_private_key_file(options.tls_key_file, asio::ssl::context::pem, error);
  if (error) return core::fail(bad_option("tls_key_file", fmt::format("{}: {}", options.tls_key_file, error.message()), "give the PEM file with the private key of the certificate"));
  return {};
}

void admit(std::shared_ptr<ServerState> state, ServerLoop& loop, Wire::Socket socket) {
  const std::uint32_t open = state->open(), most = state->options.connections_max;
  if (state->is_stopping || open >= most + refused_at_once_max) return;
  const auto admission = open < most ? Connection::Admission::served : Connection::Admission::refused;
  if (admission == Connection::Admission::refused) state->log.warn("http_connections_full", {{"connections_max", most}});
  Connection::start(std::make_shared<Connection>(state, loop, std::move(socket)), admission);
}

/// Hands new connections to the io loops in turn. One listening socket for all loops: with SO_REUSEPORT a second server could take half of
/// the connections unnoticed, and a few long connections could all fall to one loop.
asio::awaitable<void> accept_connections(std::shared_ptr<ServerState> state) {
  asio::steady_timer pause(state->loops[0]->io);
  for (std::size_t next = 0; !state->is_stopping; ++next) {
    ServerLoop& loop = *state->loops[next % state->loops.size()];
    Wire::Socket socket(loop.io.get_executor());
    const auto [error] = co_await state->acceptor->async_accept(socket, Wire::token);
    if (state->is_stopping) co_return;
    if (error) {
      if (error != asio::error::connection_aborted) {
        state->log.error("http_accept_failed", {{"error", error.message()}});
        pause.expires_after(accept_pause);
        co_await pause.async_wait(Wire::token);
      }
      continue;
    }
    asio::dispatch(loop.io, [state, &loop, socket = std::move(socket)]() mutable { admit(std::move(state), loop, std::move(socket)); });
  }
}

/// Runs `work(loop)` on every io loop and waits until it is done; here and now where the loop does not run any more.
template <class F>
void run_on_each_loop(ServerState& state, F work) {
  for (const auto& loop : state.loops) {
    const auto done = std::make_shared<std::promise<void>>();  // shared with the loop, which may outlive this call when it is stopped
    asio::post(loop->io, [done, work, &loop = *loop] {
      work(loop);
      done->set_value();
    });
    const auto ended = done->get_future();
    while (ended.wait_for(loop_check) != std::future_status::ready)
      if (loop->io.stopped()) {
        work(*loop);
        break;
      }
  }
}

void for_each_connection(ServerLoop& loop, void (Connection::*what)()) {
  const auto& entries = loop.sweeper->entries();
  for (std::size_t i = entries.size(); i-- > 0;) (static_cast<Connection*>(entries[i])->*what)();
}

}  // namespace

struct HttpServer::State : ServerState {
  using ServerState::ServerState;
};

core::Result<std::unique_ptr<HttpServer>> HttpServer::start(core::Pools& pools, const Router& router, Authenticator authenticator, ServerOptions options,
                                                            const core::Log& log, core::Metrics& metrics) {
  auto state = std::make_shared<State>(pools, router, std::move(authenticator), std::move(options), log, metrics);
  VOLAN_TRY_VOID(load_tls(*state));
  VOLAN_TRY_VOID(open_acceptor(*state));
  asio::co_spawn(state->loops[0]->io, accept_connections(state), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  stop(std::chrono::milliseconds(0));
  state_->is_orphaned = true;
}

std::uint16_t HttpServer::port() const { return state_->port; }

std::string HttpServer::url() const {
  const bool is_v6 = state_->options.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", state_->tls ? "https" : "http", is_v6 ? "[" : "", state_->options.host, is_v6 ? "]" : "", state_->port);
}

void HttpServer::stop(std::chrono::milliseconds grace) {
  core::assert_may_block();
  if (state_->is_stopping.exchange(true)) return;
  run_on_each_loop(*state_, [this](ServerLoop& loop) {
    Wire::Error ignored;
    if (&loop == state_->loops[0].get()) state_->acceptor->close(ignored);
    for_each_connection(loop, &Connection::stop_softly);
  });
  if (!state_->wait_until_empty(grace)) {
    run_on_each_loop(*state_, [](ServerLoop& loop) { for_each_connection(loop, &Connection::stop_hard); });
    if (!state_->wait_until_empty(cancel_time_max)) state_->log.error("http_stop_left_connections", {{"connections", state_->open()}});
  }
  // What belongs to one io loop must not be destroyed by another, which a connection that was left over could do with our shared state.
  run_on_each_loop(*state_, [this](ServerLoop& loop) {
    loop.sweeper->stop();
    if (&loop == state_->loops[0].get()) state_->acceptor.reset();
  });
}

}  // namespace volan::net
