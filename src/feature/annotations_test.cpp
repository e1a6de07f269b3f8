// The whole way on a real book: what set-up installs for the demo. The embedding model is a fake, the lexical search is real.
#include <gtest/gtest.h>

#include "feature/clean.hpp"
#include "feature/feature_testing.hpp"
#include "feature/quality.hpp"

namespace volan::feature {
namespace {

constexpr const char* book = "/usr/share/doc/c++-annotations/html";

// A search over one snapshot; outlives the coroutines.
struct Lexical {
  core::Pools& pools;
  std::shared_ptr<const StoredSnapshot> snapshot;
  Headings headings;
  core::Task<std::vector<Hit>> search(std::string question, std::size_t limit) const {
    auto work = [this, &question, limit] {
      return headings == Headings::searched ? snapshot->search_lexical(question, limit, {}) : snapshot->search_text_only(question, limit);
    };
    co_return co_await pools.on_compute(std::move(work));
  }
};

TEST(Annotations, AreCollectedCutAndFound) {
  if (!std::filesystem::exists(book)) FAIL() << "c++-annotations-html is not installed; make setup installs it";
  const auto folder = core::TempFolder::create().value();
  testing::Workspace work(folder.path());
  work.config.sources = {
      {.name = "annotations", .folder = book, .author = "Frank B. Brokken", .skip = {"index.html", "contents.html", "cppindex.html"}}};
  const BuildReport report = work.build();
  EXPECT_EQ(report.sources.at(0).found, 26);
  EXPECT_EQ(report.sources.at(0).failed, 0);
  EXPECT_GT(report.sections, 700);
  EXPECT_GT(report.characters_out, 2'200'000);
  EXPECT_GT(report.characters_out * 100, report.characters_in * 99) << "cleaning loses next to nothing";

  const BuildReport second = work.build();
  EXPECT_EQ(second.embedded, 0);
  EXPECT_EQ(second.new_documents, 0);
  EXPECT_EQ(second.snapshot_id, report.snapshot_id);
  for (const BuildReport& build : {report, second})
    std::printf("collect %.3f s, cut %.3f s, embed (fake) %.3f s, index %.3f s, publish %.3f s\n", build.collect_seconds, build.cut_seconds,
                build.embed_seconds, build.index_seconds, build.publish_seconds);

  std::int64_t characters = 0;
  const auto snapshots = work.features->store().snapshots("p1").value();
  const auto heads = work.features->documents().in_use("p1").value();
  for (const auto& head : heads) {
    const auto chunks = work.features->store().chunks_of("p1", snapshots.at(0).settings_hash, head.id).value();
    for (const Chunk& chunk : chunks) {
      EXPECT_LE(chunk.tokens, work.config.articles.tokens_max);
      EXPECT_LE(chunk.characters, work.config.articles.characters_max);
      characters += chunk.characters;
    }
  }
  // Between blocks of one chunk two line breaks are added, at chunk ends blanks are lost: less than 2 % in sum.
  EXPECT_NEAR(static_cast<double>(characters), static_cast<double>(report.characters_out),
              0.02 * static_cast<double>(report.characters_out));

  const auto questions = questions_from_headings(*work.features, "p1").value();
  EXPECT_GT(questions.size(), 500u);
  for (const Headings headings : {Headings::searched, Headings::ignored}) {
    const Lexical lexical{work.pools, work.snapshot(), headings};
    SearchFunction search = [&lexical](std::string question, std::size_t limit) { return lexical.search(std::move(question), limit); };
    const auto quality = testing::run(work.pools, measure_retrieval("bm25", questions, search)).value();
    std::printf("%s: %ld questions, recall@1 %.3f @5 %.3f @10 %.3f, MRR %.3f, %.3f ms each; %ld chunks, %ld tokens\n",
                headings == Headings::searched ? "BM25" : "BM25, text only", static_cast<long>(quality.questions), quality.recall_at_1,
                quality.recall_at_5, quality.recall_at_10, quality.mrr, 1000 * quality.seconds / static_cast<double>(quality.questions),
                static_cast<long>(report.chunks), static_cast<long>(report.tokens));
    EXPECT_GT(quality.recall_at_10, headings == Headings::searched ? 0.93 : 0.8);
  }
}

}  // namespace
}  // namespace volan::feature
