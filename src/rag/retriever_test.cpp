#include "rag/retriever.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>

#include "core/file.hpp"

namespace volan::rag {
namespace {

using core::ErrorCode;

template <class T>
core::Result<T> run(core::Pools& pools, core::Task<T> task) {
  return boost::asio::co_spawn(pools.io(0), std::move(task), boost::asio::use_future).get();
}

class FakeSnapshot final : public feature::Snapshot {
 public:
  const std::string& id() const override { return id_; }
  std::size_t chunk_count() const override { return 3; }
  const std::vector<std::string>& authors() const override { return authors_; }
  core::Result<std::vector<feature::Hit>> search_dense(std::span<const float>, std::size_t limit,
                                                       const feature::Filter& filter) const override {
    return only({{"a", 0.9}, {"b", 0.8}, {"c", 0.7}}, limit, filter);
  }
  core::Result<std::vector<feature::Hit>> search_lexical(std::string_view, std::size_t limit,
                                                         const feature::Filter& filter) const override {
    return only({{"b", 5}, {"c", 4}}, limit, filter);
  }
  core::Result<std::vector<feature::ChunkView>> chunks(const std::vector<std::string>& ids) const override {
    std::vector<feature::ChunkView> views;
    for (const std::string& id : ids)
      views.push_back({.id = id,
                       .document_id = "d",
                       .title = "Title " + id,
                       .heading = {},
                       .url = {},
                       .author = author_of(id),
                       .category = {},
                       .text = "text " + id});
    return views;
  }

 private:
  static std::string author_of(const std::string& id) { return id == "c" ? "Ada Byron" : "Frank B. Brokken"; }
  static std::vector<feature::Hit> only(std::vector<feature::Hit> hits, std::size_t limit, const feature::Filter& filter) {
    std::erase_if(hits, [&](const auto& hit) { return !filter.author.empty() && author_of(hit.chunk_id) != filter.author; });
    if (hits.size() > limit) hits.resize(limit);
    return hits;
  }
  std::string id_ = "snapshot";
  std::vector<std::string> authors_{"Frank B. Brokken", "Ada Byron"};
};

class FakeSource final : public feature::SnapshotSource {
 public:
  std::shared_ptr<const feature::Snapshot> current(std::string_view project) const override {
    return project == "p" ? std::make_shared<FakeSnapshot>() : nullptr;
  }
};

class FakeEmbedder final : public llm::Embedder {
 public:
  std::string identity() const override { return "fake"; }
  core::Task<llm::Embeddings> embed(std::vector<std::string> texts, llm::CallContext) override {
    asked = texts;
    llm::Embeddings out;
    out.dimension = 2;
    out.values.assign(2 * texts.size(), 1.0F);
    co_return out;
  }
  core::Task<std::vector<std::int64_t>> count_tokens(std::vector<std::string> texts) override {
    co_return std::vector<std::int64_t>(texts.size(), 1);
  }
  std::vector<std::string> asked;
};

class FakeChat final : public llm::ChatModel {
 public:
  core::Task<llm::ChatAnswer> complete(llm::ChatRequest request, llm::CallContext) override {
    asked = request;
    if (!text) co_return core::fail(ErrorCode::upstream, "down");
    llm::ChatAnswer answer;
    answer.text = *text;
    co_return answer;
  }
  core::Task<std::unique_ptr<llm::ChatStream>> stream(llm::ChatRequest, llm::CallContext) override {
    co_return core::fail(ErrorCode::internal, "not used");
  }
  std::optional<std::string> text;
  llm::ChatRequest asked;
};

class FakeReranker final : public llm::Reranker {
 public:
  core::Task<std::vector<double>> score(std::string, std::vector<std::string> documents, llm::CallContext) override {
    std::vector<double> scores;
    for (const std::string& document : documents) scores.push_back(document.ends_with("c") ? 1 : 0);
    co_return scores;
  }
};

class RetrieverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto created = core::TempFolder::create("volan-rag");
    ASSERT_TRUE(created.has_value());
    folder.emplace(std::move(*created));
    auto opened = storage::Journal::open({.file = folder->file("journal.db")}, metrics);
    ASSERT_TRUE(opened.has_value());
    journal = std::move(*opened);
    recorder = std::make_unique<trace::Recorder>(*journal, clock);
    retriever = std::make_unique<Retriever>(pools, source, embedder, chat, &reranker, *recorder);
  }
  core::Result<Retrieved> retrieve(std::string question, RetrievalSettings settings = {}, std::string project = "p") {
    RetrieveRequest request;
    request.project = std::move(project);
    request.question = std::move(question);
    request.settings = std::move(settings);
    request.trace_id = std::string(32, 'a');
    request.parent_span_id = std::string(16, 'b');
    request.endpoint = "chat";
    return run(pools, retriever->retrieve(std::move(request)));
  }
  static std::string ids(const Retrieved& retrieved) {
    std::string all;
    for (const Source& found : retrieved.sources) all += found.chunk_id;
    return all;
  }

  core::Pools pools{{.io = 1, .compute = 1, .disk = 1}};
  core::ManualClock clock;
  core::Metrics metrics;
  std::optional<core::TempFolder> folder;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<trace::Recorder> recorder;
  FakeSource source;
  FakeEmbedder embedder;
  FakeChat chat;
  FakeReranker reranker;
  std::unique_ptr<Retriever> retriever;
};

TEST_F(RetrieverTest, FusesBothSearchesAndNumbersTheSources) {
  const auto found = retrieve("How?");
  ASSERT_TRUE(found.has_value()) << core::to_text(found.error());
  EXPECT_EQ(ids(*found), "bca");
  EXPECT_EQ(found->sources[0].number, 1);
  EXPECT_EQ(found->sources[0].rank_dense, 2);
  EXPECT_EQ(found->sources[0].rank_lexical, 1);
  EXPECT_DOUBLE_EQ(found->sources[0].score, 1.0 / 62 + 1.0 / 61);
  EXPECT_FALSE(found->sources[2].rank_lexical.has_value());
  EXPECT_EQ(found->snapshot_id, "snapshot");
}

TEST_F(RetrieverTest, ReturnsKSources) {
  const auto found = retrieve("How?", {.k = 1});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(ids(*found), "b");
}

TEST_F(RetrieverTest, FiltersByTheAuthorNamedInTheQuestion) {
  const auto found = retrieve("What does Byron say?");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->author_filter, "Ada Byron");
  EXPECT_EQ(ids(*found), "c");
}

TEST_F(RetrieverTest, TakesAnAuthorFromTheModelOnlyIfItIsKnown) {
  chat.text = "ada byron.";
  auto found = retrieve("What does she say?", {.self_query = SelfQuery::model});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->author_filter, "Ada Byron");
  EXPECT_EQ(chat.asked.temperature, 0);
  chat.text = "Somebody Else";
  found = retrieve("What does she say?", {.self_query = SelfQuery::model});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->author_filter, "");
}

TEST_F(RetrieverTest, GoesOnWhenTheModelIsDown) {
  const auto found = retrieve("How?", {.self_query = SelfQuery::model, .expand_to_n_queries = 3});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(ids(*found), "bca");
}

TEST_F(RetrieverTest, SearchesWithTheOriginalQuestionFirstAndOtherWordingsAfter) {
  chat.text = "1. Why?\n\n- How?\nWhen?\nWho?";
  const auto found = retrieve("How?", {.expand_to_n_queries = 3});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(embedder.asked, (std::vector<std::string>{"How?", "Why?", "When?"}));
}

TEST_F(RetrieverTest, OrdersByTheReranker) {
  const auto found = retrieve("How?", {.k = 1, .reranker = "judge"});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(ids(*found), "c");
}

TEST_F(RetrieverTest, SaysHowToBuildAMissingSnapshot) {
  const auto found = retrieve("How?", {}, "empty");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::unavailable);
  EXPECT_EQ(found.error().fix, "build the feature store first: volan features build");
}

TEST_F(RetrieverTest, RefusesSettingsOutOfRange) {
  const auto found = retrieve("How?", {.k = 0});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(found.error().path, "k");
  EXPECT_FALSE(check({.dense = false, .lexical = false}).has_value());
}

TEST_F(RetrieverTest, SearchGivesFusedHitsOfTheFilter) {
  RetrievalSettings settings;
  settings.dense = false;
  feature::Filter filter;
  filter.author = "Frank B. Brokken";
  const auto hits = run(pools, retriever->search("p", "How?", settings, filter));
  ASSERT_TRUE(hits.has_value());
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ(hits->front().chunk_id, "b");
  EXPECT_DOUBLE_EQ(hits->front().score, 1.0 / 61);
  EXPECT_TRUE(embedder.asked.empty());
}

TEST(AuthorIn, FindsWholeNamesOnly) {
  const std::vector<std::string> authors{"Frank B. Brokken", "Ada Byron", "Carol Young", "Tim Young"};
  EXPECT_EQ(author_in("what does frank b. brokken say", authors), "Frank B. Brokken");
  EXPECT_EQ(author_in("Brokken's book", authors), "Frank B. Brokken");
  EXPECT_EQ(author_in("Brokkenish", authors), "");
  EXPECT_EQ(author_in("young people", authors), "");
  EXPECT_EQ(author_in("Young", authors), "");
  EXPECT_EQ(author_in("Tim Young", authors), "Tim Young");
}

}  // namespace
}  // namespace volan::rag
