#include "trace/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "core/json.hpp"
#include "net/openapi.hpp"
#include "trace/intake.hpp"

namespace volan::trace {
namespace {

namespace asio = boost::asio;
using core::ErrorCode;
using core::fail;
using core::Task;
using net::Access;
using net::OpenApiOperation;
using net::Request;
using net::Response;
using net::Verb;

constexpr std::int64_t list_limit_default = 50;
constexpr std::int64_t stats_hours_max = 24 * 366;
constexpr std::chrono::seconds heartbeat_interval{15};
constexpr std::size_t compute_bytes_min = 64u << 10;  // smaller bodies are read on the io thread: about 1 ms

/// What the handlers work on. Its copies live in the route table.
struct Context {
  TraceStore& store;
  Recorder& recorder;
  core::Pools& pools;
  const core::Clock& clock;
};

/// Errors: invalid_argument for a query parameter that the route does not have.
core::Result<> check_names(const Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query)
    if (std::ranges::find(known, name) == known.end())
      return fail(ErrorCode::invalid_argument, fmt::format("unknown query parameter '{}'", name), name,
                  fmt::format("known are: {}", fmt::join(known, ", ")));
  return {};
}

std::optional<std::string> text_value(const Request& request, std::string_view name) {
  const auto value = request.query_value(name);
  return value && !value->empty() ? std::optional<std::string>(*value) : std::nullopt;
}

template <class Number>
core::Result<std::optional<Number>> number_value(const Request& request, std::string_view name) {
  const auto text = text_value(request, name);
  if (!text) return std::optional<Number>();
  Number number{};
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size())
    return fail(ErrorCode::invalid_argument, fmt::format("expected a number, found '{}'", *text), std::string(name));
  return std::optional<Number>(number);
}

core::Result<std::optional<core::Time>> time_value(const Request& request, std::string_view name) {
  const auto text = text_value(request, name);
  if (!text) return std::optional<core::Time>();
  const auto time = core::time_from_rfc3339(*text);
  if (!time) return fail(ErrorCode::invalid_argument, time.error().message, std::string(name), "write it like 2026-01-31T12:00:00Z");
  return std::optional<core::Time>(*time);
}

core::Result<TraceFilter> filter_of(const Request& request) {
  TraceFilter filter;
  filter.app = text_value(request, "app");
  filter.model = text_value(request, "model");
  filter.session_id = text_value(request, "session_id");
  filter.user_id = text_value(request, "user_id");
  filter.name_contains = text_value(request, "name");
  filter.text_contains = text_value(request, "text");
  if (const auto status = text_value(request, "status")) {
    filter.status = core::enum_of<ViewStatus>(*status);
    if (!filter.status)
      return fail(ErrorCode::invalid_argument, fmt::format("unknown status '{}'", *status), "status",
                  "one of running, ok, error, cancelled, interrupted");
  }
  VOLAN_TRY(filter.duration_ms_min, number_value<double>(request, "duration_ms_min"));
  VOLAN_TRY(filter.from, time_value(request, "from"));
  VOLAN_TRY(filter.to, time_value(request, "to"));
  return filter;
}

Task<Response> list_traces(Context context, Request& request) {
  VOLAN_CO_TRY_VOID(check_names(
      request, {"app", "model", "session_id", "user_id", "name", "text", "status", "duration_ms_min", "from", "to", "limit", "after"}));
  VOLAN_CO_TRY(auto filter, filter_of(request));
  VOLAN_CO_TRY(auto limit, number_value<std::int64_t>(request, "limit"));
  const auto after = text_value(request, "after");
  VOLAN_CO_TRY(auto page, co_await context.pools.on_disk([&] {
    return context.store.list(request.principal.project, filter, limit.value_or(list_limit_default), after);
  }));
  co_return Response::json(core::encode_json(page));
}

Task<Response> get_trace(Context context, Request& request) {
  const std::string id(request.param("id"));
  // A tree may be tens of megabytes: it becomes text in the pool too.
  VOLAN_CO_TRY(auto body, co_await context.pools.on_disk([&]() -> core::Result<std::string> {
    VOLAN_TRY(auto tree, context.store.tree(request.principal.project, id));
    return core::encode_json(tree);
  }));
  co_return Response::json(std::move(body));
}

Task<Response> get_span(Context context, Request& request) {
  const std::string id(request.param("id"));
  const std::string span_id(request.param("span_id"));
  VOLAN_CO_TRY(auto span, co_await context.pools.on_disk([&] { return context.store.span(request.principal.project, id, span_id); }));
  co_return Response::json(core::encode_json(span));
}

Task<Response> delete_trace(Context context, Request& request) {
  const std::string id(request.param("id"));
  VOLAN_CO_TRY_VOID(co_await context.pools.on_disk([&] { return context.store.remove(request.principal.project, id); }));
  Response response;
  response.status = 204;
  co_return response;
}

Task<Response> get_stats(Context context, Request& request) {
  VOLAN_CO_TRY_VOID(check_names(request, {"hours"}));
  VOLAN_CO_TRY(auto wanted, number_value<std::int64_t>(request, "hours"));
  const std::int64_t hours = wanted.value_or(24);
  if (hours < 1 || hours > stats_hours_max)
    co_return fail(ErrorCode::invalid_argument, fmt::format("expected 1 to {}, found {}", stats_hours_max, hours), "hours");
  const core::Time to = context.clock.now();
  const core::Time from{to.ns - hours * 3'600'000'000'000};
  VOLAN_CO_TRY(auto stats, co_await context.pools.on_disk([&] { return context.store.stats(request.principal.project, from, to); }));
  co_return Response::json(core::encode_json(stats));
}

Task<Response> post_spans(Context context, Request& request) {
  core::Result<Intake> intake;
  if (request.body.size() < compute_bytes_min)
    intake = read_spans(request.body, request.principal.project);
  else
    intake = co_await context.pools.on_compute([&] { return read_spans(request.body, request.principal.project); });
  if (!intake) co_return std::unexpected(std::move(intake).error());
  if (!intake->spans.empty()) VOLAN_CO_TRY_VOID(co_await context.recorder.record_all(std::move(intake->spans)));
  co_return Response::json(core::encode_json(intake->answer));
}

/// The open end of a live stream: a timer that the feed's thread wakes by way of the connection's io loop. Shared by the stream and the
/// wake-ups that are under way.
struct Alarm {
  explicit Alarm(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
};

/// Writes events until the client leaves. A comment every 15 seconds finds out that it has.
Task<> follow(std::shared_ptr<LiveFeed::Reader> reader, std::shared_ptr<Alarm> alarm, net::BodyWriter& writer) {
  VOLAN_CO_TRY_VOID(co_await writer.write(": following\n\n"));
  while (true) {
    auto batch = reader->take();
    if (batch.empty()) {
      alarm->timer.expires_after(heartbeat_interval);
      const auto [error] = co_await alarm->timer.async_wait(asio::as_tuple(asio::use_awaitable));
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return fail(ErrorCode::cancelled, "the client has left");
      if (!error) VOLAN_CO_TRY_VOID(co_await writer.write(": still here\n\n"));
      continue;
    }
    std::string bytes;
    if (batch.dropped > 0) bytes = fmt::format("event: dropped\ndata: {{\"dropped\":{}}}\n\n", batch.dropped);
    for (const auto& event : batch.events) bytes += *event;
    VOLAN_CO_TRY_VOID(co_await writer.write(bytes));
  }
}

Task<Response> live_traces(Context context, Request& request) {
  auto alarm = std::make_shared<Alarm>(request.executor);
  // The reader's handler runs on the publishing thread; the timer belongs to the connection's loop. A lost wake-up cannot be: the stream
  // looks for events again before each wait, and on its loop nothing runs between that look and the wait.
  auto wake = [alarm, executor = request.executor] { asio::post(executor, [alarm] { alarm->timer.cancel(); }); };
  VOLAN_CO_TRY(auto reader, context.store.live().subscribe(request.principal.project, std::move(wake)));
  co_return Response::events([reader, alarm](net::BodyWriter& writer) { return follow(reader, alarm, writer); });
}

/// A handler that passes `context` to a coroutine with parameters; the lambda itself is no coroutine.
net::Handler with(const Context& context, Task<Response> (*handle)(Context, Request&)) {
  return [context, handle](Request& request) { return handle(context, request); };
}

void describe_list(OpenApiOperation& op) {
  op.query("app", "string", "Exact name.")
      .query("model", "string", "Exact name.")
      .query("session_id", "string", "Exact id.")
      .query("user_id", "string", "Exact id.")
      .query("status", "string", "running, ok, error, cancelled or interrupted.")
      .query("name", "string", "Part of the name, without regard to case.")
      .query("text", "string", "Part of an input or output of any span, without regard to case.")
      .query("duration_ms_min", "number", "At least this long.")
      .query("from", "string", "Started at or after this RFC 3339 time.")
      .query("to", "string", "Started before this RFC 3339 time.")
      .query("limit", "integer", "1 to 200; 50 when absent.")
      .query("after", "string", "`next` of the page before.")
      .answer<TracePage>(200);
}

}  // namespace

std::vector<net::Route> routes(TraceStore& store, Recorder& recorder, core::Pools& pools, const core::Clock& clock) {
  const Context context{store, recorder, pools, clock};
  std::vector<net::Route> table;
  table.push_back(
      {Verb::get, "/api/v1/traces", Access::viewer, with(context, list_traces), {"Traces, newest first.", "traces", describe_list}});
  table.push_back(
      {Verb::get,
       "/api/v1/traces/live",
       Access::viewer,
       with(context, live_traces),
       {"Server-sent events: `trace` with a TraceSummary when a trace starts and when it ends, `dropped` with the number of events that a "
        "slow "
        "reader missed.",
        "traces", [](OpenApiOperation& op) { op.answer_events("event `trace`: TraceSummary; event `dropped`: {\"dropped\": n}"); }}});
  table.push_back({Verb::get,
                   "/api/v1/traces/stats",
                   Access::viewer,
                   with(context, get_stats),
                   {"Counters of the last hours: traces, errors, latency, tokens by model, retention.", "traces",
                    [](OpenApiOperation& op) { op.query("hours", "integer", "1 to 8784; 24 when absent.").answer<TraceStats>(200); }}});
  table.push_back({Verb::get,
                   "/api/v1/traces/{id}",
                   Access::viewer,
                   with(context, get_trace),
                   {"All spans of a trace.", "traces", [](OpenApiOperation& op) { op.answer<TraceTree>(200); }}});
  table.push_back({Verb::get,
                   "/api/v1/traces/{id}/spans/{span_id}",
                   Access::viewer,
                   with(context, get_span),
                   {"One span with its whole input and output.", "traces", [](OpenApiOperation& op) { op.answer<SpanView>(200); }}});
  table.push_back({Verb::del,
                   "/api/v1/traces/{id}",
                   Access::admin,
                   with(context, delete_trace),
                   {"Removes a trace for good.", "traces", [](OpenApiOperation& op) { op.answer_empty(204, "removed"); }}});
  table.push_back({Verb::post,
                   "/api/v1/spans",
                   Access::member,
                   with(context, post_spans),
                   {"Takes finished or running spans; answers when they are on disk.", "traces",
                    [](OpenApiOperation& op) { op.body<std::vector<SpanIn>>().answer<IntakeAnswer>(200); }}});
  return table;
}

}  // namespace volan::trace
