#include "feature/quality.hpp"

#include <gtest/gtest.h>

#include "feature/feature_testing.hpp"

namespace volan::feature {
namespace {

// A search that gives the same hits for every question; the field outlives the coroutines.
struct Fixed {
  std::vector<Hit> hits;
  core::Task<std::vector<Hit>> search(std::string, std::size_t limit) const {
    std::vector<Hit> first(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(std::min(limit, hits.size())));
    co_return first;
  }
};

TEST(Quality, TakesNumbersFromHeadings) {
  EXPECT_EQ(question_from_heading("4.1.1: Defining namespaces"), "Defining namespaces");
  EXPECT_EQ(question_from_heading("Chapter 4: Namespaces"), "Namespaces");
  EXPECT_EQ(question_from_heading("2 Getting started:"), "Getting started");
  EXPECT_EQ(question_from_heading("64-bit integers"), "64-bit integers");
  EXPECT_EQ(question_from_heading("1.2"), "");
  EXPECT_EQ(question_from_heading("Chapter and verse"), "Chapter and verse");
}

TEST(Quality, MakesQuestionsFromUnambiguousHeadings) {
  const auto folder = core::TempFolder::create().value();
  testing::Workspace work(folder.path());
  work.write("a.html", "<h1>1: Static casts</h1>one<h2>1.1: Using it all</h2>two<h2>Short</h2>x<h2>1.2: Own words here</h2>three");
  work.write("b.html", "<h1>2: Other things</h1>four<h2>2.1: using it all</h2>five");
  work.build();
  const auto questions = questions_from_headings(*work.features, "p1").value();
  std::vector<std::string> texts;
  for (const auto& question : questions) texts.push_back(question.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"Static casts", "Own words here", "Other things"}));
  EXPECT_EQ(questions[0].right_chunk_ids.size(), 1u);
  EXPECT_EQ(work.snapshot()->chunks(questions[1].right_chunk_ids).value()[0].text, "three");
  EXPECT_EQ(questions_from_headings(*work.features, "p1", 2).value().size(), 2u);
  EXPECT_EQ(questions_from_headings(*work.features, "p9").error().code, core::ErrorCode::not_found);
}

// Three questions whose right chunks stand at rank 1, at rank 4 and nowhere.
TEST(Quality, MeasuresRecallAndReciprocalRank) {
  core::Pools pools({.io = 1, .compute = 1, .disk = 1});
  const Fixed fixed{{{"a", 4}, {"b", 3}, {"c", 2}, {"d", 1}}};
  const std::vector<RetrievalQuestion> questions{{"q1", {"a", "b"}}, {"q2", {"d"}}, {"q3", {"z"}}};
  SearchFunction search = [&fixed](std::string question, std::size_t limit) { return fixed.search(std::move(question), limit); };
  const auto quality = testing::run(pools, measure_retrieval("fixed", questions, search)).value();
  EXPECT_EQ(quality.questions, 3);
  EXPECT_DOUBLE_EQ(quality.recall_at_1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(quality.recall_at_5, 2.0 / 3);
  EXPECT_DOUBLE_EQ(quality.recall_at_10, 2.0 / 3);
  EXPECT_DOUBLE_EQ(quality.mrr, (1.0 + 0.25) / 3);
  EXPECT_FALSE(testing::run(pools, measure_retrieval("none", {}, search)));
}

}  // namespace
}  // namespace volan::feature
