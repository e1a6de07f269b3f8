/// Reading side of the feature store: an immutable snapshot that searches and answers for its chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace volan::feature {

/// Which chunks a search may return; an empty field allows all.
struct Filter {
  std::string author;
  std::string category;
};

struct Hit {
  std::string chunk_id;
  double score = 0;  ///< cosine for dense, BM25 (higher is better) for lexical
};

/// What an answer needs to know about a chunk.
struct ChunkView {
  std::string id;
  std::string document_id;
  std::string title;    ///< of the document
  std::string heading;  ///< path of headings: "Classes › Constructors"
  std::string url;      ///< locator with anchor
  std::string author;
  std::string category;
  std::string text;  ///< without the heading prefix
  std::int64_t tokens = 0;
};

/// Immutable; shared by the searches that still use it and by the store that published it. Thread-safe. Blocking: call it in a pool.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const std::string& id() const = 0;
  virtual std::size_t chunk_count() const = 0;
  virtual const std::vector<std::string>& authors() const = 0;
  /// Shapes: `query` is (dimension); at most `limit` hits, best first. Errors: invalid_argument for a wrong dimension.
  virtual core::Result<std::vector<Hit>> search_dense(std::span<const float> query, std::size_t limit, const Filter& filter) const = 0;
  /// BM25 over any user text. At most `limit` hits, best first.
  virtual core::Result<std::vector<Hit>> search_lexical(std::string_view text, std::size_t limit, const Filter& filter) const = 0;
  /// In the order of `ids`; unknown ids are left out.
  virtual core::Result<std::vector<ChunkView>> chunks(const std::vector<std::string>& ids) const = 0;
};

/// Where the current snapshot of a project comes from. Thread-safe, never blocks.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  /// Null when the project has no snapshot yet.
  virtual std::shared_ptr<const Snapshot> current(std::string_view project) const = 0;
};

}  // namespace volan::feature
