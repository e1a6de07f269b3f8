#include "trace/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_map>

#include "trace/list_query.hpp"
#include "trace/rows.hpp"
#include "trace/store.hpp"
#include "trace/text.hpp"

namespace volan::trace {
namespace {

using core::ErrorCode;
using core::fail;
using storage::Row;

constexpr std::int64_t hour_ns = 3'600'000'000'000;
constexpr double ns_per_ms = 1e6;

core::Error no_trace(const std::string& trace_id) {
  return {.code = ErrorCode::not_found, .message = fmt::format("no trace {} in this project", trace_id), .path = "id"};
}

std::optional<double> ms_or_absent(const Row& row, std::size_t column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.real(column) / ns_per_ms);
}

/// The newest event of each span, in order of start.
std::vector<const Row*> newest_events(const std::vector<Row>& rows) {
  std::unordered_map<std::string_view, const Row*> best;
  best.reserve(rows.size());
  for (const Row& row : rows) {
    const auto [at, is_new] = best.try_emplace(row.text(1), &row);
    if (!is_new && rank_of(row) > rank_of(*at->second)) at->second = &row;
  }
  std::vector<const Row*> events;
  events.reserve(best.size());
  for (const auto& [span_id, row] : best) events.push_back(row);
  std::ranges::sort(events, [](const Row* a, const Row* b) {
    if (a->integer(5) != b->integer(5)) return a->integer(5) < b->integer(5);
    return a->text(15).empty() != b->text(15).empty() ? a->text(15).empty() : a->text(1) < b->text(1);  // a root first
  });
  return events;
}

}  // namespace

core::Result<TracePage> Queries::list(const std::string& project, const TraceFilter& filter, std::int64_t limit,
                                      const std::optional<std::string>& after) {
  if (limit < 1 || limit > trace_list_limit_max)
    return fail(ErrorCode::invalid_argument, fmt::format("expected 1 to {}, found {}", trace_list_limit_max, limit), "limit");
  std::optional<ListPosition> position;
  if (after) {
    VOLAN_TRY(auto parsed, cursor_of(*after));
    position = std::move(parsed);
  }

  TracePage page;
  std::set<std::string> seen;
  // A start and an end per trace, so one round is enough unless filters drop starts; then the next round goes on behind the last row.
  const std::int64_t rows_max = 2 * limit + 2;
  while (true) {
    BoundSql horizon = list_horizon_sql(project, filter, position, rows_max, process_start_);
    VOLAN_TRY(auto oldest, columns_.query(horizon.sql, std::move(horizon.params)));
    if (oldest.at(0).is_null(0)) return page;
    TraceFilter near = filter;
    near.from = core::Time{oldest[0].integer(0)};
    BoundSql query = list_sql(project, near, position, rows_max, process_start_);
    VOLAN_TRY(auto rows, columns_.query(query.sql, std::move(query.params)));

    std::set<std::string> ended;
    if (may_differ_at_end(filter)) {
      std::vector<ListPosition> started;
      for (const Row& row : rows)
        if (rank_of(row).is_end == 0) started.push_back({.start_ns = row.integer(5), .trace_id = row.text(0)});
      if (!started.empty()) {
        BoundSql check = ended_among(project, started);
        VOLAN_TRY(auto found, columns_.query(check.sql, std::move(check.params)));
        for (const Row& row : found) ended.insert(row.text(0));
      }
    }
    for (const Row& row : rows) {
      position = ListPosition{.start_ns = row.integer(5), .trace_id = row.text(0)};
      if (!seen.insert(row.text(0)).second) continue;
      if (rank_of(row).is_end == 0 && ended.contains(row.text(0))) continue;
      if (std::ssize(page.traces) == limit) {  // there is one more: the page ends before it
        const TraceSummary& last = page.traces.back();
        page.next = cursor_text({.start_ns = last.start.ns, .trace_id = last.id});
        return page;
      }
      page.traces.push_back(summary_of(row, process_start_));
    }
    if (std::ssize(rows) < rows_max) return page;
  }
}

core::Result<TraceTree> Queries::tree(const std::string& project, const std::string& trace_id, std::uint64_t bytes_max) {
  VOLAN_TRY(auto size,
            columns_.query("SELECT count(*), CAST(coalesce(sum(strlen(input) + strlen(output) + strlen(attributes)), 0) AS BIGINT), "
                           "min(start_ns), max(start_ns) FROM spans WHERE trace_id = ? AND project = ?",
                           {trace_id, project}));
  if (size.at(0).integer(0) == 0) return std::unexpected(no_trace(trace_id));
  TraceTree tree;
  tree.id = trace_id;
  if (static_cast<std::uint64_t>(size[0].integer(1)) > bytes_max) tree.values = TreeValues::preview;

  const bool is_preview = tree.values == TreeValues::preview;
  constexpr std::int64_t rows_max = 2 * trace_tree_spans_max + 2;
  VOLAN_TRY(auto rows,
            columns_.query(fmt::format("SELECT {} FROM spans WHERE trace_id = ? AND project = ? AND start_ns >= ? AND start_ns <= ? "
                                       "ORDER BY start_ns LIMIT {}",
                                       span_columns(is_preview ? "left({}, 1000)" : "{}"), rows_max),
                           {trace_id, project, size[0].integer(2), size[0].integer(3)}));
  auto events = newest_events(rows);
  tree.is_complete = std::ssize(rows) < rows_max && std::ssize(events) <= trace_tree_spans_max;
  if (std::ssize(events) > trace_tree_spans_max) events.resize(trace_tree_spans_max);
  tree.spans.reserve(events.size());
  for (const Row* row : events) {
    SpanView& view = tree.spans.emplace_back(span_of(*row, process_start_));
    if (!is_preview) continue;
    if (view.input) view.input->text = json_quoted(preview_of(view.input->text));
    if (view.output) view.output->text = json_quoted(preview_of(view.output->text));
  }
  return tree;
}

core::Result<SpanView> Queries::span(const std::string& project, const std::string& trace_id, const std::string& span_id) {
  VOLAN_TRY(auto rows, columns_.query(fmt::format("SELECT {} FROM spans WHERE trace_id = ? AND project = ? AND span_id = ? "
                                                  "ORDER BY is_end DESC, journal_position DESC LIMIT 1",
                                                  span_columns("{}")),
                                      {trace_id, project, span_id}));
  if (rows.empty()) return fail(ErrorCode::not_found, fmt::format("no span {} in trace {} of this project", span_id, trace_id), "span_id");
  return span_of(rows[0], process_start_);
}

core::Result<TraceStats> Queries::stats(const std::string& project, core::Time from, core::Time to) {
  TraceStats stats;
  stats.from = from;
  stats.to = to;
  // An event may have arrived twice: one row per trace, by its newest end.
  static constexpr std::string_view ended =
      "(SELECT trace_id, arg_max(status, journal_position) AS status, arg_max(start_ns, journal_position) AS start_ns, "
      "arg_max(end_ns - start_ns, journal_position) AS took_ns, arg_max(first_token_ns - start_ns, journal_position) AS first_token_ns "
      "FROM traces WHERE project = ? AND is_end = 1 AND start_ns >= ? AND start_ns < ? GROUP BY trace_id)";
  // The row without an hour counts them all.
  VOLAN_TRY(auto counts,
            columns_.query(fmt::format("SELECT start_ns // {} AS hour, count(*), count(*) FILTER (status = 'error'), "
                                       "quantile_cont(took_ns, 0.5), quantile_cont(took_ns, 0.95), quantile_cont(first_token_ns, 0.5) "
                                       "FROM {} GROUP BY GROUPING SETS ((), (hour)) ORDER BY hour",
                                       hour_ns, ended),
                           {project, from.ns, to.ns}));
  for (const Row& row : counts) {
    if (!row.is_null(0)) {
      stats.hours.push_back({.start = {row.integer(0) * hour_ns}, .traces = row.integer(1), .errors = row.integer(2)});
      continue;
    }
    stats.traces = row.integer(1);
    stats.errors = row.integer(2);
    stats.p50_ms = ms_or_absent(row, 3);
    stats.p95_ms = ms_or_absent(row, 4);
    stats.first_token_p50_ms = ms_or_absent(row, 5);
  }

  VOLAN_TRY(
      auto models,
      columns_.query(
          "SELECT model, count(*), count(*) FILTER (status = 'error'), CAST(sum(prompt) AS BIGINT), CAST(sum(completion) AS BIGINT) FROM "
          "(SELECT arg_max(model, journal_position) AS model, arg_max(status, journal_position) AS status, "
          "arg_max(prompt_tokens, journal_position) AS prompt, arg_max(completion_tokens, journal_position) AS completion FROM spans "
          "WHERE project = ? AND is_end = 1 AND start_ns >= ? AND start_ns < ? AND kind IN ('llm', 'embedding') GROUP BY trace_id, "
          "span_id) "
          "GROUP BY model ORDER BY sum(prompt + completion) DESC, model LIMIT 100",
          {project, from.ns, to.ns}));
  for (const Row& row : models)
    stats.models.push_back({.model = row.text(0),
                            .calls = row.integer(1),
                            .errors = row.integer(2),
                            .prompt_tokens = row.integer(3),
                            .completion_tokens = row.integer(4)});
  return stats;
}

}  // namespace volan::trace
