#include "app/overview.hpp"

#include "core/json.hpp"
#include "core/process.hpp"
#include "net/openapi.hpp"

namespace volan::app {
namespace {

struct Named {
  std::string id;
  std::string name;
};
constexpr auto describe(const Named*) { return core::object("ProjectName", core::field("id", &Named::id), core::field("name", &Named::name)); }

struct Hop {
  std::string id, title, state, headline;
  std::optional<std::string> detail{};
  std::optional<core::Time> last_event{};
  std::optional<std::string> link{};
};
constexpr auto describe(const Hop*) {
  return core::object("Hop", core::field("id", &Hop::id, "collect, features, serve or observe."), core::field("title", &Hop::title),
                      core::field("state", &Hop::state, "ok, idle, busy, attention or error."), core::field("headline", &Hop::headline),
                      core::field("detail", &Hop::detail), core::field("last_event", &Hop::last_event), core::field("link", &Hop::link));
}

struct Totals {
  std::int64_t documents = 0, chunks = 0, traces_24h = 0, errors_24h = 0, prompt_tokens_24h = 0, completion_tokens_24h = 0;
  std::optional<double> latency_p50_ms{}, latency_p95_ms{};
};
constexpr auto describe(const Totals*) {
  using T = Totals;
  return core::object("Totals", core::field("documents", &T::documents), core::field("chunks", &T::chunks), core::field("traces_24h", &T::traces_24h),
                      core::field("errors_24h", &T::errors_24h), core::field("prompt_tokens_24h", &T::prompt_tokens_24h),
                      core::field("completion_tokens_24h", &T::completion_tokens_24h), core::field("latency_p50_ms", &T::latency_p50_ms),
                      core::field("latency_p95_ms", &T::latency_p95_ms));
}

struct Attention {
  std::string title, detail, fix;
  std::optional<std::string> link{};
};
constexpr auto describe(const Attention*) {
  return core::object("Attention", core::field("title", &Attention::title), core::field("detail", &Attention::detail),
                      core::field("fix", &Attention::fix), core::field("link", &Attention::link));
}

struct Overview {
  std::string version;
  core::Time started{};
  std::int64_t uptime_seconds = 0;
  Named project{};
  std::vector<Hop> hops;
  Totals totals{};
  std::vector<Attention> attention;
  std::uint64_t resident_memory_bytes = 0;
};
constexpr auto describe(const Overview*) {
  using O = Overview;
  return core::object("Overview", core::field("version", &O::version), core::field("started", &O::started),
                      core::field("uptime_seconds", &O::uptime_seconds), core::field("project", &O::project), core::field("hops", &O::hops),
                      core::field("totals", &O::totals), core::field("attention", &O::attention, "What needs a person."),
                      core::field("resident_memory_bytes", &O::resident_memory_bytes));
}

struct AppView {
  std::string name, title, description, endpoint, endpoint_state;
  std::optional<std::string> author{};
  std::vector<std::string> suggestions;
};
constexpr auto describe(const AppView*) {
  using A = AppView;
  return core::object("AppView", core::field("name", &A::name), core::field("title", &A::title), core::field("description", &A::description),
                      core::field("endpoint", &A::endpoint), core::field("endpoint_state", &A::endpoint_state), core::field("author", &A::author),
                      core::field("suggestions", &A::suggestions));
}
struct AppList {
  std::vector<AppView> apps;
};
constexpr auto describe(const AppList*) { return core::object("AppList", core::field("apps", &AppList::apps)); }

std::string state_of(const runtime::EndpointView& view) { return std::string(core::text_of(view.state)); }

core::Task<net::Response> get_overview(OverviewParts parts, net::Request& request) {
  VOLAN_CO_TRY(auto viewer, parts.auth.viewer(request.principal));
  const std::string project = request.principal.project;
  const core::Time now = parts.clock.now();
  const core::Time day_ago{now.ns - 86'400'000'000'000};
  trace::TraceStore& traces = parts.traces;
  auto read = [&traces, project, day_ago, now] { return traces.stats(project, day_ago, now); };
  VOLAN_CO_TRY(auto stats, co_await parts.pools.on_disk(read));
  feature::Store& store = parts.features.store();
  auto read_snapshots = [&store, project] { return store.snapshots(project); };
  VOLAN_CO_TRY(auto snapshots, co_await parts.pools.on_disk(read_snapshots));

  Overview out;
  out.version = version;
  out.started = parts.started;
  out.uptime_seconds = (now.ns - parts.started.ns) / 1'000'000'000;
  out.project = {project, project};
  out.resident_memory_bytes = core::own_resident_bytes();
  out.totals.traces_24h = stats.traces;
  out.totals.errors_24h = stats.errors;
  out.totals.latency_p50_ms = stats.p50_ms;
  out.totals.latency_p95_ms = stats.p95_ms;
  for (const auto& model : stats.models) {
    out.totals.prompt_tokens_24h += model.prompt_tokens;
    out.totals.completion_tokens_24h += model.completion_tokens;
  }
  Hop features{.id = "features", .title = "Features", .state = "idle", .headline = "no snapshot yet", .link = "/features"};
  if (const auto snapshot = parts.features.current(project)) {
    out.totals.chunks = static_cast<std::int64_t>(snapshot->chunk_count());
    features.state = "ok";
    for (const auto& info : snapshots)
      if (info.is_current) {
        out.totals.documents = info.documents;
        features.last_event = info.created;
      }
    features.headline = std::to_string(snapshot->chunk_count()) + " chunks";
    features.detail = std::to_string(snapshot->authors().size()) + (snapshot->authors().size() == 1 ? " author" : " authors");
  } else {
    out.attention.push_back({"No feature snapshot", "Answers have no sources until documents are indexed.", "Build the features.", "/features"});
  }
  Hop serve{.id = "serve", .title = "Serve", .state = "ok", .headline = "", .link = "/servers"};
  std::size_t ready = 0;
  const auto endpoints = parts.endpoints.list();
  for (const auto& endpoint : endpoints) {
    const std::string state = state_of(endpoint);
    if (state == "ready") ++ready;
    if (state == "failed" || state == "backing_off") {
      serve.state = "error";
      out.attention.push_back({"Endpoint " + endpoint.name + " is down", endpoint.last_error.value_or(state), "Look at its log and restart it.", "/servers"});
    } else if (state == "starting" && serve.state == "ok") {
      serve.state = "busy";
    }
  }
  serve.headline = std::to_string(ready) + " of " + std::to_string(endpoints.size()) + " endpoints ready";
  Hop observe{.id = "observe", .title = "Observe", .state = stats.traces == 0 ? "idle" : "ok", .headline = std::to_string(stats.traces) + " traces in 24 h", .link = "/traces"};
  if (stats.errors > 0) {
    observe.state = "attention";
    observe.detail = std::to_string(stats.errors) + " with errors";
  }
  if (const auto journal = parts.journal.stats(); !journal.error.empty()) {
    observe.state = "error";
    out.attention.push_back({"The journal stopped", journal.error, "Make room on the disk and restart volan.", "/"});
  }
  out.hops = {features, serve, observe};
  net::Response response = net::Response::json(core::encode_json(out));
  co_return std::move(response);
}

core::Task<net::Response> get_apps(OverviewParts parts) {
  AppList out;
  const auto endpoints = parts.endpoints.list();
  for (const auto& app : parts.apps) {
    AppView view{.name = app.name, .title = app.title.empty() ? app.name : app.title, .description = app.description, .endpoint = app.endpoint,
                 .endpoint_state = "failed", .suggestions = app.suggestions};
    if (!app.author.empty()) view.author = app.author;
    for (const auto& endpoint : endpoints)
      if (endpoint.name == app.endpoint) view.endpoint_state = state_of(endpoint);
    out.apps.push_back(std::move(view));
  }
  net::Response response = net::Response::json(core::encode_json(out));
  co_return std::move(response);
}

core::Task<net::Response> get_live() {
  net::Response response = net::Response::json("{\"status\":\"live\"}");
  co_return std::move(response);
}

/// Ready = requests can be taken and recorded. Model servers that still load are told per endpoint, not here.
core::Task<net::Response> get_ready(OverviewParts parts) {
  const auto journal = parts.journal.stats();
  if (!journal.error.empty()) co_return core::fail(core::ErrorCode::unavailable, "the journal stopped: " + journal.error);
  net::Response response = net::Response::json("{\"status\":\"ready\"}");
  co_return std::move(response);
}

core::Task<net::Response> get_metrics(OverviewParts parts) {
  net::Response response = net::Response::text(parts.metrics.text());
  response.headers.set("content-type", "text/plain; version=0.0.4; charset=utf-8");
  co_return std::move(response);
}

}  // namespace

std::vector<net::Route> overview_routes(OverviewParts parts) {
  using net::Access;
  using net::Verb;
  std::vector<net::Route> out;
  const auto add = [&out](std::string path, Access access, net::Handler handler, net::RouteDoc doc) {
    out.push_back({.verb = Verb::get, .path = std::move(path), .access = access, .handler = std::move(handler), .doc = std::move(doc)});
  };
  add("/api/v1/overview", Access::viewer, [parts](net::Request& r) { return get_overview(parts, r); },
      {"How the loop is doing.", "Overview", [](net::OpenApiOperation& op) { op.answer<Overview>(200); }});
  add("/api/v1/apps", Access::viewer, [parts](net::Request&) { return get_apps(parts); },
      {"What clients can call as model.", "Apps", [](net::OpenApiOperation& op) { op.answer<AppList>(200); }});
  add("/health/live", Access::anyone, [](net::Request&) { return get_live(); }, {"Whether the process answers.", "Health", {}});
  add("/health/ready", Access::anyone, [parts](net::Request&) { return get_ready(parts); }, {"Whether requests can be taken and recorded.", "Health", {}});
  add("/metrics", Access::viewer, [parts](net::Request&) { return get_metrics(parts); }, {"Metrics in the Prometheus text format.", "Health", {}});
  return out;
}

}  // namespace volan::app
