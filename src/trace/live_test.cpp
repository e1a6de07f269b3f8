#include "trace/live.hpp"

#include <gtest/gtest.h>

#include "trace/testing.hpp"

namespace volan::trace {
namespace {

/// A feed and a count of wake-ups.
struct Feed {
  core::Metrics metrics;
  LiveFeed feed{{.events_max = 3, .readers_max = 2}, metrics};
  int wakes = 0;
  std::shared_ptr<LiveFeed::Reader> reader(std::string project) {
    auto opened = feed.subscribe(std::move(project), [this] { ++wakes; });
    EXPECT_TRUE(opened.has_value());
    return opened.value_or(nullptr);
  }
};

TEST(LiveFeed, GivesEventsToReadersOfTheProjectOnly) {
  Feed f;
  EXPECT_FALSE(f.feed.has_readers("p"));
  const auto p = f.reader("p");
  const auto q = f.reader("q");
  EXPECT_TRUE(f.feed.has_readers("p"));
  EXPECT_FALSE(f.feed.has_readers("r"));
  f.feed.publish("p", "one");
  f.feed.publish("p", "two");
  const auto batch = p->take();
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(*batch.events[0], "one");
  EXPECT_EQ(*batch.events[1], "two");
  EXPECT_TRUE(p->take().empty());
  EXPECT_TRUE(q->take().empty());
}

// A slow reader loses the newest events and is told how many; memory stays bounded; the next batch starts clean.
TEST(LiveFeed, TellsASlowReaderHowManyEventsItMissed) {
  Feed f;
  const auto reader = f.reader("p");
  for (int i = 0; i < 10; ++i) f.feed.publish("p", std::to_string(i));
  auto batch = reader->take();
  ASSERT_EQ(batch.events.size(), 3u);
  EXPECT_EQ(*batch.events[2], "2");
  EXPECT_EQ(batch.dropped, 7u);
  EXPECT_NE(f.metrics.text().find("volan_trace_live_dropped_total 7"), std::string::npos);
  f.feed.publish("p", "next");
  batch = reader->take();
  EXPECT_EQ(batch.events.size(), 1u);
  EXPECT_EQ(batch.dropped, 0u);
}

// One wake-up per batch, however many events it has, and a new one after every take().
TEST(LiveFeed, WakesAReaderOncePerBatch) {
  Feed f;
  const auto reader = f.reader("p");
  f.feed.publish("p", "before the first look");
  EXPECT_EQ(f.wakes, 0);
  EXPECT_EQ(reader->take().events.size(), 1u);
  f.feed.publish("p", "a");
  f.feed.publish("p", "b");
  EXPECT_EQ(f.wakes, 1);
  EXPECT_EQ(reader->take().events.size(), 2u);
  f.feed.publish("p", "c");
  EXPECT_EQ(f.wakes, 2);
}

TEST(LiveFeed, LimitsReadersAndForgetsThoseThatLeft) {
  Feed f;
  auto first = f.reader("p");
  const auto second = f.reader("p");
  const auto third = f.feed.subscribe("p", [] {});
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code, core::ErrorCode::resource_exhausted);
  first.reset();
  EXPECT_TRUE(f.feed.subscribe("p", [] {}).has_value());
}

// The recorder announces roots when they start and end, not inner spans, and only to their project.
class LiveTraces : public testing::TraceTest {};
TEST_F(LiveTraces, FollowTheRecorder) {
  const auto reader = store->live().subscribe("p", [] {});
  ASSERT_TRUE(reader.has_value());
  auto root = recorder->start({.project = "p", .name = "chat"});
  auto inner = recorder->start_inner({.trace_id = root->trace_id(), .parent_id = root->span_id(), .project = "p", .name = "search"});
  EXPECT_TRUE(inner.end().has_value());
  root->span().output.text = "\"an answer\"";
  EXPECT_TRUE(root->end().has_value());
  add({.project = "q"});
  const auto batch = (*reader)->take();
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_TRUE(batch.events[0]->starts_with("event: trace\ndata: {\"id\":\"" + root->trace_id() + "\""));
  EXPECT_TRUE(batch.events[0]->ends_with("}\n\n"));
  EXPECT_NE(batch.events[0]->find("\"status\":\"running\""), std::string::npos);
  EXPECT_NE(batch.events[1]->find("\"status\":\"ok\""), std::string::npos);
  EXPECT_NE(batch.events[1]->find("\"output_preview\":\"an answer\""), std::string::npos);
}

}  // namespace
}  // namespace volan::trace
