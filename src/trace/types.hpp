/// The event model of observation: spans (a trace is a tree of them) and scores, one form for all dialects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/time.hpp"

namespace volan::trace {

/// Colour and icon in the UI, `volan.span.kind` in attributes.
enum class SpanKind { chain, llm, retriever, embedding, reranker, guardrail, tool, step };
enum class SpanStatus { running, ok, error, cancelled };

constexpr auto describe(const SpanKind*) {
  using enum SpanKind;
  return core::names("SpanKind", core::name(chain, "chain"), core::name(llm, "llm"), core::name(retriever, "retriever"),
                     core::name(embedding, "embedding"), core::name(reranker, "reranker"), core::name(guardrail, "guardrail"),
                     core::name(tool, "tool"), core::name(step, "step"));
}
constexpr auto describe(const SpanStatus*) {
  using enum SpanStatus;
  return core::names("SpanStatus", core::name(running, "running"), core::name(ok, "ok"), core::name(error, "error"),
                     core::name(cancelled, "cancelled"));
}

/// One span. The start and the end of a span are two events with the same ids; the end carries everything.
/// Attribute names follow the OpenTelemetry GenAI conventions (gen_ai.request.model, gen_ai.usage.input_tokens, …).
struct Span {
  std::string trace_id{};   ///< 32 hex digits
  std::string span_id{};    ///< 16 hex digits
  std::string parent_id{};  ///< "" = root
  std::string project{};
  std::string name{};
  SpanKind kind = SpanKind::chain;
  SpanStatus status = SpanStatus::running;
  core::Time start{};
  std::optional<core::Time> end{};  ///< absent while running
  std::optional<core::Time> first_token{};
  std::string app{};
  std::string model{};
  std::string session_id{};
  std::string user_id{};
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  core::RawJson input{};  ///< any JSON: messages, a query, …; "" = none
  core::RawJson output{};
  std::string error{};                                ///< message when status is error
  std::map<std::string, core::RawJson> attributes{};  ///< numbers, strings, arrays

  bool is_root() const { return parent_id.empty(); }
};

/// Limits of what is stored of a span. A longer input, output or attribute is cut: it becomes a JSON string with the first bytes of the
/// JSON, and the attribute `volan.cut.input`, `volan.cut.output` or `volan.cut.<attribute>` tells how many bytes there were. Longer names
/// are cut as text.
inline constexpr std::size_t span_value_bytes_max = 1u << 20;
inline constexpr std::size_t span_name_bytes_max = 1024;
inline constexpr std::size_t span_error_bytes_max = 16u << 10;
inline constexpr std::size_t span_attributes_max = 256;

}  // namespace volan::trace
