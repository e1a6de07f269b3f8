/// The trace store: span events of the journal as rows, and the queries of the product over them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/column_store.hpp"
#include "storage/journal.hpp"
#include "trace/live.hpp"
#include "trace/views.hpp"

namespace volan::trace {

struct TraceStoreOptions {
  storage::ColumnStoreOptions columns;  ///< `file` is needed
  LiveOptions live;
  std::map<std::string, std::int64_t> retention_days;  ///< per project; absent or 0 = for ever
  std::int64_t retention_days_default = 0;             ///< of projects that are not named
  std::chrono::milliseconds retention_interval{3'600'000};
  std::uint64_t tree_bytes_max = 32u << 20;  ///< inputs and outputs of one tree beyond it are shown as previews
};

inline constexpr std::int64_t trace_list_limit_max = 200;
inline constexpr std::int64_t trace_tree_spans_max = 100'000;

/// Thread-safe. Every function but live() blocks: call it in the disk pool. Every query is of one project; what belongs to another is
/// not_found. An event that arrives twice, and the start of a span whose end is there, are shown once: the end wins, then the newest.
class TraceStore {
 public:
  /// Owns the column store of `journal` (and is its only consumer). `clock`, `log`, `metrics` and `journal` outlive it. Errors: those of
  /// the column store. An entry of an unknown kind or form gives no rows; the column store logs and counts it.
  static core::Result<std::unique_ptr<TraceStore>> open(TraceStoreOptions options, storage::Journal& journal, const core::Clock& clock,
                                                        const core::Log& log, core::Metrics& metrics);
  ~TraceStore();

  /// Newest first. `after` is TracePage::next of the page before: pages stay stable while traces arrive. Errors: invalid_argument for a
  /// limit outside 1..200 or a cursor that was not made here.
  core::Result<TracePage> list(const std::string& project, const TraceFilter& filter, std::int64_t limit,
                               const std::optional<std::string>& after);
  /// Errors: not_found.
  core::Result<TraceTree> tree(const std::string& project, const std::string& trace_id);
  /// One span with its whole values. Errors: not_found.
  core::Result<SpanView> span(const std::string& project, const std::string& trace_id, const std::string& span_id);
  /// Counters of the traces that began in [from, to).
  core::Result<TraceStats> stats(const std::string& project, core::Time from, core::Time to);
  /// Removes a trace for good, also from the journal. Events of it that arrive later make it appear again. Errors: not_found.
  core::Result<> remove(const std::string& project, const std::string& trace_id);
  /// Applies the retention rules now; returns the number of traces removed. The background thread calls it every `retention_interval`; it
  /// writes nothing when nothing is old enough.
  core::Result<std::int64_t> apply_retention();
  RetentionReport retention(const std::string& project) const;

  LiveFeed& live();
  /// The table store below, for its state (moves, tail).
  storage::ColumnStore& columns();

 private:
  struct State;
  explicit TraceStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::trace
