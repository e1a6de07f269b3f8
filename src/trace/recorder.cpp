#include "trace/recorder.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/ids.hpp"
#include "core/json.hpp"  // tidy: live events leave as JSON
#include "trace/bounds.hpp"
#include "trace/live.hpp"
#include "trace/rows.hpp"
#include "trace/span_entry.hpp"
#include "trace/text.hpp"

namespace volan::trace {
namespace {

void fill(Span& span, const core::Clock& clock) {
  if (span.trace_id.empty()) span.trace_id = core::new_id();
  if (span.span_id.empty()) span.span_id = core::new_span_id();
  if (span.start.ns == 0) span.start = clock.now();
  span.status = SpanStatus::running;
}

}  // namespace

OpenSpan& OpenSpan::operator=(OpenSpan&& other) noexcept {
  if (this != &other) {
    [[maybe_unused]] const auto done = end(SpanStatus::cancelled);
    recorder_ = std::exchange(other.recorder_, nullptr);
    span_ = std::move(other.span_);
  }
  return *this;
}

OpenSpan::~OpenSpan() { [[maybe_unused]] const auto done = end(SpanStatus::cancelled); }

void OpenSpan::set_attribute(std::string_view name, std::string_view text) { span_.attributes[std::string(name)].text = json_quoted(text); }

void OpenSpan::set_attribute(std::string_view name, std::int64_t number) {
  span_.attributes[std::string(name)].text = std::to_string(number);
}

void OpenSpan::set_attribute(std::string_view name, double number) {
  const std::string text = fmt::format("{}", number);
  span_.attributes[std::string(name)].text = std::isfinite(number) ? text : json_quoted(text);
}

void OpenSpan::set_attribute(std::string_view name, bool value) { span_.attributes[std::string(name)].text = value ? "true" : "false"; }

void OpenSpan::first_token() {
  if (recorder_ && !span_.first_token) span_.first_token = recorder_->clock_.now();
}

core::Result<> OpenSpan::end(SpanStatus status, std::string_view error) {
  Recorder* recorder = std::exchange(recorder_, nullptr);
  if (!recorder) return {};
  span_.status = status;
  if (!error.empty()) span_.error = error;
  return recorder->end(span_);
}

Recorder::Recorder(storage::Journal& journal, const core::Clock& clock, core::Metrics* metrics, LiveFeed* live)
    : journal_(journal), clock_(clock), live_(live) {
  if (!metrics) return;
  spans_ = &metrics->counter("volan_trace_spans_total", "Span events recorded (a start and an end count as two).");
  dropped_ = &metrics->counter("volan_trace_dropped_total", "Span events that the journal did not take.");
  cut_ = &metrics->counter("volan_trace_cut_total", "Values of spans that were cut to their limit.");
}

storage::JournalEntry Recorder::entry_of(const Span& span) {
  if (is_within_bounds(span)) [[likely]]
    return {.kind = span_entry_kind, .version = span_entry_version, .body = encode_span(span)};
  Span bounded = span;
  const std::size_t cuts = cut_to_bounds(bounded);
  if (cut_ && cuts > 0) cut_->add(static_cast<double>(cuts));
  return {.kind = span_entry_kind, .version = span_entry_version, .body = encode_span(bounded)};
}

core::Result<> Recorder::append(const Span& span) {
  auto done = journal_.append_later(entry_of(span));
  if (core::Counter* counter = done ? spans_ : dropped_) counter->add();
  if (done) announce(span);
  return done;
}

void Recorder::announce(const Span& span) {
  if (!live_ || !span.is_root() || !live_->has_readers(span.project)) return;
  live_->publish(span.project, fmt::format("event: trace\ndata: {}\n\n", core::encode_json(summary_of(span))));
}

core::Result<OpenSpan> Recorder::start(Span span) {
  fill(span, clock_);
  VOLAN_TRY_VOID(append(span));
  return OpenSpan(*this, std::move(span));
}

OpenSpan Recorder::start_inner(Span span) {
  fill(span, clock_);
  return OpenSpan(*this, std::move(span));
}

core::Result<> Recorder::end(Span& span) {
  if (!span.end) span.end = clock_.now();
  return append(span);
}

core::Task<> Recorder::flush() {
  VOLAN_CO_TRY([[maybe_unused]] auto position, co_await journal_.flush());
  co_return core::Result<>();
}

core::Result<> Recorder::record(const Span& span) { return append(span); }

core::Task<> Recorder::record_all(std::vector<Span> spans) {
  std::vector<storage::JournalEntry> entries;
  entries.reserve(spans.size());
  for (const Span& span : spans) entries.push_back(entry_of(span));
  const auto done = co_await journal_.append(std::move(entries));
  if (core::Counter* counter = done ? spans_ : dropped_) counter->add(static_cast<double>(spans.size()));
  if (!done) co_return std::unexpected(done.error());
  for (const Span& span : spans) announce(span);
  co_return core::Result<>();
}

}  // namespace volan::trace
