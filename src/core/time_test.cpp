// Goal: times survive the way to text and back, bad ones are refused. Method: tables.
#include "core/time.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace volan::core {
namespace {

TEST(Time, WritesRfc3339) {
  EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339({1'700'000'000'123'456'789}), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339({std::numeric_limits<std::int64_t>::max()}), "2262-04-11T23:47:16.854775Z");
}

TEST(Time, ReadsRfc3339WithOffsetsAndFractions) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01t00:00:01z", 1'000'000'000},
      {"1970-01-01 00:00:00.000000001Z", 1},
      {"1970-01-01T02:30:00.5+02:30", 500'000'000},
      {"1969-12-31T16:00:00-08:00", 0},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000'000'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000'000'000},
      {"2023-11-14T22:13:20.123456789Z", 1'700'000'000'123'456'789},
  };
  for (const auto& [text, ns] : cases) {
    const auto time = time_from_rfc3339(text);
    ASSERT_TRUE(time) << text << ": " << to_text(time.error());
    EXPECT_EQ(time->ns, ns) << text;
  }
}

TEST(Time, RefusesOtherTexts) {
  for (const char* text : {"", "yesterday", "2023-11-14", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-11-14T24:00:00Z",
                           "2023-11-14T00:60:00Z", "2023-11-14T00:00:61Z", "2023-11-14T00:00:00", "2023-11-14T00:00:00.Z",
                           "2023-11-14T00:00:00.1234567890Z", "2023-11-14T00:00:00+2:00", "2023-11-14T00:00:00+24:00",
                           "2023-11-14T00:00:00Zx", "+023-11-14T00:00:00Z", "9999-11-14T00:00:00Z", "0001-01-01T00:00:00Z"})
    EXPECT_EQ(time_from_rfc3339(text).error().code, ErrorCode::invalid_argument) << text;
}

TEST(Time, SystemClockNeverRunsBackwardsAcrossThreads) {
  const SystemClock clock;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&clock] {
      Time before = clock.now();
      for (int i = 0; i < 10'000; ++i) {
        const Time now = clock.now();
        EXPECT_LE(before, now);
        before = now;
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Time, ManualClockStandsStillUntilAdvanced) {
  ManualClock clock;
  const Time start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance_ns(5);
  EXPECT_EQ(clock.now().ns, start.ns + 5);
}

}  // namespace
}  // namespace volan::core
