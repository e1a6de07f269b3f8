// One query, one thread, 384 values: exact search at several sizes, the graph at 20,000 rows with its recall against exact search, opening.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "feature/dense_index.hpp"
#include "feature/dot.hpp"

namespace {

using namespace volan;

constexpr std::size_t dimension = 384;

struct Corpus {
  core::TempFolder folder = core::TempFolder::create().value();
  std::vector<float> vectors;
  std::unique_ptr<feature::DenseIndex> index;
};

// Clustered unit vectors, a hundred centres.
Corpus make(std::size_t count, std::size_t exact_max) {
  Corpus corpus;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centres(100 * dimension);
  for (float& value : centres) value = normal(random);
  std::vector<std::string> ids;
  corpus.vectors.resize(count * dimension);
  for (std::size_t row = 0; row < count; ++row) {
    float* vector = corpus.vectors.data() + row * dimension;
    double square = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      vector[i] = centres[(row % 100) * dimension + i] + normal(random);
      square += static_cast<double>(vector[i]) * vector[i];
    }
    for (std::size_t i = 0; i < dimension; ++i) vector[i] = static_cast<float>(vector[i] / std::sqrt(square));
    ids.push_back(core::sha256_hex(std::to_string(row)));
  }
  const std::vector<std::uint32_t> groups(count, 0);
  feature::DenseIndex::write(corpus.folder.path(), {dimension, corpus.vectors, groups, ids}, exact_max).value();
  corpus.index = feature::DenseIndex::open(corpus.folder.path()).value();
  return corpus;
}

std::span<const float> query(const Corpus& corpus, std::size_t i) {
  const std::size_t rows = corpus.vectors.size() / dimension;
  return std::span(corpus.vectors).subspan((i * 7919 % rows) * dimension, dimension);
}

void exact(benchmark::State& state) {
  const Corpus corpus = make(static_cast<std::size_t>(state.range(0)), SIZE_MAX);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(corpus.index->search(query(corpus, i++), 10, {}));
  state.SetLabel(feature::dot_name());
}
BENCHMARK(exact)->Arg(2'000)->Arg(20'000)->Arg(50'000)->Unit(benchmark::kMicrosecond);

void graph(benchmark::State& state) {
  const Corpus corpus = make(static_cast<std::size_t>(state.range(0)), 0);
  const Corpus reference = make(static_cast<std::size_t>(state.range(0)), SIZE_MAX);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(corpus.index->search(query(corpus, i++), 10, {}));
  double found = 0;
  for (std::size_t q = 0; q < 200; ++q) {
    const auto right = reference.index->search(query(reference, q), 10, {}).value();
    const auto hits = corpus.index->search(query(corpus, q), 10, {}).value();
    for (const auto& hit : hits)
      for (const auto& each : right) found += each.row == hit.row;
  }
  state.counters["recall@10"] = found / 2000;
}
BENCHMARK(graph)->Arg(20'000)->Unit(benchmark::kMicrosecond);

void open_index(benchmark::State& state) {
  const Corpus corpus = make(static_cast<std::size_t>(state.range(0)), SIZE_MAX);
  for (auto _ : state) benchmark::DoNotOptimize(feature::DenseIndex::open(corpus.folder.path()));
}
BENCHMARK(open_index)->Arg(50'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
