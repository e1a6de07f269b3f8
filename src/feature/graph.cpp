#include "feature/graph.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <faiss/IndexHNSW.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <faiss/utils/Heap.h>
#pragma GCC diagnostic pop

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "feature/dot.hpp"

namespace volan::feature {
namespace {

constexpr int neighbours = 16;                      // M
constexpr int build_candidates = 200;               // efConstruction
constexpr std::size_t search_candidates_min = 64;  // efSearch
constexpr std::string_view magic = "VOLANHN1";

// faiss keeps the smallest values, so the distance is the negative inner product.
struct NegativeDot final : faiss::DistanceComputer {
  NegativeDot(const float* all, std::size_t size) : vectors(all), dimension(size), dot(dot_function()) {}
  void set_query(const float* x) override { query = x; }
  float operator()(faiss::Index::idx_t i) override { return -dot(query, row(i), dimension); }
  float symmetric_dis(faiss::Index::idx_t i, faiss::Index::idx_t j) override { return -dot(row(i), row(j), dimension); }
  const float* row(faiss::Index::idx_t i) const { return vectors + static_cast<std::size_t>(i) * dimension; }
  const float* vectors;
  std::size_t dimension;
  DotFunction dot;
  const float* query = nullptr;
};

// The vectors where they are, for faiss. Says that it is L2, so that faiss does not negate once more.
struct Storage final : faiss::Index {
  Storage(const float* all, std::size_t size) : faiss::Index(static_cast<idx_t>(size), faiss::METRIC_L2), vectors(all) {
    is_trained = true;
  }
  void add(idx_t n, const float*) override { ntotal += n; }
  void search(idx_t, const float*, idx_t, float*, idx_t*, const faiss::SearchParameters*) const override {}
  void reset() override { ntotal = 0; }
  faiss::DistanceComputer* get_distance_computer() const override { return new NegativeDot(vectors, static_cast<std::size_t>(d)); }
  const float* vectors;
};

struct Allowed final : faiss::IDSelector {
  explicit Allowed(const std::function<bool(std::int64_t)>& function) : is_allowed(function) {}
  bool is_member(idx_t id) const override { return is_allowed(id); }
  const std::function<bool(std::int64_t)>& is_allowed;
};

struct Header {
  std::array<char, 8> name{};
  std::uint32_t vectors_crc32c = 0;
  std::uint32_t body_crc32c = 0;
};

std::string_view as_view(const std::vector<std::uint8_t>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

struct Graph::State {
  State(const float* vectors, std::size_t dimension)
      : storage(vectors, dimension), index(static_cast<int>(dimension), neighbours, faiss::METRIC_L2) {
    attach();
  }
  void attach() {
    if (index.own_fields) delete index.storage;
    index.storage = &storage;
    index.own_fields = false;
  }
  Storage storage;
  faiss::IndexHNSWFlat index;
};

Graph::Graph(std::unique_ptr<State> state) : state_(std::move(state)) {}
Graph::~Graph() = default;

core::Result<std::unique_ptr<Graph>> Graph::build(const float* vectors, std::size_t count, std::size_t dimension) {
  try {
    auto state = std::make_unique<State>(vectors, dimension);
    state->index.hnsw.efConstruction = build_candidates;
    state->index.hnsw.efSearch = static_cast<int>(search_candidates_min);
    state->index.add(static_cast<faiss::Index::idx_t>(count), vectors);
    return std::unique_ptr<Graph>(new Graph(std::move(state)));
  } catch (const std::exception& error) {
    return core::fail(core::ErrorCode::internal, std::string("the graph of vectors could not be built: ") + error.what());
  }
}

core::Result<> Graph::write(const std::string& path, std::uint32_t vectors_crc32c) const {
  try {
    faiss::VectorIOWriter writer;
    // A shell with an empty storage: faiss writes the storage too, but the vectors lie in dense.bin already.
    faiss::IndexHNSWFlat shell(state_->storage.d, neighbours, faiss::METRIC_L2);
    shell.hnsw = state_->index.hnsw;
    shell.ntotal = state_->index.ntotal;
    shell.is_trained = true;
    faiss::write_index(&shell, &writer);
    Header header{.vectors_crc32c = vectors_crc32c, .body_crc32c = core::crc32c(as_view(writer.data))};
    std::copy(magic.begin(), magic.end(), header.name.begin());
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes += as_view(writer.data);
    return core::write_file_durably(path, bytes);
  } catch (const std::exception& error) {
    return core::fail(core::ErrorCode::internal, std::string("the graph of vectors could not be written: ") + error.what());
  }
}

core::Result<std::unique_ptr<Graph>> Graph::open(const std::string& path, std::uint32_t vectors_crc32c, const float* vectors,
                                                 std::size_t count, std::size_t dimension) {
  VOLAN_TRY(const std::string bytes, core::read_file(path, std::uint64_t{8} << 30));
  Header header;
  const auto damaged = [&](std::string_view why) { return core::fail(core::ErrorCode::data_loss, fmt::format("{}: {}", path, why)); };
  if (bytes.size() < sizeof(header)) return damaged("too short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  const std::string_view body = std::string_view(bytes).substr(sizeof(header));
  if (std::string_view(header.name.data(), header.name.size()) != magic) return damaged("not a graph of this version");
  if (header.vectors_crc32c != vectors_crc32c) return damaged("belongs to other vectors");
  if (header.body_crc32c != core::crc32c(body)) return damaged("its checksum is wrong");
  try {
    faiss::VectorIOReader reader;
    reader.data.assign(body.begin(), body.end());
    const std::unique_ptr<faiss::Index> read(faiss::read_index(&reader));
    auto* flat = dynamic_cast<faiss::IndexHNSWFlat*>(read.get());
    if (!flat || static_cast<std::size_t>(flat->ntotal) != count || static_cast<std::size_t>(flat->d) != dimension)
      return damaged("does not fit its vectors");
    auto state = std::make_unique<State>(vectors, dimension);
    state->index.hnsw = std::move(flat->hnsw);
    state->index.hnsw.efSearch =
        static_cast<int>(search_candidates_min);  // faiss 1.7.3 takes its queue's size from here, not from the parameters
    state->index.ntotal = state->storage.ntotal = flat->ntotal;
    return std::unique_ptr<Graph>(new Graph(std::move(state)));
  } catch (const std::exception& error) {
    return damaged(error.what());
  }
}

core::Result<std::vector<Graph::Hit>> Graph::search(const float* query, std::size_t limit,
                                                    const std::function<bool(std::int64_t)>& is_allowed) const {
  limit = std::min(limit, static_cast<std::size_t>(state_->index.ntotal));
  if (limit == 0) return std::vector<Hit>{};
  try {
    NegativeDot distance(state_->storage.vectors, static_cast<std::size_t>(state_->storage.d));
    distance.set_query(query);
    std::vector<faiss::Index::idx_t> rows(limit);
    std::vector<float> distances(limit);
    faiss::VisitedTable visited(static_cast<int>(state_->index.ntotal));
    const Allowed allowed(is_allowed);
    faiss::SearchParametersHNSW parameters;
    parameters.efSearch = static_cast<int>(std::max(search_candidates_min, 2 * limit));
    if (is_allowed) parameters.sel = const_cast<Allowed*>(&allowed);
    // Straight to the graph: IndexHNSW::search() would start OpenMP threads for one query.
    faiss::maxheap_heapify(limit, distances.data(), rows.data());
    state_->index.hnsw.search(distance, static_cast<int>(limit), rows.data(), distances.data(), visited, &parameters);
    faiss::maxheap_reorder(limit, distances.data(), rows.data());
    std::vector<Hit> hits;
    for (std::size_t i = 0; i < limit; ++i)
      if (rows[i] >= 0) hits.push_back({rows[i], -distances[i]});
    return hits;
  } catch (const std::exception& error) {
    return core::fail(core::ErrorCode::internal, std::string("the search in the graph of vectors failed: ") + error.what());
  }
}

}  // namespace volan::feature
