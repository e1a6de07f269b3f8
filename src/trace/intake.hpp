/// The native intake: an array of spans, each checked on its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.hpp"
#include "core/result.hpp"
#include "trace/types.hpp"

namespace volan::trace {

/// A span as a client sends it.
struct SpanIn {
  std::string trace_id{};
  std::string span_id{};
  std::optional<std::string> parent_id{};
  std::string name{};
  std::optional<SpanKind> kind{};
  std::optional<SpanStatus> status{};
  core::Time start{};
  std::optional<core::Time> end{};
  std::optional<core::Time> first_token{};
  std::optional<std::string> app{};
  std::optional<std::string> model{};
  std::optional<std::string> session_id{};
  std::optional<std::string> user_id{};
  std::optional<std::int64_t> prompt_tokens{};
  std::optional<std::int64_t> completion_tokens{};
  std::optional<core::RawJson> input{};
  std::optional<core::RawJson> output{};
  std::optional<std::string> error{};
  std::map<std::string, core::RawJson> attributes{};
};
constexpr auto describe(const SpanIn*) {
  using T = SpanIn;
  return core::object(
      "SpanIn", core::field("trace_id", &T::trace_id, "32 hex digits, not all zero."),
      core::field("span_id", &T::span_id, "16 hex digits, not all zero."), core::field("parent_id", &T::parent_id, "Absent for a root."),
      core::field("name", &T::name, "1 to 1024 bytes."), core::field("kind", &T::kind, "chain when absent."),
      core::field("status", &T::status, "When absent: error if there is an error, ok if there is an end, else running."),
      core::field("start", &T::start), core::field("end", &T::end, "Absent while it runs; send the span again with its end."),
      core::field("first_token", &T::first_token), core::field("app", &T::app), core::field("model", &T::model),
      core::field("session_id", &T::session_id), core::field("user_id", &T::user_id), core::field("prompt_tokens", &T::prompt_tokens),
      core::field("completion_tokens", &T::completion_tokens), core::field("input", &T::input, "Any JSON."),
      core::field("output", &T::output, "Any JSON."), core::field("error", &T::error, "Why it failed."),
      core::field("attributes", &T::attributes, "Any JSON values by name; OpenTelemetry GenAI names where they exist."));
}

struct RefusedSpan {
  std::int64_t index = 0;
  std::string message{};
  std::optional<std::string> path{};
  std::optional<std::string> fix{};
};
constexpr auto describe(const RefusedSpan*) {
  return core::object("RefusedSpan", core::field("index", &RefusedSpan::index, "Position in the array that was sent, from 0."),
                      core::field("message", &RefusedSpan::message), core::field("path", &RefusedSpan::path),
                      core::field("fix", &RefusedSpan::fix));
}

struct IntakeAnswer {
  std::int64_t accepted = 0;
  std::int64_t rejected = 0;
  std::vector<RefusedSpan> errors{};
};
constexpr auto describe(const IntakeAnswer*) {
  return core::object("IntakeAnswer", core::field("accepted", &IntakeAnswer::accepted, "Spans on disk when this answer was sent."),
                      core::field("rejected", &IntakeAnswer::rejected),
                      core::field("errors", &IntakeAnswer::errors, "The first 100 refused spans, with the reason."));
}

struct Intake {
  std::vector<Span> spans{};  ///< the good ones, of `project`
  IntakeAnswer answer;        ///< what to say once they are stored
};

/// Reads the body of POST /api/v1/spans. Pure. Errors: invalid_argument when it is not a JSON array, or when every span of it is refused.
core::Result<Intake> read_spans(std::string_view body, const std::string& project);

}  // namespace volan::trace
