/// What the API shows of traces: summaries, trees, counters. JSON field lists beside each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/time.hpp"
#include "trace/types.hpp"

namespace volan::trace {

/// A span's status for readers: one whose end never came is running, or interrupted when the server that ran it has ended since.
enum class ViewStatus { running, ok, error, cancelled, interrupted };
constexpr auto describe(const ViewStatus*) {
  using enum ViewStatus;
  return core::names("TraceStatus", core::name(running, "running"), core::name(ok, "ok"), core::name(error, "error"),
                     core::name(cancelled, "cancelled"), core::name(interrupted, "interrupted"));
}

/// A trace as a row of a list: its root span, with short previews.
struct TraceSummary {
  std::string id{};
  std::string span_id{};
  std::string name{};
  SpanKind kind = SpanKind::chain;
  ViewStatus status = ViewStatus::running;
  core::Time start{};
  std::optional<core::Time> end{};
  std::optional<double> duration_ms{};
  std::optional<double> first_token_ms{};
  std::optional<std::string> app{};
  std::optional<std::string> model{};
  std::optional<std::string> session_id{};
  std::optional<std::string> user_id{};
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::optional<std::string> input_preview{};
  std::optional<std::string> output_preview{};
  std::optional<std::string> error{};
};
constexpr auto describe(const TraceSummary*) {
  using T = TraceSummary;
  return core::object(
      "TraceSummary", core::field("id", &T::id, "32 hex digits."), core::field("span_id", &T::span_id, "The root span."),
      core::field("name", &T::name), core::field("kind", &T::kind), core::field("status", &T::status), core::field("start", &T::start),
      core::field("end", &T::end, "Absent while running."), core::field("duration_ms", &T::duration_ms, "Absent while running."),
      core::field("first_token_ms", &T::first_token_ms, "From the start to the first token of the answer."), core::field("app", &T::app),
      core::field("model", &T::model), core::field("session_id", &T::session_id), core::field("user_id", &T::user_id),
      core::field("prompt_tokens", &T::prompt_tokens), core::field("completion_tokens", &T::completion_tokens),
      core::field("input_preview", &T::input_preview, "The first 300 characters, as text."),
      core::field("output_preview", &T::output_preview, "The first 300 characters, as text."), core::field("error", &T::error));
}

/// One page of the list.
struct TracePage {
  std::vector<TraceSummary> traces{};
  std::optional<std::string> next{};
};
constexpr auto describe(const TracePage*) {
  return core::object("TracePage", core::field("traces", &TracePage::traces, "Newest first."),
                      core::field("next", &TracePage::next, "Pass it as `after` for the next page; absent on the last one."));
}

/// A span of a tree.
struct SpanView {
  std::string span_id{};
  std::optional<std::string> parent_id{};
  std::string name{};
  SpanKind kind = SpanKind::chain;
  ViewStatus status = ViewStatus::running;
  core::Time start{};
  std::optional<core::Time> end{};
  std::optional<double> duration_ms{};
  std::optional<double> first_token_ms{};
  std::optional<std::string> app{};
  std::optional<std::string> model{};
  std::optional<std::string> session_id{};
  std::optional<std::string> user_id{};
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::optional<core::RawJson> input{};
  std::optional<core::RawJson> output{};
  std::optional<std::string> error{};
  std::optional<core::RawJson> attributes{};
};
constexpr auto describe(const SpanView*) {
  using T = SpanView;
  return core::object(
      "SpanView", core::field("span_id", &T::span_id, "16 hex digits."), core::field("parent_id", &T::parent_id, "Absent for the root."),
      core::field("name", &T::name), core::field("kind", &T::kind), core::field("status", &T::status), core::field("start", &T::start),
      core::field("end", &T::end, "Absent while running."), core::field("duration_ms", &T::duration_ms, "Absent while running."),
      core::field("first_token_ms", &T::first_token_ms, "From the start to the first token."), core::field("app", &T::app),
      core::field("model", &T::model), core::field("session_id", &T::session_id), core::field("user_id", &T::user_id),
      core::field("prompt_tokens", &T::prompt_tokens), core::field("completion_tokens", &T::completion_tokens),
      core::field("input", &T::input, "Any JSON; a string with the beginning when the tree shows previews or the value was cut."),
      core::field("output", &T::output, "As input."), core::field("error", &T::error),
      core::field("attributes", &T::attributes, "Object of any JSON values."));
}

enum class TreeValues { full, preview };
constexpr auto describe(const TreeValues*) {
  return core::names("TreeValues", core::name(TreeValues::full, "full"), core::name(TreeValues::preview, "preview"));
}

/// All spans of a trace.
struct TraceTree {
  std::string id{};
  TreeValues values = TreeValues::full;
  bool is_complete = true;
  std::vector<SpanView> spans{};
};
constexpr auto describe(const TraceTree*) {
  return core::object(
      "TraceTree", core::field("id", &TraceTree::id),
      core::field(
          "values", &TraceTree::values,
          "`preview` when all inputs and outputs together are too large for one answer: then they are strings of at most 300 characters, "
          "and GET /api/v1/traces/{id}/spans/{span_id} has the whole values."),
      core::field("is_complete", &TraceTree::is_complete,
                  "False when the trace has more than 100,000 spans: the first ones by start are here."),
      core::field("spans", &TraceTree::spans, "By start time."));
}

struct ModelUse {
  std::string model{};
  std::int64_t calls = 0;
  std::int64_t errors = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
};
constexpr auto describe(const ModelUse*) {
  return core::object("ModelUse", core::field("model", &ModelUse::model), core::field("calls", &ModelUse::calls),
                      core::field("errors", &ModelUse::errors), core::field("prompt_tokens", &ModelUse::prompt_tokens),
                      core::field("completion_tokens", &ModelUse::completion_tokens));
}

struct HourCount {
  core::Time start{};
  std::int64_t traces = 0;
  std::int64_t errors = 0;
};
constexpr auto describe(const HourCount*) {
  return core::object("HourCount", core::field("start", &HourCount::start), core::field("traces", &HourCount::traces),
                      core::field("errors", &HourCount::errors));
}

/// What the retention rule last did.
struct RetentionReport {
  std::int64_t days = 0;
  std::optional<core::Time> last_run{};
  std::int64_t removed_traces = 0;
  std::optional<std::string> error{};
};
constexpr auto describe(const RetentionReport*) {
  using R = RetentionReport;
  return core::object("RetentionReport", core::field("days", &R::days, "Traces older than this are removed; 0 = kept for ever."),
                      core::field("last_run", &R::last_run, "Absent before the first run since the start of the server."),
                      core::field("removed_traces", &R::removed_traces, "Since the start of the server."),
                      core::field("error", &R::error, "Why the last run failed."));
}

/// Counters of a time range.
struct TraceStats {
  core::Time from{};
  core::Time to{};
  std::int64_t traces = 0;
  std::int64_t errors = 0;
  std::optional<double> p50_ms{};
  std::optional<double> p95_ms{};
  std::optional<double> first_token_p50_ms{};
  std::vector<ModelUse> models{};
  std::vector<HourCount> hours{};
  RetentionReport retention{};
};
constexpr auto describe(const TraceStats*) {
  using S = TraceStats;
  return core::object("TraceStats", core::field("from", &S::from), core::field("to", &S::to),
                      core::field("traces", &S::traces, "Finished traces that began in the range."),
                      core::field("errors", &S::errors, "Those with status error."),
                      core::field("p50_ms", &S::p50_ms, "Half of them took at most this long; absent without traces."),
                      core::field("p95_ms", &S::p95_ms),
                      core::field("first_token_p50_ms", &S::first_token_p50_ms, "Of the traces that streamed."),
                      core::field("models", &S::models, "Model calls (spans of kind llm or embedding), most tokens first."),
                      core::field("hours", &S::hours, "Per hour with traces, oldest first."), core::field("retention", &S::retention));
}

/// What a list shows. Absent = no restriction.
struct TraceFilter {
  std::optional<std::string> app{};
  std::optional<std::string> model{};
  std::optional<std::string> session_id{};
  std::optional<std::string> user_id{};
  std::optional<ViewStatus> status{};
  std::optional<std::string> name_contains{};  ///< without regard to case
  std::optional<std::string> text_contains{};  ///< in input or output of any span, without regard to case
  std::optional<double> duration_ms_min{};
  std::optional<core::Time> from{};  ///< start time, inclusive
  std::optional<core::Time> to{};    ///< start time, exclusive
};

}  // namespace volan::trace
