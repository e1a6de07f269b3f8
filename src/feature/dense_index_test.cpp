#include "feature/dense_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "feature/dot.hpp"

namespace volan::feature {
namespace {

struct Data {
  std::size_t dimension;
  std::vector<float> vectors;
  std::vector<std::uint32_t> groups;
  std::vector<std::string> ids;
  DenseRows rows() const { return {dimension, vectors, groups, ids}; }
};

// Unit vectors around some centres, as embeddings of texts are.
Data clustered(std::size_t count, std::size_t dimension, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(20 * dimension);
  for (float& value : centres) value = normal(random);
  Data data{dimension, {}, {}, {}};
  for (std::size_t row = 0; row < count; ++row) {
    std::vector<float> vector(dimension);
    double square = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      vector[i] = centres[(row % 20) * dimension + i] + 0.7F * normal(random);
      square += static_cast<double>(vector[i]) * vector[i];
    }
    for (float& value : vector) value = static_cast<float>(value / std::sqrt(square));
    data.vectors.insert(data.vectors.end(), vector.begin(), vector.end());
    data.groups.push_back(static_cast<std::uint32_t>(row % 50 == 0 ? 1 : 0));  // a fiftieth in group 1
    data.ids.push_back(core::sha256_hex(std::to_string(row)));
  }
  return data;
}

std::unique_ptr<DenseIndex> make(const core::TempFolder& folder, const Data& data, std::size_t exact_max) {
  const auto written = DenseIndex::write(folder.path(), data.rows(), exact_max);
  EXPECT_TRUE(written) << (written ? "" : written.error().message);
  auto index = DenseIndex::open(folder.path());
  EXPECT_TRUE(index) << (index ? "" : index.error().message);
  return std::move(*index);
}

std::span<const float> row_of(const Data& data, std::size_t row) {
  return std::span(data.vectors).subspan(row * data.dimension, data.dimension);
}

// The reference: slow and clear.
std::vector<std::uint32_t> expected(const Data& data, std::span<const float> query, std::size_t limit, int group) {
  std::vector<std::pair<double, std::uint32_t>> all;
  for (std::uint32_t row = 0; row < data.ids.size(); ++row) {
    if (group >= 0 && data.groups[row] != static_cast<std::uint32_t>(group)) continue;
    double sum = 0;
    for (std::size_t i = 0; i < data.dimension; ++i) sum += static_cast<double>(query[i]) * data.vectors[row * data.dimension + i];
    all.emplace_back(-sum, row);
  }
  std::sort(all.begin(), all.end());
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < std::min(limit, all.size()); ++i) rows.push_back(all[i].second);
  return rows;
}

std::vector<std::uint32_t> rows_of(const std::vector<DenseHit>& hits) {
  std::vector<std::uint32_t> rows;
  for (const DenseHit& hit : hits) rows.push_back(hit.row);
  return rows;
}

TEST(Dot, TheFastestEqualsThePortableOneForEverySize) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> a(400), b(400);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = normal(random), b[i] = normal(random);
  for (std::size_t size = 0; size <= a.size(); ++size)
    // Sums of up to 400 products of size 1 in another order: the error grows with the root of their number times 2^-24.
    EXPECT_NEAR(dot_function()(a.data(), b.data(), size), dot_portable(a.data(), b.data(), size), 1e-4) << dot_name() << " " << size;
}

TEST(DenseIndex, ExactSearchFindsTheNearestInOrder) {
  const auto folder = core::TempFolder::create().value();
  const Data data = clustered(500, 40, 1);
  const auto index = make(folder, data, 1000);
  EXPECT_FALSE(index->has_graph());
  EXPECT_EQ(index->id(7), data.ids[7]);
  for (const std::size_t row : {0u, 77u, 499u}) {
    const auto hits = index->search(row_of(data, row), 10, {}).value();
    EXPECT_EQ(rows_of(hits), expected(data, row_of(data, row), 10, -1));
    EXPECT_NEAR(hits[0].score, 1.0, 1e-5);
  }
  std::vector<float> longer(row_of(data, 5).begin(), row_of(data, 5).end());
  for (float& value : longer) value *= 1000;
  EXPECT_NEAR(index->search(longer, 1, {}).value()[0].score, 1.0, 1e-5) << "the length of the query does not matter";
  EXPECT_EQ(index->search(row_of(data, 0), 5000, {}).value().size(), 500u);
  EXPECT_TRUE(index->search(row_of(data, 0), 0, {}).value().empty());
}

TEST(DenseIndex, FiltersByGroupWithFullRecall) {
  const auto folder = core::TempFolder::create().value();
  const Data data = clustered(2'000, 32, 2);
  for (const std::size_t exact_max : {5'000u, 100u}) {
    const auto index = make(folder, data, exact_max);
    EXPECT_EQ(index->has_graph(), exact_max == 100);
    EXPECT_EQ(rows_of(index->search(row_of(data, 3), 10, {false, true}).value()), expected(data, row_of(data, 3), 10, 1));
    EXPECT_TRUE(index->search(row_of(data, 3), 10, {false, false}).value().empty());
  }
}

TEST(DenseIndex, TheGraphHasHighRecallAndSurvivesARestart) {
  const auto folder = core::TempFolder::create().value();
  const Data data = clustered(3'000, 48, 4);
  for (auto index = make(folder, data, 100); index; index = nullptr) {
    ASSERT_TRUE(index->has_graph());
    std::size_t found = 0, wanted = 0;
    for (std::size_t row = 0; row < 3'000; row += 60) {
      const auto right = expected(data, row_of(data, row), 10, -1);
      const auto hits = rows_of(index->search(row_of(data, row), 10, {}).value());
      for (const std::uint32_t hit : hits) found += std::count(right.begin(), right.end(), hit) > 0;
      wanted += right.size();
      const auto allowed = index->search(row_of(data, row), 10, {true, false}).value();
      for (const DenseHit& hit : allowed) EXPECT_EQ(data.groups[hit.row], 0u);
    }
    EXPECT_GE(found * 100, wanted * 99);
  }
}

TEST(DenseIndex, ADamagedGraphOnlyCostsTime) {
  const auto folder = core::TempFolder::create().value();
  const Data data = clustered(500, 16, 5);
  make(folder, data, 100);
  std::fstream(folder.file("dense.hnsw"), std::ios::in | std::ios::out | std::ios::binary).seekp(200) << "damage";
  const auto index = DenseIndex::open(folder.path()).value();
  EXPECT_FALSE(index->has_graph());
  EXPECT_EQ(rows_of(index->search(row_of(data, 9), 5, {}).value()), expected(data, row_of(data, 9), 5, -1));
}

// Goal: no damaged byte goes unnoticed. Method: every byte of the header and some of the rest changed, every short length tried.
TEST(DenseIndex, NoticesDamage) {
  const auto folder = core::TempFolder::create().value();
  make(folder, clustered(20, 8, 6), 100);
  const std::string good = core::read_file(folder.file("dense.bin")).value();
  for (std::size_t at = 0; at < good.size(); at += at < 64 ? 1 : 13) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_TRUE(core::write_file_durably(folder.file("dense.bin"), bad));
    const auto opened = DenseIndex::open(folder.path());
    ASSERT_FALSE(opened) << "byte " << at;
    EXPECT_EQ(opened.error().code, core::ErrorCode::data_loss);
  }
  for (const std::size_t size : {0u, 1u, 63u, 64u, 500u}) {
    ASSERT_TRUE(core::write_file_durably(folder.file("dense.bin"), good.substr(0, size)));
    EXPECT_FALSE(DenseIndex::open(folder.path())) << size;
  }
  EXPECT_EQ(DenseIndex::open(folder.path() + "/none").error().code, core::ErrorCode::not_found);
}

TEST(DenseIndex, AnEmptyIndexAnswersNothing) {
  const auto folder = core::TempFolder::create().value();
  const auto index = make(folder, {8, {}, {}, {}}, 100);
  EXPECT_TRUE(index->search(std::vector<float>(8, 1.0F), 5, {}).value().empty());
}

// The golden file of version 1: three vectors of two values, groups 0, 1, 0.
TEST(DenseIndex, ReadsVersion1) {
  const auto index = DenseIndex::open(std::string(VOLAN_TESTDATA) + "/dense_v1").value();
  ASSERT_EQ(index->size(), 3u);
  EXPECT_EQ(index->id(2), core::sha256_hex("2"));
  EXPECT_EQ(rows_of(index->search(std::vector<float>{0, 1}, 3, {}).value()), (std::vector<std::uint32_t>{1, 2, 0}));
  EXPECT_EQ(rows_of(index->search(std::vector<float>{0, 1}, 3, {true, false}).value()), (std::vector<std::uint32_t>{2, 0}));
}

}  // namespace
}  // namespace volan::feature
