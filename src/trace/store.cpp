#include "trace/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "core/periodic.hpp"
#include "core/pools.hpp"
#include "trace/queries.hpp"
#include "trace/rows.hpp"
#include "trace/span_entry.hpp"

namespace volan::trace {
namespace {

constexpr std::int64_t day_ns = 86'400'000'000'000;

}  // namespace

struct TraceStore::State {
  State(TraceStoreOptions options_in, const core::Clock& clock_in, const core::Log& log_in, core::Metrics& metrics)
      : options(std::move(options_in)),
        clock(clock_in),
        log(log_in),
        live(options.live, metrics),
        rows(metrics.counter("volan_trace_rows_total", "Span events taken into the column store's tables.")),
        removed(metrics.counter("volan_trace_removed_total", "Traces removed by retention rules.")) {}

  const TraceStoreOptions options;
  const core::Clock& clock;
  const core::Log& log;
  LiveFeed live;
  core::Counter& rows;
  core::Counter& removed;
  std::unique_ptr<storage::ColumnStore> columns;
  std::unique_ptr<Queries> queries;

  mutable std::mutex report_mutex;
  std::optional<core::Time> last_run;
  std::map<std::string, std::int64_t> removed_traces;  // per project
  std::optional<std::string> last_error;

  std::unique_ptr<core::Periodic> retention;  // last: stops first

  /// The column store's mapper.
  core::Result<> map(const storage::JournalEntry& entry, const std::function<void(std::size_t, storage::ColumnRow)>& emit) {
    if (entry.kind != span_entry_kind)
      return core::fail(core::ErrorCode::data_loss,
                        fmt::format("the journal has an entry of kind {}, which this program does not know", entry.kind), {},
                        "start the newer program that wrote it");
    VOLAN_TRY(auto span, decode_span(entry.version, entry.body));
    if (span.is_root()) emit(traces_table, trace_row(span));
    emit(spans_table, span_row(std::move(span)));
    rows.add();
    return {};
  }

  std::int64_t days_of(const std::string& project) const {
    const auto at = options.retention_days.find(project);
    return at == options.retention_days.end() ? options.retention_days_default : at->second;
  }

  bool has_retention() const {
    return options.retention_days_default > 0 ||
           std::ranges::any_of(options.retention_days, [](const auto& rule) { return rule.second > 0; });
  }

  core::Result<std::int64_t> apply_retention() {
    if (!has_retention()) return 0;
    std::int64_t total = 0;
    const core::Time now = clock.now();
    VOLAN_TRY(auto projects, columns->query("SELECT project, min(start_ns) FROM spans GROUP BY project"));
    for (const storage::Row& row : projects) {
      const std::string& project = row.text(0);
      const std::int64_t days = days_of(project);
      const std::int64_t before_ns = now.ns - days * day_ns;
      if (days <= 0 || row.integer(1) >= before_ns) continue;
      VOLAN_TRY(auto counted,
                columns->query("SELECT count(DISTINCT trace_id) FROM spans WHERE project = ? AND start_ns < ?", {project, before_ns}));
      VOLAN_TRY_VOID(remove_where("project = ? AND start_ns < ?", {project, before_ns}));
      const std::int64_t traces = counted.at(0).integer(0);
      total += traces;
      removed.add(static_cast<double>(traces));
      log.info("traces_removed", {{"project", project}, {"traces", traces}, {"older_than_days", days}});
      const std::lock_guard lock(report_mutex);
      removed_traces[project] += traces;
    }
    return total;
  }

  /// Removes rows of both tables. The summaries go last: a crash in between leaves a trace in the list that can be removed again.
  core::Result<> remove_where(std::string_view where, std::vector<storage::Value> params) {
    VOLAN_TRY([[maybe_unused]] auto spans, columns->remove("spans", where, params));
    VOLAN_TRY([[maybe_unused]] auto traces, columns->remove("traces", where, std::move(params)));
    return {};
  }
};

TraceStore::TraceStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

// The thread calls back into this object, which must still be whole.
TraceStore::~TraceStore() { state_->retention.reset(); }

core::Result<std::unique_ptr<TraceStore>> TraceStore::open(TraceStoreOptions options, storage::Journal& journal, const core::Clock& clock,
                                                           const core::Log& log, core::Metrics& metrics) {
  core::assert_may_block();
  auto state = std::make_unique<State>(std::move(options), clock, log, metrics);
  State* raw = state.get();
  const core::Time process_start = clock.now();
  auto mapper = [raw](std::uint64_t, const storage::JournalEntry& entry, const std::function<void(std::size_t, storage::ColumnRow)>& emit) {
    return raw->map(entry, emit);
  };
  VOLAN_TRY(auto columns, storage::ColumnStore::open(state->options.columns, tables(), journal, std::move(mapper), log, metrics));
  state->columns = std::move(columns);
  state->queries = std::make_unique<Queries>(*state->columns, process_start);
  std::unique_ptr<TraceStore> store(new TraceStore(std::move(state)));
  if (raw->has_retention()) {
    TraceStore* self = store.get();
    raw->retention = std::make_unique<core::Periodic>(raw->options.retention_interval, [self] {
      [[maybe_unused]] const auto done = self->apply_retention();  // reported by apply_retention() itself
    });
  }
  return store;
}

core::Result<TracePage> TraceStore::list(const std::string& project, const TraceFilter& filter, std::int64_t limit,
                                         const std::optional<std::string>& after) {
  core::assert_may_block();
  return state_->queries->list(project, filter, limit, after);
}

core::Result<TraceTree> TraceStore::tree(const std::string& project, const std::string& trace_id) {
  core::assert_may_block();
  return state_->queries->tree(project, trace_id, state_->options.tree_bytes_max);
}

core::Result<SpanView> TraceStore::span(const std::string& project, const std::string& trace_id, const std::string& span_id) {
  core::assert_may_block();
  return state_->queries->span(project, trace_id, span_id);
}

core::Result<TraceStats> TraceStore::stats(const std::string& project, core::Time from, core::Time to) {
  core::assert_may_block();
  VOLAN_TRY(auto stats, state_->queries->stats(project, from, to));
  stats.retention = retention(project);
  return stats;
}

core::Result<> TraceStore::remove(const std::string& project, const std::string& trace_id) {
  core::assert_may_block();
  VOLAN_TRY(auto found, state_->columns->query("SELECT (SELECT count(*) FROM spans WHERE trace_id = ? AND project = ?) + "
                                               "(SELECT count(*) FROM traces WHERE trace_id = ? AND project = ?)",
                                               {trace_id, project, trace_id, project}));
  if (found.at(0).integer(0) == 0)
    return core::fail(core::ErrorCode::not_found, fmt::format("no trace {} in this project", trace_id), "id");
  VOLAN_TRY_VOID(state_->remove_where("project = ? AND trace_id = ?", {project, trace_id}));
  state_->log.info("trace_removed", {{"project", project}, {"trace", trace_id}});
  return {};
}

core::Result<std::int64_t> TraceStore::apply_retention() {
  core::assert_may_block();
  auto done = state_->apply_retention();
  if (!done) state_->log.warn("retention_failed", {{"error", core::to_text(done.error())}});
  const std::lock_guard lock(state_->report_mutex);
  state_->last_run = state_->clock.now();
  state_->last_error = done ? std::nullopt : std::optional(done.error().message);
  return done;
}

RetentionReport TraceStore::retention(const std::string& project) const {
  const std::lock_guard lock(state_->report_mutex);
  const auto removed = state_->removed_traces.find(project);
  return {.days = state_->days_of(project),
          .last_run = state_->last_run,
          .removed_traces = removed == state_->removed_traces.end() ? 0 : removed->second,
          .error = state_->last_error};
}

LiveFeed& TraceStore::live() { return state_->live; }
storage::ColumnStore& TraceStore::columns() { return *state_->columns; }

}  // namespace volan::trace
