#include "rag/fusion.hpp"

#include <gtest/gtest.h>

namespace volan::rag {
namespace {

TEST(FuseRanks, AddsTheReciprocalRanksOfAllLists) {
  const std::vector<std::vector<std::string>> lists{{"a", "b", "c"}, {"b", "d"}};
  const auto hits = fuse_ranks(lists, 60);
  ASSERT_EQ(hits.size(), 4U);
  EXPECT_EQ(hits[0].id, "b");
  EXPECT_DOUBLE_EQ(hits[0].score, 1.0 / 62 + 1.0 / 61);
  EXPECT_EQ(hits[0].ranks, (std::vector<std::optional<std::int64_t>>{2, 1}));
  EXPECT_EQ(hits[1].id, "a");
  EXPECT_DOUBLE_EQ(hits[1].score, 1.0 / 61);
  EXPECT_EQ(hits[1].ranks, (std::vector<std::optional<std::int64_t>>{1, std::nullopt}));
  EXPECT_EQ(hits[2].id, "d");
  EXPECT_EQ(hits[3].id, "c");
}

TEST(FuseRanks, KeepsTheOrderOfFirstAppearanceInATie) {
  const std::vector<std::vector<std::string>> lists{{"x", "y"}, {"y", "x"}};
  const auto hits = fuse_ranks(lists, 60);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_EQ(hits[0].id, "x");
  EXPECT_DOUBLE_EQ(hits[0].score, hits[1].score);
}

TEST(FuseRanks, CountsARepeatedIdOnceAtItsBestRank) {
  const std::vector<std::vector<std::string>> lists{{"a", "a", "b"}};
  const auto hits = fuse_ranks(lists, 1);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_DOUBLE_EQ(hits[0].score, 0.5);
  EXPECT_DOUBLE_EQ(hits[1].score, 0.25);
}

TEST(FuseRanks, GivesNothingForNothing) { EXPECT_TRUE(fuse_ranks({}, 60).empty()); }

}  // namespace
}  // namespace volan::rag
