/// The feature store: from documents to searchable snapshots, and the snapshot that searches use now.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "collect/document_store.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "feature/config.hpp"
#include "feature/snapshot.hpp"
#include "feature/store.hpp"
#include "feature/types.hpp"
#include "llm/models.hpp"

namespace volan::storage {
class Database;
}

namespace volan::feature {

class EmbeddingStore;
class StoredSnapshot;

/// Called on the thread of the stage that runs, at most ten times a second and at the end of a stage; must be quick and thread-safe.
using ProgressCallback = std::function<void(const BuildProgress& progress)>;

/// Thread-safe. Files lie in `folder`/<project>/: features.sqlite (vectors by text) and snapshots/<id>/. All but the vectors can be made
/// again from the metadata database, and the vectors from the texts.
class FeatureStore final : public SnapshotSource {
 public:
  /// Opens the current snapshot of every project; a damaged or missing one is written again from the stored vectors, or, when those are
  /// missing too, left out until the next build (and logged). Blocking. The references must outlive it.
  static core::Result<std::unique_ptr<FeatureStore>> open(std::string folder, storage::Database& database, core::Pools& pools,
                                                          const core::Clock& clock, const core::Log& log, core::Metrics& metrics);
  ~FeatureStore() override;

  std::shared_ptr<const Snapshot> current(std::string_view project) const override;

  /// Collects, cleans, cuts, embeds what is missing, indexes, publishes. Killed at any moment it leaves the old or the new snapshot, and
  /// the next build goes on where it was. A build that finds nothing new embeds nothing and keeps the snapshot. Errors: conflict when a
  /// build of the project is running; those of the configuration, the sources, the model and the stores; cancelled soon after `stop` asks
  /// for it. A source that fails as a whole fails the build; files that fail are in the report.
  core::Task<BuildReport> build(std::string project, FeatureConfig config, llm::Embedder& embedder, ProgressCallback progress = {},
                                std::stop_token stop = {});

  Store& store() { return store_; }
  collect::DocumentStore& documents() { return documents_; }
  core::Pools& pools() { return pools_; }
  const core::Clock& clock() const { return clock_; }
  /// As current(), with what only this implementation offers.
  std::shared_ptr<const StoredSnapshot> stored(std::string_view project) const;

 private:
  friend class Builder;
  using Published = std::map<std::string, std::shared_ptr<const StoredSnapshot>, std::less<>>;

  FeatureStore(std::string folder, Store store, collect::DocumentStore documents, core::Pools& pools, const core::Clock& clock,
               const core::Log& log, core::Metrics& metrics);
  std::string project_folder(std::string_view project) const;
  std::string snapshot_folder(std::string_view project, std::string_view id) const;
  core::Result<EmbeddingStore*> embeddings(const std::string& project);
  /// Opens the snapshot's files, or writes them again from the stores.
  core::Result<std::shared_ptr<const StoredSnapshot>> open_or_rebuild(const std::string& project, const SnapshotInfo& info,
                                                                      std::size_t exact_max);
  void set_current(const std::string& project, std::shared_ptr<const StoredSnapshot> snapshot);
  void remove_old_folders(const std::string& project);

  std::string folder_;
  Store store_;
  collect::DocumentStore documents_;
  core::Pools& pools_;
  const core::Clock& clock_;
  const core::Log& log_;
  core::Counter& embedded_total_;
  core::Counter& builds_total_;

  std::atomic<std::shared_ptr<const Published>> published_;  // owners: this store and the searches that are looking at it
  std::mutex mutex_;                                         // guards what follows, and writers of published_
  std::map<std::string, std::unique_ptr<EmbeddingStore>> embeddings_;
  std::set<std::string> building_;
};

}  // namespace volan::feature
