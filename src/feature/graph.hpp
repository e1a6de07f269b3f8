/// A graph of neighbours (HNSW) over vectors that lie elsewhere: the only file that sees faiss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace volan::feature {

/// Immutable once built. search() is thread-safe. The vectors must outlive it.
class Graph {
 public:
  /// Shapes: `vectors` is (count, dimension), row-major. Cost: some 2,000 to 3,000 vectors a second and core (128 dimensions), all cores.
  static core::Result<std::unique_ptr<Graph>> build(const float* vectors, std::size_t count, std::size_t dimension);
  /// `vectors_crc32c` binds the file to the vectors it was built over.
  core::Result<> write(const std::string& path, std::uint32_t vectors_crc32c) const;
  /// Errors: not_found, data_loss (also when it belongs to other vectors).
  static core::Result<std::unique_ptr<Graph>> open(const std::string& path, std::uint32_t vectors_crc32c, const float* vectors,
                                                   std::size_t count, std::size_t dimension);
  ~Graph();

  struct Hit {
    std::int64_t row;
    float score;
  };
  /// At most `limit` hits, best first; `is_allowed` may be empty. Recall@10 is about 0.99 and falls when few rows are allowed.
  core::Result<std::vector<Hit>> search(const float* query, std::size_t limit,
                                        const std::function<bool(std::int64_t row)>& is_allowed) const;

 private:
  struct State;
  explicit Graph(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::feature
