#include "trace/intake.hpp"

#include <gtest/gtest.h>

namespace volan::trace {
namespace {

const std::string ids = R"("trace_id":"0190A1B2C3D4E5F60718293A4B5C6D7E","span_id":"00f067aa0ba902b7")";
const std::string good = "{" + ids + R"(,"name":"answer","start":"2026-01-31T12:00:00Z")";

TEST(Intake, ReadsASpanWithDefaults) {
  const auto intake = read_spans("[" + good + "}]", "p");
  ASSERT_TRUE(intake.has_value()) << core::to_text(intake.error());
  ASSERT_EQ(intake->spans.size(), 1u);
  const Span& span = intake->spans[0];
  EXPECT_EQ(span.trace_id, "0190a1b2c3d4e5f60718293a4b5c6d7e");
  EXPECT_EQ(span.project, "p");
  EXPECT_EQ(span.status, SpanStatus::running);
  EXPECT_TRUE(span.is_root());
  EXPECT_EQ(intake->answer.accepted, 1);
}

TEST(Intake, ReadsEveryField) {
  const auto intake = read_spans(
      "[" + good + R"(,"parent_id":"53995c3f42cd8ad8","kind":"llm","end":"2026-01-31T12:00:01+00:00","first_token":"2026-01-31T12:00:00.5Z",
      "app":"twin","model":"m","session_id":"s","user_id":"u","prompt_tokens":3,"completion_tokens":4,"input":[{"role":"user","content":"hi"}],"output":"x",
      "attributes":{"a":1,"b":{"c":[true,null]}}}])",
      "p");
  ASSERT_TRUE(intake.has_value()) << core::to_text(intake.error());
  const Span& span = intake->spans.at(0);
  EXPECT_EQ(span.kind, SpanKind::llm);
  EXPECT_EQ(span.status, SpanStatus::ok);
  EXPECT_EQ(span.end->ns - span.start.ns, 1'000'000'000);
  EXPECT_EQ(span.first_token->ns - span.start.ns, 500'000'000);
  EXPECT_EQ(span.input.text, R"([{"role":"user","content":"hi"}])");
  EXPECT_EQ(span.attributes.at("b").text, R"({"c":[true,null]})");
  EXPECT_EQ(span.completion_tokens, 4);
}

// Each bad field is named; the message says what would be right.
TEST(Intake, NamesTheFieldThatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"span_id":"00f067aa0ba902b7","name":"n","start":"2026-01-31T12:00:00Z"})", "[0].trace_id"},
      {R"({"trace_id":"12","span_id":"00f067aa0ba902b7","name":"n","start":"2026-01-31T12:00:00Z"})", "[0].trace_id"},
      {R"({"trace_id":"00000000000000000000000000000000","span_id":"00f067aa0ba902b7","name":"n","start":"2026-01-31T12:00:00Z"})",
       "[0].trace_id"},
      {R"({"trace_id":"0190a1b2c3d4e5f60718293a4b5c6d7e","span_id":"x0f067aa0ba902b7","name":"n","start":"2026-01-31T12:00:00Z"})",
       "[0].span_id"},
      {"{" + ids + R"(,"name":"","start":"2026-01-31T12:00:00Z"})", "[0].name"},
      {"{" + ids + R"(,"name":"n","start":"yesterday"})", "[0].start"},
      {"{" + ids + R"(,"name":"n","start":"1960-01-01T00:00:00Z"})", "[0].start"},
      {good + R"(,"end":"2026-01-31T11:00:00Z"})", "[0].end"},
      {good + R"(,"first_token":"2026-01-31T11:00:00Z"})", "[0].first_token"},
      {good + R"(,"status":"ok"})", "[0].status"},
      {good + R"(,"status":"running","end":"2026-01-31T12:00:01Z"})", "[0].status"},
      {good + R"(,"status":"ok","error":"x","end":"2026-01-31T12:00:01Z"})", "[0].status"},
      {good + R"(,"error":"x"})", "[0].end"},
      {good + R"(,"parent_id":"00f067aa0ba902b7"})", "[0].parent_id"},
      {good + R"(,"prompt_tokens":-1})", "[0].prompt_tokens"},
      {good + R"(,"prompt_tokens":"3"})", "[0].prompt_tokens"},
      {good + R"(,"kind":"magic"})", "[0].kind"},
      {good + R"(,"project":"other"})", "[0].project"},
  };
  for (const auto& [span, path] : cases) {
    const auto intake = read_spans("[" + span + "]", "p");
    ASSERT_FALSE(intake.has_value()) << span;
    EXPECT_EQ(intake.error().code, core::ErrorCode::invalid_argument);
    EXPECT_EQ(intake.error().path, path) << span << core::to_text(intake.error());
  }
}

// Good spans are kept beside bad ones, and each bad one is reported with its place.
TEST(Intake, KeepsTheGoodSpansAndReportsTheOthers) {
  const auto intake = read_spans("[" + good + "},7," + good + R"(},{"name":1}])", "p");
  ASSERT_TRUE(intake.has_value());
  EXPECT_EQ(intake->answer.accepted, 2);
  EXPECT_EQ(intake->answer.rejected, 2);
  ASSERT_EQ(intake->answer.errors.size(), 2u);
  EXPECT_EQ(intake->answer.errors[0].index, 1);
  EXPECT_EQ(intake->answer.errors[1].index, 3);
  EXPECT_FALSE(intake->answer.errors[1].message.empty());
}

TEST(Intake, BoundsTheReport) {
  std::string body = "[" + good + "}";
  for (int i = 0; i < 500; ++i) body += ",7";
  const auto intake = read_spans(body + "]", "p");
  ASSERT_TRUE(intake.has_value());
  EXPECT_EQ(intake->answer.rejected, 500);
  EXPECT_EQ(intake->answer.errors.size(), 100u);
}

TEST(Intake, WantsAnArray) {
  for (const char* body : {"", "{", "{}", "7", "null", "[1,2", "\"x\""})
    EXPECT_EQ(read_spans(body, "p").error().code, core::ErrorCode::invalid_argument) << body;
  EXPECT_EQ(read_spans("[]", "p")->answer.accepted, 0);
  EXPECT_EQ(read_spans("[1,2]", "p").error().path, "[0]");
}

}  // namespace
}  // namespace volan::trace
