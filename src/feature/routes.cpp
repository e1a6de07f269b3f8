#include "feature/routes.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "core/json.hpp"
#include "feature/stored_snapshot.hpp"
#include "feature/wire.hpp"
#include "net/openapi.hpp"

namespace volan::feature {
namespace {

using core::ErrorCode;
using core::fail;
using core::Task;
using net::Access;
using net::OpenApiOperation;
using net::Request;
using net::Response;
using net::Verb;

constexpr std::int64_t page_max = 500;
constexpr auto event_interval = std::chrono::milliseconds(100);  // progress events of one follower, at most

struct Context {
  FeatureStore& features;
  BuildService& builds;
};

std::string text_of(const Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(std::string_view{}));
}

core::Result<std::int64_t> limit_of(const Request& request) {
  const auto value = request.query_value("limit");
  if (!value) return 50;
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), limit);
  if (error != std::errc{} || end != value->data() + value->size() || limit < 1 || limit > page_max)
    return fail(ErrorCode::invalid_argument, "must be a number from 1 to 500", "limit");
  return limit;
}

// The key of a document in a listing, for `after`: source, a line break (which no source name has in a URL by accident), locator.
std::string page_key(const collect::DocumentHead& head) { return head.source + "\n" + head.locator; }

Task<Response> get_features(Context context, Request& request) {
  const std::string project = request.principal.project;
  FeatureOverview overview;
  auto read = [&] { return context.features.store().snapshots(project); };
  VOLAN_CO_TRY(const auto snapshots, co_await context.features.pools().on_disk(std::move(read)));
  for (const SnapshotInfo& info : snapshots)
    if (info.is_current) overview.current = info;
  if (const auto snapshot = context.features.stored(project)) {
    overview.authors = snapshot->authors();
    overview.categories = snapshot->categories();
    overview.has_graph = snapshot->has_graph();
  }
  VOLAN_CO_TRY(auto builds, co_await context.builds.list(project, 1));
  if (!builds.empty()) overview.last_build = std::move(builds.front());
  co_return Response::json(core::encode_json(overview));
}

Task<Response> get_snapshots(Context context, Request& request) {
  auto read = [&] { return context.features.store().snapshots(request.principal.project); };
  VOLAN_CO_TRY(auto snapshots, co_await context.features.pools().on_disk(std::move(read)));
  co_return Response::json(core::encode_json(SnapshotList{std::move(snapshots)}));
}

Task<Response> get_documents(Context context, Request& request) {
  VOLAN_CO_TRY(const std::int64_t limit, limit_of(request));
  collect::DocumentQuery query{.source = text_of(request, "source"),
                               .author = text_of(request, "author"),
                               .category = text_of(request, "category"),
                               .state = text_of(request, "state"),
                               .limit = limit + 1};
  if (const auto after = request.query_value("after")) {
    const std::size_t border = after->find('\n');
    if (border == std::string_view::npos)
      co_return fail(ErrorCode::invalid_argument, "not a key that a listing gave", "after", "send `next` of the page before");
    query.after_source = after->substr(0, border);
    query.after_locator = after->substr(border + 1);
  }
  auto read = [&] { return context.features.documents().list(request.principal.project, query); };
  VOLAN_CO_TRY(auto heads, co_await context.features.pools().on_disk(std::move(read)));
  DocumentList list;
  if (std::cmp_greater(heads.size(), limit)) {
    heads.pop_back();
    list.next = page_key(heads.back());
  }
  list.items = std::move(heads);
  co_return Response::json(core::encode_json(list));
}

Task<Response> get_document(Context context, Request& request) {
  const std::string project = request.principal.project, id(request.param("id"));
  auto read = [&]() -> core::Result<DocumentDetail> {
    DocumentDetail detail;
    VOLAN_TRY(detail.document, context.features.documents().head(project, id));
    VOLAN_TRY(const auto snapshots, context.features.store().snapshots(project));
    for (const SnapshotInfo& info : snapshots)
      if (info.is_current) {
        VOLAN_TRY(detail.chunks, context.features.store().chunks_of(project, info.settings_hash, id));
      }
    return detail;
  };
  VOLAN_CO_TRY(const auto detail, co_await context.features.pools().on_disk(std::move(read)));
  co_return Response::json(core::encode_json(detail));
}

Task<Response> post_build(Context context, Request& request) {
  VOLAN_CO_TRY(const auto info, co_await context.builds.start(request.principal.project));
  Response response = Response::json(core::encode_json(info), 202);
  response.headers.set("location", "/api/v1/features/builds/" + info.id);
  co_return response;
}

Task<Response> get_builds(Context context, Request& request) {
  VOLAN_CO_TRY(const std::int64_t limit, limit_of(request));
  VOLAN_CO_TRY(auto builds, co_await context.builds.list(request.principal.project, limit));
  co_return Response::json(core::encode_json(BuildList{std::move(builds)}));
}

Task<Response> get_build(Context context, Request& request) {
  VOLAN_CO_TRY(const auto info, co_await context.builds.find(request.principal.project, std::string(request.param("id"))));
  co_return Response::json(core::encode_json(info));
}

std::string event(std::string_view type, const BuildInfo& info) {
  std::string text = "event: ";
  return text.append(type).append("\ndata: ").append(core::encode_json(info)).append("\n\n");
}

// Sends the state whenever it has changed, at most ten times a second, until the build has ended.
Task<> follow_build(Context context, std::string project, std::string id, net::BodyWriter& writer) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  std::uint64_t sent = UINT64_MAX;
  for (;;) {
    VOLAN_CO_TRY(const auto info, co_await context.builds.find(project, id));
    const auto live = context.builds.live(project, id);
    if (info.state != "running") {
      const std::string last = event("end", info);
      co_return co_await writer.write(last);
    }
    if (live && live->version != sent) {
      sent = live->version;
      const std::string progress = event("progress", live->info);
      VOLAN_CO_TRY_VOID(co_await writer.write(progress));
    }
    timer.expires_after(event_interval);
    const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) co_return fail(ErrorCode::cancelled, "the client has left");
  }
}

Task<Response> get_build_events(Context context, Request& request) {
  const std::string project = request.principal.project, id(request.param("id"));
  VOLAN_CO_TRY([[maybe_unused]] const auto known, co_await context.builds.find(project, id));
  co_return Response::events([context, project, id](net::BodyWriter& writer) { return follow_build(context, project, id, writer); });
}

/// Passes the context to a coroutine with parameters; the lambda itself is no coroutine.
net::Handler with(Context context, Task<Response> (*handle)(Context, Request&)) {
  return [context, handle](Request& request) { return handle(context, request); };
}

}  // namespace

std::vector<net::Route> routes(FeatureStore& features, BuildService& builds) {
  const Context context{features, builds};
  std::vector<net::Route> table;
  table.push_back({Verb::get,
                   "/api/v1/features",
                   Access::viewer,
                   with(context, get_features),
                   {"The feature store: current snapshot, authors, last build.", "features",
                    [](OpenApiOperation& op) { op.answer<FeatureOverview>(200); }}});
  table.push_back({Verb::get,
                   "/api/v1/features/snapshots",
                   Access::viewer,
                   with(context, get_snapshots),
                   {"The snapshots that are kept, newest first.", "features", [](OpenApiOperation& op) { op.answer<SnapshotList>(200); }}});
  table.push_back({Verb::post,
                   "/api/v1/features/build",
                   Access::member,
                   with(context, post_build),
                   {"Starts a build in the background; 409 while one is running.", "features",
                    [](OpenApiOperation& op) { op.answer<BuildInfo>(202, "started"); }}});
  table.push_back({Verb::get,
                   "/api/v1/features/builds",
                   Access::viewer,
                   with(context, get_builds),
                   {"Builds, newest first.", "features",
                    [](OpenApiOperation& op) { op.query("limit", "integer", "1 to 500, default 50.").answer<BuildList>(200); }}});
  table.push_back({Verb::get,
                   "/api/v1/features/builds/{id}",
                   Access::viewer,
                   with(context, get_build),
                   {"One build, running or ended.", "features", [](OpenApiOperation& op) { op.answer<BuildInfo>(200); }}});
  table.push_back({Verb::get,
                   "/api/v1/features/builds/{id}/events",
                   Access::viewer,
                   with(context, get_build_events),
                   {"Follows a build.", "features", [](OpenApiOperation& op) {
                      op.answer_events("progress events with a FeatureBuild each, at most ten a second, then one end event");
                    }}});
  table.push_back({Verb::get,
                   "/api/v1/documents",
                   Access::viewer,
                   with(context, get_documents),
                   {"Documents of the project, ordered by source and locator.", "documents", [](OpenApiOperation& op) {
                      op.query("source", "string", "Only of this source.")
                          .query("author", "string", "Only of this author.")
                          .query("category", "string", "article, post or repository.")
                          .query("state", "string", "present, gone or failed.")
                          .query("after", "string", "`next` of the page before.")
                          .query("limit", "integer", "1 to 500, default 50.")
                          .answer<DocumentList>(200);
                    }}});
  table.push_back({Verb::get,
                   "/api/v1/documents/{id}",
                   Access::viewer,
                   with(context, get_document),
                   {"A document with its chunks.", "documents", [](OpenApiOperation& op) { op.answer<DocumentDetail>(200); }}});
  return table;
}

}  // namespace volan::feature
