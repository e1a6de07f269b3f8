#include "trace/intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>  // tidy: the wire form of the native intake

#include "core/json.hpp"  // tidy: the wire form of the native intake

namespace volan::trace {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t errors_shown_max = 100;

/// Lower-cases hex ids. Errors: invalid_argument.
core::Result<std::string> hex_id(std::string text, std::size_t digits, std::string_view path) {
  for (char& c : text)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != digits || !std::ranges::all_of(text, is_hex) || std::ranges::all_of(text, [](char c) { return c == '0'; }))
    return fail(ErrorCode::invalid_argument, fmt::format("expected {} hex digits, not all zero", digits), std::string(path));
  return text;
}

core::Result<> check_times(const SpanIn& in) {
  if (in.start.ns <= 0) return fail(ErrorCode::invalid_argument, "expected a time after 1970", "start");
  if (in.end && *in.end < in.start) return fail(ErrorCode::invalid_argument, "it lies before `start`", "end");
  if (in.first_token && *in.first_token < in.start) return fail(ErrorCode::invalid_argument, "it lies before `start`", "first_token");
  if (in.status && !in.end && *in.status != SpanStatus::running)
    return fail(ErrorCode::invalid_argument, "a span without `end` is running", "status", "send `end`, or leave `status` out");
  if (in.status == SpanStatus::running && in.end) return fail(ErrorCode::invalid_argument, "a span with `end` is not running", "status");
  if (in.error && in.status && *in.status != SpanStatus::error)
    return fail(ErrorCode::invalid_argument, "a span with `error` has the status error", "status", "leave `status` out");
  return {};
}

core::Result<Span> span_of(SpanIn in, const std::string& project) {
  Span span;
  VOLAN_TRY(span.trace_id, hex_id(std::move(in.trace_id), 32, "trace_id"));
  VOLAN_TRY(span.span_id, hex_id(std::move(in.span_id), 16, "span_id"));
  if (in.parent_id) {
    VOLAN_TRY(span.parent_id, hex_id(*std::move(in.parent_id), 16, "parent_id"));
    if (span.parent_id == span.span_id) return fail(ErrorCode::invalid_argument, "a span cannot be its own parent", "parent_id");
  }
  if (in.name.empty() || in.name.size() > span_name_bytes_max)
    return fail(ErrorCode::invalid_argument, fmt::format("expected 1 to {} bytes, found {}", span_name_bytes_max, in.name.size()), "name");
  VOLAN_TRY_VOID(check_times(in));
  for (const auto& [field, tokens] : {std::pair("prompt_tokens", in.prompt_tokens), std::pair("completion_tokens", in.completion_tokens)})
    if (tokens.value_or(0) < 0 || tokens.value_or(0) > 1'000'000'000'000)
      return fail(ErrorCode::invalid_argument, fmt::format("expected 0 to 1e12, found {}", *tokens), field);
  if (in.attributes.size() > span_attributes_max)
    return fail(ErrorCode::invalid_argument,
                fmt::format("expected at most {} attributes, found {}", span_attributes_max, in.attributes.size()), "attributes");

  span.project = project;
  span.name = std::move(in.name);
  span.kind = in.kind.value_or(SpanKind::chain);
  span.status = in.status.value_or(in.error ? SpanStatus::error : in.end ? SpanStatus::ok : SpanStatus::running);
  span.start = in.start;
  span.end = in.end;
  if (!span.end && span.status == SpanStatus::error) return fail(ErrorCode::invalid_argument, "a span with `error` needs its end", "end");
  span.first_token = in.first_token;
  span.app = std::move(in.app).value_or("");
  span.model = std::move(in.model).value_or("");
  span.session_id = std::move(in.session_id).value_or("");
  span.user_id = std::move(in.user_id).value_or("");
  span.prompt_tokens = in.prompt_tokens.value_or(0);
  span.completion_tokens = in.completion_tokens.value_or(0);
  if (in.input) span.input = *std::move(in.input);
  if (in.output) span.output = *std::move(in.output);
  span.error = std::move(in.error).value_or("");
  span.attributes = std::move(in.attributes);
  return span;
}

core::Result<Span> read_span(const boost::json::value& value, const std::string& project) {
  VOLAN_TRY(auto in, core::decode_json<SpanIn>(value));
  return span_of(std::move(in), project);
}

std::optional<std::string> text_or_absent(std::string text) { return text.empty() ? std::nullopt : std::optional(std::move(text)); }

}  // namespace

core::Result<Intake> read_spans(std::string_view body, const std::string& project) {
  VOLAN_TRY(auto parsed, core::parse_json(body));
  if (!parsed.is_array())
    return fail(ErrorCode::invalid_argument, "expected an array of spans", {}, "send [{…}, {…}], also for a single span");
  Intake intake;
  const boost::json::array& rows = parsed.get_array();
  intake.spans.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto span = read_span(rows[i], project);
    if (span) {
      intake.spans.push_back(*std::move(span));
      continue;
    }
    core::Error error = std::move(span).error();
    if (intake.answer.errors.size() < errors_shown_max)
      intake.answer.errors.push_back({.index = static_cast<std::int64_t>(i),
                                      .message = std::move(error.message),
                                      .path = text_or_absent(std::move(error.path)),
                                      .fix = text_or_absent(std::move(error.fix))});
    ++intake.answer.rejected;
  }
  intake.answer.accepted = std::ssize(intake.spans);
  if (intake.spans.empty() && !rows.empty()) {
    const RefusedSpan& first = intake.answer.errors.front();
    const std::string field = first.path ? "." + *first.path : std::string();
    return fail(ErrorCode::invalid_argument,
                rows.size() == 1 ? first.message : fmt::format("all {} spans are refused; the first one: {}", rows.size(), first.message),
                "[0]" + field, first.fix.value_or(""));
  }
  return intake;
}

}  // namespace volan::trace
