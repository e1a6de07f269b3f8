/// Records spans: start and end go to the journal; durable before an answer is complete.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/journal.hpp"
#include "trace/types.hpp"

namespace volan::trace {

class Recorder;

/// An open span. Movable; ended by end() or, when dropped, as cancelled. Confined to one coroutine at a time.
/// Example:
///   auto search = recorder.start({.trace_id = root.trace_id(), .parent_id = root.span_id(), .project = project, .name = "search.dense", .kind = SpanKind::retriever});
///   search.span().input = ...;   search.end();
class OpenSpan {
 public:
  OpenSpan(Recorder& recorder, Span span) : recorder_(&recorder), span_(std::move(span)) {}
  OpenSpan(OpenSpan&& other) noexcept : recorder_(std::exchange(other.recorder_, nullptr)), span_(std::move(other.span_)) {}
  OpenSpan& operator=(OpenSpan&& other) noexcept;
  ~OpenSpan();
  Span& span() { return span_; }
  const std::string& trace_id() const { return span_.trace_id; }
  const std::string& span_id() const { return span_.span_id; }
  void set_attribute(std::string_view name, std::string_view text);
  void set_attribute(std::string_view name, std::int64_t number);
  void set_attribute(std::string_view name, double number);
  void end(SpanStatus status = SpanStatus::ok, std::string_view error = {});

 private:
  Recorder* recorder_;  // null once ended or moved from
  Span span_;
};

/// Thread-safe. Outlives its spans. Never blocks: entries are queued in the journal.
class Recorder {
 public:
  Recorder(storage::Journal& journal, const core::Clock& clock);
  /// Fills trace_id and span_id when empty and start when 0, and appends the start event. Errors: unavailable when the journal cannot
  /// be written: then the work must not begin.
  core::Result<OpenSpan> start(Span span);
  /// Same, but the start event is not journalled (only the end): for short inner stages, which halves the journal's work.
  OpenSpan start_inner(Span span);
  /// Waits until every event recorded before this call is on disk.
  core::Task<> flush();
  /// A finished span from elsewhere (intake dialects).
  core::Result<> record(const Span& span);

 private:
  friend class OpenSpan;
  void end(const Span& span);
  storage::Journal& journal_;
  const core::Clock& clock_;
};

}  // namespace volan::trace
