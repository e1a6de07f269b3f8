#include "trace/recorder.hpp"

#include <cmath>

#include "trace/span_entry.hpp"
#include "trace/testing.hpp"

namespace volan::trace {
namespace {

using testing::run;

class RecorderTest : public testing::TraceTest {
 protected:
  /// What is on disk, in order. The store is closed, so nothing has been moved.
  std::vector<Span> journalled() {
    flush();
    std::vector<Span> spans;
    const auto done = journal->replay(0, [&](std::uint64_t, storage::JournalEntry&& entry) -> core::Result<> {
      EXPECT_EQ(entry.kind, span_entry_kind);
      VOLAN_TRY(auto span, decode_span(entry.version, entry.body));
      spans.push_back(std::move(span));
      return {};
    });
    EXPECT_TRUE(done.has_value());
    return spans;
  }
};

// A root leaves two events with the same ids: the start as it was, the end with everything.
TEST_F(RecorderTest, WritesAStartAndAnEnd) {
  auto root = recorder->start({.project = "p", .name = "chat"});
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->trace_id().size(), 32u);
  EXPECT_EQ(root->span_id().size(), 16u);
  clock.advance_ns(5);
  root->first_token();
  clock.advance_ns(5);
  root->first_token();  // only the first one counts
  root->span().output.text = "\"done\"";
  EXPECT_TRUE(root->end().has_value());
  EXPECT_TRUE(root->end(SpanStatus::error, "too late").has_value());  // does nothing

  const auto spans = journalled();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].status, SpanStatus::running);
  EXPECT_FALSE(spans[0].end.has_value());
  EXPECT_EQ(spans[1].span_id, spans[0].span_id);
  EXPECT_EQ(spans[1].trace_id, spans[0].trace_id);
  EXPECT_EQ(spans[1].start, spans[0].start);
  EXPECT_EQ(spans[1].status, SpanStatus::ok);
  EXPECT_EQ(spans[1].first_token->ns, spans[0].start.ns + 5);
  EXPECT_EQ(spans[1].end->ns, spans[0].start.ns + 10);
  EXPECT_EQ(spans[1].output.text, "\"done\"");
}

TEST_F(RecorderTest, WritesOnlyTheEndOfAnInnerSpan) {
  {
    auto inner = recorder->start_inner({.trace_id = core_id(), .parent_id = "00f067aa0ba902b7", .project = "p", .name = "search"});
    EXPECT_TRUE(inner.end().has_value());
  }
  const auto spans = journalled();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].status, SpanStatus::ok);
}

// A span that leaves its scope without an end was cut off: an error path or a client that left. Moving it does not end it.
TEST_F(RecorderTest, EndsADroppedSpanAsCancelled) {
  {
    OpenSpan first = recorder->start_inner({.project = "p", .name = "one"});
    OpenSpan moved = std::move(first);
    OpenSpan other = recorder->start_inner({.project = "p", .name = "two"});
    moved = std::move(other);  // ends "one"
    EXPECT_TRUE(moved.end(SpanStatus::error, "broken").has_value());
    const OpenSpan third = recorder->start_inner({.project = "p", .name = "three"});
  }
  const auto spans = journalled();
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].name, "one");
  EXPECT_EQ(spans[0].status, SpanStatus::cancelled);
  EXPECT_EQ(spans[1].name, "two");
  EXPECT_EQ(spans[1].error, "broken");
  EXPECT_EQ(spans[2].name, "three");
  EXPECT_EQ(spans[2].status, SpanStatus::cancelled);
}

TEST_F(RecorderTest, KeepsAttributesAsJson) {
  auto span = recorder->start_inner({.project = "p", .name = "x"});
  span.set_attribute("text", "say \"hi\" \xFF");
  span.set_attribute("whole", std::int64_t{42});
  span.set_attribute("part", 0.25);
  span.set_attribute("yes", true);
  span.set_attribute("nan", std::nan(""));
  EXPECT_TRUE(span.end().has_value());
  const auto spans = journalled();
  const auto& attributes = spans.at(0).attributes;
  EXPECT_EQ(attributes.at("text").text, "\"say \\\"hi\\\" \xEF\xBF\xBD\"");
  EXPECT_EQ(attributes.at("whole").text, "42");
  EXPECT_EQ(attributes.at("part").text, "0.25");
  EXPECT_EQ(attributes.at("yes").text, "true");
  EXPECT_EQ(attributes.at("nan").text, "\"nan\"");
}

// record_all() returns when the batch is on disk: a replay by a second reader of the file sees it.
TEST_F(RecorderTest, TakesABatchDurably) {
  std::vector<Span> spans(100);
  for (Span& span : spans) {
    span.trace_id = core_id();
    span.span_id = "00f067aa0ba902b7";
    span.project = "p";
  }
  ASSERT_TRUE(run(pools, recorder->record_all(spans)).has_value());
  EXPECT_EQ(journalled().size(), 100u);
}

}  // namespace
}  // namespace volan::trace
