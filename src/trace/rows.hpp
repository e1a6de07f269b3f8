/// Spans as rows of the column store and back. The order of the columns is known here only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/column_store.hpp"
#include "trace/types.hpp"
#include "trace/views.hpp"

namespace volan::trace {

/// Index of a table in tables().
inline constexpr std::size_t spans_table = 0;   ///< every event of every span
inline constexpr std::size_t traces_table = 1;  ///< the events of root spans again, with previews instead of values: what lists read

std::vector<storage::TableSpec> tables();

storage::ColumnRow span_row(Span span);
storage::ColumnRow trace_row(const Span& root);

/// What a SELECT must name for the functions below, in their order.
std::string_view summary_columns();
/// `value` is an SQL expression with "{}" where the column's name goes, for example "{}" or "left({}, 300)".
std::string span_columns(std::string_view value);

/// `process_start` tells interrupted from running.
TraceSummary summary_of(const storage::Row& row, core::Time process_start);
SpanView span_of(const storage::Row& row, core::Time process_start);
/// The same summary straight from a root span, for live readers.
TraceSummary summary_of(const Span& root);

/// Where two rows of one span are compared: the last two columns of both SELECTs.
struct EventRank {
  std::int64_t is_end = 0;
  std::int64_t position = 0;
  auto operator<=>(const EventRank&) const = default;
};
EventRank rank_of(const storage::Row& row);

}  // namespace volan::trace
