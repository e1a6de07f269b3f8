/// Vectors of embedded texts: one per text and embedding model, durable, so that no text is ever embedded twice.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace volan::feature {

class SqliteFile;

/// One SQLite file per project. Thread-safe. Blocking: call it in the disk pool. Vectors are float32, little-endian, of length 1.
class EmbeddingStore {
 public:
  /// Creates the file when missing. A corrupt file is set aside (name + ".damaged") and begun anew: vectors can be made again.
  static core::Result<std::unique_ptr<EmbeddingStore>> open(const std::string& path);
  ~EmbeddingStore();

  /// The hashes among `text_hashes` without a vector of `dimension` (0 = any), in their order, each once.
  core::Result<std::vector<std::string>> missing(std::string_view embedder, const std::vector<std::string>& text_hashes);
  /// Shapes: `values` is row-major (N, dimension) for N hashes. Vectors are normalised here. Durable when it returns.
  /// Errors: upstream for a vector that is zero or not finite (path names it).
  core::Result<> put(std::string_view embedder, const std::vector<std::string>& text_hashes, std::size_t dimension,
                     std::span<const float> values);
  /// Row-major (N, dimension). Errors: not_found when one is missing or has another dimension.
  core::Result<std::vector<float>> load(std::string_view embedder, const std::vector<std::string>& text_hashes, std::size_t dimension);
  /// Number of values of the model's vectors; 0 when there are none.
  core::Result<std::size_t> dimension(std::string_view embedder);
  /// Deletes the vectors of all other texts. Returns how many.
  core::Result<std::int64_t> keep_only(const std::set<std::string>& text_hashes);

 private:
  explicit EmbeddingStore(std::unique_ptr<SqliteFile> file);
  std::mutex mutex_;  // one connection for all callers
  std::unique_ptr<SqliteFile> file_;
};

}  // namespace volan::feature
