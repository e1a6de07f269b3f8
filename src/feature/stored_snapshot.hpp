/// A snapshot as a folder of files: vectors (dense.bin, dense.hnsw), texts with their full-text index (chunks.sqlite), manifest.json.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "feature/dense_index.hpp"
#include "feature/snapshot.hpp"
#include "feature/text_store.hpp"
#include "feature/types.hpp"

namespace volan::feature {

/// Everything a snapshot's files are written from.
struct SnapshotContent {
  SnapshotInfo info;
  std::vector<FeatureDocument> documents;
  std::vector<std::vector<Chunk>> chunks;  ///< of each document, in order
  std::vector<float> vectors;              ///< row-major, in the order of the chunks
};

/// Immutable, thread-safe, blocking (see Snapshot).
class StoredSnapshot final : public Snapshot {
 public:
  /// Writes the folder aside, fsyncs everything, renames it to `folder`; a folder of that name is replaced. After a crash it is there or
  /// not.
  static core::Result<> write(const std::string& folder, const SnapshotContent& content, std::size_t exact_max);
  /// Maps and verifies the files (checksums, sizes, ids). Errors: not_found, data_loss. Cost: reads every file once (some GB/s).
  static core::Result<std::shared_ptr<const StoredSnapshot>> open(const std::string& folder, const std::string& id);

  const std::string& id() const override { return id_; }
  std::size_t chunk_count() const override { return dense_->size(); }
  const std::vector<std::string>& authors() const override { return authors_; }
  core::Result<std::vector<Hit>> search_dense(std::span<const float> query, std::size_t limit, const Filter& filter) const override;
  core::Result<std::vector<Hit>> search_lexical(std::string_view text, std::size_t limit, const Filter& filter) const override;
  core::Result<std::vector<ChunkView>> chunks(const std::vector<std::string>& ids) const override;

  /// As search_lexical(), but by the text of chunks alone: questions made from headings are then not answered by the headings themselves.
  core::Result<std::vector<Hit>> search_text_only(std::string_view text, std::size_t limit) const {
    return texts_->search(text, limit, {}, Headings::ignored);
  }
  core::Result<std::vector<TextStore::SectionChunks>> sections() const { return texts_->sections(); }
  const std::vector<std::string>& categories() const { return categories_; }
  const std::string& embedder() const { return embedder_; }
  bool has_graph() const { return dense_->has_graph(); }

 private:
  StoredSnapshot() = default;
  struct Group {
    std::string author;
    std::string category;
  };
  std::string id_, embedder_;
  std::vector<Group> groups_;
  std::vector<std::string> authors_, categories_;
  std::unique_ptr<DenseIndex> dense_;
  std::unique_ptr<TextStore> texts_;
};

}  // namespace volan::feature
