/// Records spans: start and end go to the journal; durable before an answer is complete.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/metrics.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/journal.hpp"
#include "trace/types.hpp"

namespace volan::trace {

class LiveFeed;
class Recorder;

/// An open span. Movable; ended by end() or, when dropped, as cancelled. Confined to one coroutine at a time.
/// Example:
///   auto search = recorder.start_inner({.trace_id = root.trace_id(), .parent_id = root.span_id(), .project = project, .name =
///   "search.dense"}); search.span().kind = SpanKind::retriever; search.span().input = ...;   search.end();
class OpenSpan {
 public:
  /// Made by Recorder.
  OpenSpan(Recorder& recorder, Span span) : recorder_(&recorder), span_(std::move(span)) {}
  OpenSpan(OpenSpan&& other) noexcept : recorder_(std::exchange(other.recorder_, nullptr)), span_(std::move(other.span_)) {}
  /// Ends what it held as cancelled.
  OpenSpan& operator=(OpenSpan&& other) noexcept;
  ~OpenSpan();

  /// The span's fields, to be filled until end(). Changing its ids is a bug.
  Span& span() { return span_; }
  const std::string& trace_id() const { return span_.trace_id; }
  const std::string& span_id() const { return span_.span_id; }
  void set_attribute(std::string_view name, std::string_view text);
  /// Without it a literal would become a number.
  void set_attribute(std::string_view name, const char* text) { set_attribute(name, std::string_view(text)); }
  void set_attribute(std::string_view name, std::int64_t number);
  /// A number that JSON cannot hold (NaN, infinity) is stored as text.
  void set_attribute(std::string_view name, double number);
  void set_attribute(std::string_view name, bool value);
  /// Notes the time of the first token, once.
  void first_token();
  /// Queues the end event; the second call does nothing. That it is on disk is known after Recorder::flush(). Errors: unavailable,
  /// resource_exhausted when the journal did not take it; who promises durability checks this for the root span, others may ignore it
  /// (the loss is counted in volan_trace_dropped_total).
  core::Result<> end(SpanStatus status = SpanStatus::ok, std::string_view error = {});

 private:
  Recorder* recorder_;  // null once ended or moved from
  Span span_;
};

/// Thread-safe. Outlives its spans. Never blocks: entries are queued in the journal.
class Recorder {
 public:
  /// `journal`, `clock` and `metrics` outlive it. With `metrics` it counts volan_trace_spans_total, volan_trace_dropped_total (events that
  /// the journal did not take) and volan_trace_cut_total (values beyond their limit). With `live` (which outlives it too) root spans are
  /// broadcast to its readers once the journal has taken them.
  Recorder(storage::Journal& journal, const core::Clock& clock, core::Metrics* metrics = nullptr, LiveFeed* live = nullptr);

  /// Fills trace_id and span_id when empty and start when 0, and appends the start event. Errors: unavailable when the journal cannot
  /// be written, resource_exhausted when it is full: then the work must not begin.
  core::Result<OpenSpan> start(Span span);
  /// Same, but the start event is not journalled (only the end): for short inner stages, which halves the journal's work.
  OpenSpan start_inner(Span span);
  /// Waits until every event recorded before this call is on disk. Errors: unavailable when one of them cannot get there any more.
  core::Task<> flush();
  /// A finished or running span from elsewhere (intake dialects). Errors: as start().
  core::Result<> record(const Span& span);
  /// Many of them; returns when all are on disk. Errors: as start(); then none of them may be reported as stored.
  core::Task<> record_all(std::vector<Span> spans);

 private:
  friend class OpenSpan;
  core::Result<> end(Span& span);
  storage::JournalEntry entry_of(const Span& span);
  core::Result<> append(const Span& span);
  void announce(const Span& span);

  storage::Journal& journal_;
  const core::Clock& clock_;
  LiveFeed* live_;
  core::Counter* spans_ = nullptr;
  core::Counter* dropped_ = nullptr;
  core::Counter* cut_ = nullptr;
};

}  // namespace volan::trace
