#include "trace/span_entry.hpp"

#include <gtest/gtest.h>

#include "core/file.hpp"

namespace volan::trace {
namespace {

/// Every field set, with lengths that need one and two bytes.
Span full_span() {
  Span span;
  span.trace_id = "0190a1b2c3d4e5f60718293a4b5c6d7e";
  span.span_id = "00f067aa0ba902b7";
  span.parent_id = "53995c3f42cd8ad8";
  span.project = "default";
  span.name = "answer";
  span.kind = SpanKind::llm;
  span.status = SpanStatus::error;
  span.start = {1'700'000'000'123'456'789};
  span.end = core::Time{1'700'000'001'000'000'000};
  span.first_token = core::Time{1'700'000'000'500'000'000};
  span.app = "twin";
  span.model = "smollm2";
  span.session_id = "session-1";
  span.user_id = "zo\xC3\xAB";
  span.prompt_tokens = 345;
  span.completion_tokens = 67;
  span.input.text = R"([{"role":"user","content":"What is a stream buffer?"}])";
  span.output.text = "\"" + std::string(200, 'x') + "\"";
  span.error = "upstream: connection closed";
  span.attributes = {{"gen_ai.request.model", {"\"smollm2\""}}, {"gen_ai.usage.input_tokens", {"345"}}, {"volan.sources", {"[1,2,3]"}}};
  return span;
}

void expect_equal(const Span& a, const Span& b) {
  EXPECT_EQ(a.trace_id, b.trace_id);
  EXPECT_EQ(a.span_id, b.span_id);
  EXPECT_EQ(a.parent_id, b.parent_id);
  EXPECT_EQ(a.project, b.project);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.start, b.start);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.first_token, b.first_token);
  EXPECT_EQ(a.app, b.app);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.session_id, b.session_id);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.prompt_tokens, b.prompt_tokens);
  EXPECT_EQ(a.completion_tokens, b.completion_tokens);
  EXPECT_EQ(a.input, b.input);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.attributes, b.attributes);
}

TEST(SpanEntry, ReadsWhatItWrote) {
  for (const Span& span : {full_span(), Span{}}) {
    const auto read = decode_span(span_entry_version, encode_span(span));
    ASSERT_TRUE(read.has_value()) << core::to_text(read.error());
    expect_equal(*read, span);
  }
}

// The stored number of an enumerator never changes: all of them survive, in the order that docs/formats/span_entry.md lists.
TEST(SpanEntry, KeepsTheNumbersOfKindsAndStatuses) {
  const std::pair<SpanKind, int> kinds[] = {{SpanKind::chain, 0},     {SpanKind::llm, 1},      {SpanKind::retriever, 2},
                                            {SpanKind::embedding, 3}, {SpanKind::reranker, 4}, {SpanKind::guardrail, 5},
                                            {SpanKind::tool, 6},      {SpanKind::step, 7}};
  for (const auto& [kind, number] : kinds) {
    Span span;
    span.kind = kind;
    EXPECT_EQ(encode_span(span)[1], number);
    EXPECT_EQ(decode_span(span_entry_version, encode_span(span))->kind, kind);
  }
  const std::pair<SpanStatus, int> statuses[] = {
      {SpanStatus::running, 0}, {SpanStatus::ok, 1}, {SpanStatus::error, 2}, {SpanStatus::cancelled, 3}};
  for (const auto& [status, number] : statuses) {
    Span span;
    span.status = status;
    EXPECT_EQ(encode_span(span)[2], number);
  }
}

// The golden file was written by the first build of version 1; every later build reads it and writes the same bytes.
TEST(SpanEntry, ReadsTheGoldenFileOfVersion1) {
  const auto golden = core::read_file(VOLAN_TESTDATA "/span_entry_v1.bin");
  ASSERT_TRUE(golden.has_value()) << core::to_text(golden.error());
  const auto read = decode_span(1, *golden);
  ASSERT_TRUE(read.has_value()) << core::to_text(read.error());
  expect_equal(*read, full_span());
  EXPECT_EQ(encode_span(full_span()), *golden);
}

// A body that ends anywhere too early, or goes on, is an error and never a span.
TEST(SpanEntry, RefusesEveryOtherLength) {
  const std::string body = encode_span(full_span());
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto read = decode_span(span_entry_version, std::string_view(body).substr(0, size));
    ASSERT_FALSE(read.has_value()) << size;
    EXPECT_EQ(read.error().code, core::ErrorCode::data_loss);
  }
  EXPECT_FALSE(decode_span(span_entry_version, body + "x").has_value());
}

TEST(SpanEntry, RefusesUnknownVersionsAndNumbers) {
  const std::string body = encode_span(full_span());
  const auto newer = decode_span(2, body);
  ASSERT_FALSE(newer.has_value());
  EXPECT_NE(newer.error().message.find("version 2"), std::string::npos);
  const std::pair<std::size_t, char> changes[] = {{0, 4}, {1, 8}, {2, 4}, {3, 1}};
  for (const auto& [at, value] : changes) {
    std::string changed = body;
    changed[at] = value;
    EXPECT_FALSE(decode_span(span_entry_version, changed).has_value()) << at;
  }
}

}  // namespace
}  // namespace volan::trace
