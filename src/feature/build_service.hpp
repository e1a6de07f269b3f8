/// Feature builds in the background: one at a time per project, with progress that can be followed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "core/task.hpp"
#include "feature/feature_store.hpp"

namespace volan::feature {

/// Thread-safe. Owns the builds it starts. Destroy it (or stop() it) while the io loops still run, and before the store and the embedder.
class BuildService {
 public:
  /// The feature settings of a project, as the applied `volan.yaml` has them. Errors: not_found when it has none. Must not block.
  using ConfigSource = std::function<core::Result<FeatureConfig>(std::string_view project)>;

  BuildService(FeatureStore& features, llm::Embedder& embedder, ConfigSource config, const core::Log& log);
  ~BuildService();

  /// Returns when the build is recorded; it then runs on an io loop. Errors: conflict when one is running, those of the configuration,
  /// cancelled after stop().
  core::Task<BuildInfo> start(std::string project);
  /// Running or ended. Errors: not_found.
  core::Task<BuildInfo> find(std::string project, std::string id);
  /// Newest first.
  core::Task<std::vector<BuildInfo>> list(std::string project, std::int64_t limit);
  /// State of a build that is running or was the project's last one here, without a look at the database; the second value grows with each
  /// change.
  struct Live {
    BuildInfo info;
    std::uint64_t version = 0;
  };
  std::optional<Live> live(std::string_view project, std::string_view id) const;

  /// Asks all builds to stop, waits until they have, and takes no more. Blocks; not on an io thread.
  void stop();

 private:
  struct Running;
  core::Task<> run(std::shared_ptr<Running> running, FeatureConfig config);
  void finish(Running& running, const core::Result<BuildReport>& result);

  FeatureStore& features_;
  llm::Embedder& embedder_;
  ConfigSource config_;
  const core::Log& log_;
  mutable std::mutex mutex_;  // guards what follows and the Live in each Running
  std::condition_variable ended_;
  std::map<std::string, std::shared_ptr<Running>, std::less<>> last_;  // by project; shared with the coroutine that runs it
  std::size_t active_ = 0;
  bool is_stopping_ = false;
};

}  // namespace volan::feature
