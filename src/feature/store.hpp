/// Tables of the feature store in the metadata database: cleaned documents, chunks, snapshots, builds.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "feature/types.hpp"

namespace volan::storage {
class Database;
}

namespace volan::feature {

/// Thread-safe. Blocking: call it in the disk pool. Everything but all_current() is inside one project. `database` must outlive it.
class Store {
 public:
  /// Applies the migrations.
  static core::Result<Store> open(storage::Database& database);

  /// Ids of the documents that are cleaned and cut under these settings.
  core::Result<std::set<std::string>> known_documents(std::string_view project, std::string_view settings_hash);
  /// Cleaned document and its chunks, in one transaction. Writing it again changes nothing.
  core::Result<> put_document(std::string_view project, std::string_view settings_hash, const FeatureDocument& document,
                              const std::vector<collect::Section>& sections, const std::vector<Chunk>& chunks);
  /// The documents among `ids`, in that order. Errors: not_found when one is missing.
  core::Result<std::vector<FeatureDocument>> documents(std::string_view project, std::string_view settings_hash,
                                                       const std::vector<std::string>& ids);
  /// In order of position.
  core::Result<std::vector<Chunk>> chunks_of(std::string_view project, std::string_view settings_hash, std::string_view document_id);

  /// Makes the snapshot (if it is not there yet) the current one, with its documents in order, in one transaction.
  core::Result<> publish(std::string_view project, const SnapshotInfo& info, const std::vector<std::string>& documents);
  /// Newest first.
  core::Result<std::vector<SnapshotInfo>> snapshots(std::string_view project);
  core::Result<std::vector<std::string>> snapshot_documents(std::string_view project, std::string_view snapshot_id);
  /// The current snapshot of every project.
  core::Result<std::vector<std::pair<std::string, SnapshotInfo>>> all_current();
  /// Deletes all snapshots but the current one and the newest others up to `kept`, and every document and chunk that none of them holds.
  core::Result<> remove_old(std::string_view project, std::int64_t kept);
  /// Hashes of all embedded texts of the project.
  core::Result<std::set<std::string>> text_hashes(std::string_view project);

  core::Result<> begin_build(std::string_view project, std::string_view id, core::Time now);
  core::Result<> end_build(std::string_view project, std::string_view id, std::string_view state, const BuildReport& report,
                           std::string_view error, core::Time now);
  /// Newest first.
  core::Result<std::vector<BuildInfo>> builds(std::string_view project, std::int64_t limit);
  /// Errors: not_found.
  core::Result<BuildInfo> build(std::string_view project, std::string_view id);
  /// Marks builds that a stopped server left as running.
  core::Result<> fail_interrupted_builds(core::Time now);

 private:
  explicit Store(storage::Database& database) : database_(&database) {}
  storage::Database* database_;
};

}  // namespace volan::feature
