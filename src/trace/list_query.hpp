/// One page of the trace list as SQL: filters and position become a WHERE clause with bound values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "storage/database.hpp"
#include "trace/views.hpp"

namespace volan::trace {

/// The place of a trace in the list, which is ordered by start time and id, newest first.
struct ListPosition {
  std::int64_t start_ns = 0;
  std::string trace_id{};
};

/// "START_NS_TRACEID": what TracePage::next says.
std::string cursor_text(const ListPosition& position);
/// Errors: invalid_argument.
core::Result<ListPosition> cursor_of(std::string_view text);

struct BoundSql {
  std::string sql{};
  std::vector<storage::Value> params{};
};

/// The start time of the last row that list_sql() with the same arguments returns; NULL when it returns none. It reads few columns: asking
/// it first and then only for rows from that time on spares the engine the wide columns of all others.
BoundSql list_horizon_sql(const std::string& project, const TraceFilter& filter, const std::optional<ListPosition>& after,
                          std::int64_t rows_max, core::Time process_start);

/// Rows of `traces` (summary_columns()) that pass `filter` and come after `after`, at most `rows_max`. The rows of one trace are
/// neighbours, its end first; a trace may still appear by its start although its end does not pass: drop those with ended_among().
BoundSql list_sql(const std::string& project, const TraceFilter& filter, const std::optional<ListPosition>& after, std::int64_t rows_max,
                  core::Time process_start);

/// Which of these traces, given by the start rows of a page, have an end.
BoundSql ended_among(const std::string& project, const std::vector<ListPosition>& started);

/// True when the filter may pass the start row of a trace whose end row it refuses.
bool may_differ_at_end(const TraceFilter& filter);

}  // namespace volan::trace
