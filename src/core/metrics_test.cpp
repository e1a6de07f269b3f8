// Goal: metrics appear in the Prometheus text format with their values. Method: count, then read the text.
#include "core/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace volan::core {
namespace {

using testing::HasSubstr;

TEST(Metrics, WritesTheExpositionText) {
  Metrics metrics;
  metrics.counter("volan_calls_total", "Calls.", {{"route", "a\"b"}}).add(2);
  metrics.gauge("volan_queue_entries", "Waiting.").set(1.5);
  metrics.histogram("volan_wait_seconds", "Wait.", {}, {0.1, 1}).observe(0.5);
  const std::string text = metrics.text();
  EXPECT_THAT(text,
              HasSubstr("# HELP volan_calls_total Calls.\n# TYPE volan_calls_total counter\nvolan_calls_total{route=\"a\\\"b\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("volan_queue_entries 1.5\n"));
  EXPECT_THAT(text, HasSubstr("volan_wait_seconds_bucket{le=\"0.1\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("volan_wait_seconds_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("volan_wait_seconds_count 1\n"));
}

TEST(Metrics, GivesTheSameMetricForTheSameNameAndLabels) {
  Metrics metrics;
  Counter& counter = metrics.counter("volan_a_total", "A.", {{"x", "1"}});
  EXPECT_EQ(&counter, &metrics.counter("volan_a_total", "A.", {{"x", "1"}}));
  EXPECT_NE(&counter, &metrics.counter("volan_a_total", "A.", {{"x", "2"}}));
}

TEST(Metrics, CountsFromManyThreadsAndNeverDown) {
  Metrics metrics;
  Counter& counter = metrics.counter("volan_a_total", "A.");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1'000; ++i) counter.add();
    });
  for (auto& thread : threads) thread.join();
  counter.add(-5);
  EXPECT_EQ(counter.value(), 4'000);
}

TEST(Metrics, RefreshesGaugesBeforeEachText) {
  Metrics metrics;
  int calls = 0;
  metrics.on_scrape([&] { metrics.gauge("volan_calls", "Calls.").set(++calls); });
  EXPECT_THAT(metrics.text(), HasSubstr("volan_calls 1\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("volan_calls 2\n"));
}

TEST(MetricsDeathTest, RefusesOneNameWithTwoTypes) {
  Metrics metrics;
  metrics.counter("volan_a", "A.");
  EXPECT_DEATH(metrics.gauge("volan_a", "A."), "one metric name has one type");
}

}  // namespace
}  // namespace volan::core
