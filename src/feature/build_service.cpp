#include "feature/build_service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "core/ids.hpp"

namespace volan::feature {

struct BuildService::Running {
  std::string project;
  Live live;
  std::stop_source stop;
};

BuildService::BuildService(FeatureStore& features, llm::Embedder& embedder, ConfigSource config, const core::Log& log)
    : features_(features), embedder_(embedder), config_(std::move(config)), log_(log) {}

BuildService::~BuildService() { stop(); }

core::Task<BuildInfo> BuildService::start(std::string project) {
  VOLAN_CO_TRY(FeatureConfig config, config_(project));
  VOLAN_CO_TRY_VOID(check(config));
  auto running = std::make_shared<Running>();
  running->project = project;
  running->live.info = {.id = core::new_id(),
                        .state = "running",
                        .started = features_.clock().now(),
                        .ended = {},
                        .progress = BuildProgress{},
                        .report = {},
                        .error = {}};
  const BuildInfo begun = running->live.info;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) co_return core::fail(core::ErrorCode::cancelled, "the server is stopping");
    std::shared_ptr<Running>& last = last_[project];
    if (last && last->live.info.state == "running")
      co_return core::fail(core::ErrorCode::conflict, "build " + last->live.info.id + " of this project is running", {},
                           "follow it: GET /api/v1/features/builds/" + last->live.info.id);
    last = running;
    ++active_;
  }
  auto record = [this, &project, &begun] { return features_.store().begin_build(project, begun.id, begun.started); };
  if (auto recorded = co_await features_.pools().on_disk(std::move(record)); !recorded) {
    finish(*running, core::fail(recorded.error()));
    co_return core::fail(std::move(recorded).error());
  }
  // run() ends by itself, and stop() waits for it: active_ is counted down as its last act.
  boost::asio::co_spawn(features_.pools().next_io(), run(running, std::move(config)),
                        [this, running](std::exception_ptr thrown, core::Result<>) {
                          if (thrown) finish(*running, core::fail(core::ErrorCode::internal, "the build ended with an exception"));
                        });
  co_return begun;
}

core::Task<> BuildService::run(std::shared_ptr<Running> running, FeatureConfig config) {
  ProgressCallback tell = [this, running](const BuildProgress& progress) {
    const std::lock_guard lock(mutex_);
    running->live.info.progress = progress;
    ++running->live.version;
  };
  const core::Result<BuildReport> result =
      co_await features_.build(running->project, std::move(config), embedder_, std::move(tell), running->stop.get_token());
  std::string state = "done", error;
  if (!result) {
    state = result.error().code == core::ErrorCode::cancelled ? "cancelled" : "failed";
    error = core::to_text(result.error());
    log_.warn("feature_build_failed", {{"project", running->project}, {"build", running->live.info.id}, {"error", error}});
  }
  auto record = [&] {
    return features_.store().end_build(running->project, running->live.info.id, state, result ? *result : BuildReport{}, error,
                                       features_.clock().now());
  };
  if (const auto recorded = co_await features_.pools().on_disk(std::move(record)); !recorded)
    log_.error("feature_build_not_recorded", {{"project", running->project}, {"error", recorded.error().message}});
  finish(*running, result);
  co_return core::Result<>{};
}

void BuildService::finish(Running& running, const core::Result<BuildReport>& result) {
  const std::lock_guard lock(mutex_);
  BuildInfo& info = running.live.info;
  if (info.state != "running") return;
  info.progress.reset();
  info.ended = features_.clock().now();
  if (result) {
    info.state = "done";
    info.report = *result;
  } else {
    info.state = result.error().code == core::ErrorCode::cancelled ? "cancelled" : "failed";
    info.error = core::to_text(result.error());
  }
  ++running.live.version;
  --active_;
  ended_.notify_all();
}

std::optional<BuildService::Live> BuildService::live(std::string_view project, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_.find(project);
  if (found == last_.end() || found->second->live.info.id != id) return std::nullopt;
  return found->second->live;
}

core::Task<BuildInfo> BuildService::find(std::string project, std::string id) {
  if (auto known = live(project, id)) co_return std::move(known->info);
  auto read = [this, &project, &id] { return features_.store().build(project, id); };
  co_return co_await features_.pools().on_disk(std::move(read));
}

core::Task<std::vector<BuildInfo>> BuildService::list(std::string project, std::int64_t limit) {
  auto read = [this, &project, limit] { return features_.store().builds(project, limit); };
  VOLAN_CO_TRY(auto builds, co_await features_.pools().on_disk(std::move(read)));
  for (BuildInfo& build : builds)
    if (auto known = live(project, build.id)) build = std::move(known->info);
  co_return builds;
}

void BuildService::stop() {
  core::assert_may_block();
  std::unique_lock lock(mutex_);
  is_stopping_ = true;
  for (const auto& [project, running] : last_) running->stop.request_stop();
  ended_.wait(lock, [&] { return active_ == 0; });
}

}  // namespace volan::feature
