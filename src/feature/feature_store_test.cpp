#include "feature/feature_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "feature/feature_testing.hpp"
#include "storage/testing.hpp"

namespace volan::feature {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FeatureStoreTest : public storage::EachDatabase {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(EachDatabase::SetUp());
    work_ = std::make_unique<testing::Workspace>(folder_.path(), url);
    work_->write("a.html", "<a name=aa></a><h1>Casts</h1>A static cast converts related types.");
    work_->write("b.html", "<h1>Strings</h1>The string class owns characters.<pre>  std::string s{\"x\"};\n</pre>");
  }
  void TearDown() override {
    work_.reset();
    EachDatabase::TearDown();
  }
  core::TempFolder folder_ = core::TempFolder::create().value();
  std::unique_ptr<testing::Workspace> work_;
};
INSTANTIATE_TEST_SUITE_P(EachDatabase, FeatureStoreTest, storage::each_database(), storage::database_name);

TEST_P(FeatureStoreTest, BuildsASnapshotThatBothSearchesAnswerFrom) {
  EXPECT_EQ(work_->features->current("p1"), nullptr);
  const BuildReport report = work_->build();
  EXPECT_TRUE(report.is_new_snapshot);
  EXPECT_EQ(report.documents, 2);
  EXPECT_EQ(report.chunks, 2);
  EXPECT_EQ(report.embedded, 2);
  EXPECT_EQ(report.reused, 0);
  EXPECT_EQ(report.embedder, "fake:1");
  EXPECT_EQ(report.sources.at(0).created, 2);
  EXPECT_GT(report.characters_in, 0);
  const auto snapshot = work_->features->current("p1");
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->id(), report.snapshot_id);
  EXPECT_EQ(snapshot->chunk_count(), 2u);
  EXPECT_THAT(snapshot->authors(), ElementsAre("Ann"));
  EXPECT_THAT(work_->lexical("which class owns a string?"), ElementsAre(HasSubstr("  std::string s{\"x\"};")));
  EXPECT_THAT(work_->dense("A static cast converts", 1), ElementsAre(HasSubstr("static cast")));
  const auto hits = snapshot->search_lexical("casts", 5, {}).value();
  const ChunkView view = snapshot->chunks({hits.at(0).chunk_id, "unknown"}).value().at(0);
  EXPECT_EQ(view.title, "Casts");
  EXPECT_EQ(view.heading, "Casts");
  EXPECT_EQ(view.author, "Ann");
  EXPECT_EQ(view.category, "article");
  EXPECT_TRUE(view.url.ends_with("/a.html#aa")) << view.url;
  EXPECT_GT(hits[0].score, 0);
}

TEST_P(FeatureStoreTest, ASecondRunEmbedsNothing) {
  const BuildReport first = work_->build();
  const std::size_t calls = work_->embedder.calls;
  const BuildReport second = work_->build();
  EXPECT_EQ(second.embedded, 0);
  EXPECT_EQ(second.reused, 2);
  EXPECT_EQ(second.new_documents, 0);
  EXPECT_FALSE(second.is_new_snapshot);
  EXPECT_EQ(second.snapshot_id, first.snapshot_id);
  EXPECT_EQ(work_->embedder.calls, calls);
}

TEST_P(FeatureStoreTest, AChangedPageReplacesExactlyItsChunks) {
  work_->build();
  const auto before = work_->snapshot()->search_lexical("string class", 5, {}).value();
  work_->write("a.html", "<h1>Casts</h1>A dynamic cast needs polymorphic types.");
  const BuildReport report = work_->build();
  EXPECT_EQ(report.new_documents, 1);
  EXPECT_EQ(report.embedded, 1);
  EXPECT_EQ(report.reused, 1);
  EXPECT_THAT(work_->lexical("static"), IsEmpty());
  EXPECT_THAT(work_->lexical("polymorphic"), ElementsAre(HasSubstr("dynamic")));
  EXPECT_EQ(work_->dense("anything").size(), 2u);
  EXPECT_EQ(work_->snapshot()->search_lexical("string class", 5, {}).value().at(0).chunk_id, before.at(0).chunk_id);
}

TEST_P(FeatureStoreTest, ADeletedPageDisappearsFromBothIndexes) {
  work_->build();
  work_->remove("b.html");
  const BuildReport report = work_->build();
  EXPECT_EQ(report.sources.at(0).gone, 1);
  EXPECT_EQ(report.chunks, 1);
  EXPECT_EQ(report.embedded, 0);
  EXPECT_THAT(work_->lexical("string"), IsEmpty());
  EXPECT_THAT(work_->dense("The string class owns characters"), ElementsAre(HasSubstr("static cast")));
}

TEST_P(FeatureStoreTest, ARemovedSourceTakesItsDocumentsAlong) {
  work_->build();
  work_->config.sources.clear();
  const BuildReport report = work_->build();
  EXPECT_EQ(report.documents, 0);
  EXPECT_EQ(work_->snapshot()->chunk_count(), 0u);
  EXPECT_THAT(work_->lexical("cast"), IsEmpty());
  EXPECT_THAT(work_->dense("cast"), IsEmpty());
}

TEST_P(FeatureStoreTest, EqualTextsAreEmbeddedOnce) {
  work_->write("c.html", "<h1>Casts</h1>A static cast converts related types.");
  const BuildReport report = work_->build();
  EXPECT_EQ(report.chunks, 3);
  EXPECT_EQ(report.embedded, 2);
  EXPECT_EQ(report.reused, 1);
  EXPECT_EQ(work_->lexical("static").size(), 2u) << "each has a chunk of its own";
}

TEST_P(FeatureStoreTest, SettingsAndModelMakeOtherSnapshots) {
  const std::string first = work_->build().snapshot_id;
  work_->embedder.name = "fake:2";
  const BuildReport other_model = work_->build();
  EXPECT_NE(other_model.snapshot_id, first);
  EXPECT_EQ(other_model.embedded, 2);
  work_->config.cleaning = Cleaning::reference;
  const BuildReport other_rule = work_->build();
  EXPECT_NE(other_rule.snapshot_id, other_model.snapshot_id);
  EXPECT_THAT(work_->lexical("std"), ElementsAre(HasSubstr("std string s x")));
  work_->config.cleaning = Cleaning::keep;
  work_->embedder.name = "fake:1";
  const BuildReport back = work_->build();
  EXPECT_EQ(back.snapshot_id, first) << "the same content and settings are the same snapshot";
}

TEST_P(FeatureStoreTest, KeepsTheLastSnapshotsAndRemovesTheRest) {
  work_->config.snapshots_kept = 2;
  for (int i = 0; i < 5; ++i) {
    work_->clock.advance_ns(1);
    work_->write("a.html", "<h1>Casts</h1>Version " + std::to_string(i));
    work_->build();
  }
  const auto kept = work_->features->store().snapshots("p1").value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_TRUE(kept[0].is_current);
  std::size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/features/p1/snapshots")) folders += entry.is_directory();
  EXPECT_EQ(folders, 2u);
  EXPECT_EQ(work_->features->store().text_hashes("p1").value().size(), 3u) << "two versions of a.html and b.html";
}

TEST_P(FeatureStoreTest, ARestartOpensTheCurrentSnapshot) {
  const std::string id = work_->build().snapshot_id;
  work_->open();
  ASSERT_NE(work_->snapshot(), nullptr);
  EXPECT_EQ(work_->snapshot()->id(), id);
  EXPECT_EQ(work_->lexical("static").size(), 1u);
}

// Goal: derived files are made again from the stores, whatever happened to them. Method: damage each file in turn, restart.
TEST_P(FeatureStoreTest, ADamagedOrMissingIndexIsMadeAgain) {
  work_->build();
  const std::string folder = work_->snapshot_folder();
  for (const char* file : {"dense.bin", "chunks.sqlite", "manifest.json"}) {
    {
      std::fstream bytes(folder + "/" + file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(70);
      bytes << "damaged";
    }
    work_->open();
    ASSERT_NE(work_->snapshot(), nullptr) << file;
    EXPECT_EQ(work_->lexical("static").size(), 1u) << file;
    EXPECT_EQ(work_->dense("static cast").size(), 2u) << file;
  }
  std::filesystem::remove_all(folder);
  work_->open();
  ASSERT_NE(work_->snapshot(), nullptr);
  EXPECT_EQ(work_->dense("static cast").size(), 2u);
}

TEST_P(FeatureStoreTest, WithoutFilesAndVectorsTheNextBuildHeals) {
  work_->build();
  work_->features.reset();
  std::filesystem::remove_all(folder_.path() + "/features");
  work_->open();
  EXPECT_EQ(work_->snapshot(), nullptr);
  const BuildReport report = work_->build();
  EXPECT_EQ(report.embedded, 2);
  EXPECT_EQ(work_->lexical("static").size(), 1u);
}

TEST_P(FeatureStoreTest, AFailingModelLeavesTheOldSnapshotAndTheNextBuildGoesOn) {
  const std::string id = work_->build().snapshot_id;
  work_->write("a.html", "<h1>Casts</h1>New text.");
  work_->embedder.error = "the model is gone";
  const auto failed = work_->try_build();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, core::ErrorCode::upstream);
  EXPECT_EQ(work_->snapshot()->id(), id);
  EXPECT_EQ(work_->lexical("static").size(), 1u);
  work_->embedder.error.clear();
  EXPECT_TRUE(work_->build().is_new_snapshot);
  EXPECT_EQ(work_->lexical("static").size(), 0u);
}

TEST_P(FeatureStoreTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = work_->try_build({}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, core::ErrorCode::cancelled);
}

TEST_P(FeatureStoreTest, FiltersByAuthorAndCategory) {
  std::filesystem::create_directories(folder_.path() + "/posts");
  std::ofstream(folder_.path() + "/posts/p.html") << "<h1>Post</h1>A cast in a post.";
  work_->config.sources.push_back(
      {.name = "posts", .folder = folder_.path() + "/posts", .author = "Bob", .category = collect::Category::post});
  work_->build();
  EXPECT_THAT(work_->snapshot()->authors(), ElementsAre("Ann", "Bob"));
  EXPECT_THAT(work_->lexical("cast", {.author = "Bob", .category = {}}), ElementsAre(HasSubstr("post")));
  EXPECT_THAT(work_->dense("cast", 10, {.author = {}, .category = "post"}), ElementsAre(HasSubstr("post")));
  EXPECT_EQ(work_->dense("cast", 10, {.author = "Ann", .category = "article"}).size(), 2u);
  EXPECT_THAT(work_->dense("cast", 10, {.author = "Bob", .category = "article"}), IsEmpty());
  EXPECT_THAT(work_->lexical("cast", {.author = "Nobody", .category = {}}), IsEmpty());
}

TEST_P(FeatureStoreTest, AnyTextIsASafeQuery) {
  work_->build();
  for (const char* text :
       {"\"", "*", "a AND", "NEAR(", "x:y", "^cast", "-cast", "'; DROP TABLE chunks;--", "\xFF\xFE cast", "()", "{heading} : cast", ""}) {
    const auto hits = work_->snapshot()->search_lexical(text, 5, {});
    EXPECT_TRUE(hits) << text << ": " << hits.error().message;
  }
  EXPECT_FALSE(work_->snapshot()->search_dense(std::vector<float>(3), 5, {}));
  EXPECT_FALSE(work_->snapshot()->search_dense(std::vector<float>(testing::FakeEmbedder::dimension, 0.0F), 5, {}));
}

TEST_P(FeatureStoreTest, ProjectsAreApart) {
  work_->build();
  EXPECT_EQ(work_->features->current("p2"), nullptr);
  FeatureConfig config = work_->config;
  config.sources.at(0).author = "Zoe";
  ASSERT_TRUE(testing::run(work_->pools, work_->features->build("p/2 ../x", config, work_->embedder)));
  EXPECT_THAT(work_->features->current("p/2 ../x")->authors(), ElementsAre("Zoe"));
  EXPECT_THAT(work_->features->current("p1")->authors(), ElementsAre("Ann"));
}

TEST_P(FeatureStoreTest, RefusesASecondBuildOfTheProjectAtOnce) {
  std::atomic<bool> was_refused = false;
  ProgressCallback nested = [&](const BuildProgress&) {
    if (was_refused) return;
    auto second =
        boost::asio::co_spawn(work_->pools.io(0), work_->features->build("p1", work_->config, work_->embedder), boost::asio::use_future);
    was_refused = second.get().error().code == core::ErrorCode::conflict;
  };
  work_->config.sources.at(0).folder = folder_.path() + "/pages";
  ASSERT_TRUE(work_->try_build(nested));  // the first progress comes from the disk pool, so the io loop is free
  EXPECT_TRUE(was_refused);
}

TEST_P(FeatureStoreTest, CutsByTokensAsWellAsByCharacters) {
  std::string text = "<h1>Long</h1>";
  for (int i = 0; i < 400; ++i) text += "Sentence number " + std::to_string(i) + " is here. ";
  work_->write("a.html", text);
  work_->config.articles.tokens_max = 100;
  const BuildReport report = work_->build();
  EXPECT_GT(report.chunks, 40);
  EXPECT_EQ(report.chunks, report.embedded);
  const std::string settings = work_->features->store().snapshots("p1").value().at(0).settings_hash;
  const auto chunks =
      work_->features->store().chunks_of("p1", settings, work_->features->documents().in_use("p1").value().at(0).id).value();
  EXPECT_GT(chunks.size(), 40u);
  for (const Chunk& chunk : chunks) EXPECT_LE(chunk.tokens, 100);
  work_->config.articles.tokens_max = 10;
  EXPECT_EQ(work_->try_build().error().path, "articles.tokens_max");
}

TEST_P(FeatureStoreTest, ReportsProgressOfEachStage) {
  std::set<BuildStage> stages;
  std::mutex mutex;
  ASSERT_TRUE(work_->try_build([&](const BuildProgress& progress) {
    const std::lock_guard lock(mutex);
    stages.insert(progress.stage);
    EXPECT_LE(progress.done, progress.total);
  }));
  EXPECT_THAT(stages, UnorderedElementsAre(BuildStage::collect, BuildStage::cut, BuildStage::embed, BuildStage::index, BuildStage::done));
}

// Goal: a search sees one snapshot whole, while builds switch it. Method: every page of a version carries its number; searches that run all
// the time must never see two numbers.
TEST_P(FeatureStoreTest, SwitchesSnapshotsAtomicallyUnderLoad) {
  const auto write_version = [&](int version) {
    for (const char* page : {"a", "b", "c", "d"})
      work_->write(std::string(page) + ".html", "<h1>Page</h1>common marker" + std::to_string(version));
  };
  write_version(0);
  work_->build();
  std::atomic<bool> is_done = false;
  std::atomic<int> searches = 0, torn = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!is_done) {
        const auto snapshot = work_->features->current("p1");
        std::set<std::string> texts;
        std::vector<std::string> ids;
        const auto lexical = snapshot->search_lexical("common", 10, {}).value();
        const auto dense = snapshot->search_dense(testing::FakeEmbedder::vector_of("common"), 10, {}).value();
        for (const Hit& hit : lexical) ids.push_back(hit.chunk_id);
        for (const Hit& hit : dense) ids.push_back(hit.chunk_id);
        const auto views = snapshot->chunks(ids).value();
        for (const ChunkView& view : views) texts.insert(view.text);
        torn += texts.size() != 1 || views.size() != 8;
        ++searches;
      }
    });
  for (int version = 1; version <= 8; ++version) {
    write_version(version);
    EXPECT_TRUE(work_->build().is_new_snapshot);
  }
  while (searches < 20) std::this_thread::yield();
  is_done = true;
  readers.clear();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace volan::feature
