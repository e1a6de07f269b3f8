/// The questions that lists, trees and counters ask the column store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "storage/column_store.hpp"
#include "trace/views.hpp"

namespace volan::trace {

/// Read only. Thread-safe, blocking. See TraceStore for what each promises.
class Queries {
 public:
  /// Spans that began before `process_start` and have no end were interrupted.
  Queries(storage::ColumnStore& columns, core::Time process_start) : columns_(columns), process_start_(process_start) {}

  core::Result<TracePage> list(const std::string& project, const TraceFilter& filter, std::int64_t limit,
                               const std::optional<std::string>& after);
  core::Result<TraceTree> tree(const std::string& project, const std::string& trace_id, std::uint64_t bytes_max);
  core::Result<SpanView> span(const std::string& project, const std::string& trace_id, const std::string& span_id);
  /// Everything but the retention report.
  core::Result<TraceStats> stats(const std::string& project, core::Time from, core::Time to);

 private:
  storage::ColumnStore& columns_;
  core::Time process_start_;
};

}  // namespace volan::trace
