/// chunks.sqlite: the texts of one snapshot with their full-text index; written once, then read only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "feature/snapshot.hpp"
#include "feature/types.hpp"

namespace volan::feature {

/// Writes the file row by row; row numbers are those of the vectors. Not thread-safe. Blocking.
class TextStoreWriter {
 public:
  static core::Result<std::unique_ptr<TextStoreWriter>> create(const std::string& path);
  ~TextStoreWriter();
  core::Result<> add(const FeatureDocument& document, const Chunk& chunk);
  /// Builds the index and makes the file durable.
  core::Result<> finish();

 private:
  struct State;
  explicit TextStoreWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Whether a lexical search looks into the headings of chunks; ignored only to measure retrieval by text alone.
enum class Headings { searched, ignored };

/// Reads and searches the file. Thread-safe: each search takes a connection of its own from a small pool. Blocking.
class TextStore {
 public:
  /// Errors: not_found, data_loss.
  static core::Result<std::unique_ptr<TextStore>> open(const std::string& path);
  ~TextStore();

  /// BM25 (FTS5's bm25(), k1 1.2, b 0.75; the heading counts twice) with the words joined by OR; higher is better, ties by row.
  core::Result<std::vector<Hit>> search(std::string_view text, std::size_t limit, const Filter& filter,
                                        Headings headings = Headings::searched) const;
  core::Result<std::vector<ChunkView>> chunks(const std::vector<std::string>& ids) const;

  /// A section with the chunks that it gave, for measuring retrieval.
  struct SectionChunks {
    std::string leaf;  ///< innermost heading
    std::vector<std::string> chunk_ids;
  };
  core::Result<std::vector<SectionChunks>> sections() const;

 private:
  struct Connection;
  class Lease;
  explicit TextStore(std::string path);
  core::Result<Lease> take() const;
  std::string path_;
  mutable std::mutex mutex_;  // guards free_
  mutable std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace volan::feature
