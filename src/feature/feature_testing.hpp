/// What the tests of this module share: a fake embedding model, a folder of pages, a store on top, and a way to run coroutines.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "feature/feature_store.hpp"
#include "feature/stored_snapshot.hpp"
#include "storage/database.hpp"

namespace volan::feature::testing {

/// Runs a coroutine on an io loop and blocks until it ends.
template <class T>
core::Result<T> run(core::Pools& pools, core::Task<T> task) {
  return boost::asio::co_spawn(pools.io(0), std::move(task), boost::asio::use_future).get();
}

/// Words hashed into a vector: texts that share words are near. A token is three bytes. Counts what it was asked.
class FakeEmbedder final : public llm::Embedder {
 public:
  static constexpr std::size_t dimension = 64;
  std::string identity() const override { return name; }

  core::Task<llm::Embeddings> embed(std::vector<std::string> texts, llm::CallContext) override {
    ++calls;
    embedded += texts.size();
    if (!error.empty()) co_return core::fail(core::ErrorCode::upstream, error);
    llm::Embeddings out{.dimension = dimension, .values = {}};
    for (const std::string& text : texts) {
      if (tokens_of(text) > 512) co_return core::fail(core::ErrorCode::invalid_argument, "more than 512 tokens", "texts");
      const std::vector<float> vector = vector_of(text);
      out.values.insert(out.values.end(), vector.begin(), vector.end());
    }
    co_return out;
  }

  core::Task<std::vector<std::int64_t>> count_tokens(std::vector<std::string> texts) override {
    std::vector<std::int64_t> counts;
    for (const std::string& text : texts) counts.push_back(tokens_of(text));
    co_return counts;
  }

  static std::int64_t tokens_of(const std::string& text) { return static_cast<std::int64_t>(text.size() / 3 + 2); }
  static std::vector<float> vector_of(const std::string& text) {
    std::vector<float> vector(dimension, 0.01F);
    std::string word;
    for (const char c : text + " ") {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      } else if (!word.empty()) {
        vector[std::hash<std::string>{}(word) % dimension] += 1.0F;
        word.clear();
      }
    }
    return vector;
  }

  std::string name = "fake:1";
  std::string error;  ///< when set, embed() fails with it
  std::atomic<std::size_t> calls = 0, embedded = 0;
};

/// A project folder with pages, its databases and a store.
class Workspace {
 public:
  explicit Workspace(std::string folder, std::string database_url = {}) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_ + "/pages");
    database = storage::Database::open(database_url.empty() ? "sqlite://" + folder_ + "/meta.db" : std::move(database_url)).value();
    config.sources.push_back({.name = "book", .folder = folder_ + "/pages", .author = "Ann"});
    open();
  }
  /// As a restart does: closes the store and opens it again.
  void open() {
    features.reset();
    auto opened = FeatureStore::open(folder_ + "/features", *database, pools, clock, log, metrics);
    ASSERT_TRUE(opened) << opened.error().message;
    features = std::move(*opened);
  }
  void write(const std::string& name, const std::string& html) const { std::ofstream(folder_ + "/pages/" + name) << html; }
  void remove(const std::string& name) const { std::filesystem::remove(folder_ + "/pages/" + name); }
  core::Result<BuildReport> try_build(ProgressCallback progress = {}, std::stop_token stop = {}) {
    return run(pools, features->build("p1", config, embedder, std::move(progress), std::move(stop)));
  }
  BuildReport build() {
    auto report = try_build();
    EXPECT_TRUE(report) << (report ? "" : core::to_text(report.error()));
    return report ? std::move(*report) : BuildReport{};
  }
  std::shared_ptr<const StoredSnapshot> snapshot() const { return features->stored("p1"); }
  std::string snapshot_folder() const { return folder_ + "/features/p1/snapshots/" + snapshot()->id(); }
  const std::string& folder() const { return folder_; }

  std::vector<std::string> texts_of(const std::vector<Hit>& hits) const {
    std::vector<std::string> ids, texts;
    for (const Hit& hit : hits) ids.push_back(hit.chunk_id);
    const std::vector<ChunkView> views = snapshot()->chunks(ids).value();
    for (const ChunkView& view : views) texts.push_back(view.text);
    return texts;
  }
  std::vector<std::string> lexical(const std::string& text, const Filter& filter = {}) const {
    return texts_of(snapshot()->search_lexical(text, 100, filter).value());
  }
  std::vector<std::string> dense(const std::string& text, std::size_t limit = 100, const Filter& filter = {}) const {
    return texts_of(snapshot()->search_dense(FakeEmbedder::vector_of(text), limit, filter).value());
  }

  core::Pools pools{{.io = 1, .compute = 2, .disk = 2}};
  core::ManualClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  std::unique_ptr<storage::Database> database;
  FakeEmbedder embedder;
  FeatureConfig config;
  std::unique_ptr<FeatureStore> features;

 private:
  std::string folder_;
};

}  // namespace volan::feature::testing
