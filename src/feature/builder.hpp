/// One build of a project's features: the stages of FeatureStore::build(), in order.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "feature/chunk.hpp"
#include "feature/feature_store.hpp"
#include "feature/stored_snapshot.hpp"

namespace volan::feature {

/// Lives in the coroutine that runs it; its stages move between the pools. Not thread-safe.
class Builder {
 public:
  Builder(FeatureStore& store, std::string project, FeatureConfig config, llm::Embedder& embedder, ProgressCallback progress,
          std::stop_token stop);
  core::Task<BuildReport> run();

 private:
  core::Task<> collect();
  core::Task<> cut();
  core::Task<> cut_document(std::string id);
  core::Task<> fit_to_tokens(std::vector<ChunkDraft> drafts, const std::vector<collect::Section>& sections, const std::string& title,
                             const ChunkSettings& settings, std::vector<Chunk>& chunks);
  core::Task<> load();
  core::Task<> embed();
  core::Task<> index();
  core::Task<> publish();

  core::Result<> forget_removed_sources();
  core::Result<> write_or_reuse();
  void begin_stage(BuildStage stage);
  double stage_seconds() const;
  void tell(std::int64_t done, std::int64_t total, std::string note = {});
  core::Result<> check_stop() const;
  std::string text_of(const Chunk& chunk) const;

  FeatureStore& store_;
  const std::string project_;
  const FeatureConfig config_;
  llm::Embedder& embedder_;
  const ProgressCallback progress_;
  const std::stop_token stop_;
  const std::string identity_;
  const std::string settings_;

  BuildReport report_;
  BuildStage stage_ = BuildStage::collect;
  std::chrono::steady_clock::time_point stage_begin_, last_told_;
  SnapshotContent content_;
  std::vector<std::string> document_ids_;
  std::shared_ptr<const StoredSnapshot> snapshot_;
};

}  // namespace volan::feature
