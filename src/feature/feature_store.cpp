#include "feature/feature_store.hpp"

#include <algorithm>
#include <filesystem>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "feature/builder.hpp"
#include "feature/embedding_store.hpp"
#include "feature/stored_snapshot.hpp"

namespace volan::feature {
namespace {

namespace fs = std::filesystem;

// Project ids of our own are plain; any other text still gives a safe name.
std::string folder_name(std::string_view project) {
  const bool is_plain = !project.empty() && project.size() <= 64 && std::all_of(project.begin(), project.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return is_plain ? std::string(project) : "h." + core::sha256_hex(project);
}

// Ends a build's claim on its project.
class Claim {
 public:
  Claim(std::mutex& mutex, std::set<std::string>& building, std::string project)
      : mutex_(mutex), building_(building), project_(std::move(project)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    const std::lock_guard lock(mutex_);
    building_.erase(project_);
  }

 private:
  std::mutex& mutex_;
  std::set<std::string>& building_;
  std::string project_;
};

}  // namespace

FeatureStore::FeatureStore(std::string folder, Store store, collect::DocumentStore documents, core::Pools& pools, const core::Clock& clock,
                           const core::Log& log, core::Metrics& metrics)
    : folder_(std::move(folder)),
      store_(std::move(store)),
      documents_(std::move(documents)),
      pools_(pools),
      clock_(clock),
      log_(log),
      embedded_total_(metrics.counter("volan_feature_embedded_texts_total", "Texts embedded by feature builds.")),
      builds_total_(metrics.counter("volan_feature_builds_total", "Feature builds that ended well.")),
      published_(std::make_shared<const Published>()) {}

FeatureStore::~FeatureStore() = default;

core::Result<std::unique_ptr<FeatureStore>> FeatureStore::open(std::string folder, storage::Database& database, core::Pools& pools,
                                                               const core::Clock& clock, const core::Log& log, core::Metrics& metrics) {
  core::assert_may_block();
  VOLAN_TRY_VOID(core::create_folders(folder));
  VOLAN_TRY(auto documents, collect::DocumentStore::open(database));
  VOLAN_TRY(auto store, Store::open(database));
  VOLAN_TRY_VOID(store.fail_interrupted_builds(clock.now()));
  VOLAN_TRY(const auto current, store.all_current());
  std::unique_ptr<FeatureStore> features(
      new FeatureStore(std::move(folder), std::move(store), std::move(documents), pools, clock, log, metrics));
  for (const auto& [project, info] : current) {
    auto snapshot = features->open_or_rebuild(project, info, static_cast<std::size_t>(FeatureConfig{}.exact_search_max));
    if (snapshot)
      features->set_current(project, std::move(*snapshot));
    else
      log.error(
          "feature_snapshot_missing",
          {{"project", project}, {"snapshot", info.id}, {"error", core::to_text(snapshot.error())}, {"fix", "build the features again"}});
    features->remove_old_folders(project);
  }
  return features;
}

std::shared_ptr<const StoredSnapshot> FeatureStore::stored(std::string_view project) const {
  const auto published = published_.load();
  const auto found = published->find(project);
  return found == published->end() ? nullptr : found->second;
}

std::shared_ptr<const Snapshot> FeatureStore::current(std::string_view project) const { return stored(project); }

core::Task<BuildReport> FeatureStore::build(std::string project, FeatureConfig config, llm::Embedder& embedder, ProgressCallback progress,
                                            std::stop_token stop) {
  VOLAN_CO_TRY_VOID(check(config));
  {
    const std::lock_guard lock(mutex_);
    if (!building_.insert(project).second)
      co_return core::fail(core::ErrorCode::conflict, "a build of this project is running already", {},
                           "wait for it: GET /api/v1/features shows it");
  }
  const Claim claim(mutex_, building_, project);
  Builder builder(*this, project, std::move(config), embedder, std::move(progress), std::move(stop));
  VOLAN_CO_TRY(auto report, co_await builder.run());
  builds_total_.add();
  log_.info("feature_build_done", {{"project", project},
                                   {"snapshot", report.snapshot_id},
                                   {"documents", report.documents},
                                   {"chunks", report.chunks},
                                   {"embedded", report.embedded},
                                   {"reused", report.reused}});
  co_return report;
}

std::string FeatureStore::project_folder(std::string_view project) const { return folder_ + "/" + folder_name(project); }

std::string FeatureStore::snapshot_folder(std::string_view project, std::string_view id) const {
  return project_folder(project) + "/snapshots/" + std::string(id);
}

core::Result<EmbeddingStore*> FeatureStore::embeddings(const std::string& project) {
  core::assert_may_block();
  const std::lock_guard lock(mutex_);
  std::unique_ptr<EmbeddingStore>& opened = embeddings_[project];
  if (!opened) {
    VOLAN_TRY_VOID(core::create_folders(project_folder(project)));
    VOLAN_TRY(opened, EmbeddingStore::open(project_folder(project) + "/features.sqlite"));
  }
  return opened.get();
}

core::Result<std::shared_ptr<const StoredSnapshot>> FeatureStore::open_or_rebuild(const std::string& project, const SnapshotInfo& info,
                                                                                  std::size_t exact_max) {
  const std::string folder = snapshot_folder(project, info.id);
  auto opened = StoredSnapshot::open(folder, info.id);
  if (opened) return opened;
  log_.warn("feature_snapshot_rebuilt", {{"project", project}, {"snapshot", info.id}, {"why", opened.error().message}});
  SnapshotContent content{.info = info, .documents = {}, .chunks = {}, .vectors = {}};
  VOLAN_TRY(const auto ids, store_.snapshot_documents(project, info.id));
  VOLAN_TRY(content.documents, store_.documents(project, info.settings_hash, ids));
  std::vector<std::string> hashes;
  for (const FeatureDocument& document : content.documents) {
    VOLAN_TRY(auto chunks, store_.chunks_of(project, info.settings_hash, document.document_id));
    for (const Chunk& chunk : chunks) hashes.push_back(chunk.text_hash);
    content.chunks.push_back(std::move(chunks));
  }
  VOLAN_TRY(EmbeddingStore* const vectors, embeddings(project));
  VOLAN_TRY(content.vectors, vectors->load(info.embedder, hashes, static_cast<std::size_t>(info.dimension)));
  VOLAN_TRY_VOID(StoredSnapshot::write(folder, content, exact_max));
  return StoredSnapshot::open(folder, info.id);
}

void FeatureStore::set_current(const std::string& project, std::shared_ptr<const StoredSnapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Published>(*published_.load());
  (*next)[project] = std::move(snapshot);
  published_.store(std::move(next));
}

// Snapshots that the database no longer names, and what a killed build left aside.
void FeatureStore::remove_old_folders(const std::string& project) {
  const auto kept = store_.snapshots(project);
  if (!kept) return;
  std::error_code error;
  for (fs::directory_iterator folder(project_folder(project) + "/snapshots", error), end; !error && folder != end;
       folder.increment(error)) {
    const std::string name = folder->path().filename().string();
    const bool is_kept = std::any_of(kept->begin(), kept->end(), [&](const SnapshotInfo& info) { return info.id == name; });
    std::error_code ignored;
    if (!is_kept) fs::remove_all(folder->path(), ignored);
  }
}

}  // namespace volan::feature
