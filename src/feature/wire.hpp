/// What the routes of documents and features answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collect/document_store.hpp"
#include "core/fields.hpp"
#include "feature/types.hpp"

namespace volan::feature {

/// GET /api/v1/features
struct FeatureOverview {
  std::optional<SnapshotInfo> current;  ///< absent before the first build
  std::vector<std::string> authors;
  std::vector<std::string> categories;
  bool has_graph = false;  ///< dense search by graph instead of exact comparison
  std::optional<BuildInfo> last_build;
};
constexpr auto describe(const FeatureOverview*) {
  return core::object(
      "FeatureOverview",
      core::field("current", &FeatureOverview::current, "The snapshot that searches use; absent before the first build."),
      core::field("authors", &FeatureOverview::authors, "Authors in it."),
      core::field("categories", &FeatureOverview::categories, "Categories in it."),
      core::field("has_graph", &FeatureOverview::has_graph, "True: dense search walks a graph; false: it compares every chunk."),
      core::field("last_build", &FeatureOverview::last_build, "The newest build, running or ended."));
}

struct SnapshotList {
  std::vector<SnapshotInfo> items;
};
constexpr auto describe(const SnapshotList*) {
  return core::object("FeatureSnapshotList", core::field("items", &SnapshotList::items, "Newest first."));
}

struct BuildList {
  std::vector<BuildInfo> items;
};
constexpr auto describe(const BuildList*) {
  return core::object("FeatureBuildList", core::field("items", &BuildList::items, "Newest first."));
}

struct DocumentList {
  std::vector<collect::DocumentHead> items;
  std::optional<std::string> next;
};
constexpr auto describe(const DocumentList*) {
  return core::object("DocumentList", core::field("items", &DocumentList::items, "Ordered by source and locator."),
                      core::field("next", &DocumentList::next, "Send it as `after` for the next page; absent on the last."));
}

struct DocumentDetail {
  collect::DocumentHead document;
  std::vector<Chunk> chunks;
};
constexpr auto describe(const DocumentDetail*) {
  return core::object("DocumentDetail", core::field("document", &DocumentDetail::document, "The document."),
                      core::field("chunks", &DocumentDetail::chunks, "Its chunks in the current snapshot; empty when it is not in it."));
}

}  // namespace volan::feature
