#include "net/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/client_exchange.hpp"

namespace volan::net {
namespace {

namespace asio = boost::asio;

std::shared_ptr<asio::ssl::context> make_tls(const ClientOptions& options) {
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  Wire::Error error;
  tls->set_default_verify_paths(error);
  if (!options.tls_ca_file.empty()) {
    tls->load_verify_file(options.tls_ca_file, error);
    VOLAN_CHECK(!error, "the file of trusted authorities was checked before");
  }
  return tls;
}

}  // namespace

struct HttpClient::State {
  ClientOptions options;
  std::vector<std::shared_ptr<ClientPool>> pools;  ///< one per io loop; shared with the exchanges that run there

  /// The pool of the io loop that the calling coroutine runs on.
  std::shared_ptr<ClientPool> pool_of(const asio::any_io_executor& executor) const {
    const auto* loop = &asio::query(executor, asio::execution::context);
    const auto found = std::find_if(pools.begin(), pools.end(), [&](const auto& pool) { return &pool->io == loop; });
    VOLAN_CHECK(found != pools.end(), "HttpClient is called on an io loop of its pools");
    return *found;
  }
};

HttpClient::HttpClient(core::Pools& pools, ClientOptions options) : state_(std::make_unique<State>()) {
  const auto tls = make_tls(options);
  for (std::size_t i = 0; i < pools.io_count(); ++i) state_->pools.push_back(std::make_shared<ClientPool>(pools.io(i), options, tls));
  state_->options = std::move(options);
}

HttpClient::~HttpClient() {
  // Idle connections are closed by their own loop; running exchanges hold on to the pool and close theirs at their end.
  for (auto& pool : state_->pools) {
    auto& io = pool->io;
    asio::post(io, [pool = std::move(pool)] { pool->close(); });
  }
}

core::Task<ClientResponse> HttpClient::send(ClientRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  ClientExchange exchange(state_->pool_of(executor), std::move(request));
  VOLAN_CO_TRY_VOID(co_await exchange.open());
  ClientResponse response;
  VOLAN_CO_TRY_VOID(co_await exchange.read_whole(response.body));
  response.status = exchange.status();
  response.headers = exchange.take_headers();
  co_return response;
}

core::Task<std::unique_ptr<ClientStream>> HttpClient::stream(ClientRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  auto exchange = std::make_unique<ClientExchange>(state_->pool_of(executor), std::move(request));
  VOLAN_CO_TRY_VOID(co_await exchange->open());
  co_return std::unique_ptr<ClientStream>(std::move(exchange));
}

}  // namespace volan::net
