#include "feature/dense_index.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "core/pools.hpp"
#include "feature/dense_format.hpp"
#include "feature/dot.hpp"
#include "feature/graph.hpp"

namespace volan::feature {

static_assert(std::endian::native == std::endian::little, "dense.bin is little-endian and read in place");

namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t id_bytes = 32;

std::string vectors_path(const std::string& folder) { return folder + "/dense.bin"; }
std::string graph_path(const std::string& folder) { return folder + "/dense.hnsw"; }

bool append_id(std::string_view hex, std::string& out) {
  if (hex.size() != 2 * id_bytes) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc{} || end != hex.data() + i + 2) return false;
    out += static_cast<char>(value);
  }
  return true;
}

std::uint32_t header_checksum(DenseHeader header) {
  header.header_crc32c = 0;
  return core::crc32c({reinterpret_cast<const char*>(&header), sizeof(header)});
}

bool is_better(const DenseHit& a, const DenseHit& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

}  // namespace

core::Result<> DenseIndex::write(const std::string& folder, const DenseRows& rows, std::size_t exact_max) {
  core::assert_may_block();
  const std::size_t count = rows.ids.size();
  if (rows.vectors.size() != count * rows.dimension || rows.groups.size() != count)
    return fail(ErrorCode::internal, "vectors, groups and ids are not of the same number");
  std::string body;
  body.reserve(rows.vectors.size_bytes() + count * (sizeof(std::uint32_t) + id_bytes));
  body.append(reinterpret_cast<const char*>(rows.vectors.data()), rows.vectors.size_bytes());
  body.append(reinterpret_cast<const char*>(rows.groups.data()), rows.groups.size_bytes());
  for (const std::string& id : rows.ids)
    if (!append_id(id, body)) return fail(ErrorCode::internal, "a chunk id is not 64 hex digits");

  DenseHeader header{
      .magic = dense_magic, .version = dense_version, .dimension = static_cast<std::uint32_t>(rows.dimension), .count = count};
  header.crc32c = core::crc32c(body);
  header.header_crc32c = header_checksum(header);
  body.insert(0, reinterpret_cast<const char*>(&header), sizeof(header));
  VOLAN_TRY_VOID(core::write_file_durably(vectors_path(folder), body));
  if (count <= exact_max) return {};
  VOLAN_TRY(const auto graph, Graph::build(rows.vectors.data(), count, rows.dimension));
  return graph->write(graph_path(folder), header.crc32c);
}

core::Result<std::unique_ptr<DenseIndex>> DenseIndex::open(const std::string& folder) {
  core::assert_may_block();
  const std::string path = vectors_path(folder);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(core::system_error("open " + path, errno));
  struct stat info{};
  const bool has_size = fstat(fd, &info) == 0;
  const auto size = static_cast<std::size_t>(info.st_size);
  void* bytes = has_size && size >= sizeof(DenseHeader) ? mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  const auto damaged = [&](std::string_view why) { return fail(ErrorCode::data_loss, fmt::format("{}: {}", path, why)); };
  if (bytes == MAP_FAILED) return damaged("too short or cannot be mapped");

  std::unique_ptr<DenseIndex> index(new DenseIndex);
  index->mapped_ = {static_cast<const char*>(bytes), size};
  DenseHeader header;
  std::memcpy(&header, bytes, sizeof(header));
  if (header.magic != dense_magic || header.version != dense_version) return damaged("not a vector file of this version");
  if (header.header_crc32c != header_checksum(header)) return damaged("the checksum of its header is wrong");
  const std::uint64_t row_bytes = std::uint64_t{header.dimension} * sizeof(float) + sizeof(std::uint32_t) + id_bytes;
  if (header.count > size / row_bytes || header.count > std::numeric_limits<std::uint32_t>::max() ||
      sizeof(header) + header.count * row_bytes != size)
    return damaged("its size does not fit its header");
  if (header.crc32c != core::crc32c(index->mapped_.substr(sizeof(header)))) return damaged("its checksum is wrong");

  index->dimension_ = header.dimension;
  index->count_ = header.count;
  const char* at = index->mapped_.data() + sizeof(header);
  index->vectors_ = reinterpret_cast<const float*>(at);
  at += index->count_ * index->dimension_ * sizeof(float);
  index->groups_ = reinterpret_cast<const std::uint32_t*>(at);
  at += index->count_ * sizeof(std::uint32_t);
  index->ids_ = reinterpret_cast<const unsigned char*>(at);
  for (std::size_t row = 0; row < index->count_; ++row) {
    const std::uint32_t group = index->groups_[row];
    if (group >= index->count_) return damaged("a group is out of range");
    if (group >= index->group_sizes_.size()) index->group_sizes_.resize(group + 1);
    ++index->group_sizes_[group];
  }
  if (auto graph = Graph::open(graph_path(folder), header.crc32c, index->vectors_, index->count_, index->dimension_))
    index->graph_ = std::move(*graph);
  return index;
}

DenseIndex::~DenseIndex() {
  if (!mapped_.empty()) munmap(const_cast<char*>(mapped_.data()), mapped_.size());
}

std::string DenseIndex::id(std::uint32_t row) const {
  VOLAN_CHECK(row < count_, "rows come from search()");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < id_bytes; ++i) {
    const unsigned char byte = ids_[row * id_bytes + i];
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

std::vector<DenseHit> DenseIndex::search_exactly(const float* query, std::size_t limit, const std::vector<bool>& allowed) const {
  const DotFunction dot = dot_function();
  std::vector<DenseHit> best;  // a heap with the worst in front
  best.reserve(limit + 1);
  for (std::size_t row = 0; row < count_; ++row) {
    if (!allowed.empty() && (groups_[row] >= allowed.size() || !allowed[groups_[row]])) continue;
    const DenseHit hit{static_cast<std::uint32_t>(row), dot(query, vectors_ + row * dimension_, dimension_)};
    if (best.size() == limit && !is_better(hit, best.front())) continue;
    best.push_back(hit);
    std::push_heap(best.begin(), best.end(), is_better);
    if (best.size() > limit) {
      std::pop_heap(best.begin(), best.end(), is_better);
      best.pop_back();
    }
  }
  std::sort_heap(best.begin(), best.end(), is_better);
  return best;
}

core::Result<std::vector<DenseHit>> DenseIndex::search(std::span<const float> query, std::size_t limit,
                                                       const std::vector<bool>& allowed) const {
  if (query.size() != dimension_)
    return fail(ErrorCode::invalid_argument, fmt::format("the query has {} values, the index has {}", query.size(), dimension_), "query",
                "embed the query with the model that the snapshot was built with");
  limit = std::min(limit, count_);
  if (limit == 0) return std::vector<DenseHit>{};
  double square = 0;
  for (const float value : query) square += static_cast<double>(value) * value;
  if (!std::isfinite(square) || square <= 0) return fail(ErrorCode::invalid_argument, "the query vector is zero or not finite", "query");
  std::vector<float> unit(query.size());
  for (std::size_t i = 0; i < query.size(); ++i) unit[i] = static_cast<float>(query[i] / std::sqrt(square));

  std::size_t allowed_rows = allowed.empty() ? count_ : 0;
  for (std::size_t group = 0; group < std::min(allowed.size(), group_sizes_.size()); ++group)
    if (allowed[group]) allowed_rows += group_sizes_[group];
  // A graph walks past rows that are not allowed and then misses some that are: few allowed rows are compared one by one.
  if (!graph_ || allowed_rows * 10 < count_) return search_exactly(unit.data(), limit, allowed);
  std::function<bool(std::int64_t)> is_allowed;
  if (!allowed.empty())
    is_allowed = [&](std::int64_t row) {
      const std::uint32_t group = groups_[row];
      return group < allowed.size() && allowed[group];
    };
  VOLAN_TRY(const auto found, graph_->search(unit.data(), limit, is_allowed));
  std::vector<DenseHit> hits;
  for (const Graph::Hit& hit : found) hits.push_back({static_cast<std::uint32_t>(hit.row), hit.score});
  std::sort(hits.begin(), hits.end(), is_better);
  return hits;
}

}  // namespace volan::feature
