#include "app/wiring.hpp"

#include <filesystem>

#include "app/overview.hpp"
#include "app/web.hpp"
#include "auth/auth.hpp"
#include "auth/routes.hpp"
#include "core/file.hpp"
#include "core/process.hpp"
#include "feature/build_service.hpp"
#include "feature/feature_store.hpp"
#include "feature/routes.hpp"
#include "gateway/chat.hpp"
#include "gateway/dialect_openai.hpp"
#include "gateway/model_router.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/openapi.hpp"
#include "rag/retriever.hpp"
#include "runtime/directory.hpp"
#include "runtime/model_import.hpp"
#include "runtime/routes.hpp"
#include "storage/data_folder_lock.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"
#include "trace/recorder.hpp"
#include "trace/routes.hpp"
#include "trace/store.hpp"

namespace volan::app {

using core::ErrorCode;

/// In order of construction; destroyed in reverse.
struct Server::State {
  explicit State(core::LogLevel level) : log(level, core::Log::Format::text) {}

  core::Log log;
  core::SystemClock clock;
  core::Metrics metrics;
  ProjectFile project;
  std::unique_ptr<storage::DataFolderLock> lock;
  core::Pools pools;
  net::HttpClient client{pools};
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<trace::TraceStore> traces;
  std::unique_ptr<trace::Recorder> recorder;
  std::unique_ptr<auth::Auth> auth;
  std::unique_ptr<runtime::EndpointDirectory> endpoints;
  std::unique_ptr<gateway::EndpointEmbedder> embedder;
  std::unique_ptr<gateway::ModelRouter> model_router;
  std::unique_ptr<feature::FeatureStore> features;
  std::unique_ptr<feature::BuildService> builds;
  std::unique_ptr<rag::Retriever> retriever;
  std::unique_ptr<gateway::Chat> chat;
  net::Router router;
  std::unique_ptr<net::HttpServer> http;
};

namespace {

core::Result<net::ServerOptions> server_options(const ServerConfig& config, const std::string& listen) {
  net::ServerOptions out;
  const std::string& address = listen.empty() ? config.listen : listen;
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return core::fail(ErrorCode::invalid_argument, "not an address: " + address, listen.empty() ? "server.listen" : "--listen", "write host:port, for example 127.0.0.1:8400");
  out.host = address.substr(0, colon);
  if (out.host.size() > 2 && out.host.front() == '[') out.host = out.host.substr(1, out.host.size() - 2);
  out.port = static_cast<std::uint16_t>(std::stoi(port));
  out.tls_certificate_file = config.tls_certificate_file;
  out.tls_key_file = config.tls_key_file;
  if (config.body_bytes_max > 0) out.body_bytes_max = static_cast<std::uint64_t>(config.body_bytes_max);
  return out;
}

/// Makes the models that are converted from other files. Once: later starts find them.
core::Result<> import_models(const ProjectFile& project, const core::Log& log) {
  for (const auto& import : project.imports) {
    if (std::filesystem::exists(import.out)) continue;
    VOLAN_TRY_VOID(core::create_folders(std::filesystem::path(import.out).parent_path().string()));
    VOLAN_TRY(auto report, runtime::import_minilm({.folder = import.folder, .out = import.out}));
    log.info("model_imported", {{"file", report.out}, {"bytes", report.bytes}, {"tensors", report.tensors}});
  }
  return {};
}

core::Task<net::Response> get_openapi(const net::Router& router) {
  net::Response response = net::Response::json(net::openapi_json(router, version));
  co_return std::move(response);
}

}  // namespace

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  if (!state_) return;
  if (state_->http) state_->http->stop(std::chrono::seconds(5));
  state_->http.reset();
  if (state_->builds) state_->builds->stop();
}

core::Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  VOLAN_TRY(auto project, read_project(options.project_folder, options.data_folder));
  VOLAN_TRY(auto listen, server_options(project.server, options.listen));
  auto owned = std::make_unique<State>(options.log_level);
  State& s = *owned;
  s.project = std::move(project);
  VOLAN_TRY(s.lock, storage::DataFolderLock::acquire(options.data_folder));
  const std::string data = std::filesystem::absolute(options.data_folder).lexically_normal().string();

  VOLAN_TRY(s.database, storage::Database::open(s.project.database.empty() ? "sqlite://" + data + "/metadata.sqlite" : s.project.database));
  VOLAN_TRY(s.journal, storage::Journal::open({.file = data + "/journal.sqlite"}, s.metrics));
  trace::TraceStoreOptions trace_options;
  trace_options.columns.file = data + "/traces.duckdb";
  trace_options.retention_days_default = s.project.server.trace_retention_days;
  VOLAN_TRY(s.traces, trace::TraceStore::open(std::move(trace_options), *s.journal, s.clock, s.log, s.metrics));
  s.recorder = std::make_unique<trace::Recorder>(*s.journal, s.clock, &s.metrics, &s.traces->live());
  VOLAN_TRY(s.auth, auth::Auth::open(*s.database, s.pools, s.clock, {.data_folder = data, .secure_cookies = !listen.tls_key_file.empty()}, s.log, s.metrics));

  VOLAN_TRY_VOID(import_models(s.project, s.log));
  VOLAN_TRY(s.endpoints, runtime::EndpointDirectory::open(s.project.endpoints, {.log_folder = data + "/logs"},
                                                          runtime::RuntimeContext{s.pools, s.client, s.clock, s.log, s.metrics}));
  s.embedder = std::make_unique<gateway::EndpointEmbedder>(s.project.embedder, *s.endpoints, s.client, *s.recorder);
  s.model_router = std::make_unique<gateway::ModelRouter>(*s.endpoints, s.client, *s.recorder);
  VOLAN_TRY(s.features, feature::FeatureStore::open(data + "/features", *s.database, s.pools, s.clock, s.log, s.metrics));
  const feature::FeatureConfig& config = s.project.features;
  s.builds = std::make_unique<feature::BuildService>(
      *s.features, *s.embedder, [&config](std::string_view) -> core::Result<feature::FeatureConfig> { return config; }, s.log);
  s.retriever = std::make_unique<rag::Retriever>(s.pools, *s.features, *s.embedder, *s.model_router, nullptr, *s.recorder);
  s.chat = std::make_unique<gateway::Chat>(s.project.apps, *s.endpoints, *s.model_router, *s.retriever, *s.recorder, s.clock);

  core::Gauge& resident = s.metrics.gauge("volan_process_resident_memory_bytes", "Resident memory of volan itself.");
  s.metrics.on_scrape([&resident] { resident.set(static_cast<double>(core::own_resident_bytes())); });
  s.router.add(auth::routes(*s.auth));
  s.router.add(trace::routes(*s.traces, *s.recorder, s.pools, s.clock));
  s.router.add(feature::routes(*s.features, *s.builds));
  s.router.add(runtime::routes(*s.endpoints, s.pools));
  s.router.add(gateway::openai_routes(*s.chat, *s.endpoints, s.client, *s.recorder));
  s.router.add(overview_routes({s.pools, s.clock, s.metrics, *s.auth, *s.features, *s.endpoints, *s.traces, *s.journal, s.project.apps, s.clock.now()}));
  const net::Router& router = s.router;
  s.router.add({.verb = net::Verb::get, .path = "/api/v1/openapi.json", .access = net::Access::anyone,
                .handler = [&router](net::Request&) { return get_openapi(router); }, .doc = {}});
  s.router.add(web_routes());
  VOLAN_TRY(s.http, net::HttpServer::start(s.pools, s.router, s.auth->authenticator(), listen, s.log, s.metrics));
  return std::unique_ptr<Server>(new Server(std::move(owned)));
}

std::string Server::url() const { return state_->http->url(); }

core::Result<std::string> Server::sign_in_url() {
  VOLAN_TRY(auto token, state_->auth->create_sign_in_token());
  return state_->http->url() + "/sign-in#token=" + token;
}

const ProjectFile& Server::project() const { return state_->project; }
core::Pools& Server::pools() { return state_->pools; }
runtime::EndpointDirectory& Server::endpoints() { return *state_->endpoints; }
feature::FeatureStore& Server::features() { return *state_->features; }
llm::Embedder& Server::embedder() { return *state_->embedder; }
rag::Retriever& Server::retriever() { return *state_->retriever; }
const net::Router& Server::router() const { return state_->router; }

}  // namespace volan::app
