#include "runtime/server_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace volan::runtime {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t ns_per_ms = 1'000'000;

milliseconds between(core::Time from, core::Time to) { return milliseconds((to.ns - from.ns) / ns_per_ms); }

/// first * 2^(n-1), at most `max`.
milliseconds backoff(const RestartPolicy& policy, std::size_t starts) {
  milliseconds wait = policy.backoff_first;
  for (std::size_t i = 1; i < starts && wait < policy.backoff_max; ++i) wait *= 2;
  return std::min(wait, policy.backoff_max);
}

std::string seconds(milliseconds time) { return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000.0); }

}  // namespace

std::vector<ServerAction> ServerMachine::advance(const ServerEvent& event, core::Time now) {
  return std::visit([this, now](const auto& e) { return on(e, now); }, event);
}

bool ServerMachine::has_process() const {
  return state_ == ServerState::starting || state_ == ServerState::ready || state_ == ServerState::unhealthy;
}

ServerMachine::Actions ServerMachine::start(core::Time now) {
  if (has_started_before_) ++restarts_;
  has_started_before_ = true;
  starts_.push_back(now);
  started_ = now;
  state_ = ServerState::starting;
  health_failures_ = 0;
  poll_ = policy_.poll_first;
  progress_ = "starting the process";
  return {CancelTimer{}, StartProcess{}};
}

/// After a failure: waits longer each time, and gives up after starts_max starts within the window.
ServerMachine::Actions ServerMachine::try_later(std::string why, core::Time now) {
  last_error_ = std::move(why);
  while (!starts_.empty() && between(starts_.front(), now) >= policy_.window) starts_.pop_front();
  if (starts_.size() >= policy_.starts_max) {
    state_ = ServerState::failed;
    progress_ = fmt::format("gave up after {} starts in {}", starts_.size(), seconds(policy_.window));
    return {CancelTimer{}};
  }
  const auto wait = backoff(policy_, std::max<std::size_t>(starts_.size(), 1));
  state_ = ServerState::backing_off;
  progress_ = fmt::format("next start in {} (start {} of {})", seconds(wait), starts_.size() + 1, policy_.starts_max);
  return {Schedule{wait}};
}

ServerMachine::Actions ServerMachine::on(const StartAsked&, core::Time now) {
  Actions actions;
  if (has_process()) actions.emplace_back(KillProcess{});
  starts_.clear();
  last_error_.clear();
  for (auto& action : start(now)) actions.push_back(action);
  return actions;
}

ServerMachine::Actions ServerMachine::on(const StopAsked&, core::Time) {
  Actions actions{CancelTimer{}};
  if (has_process()) actions.emplace_back(KillProcess{});
  state_ = ServerState::stopped;
  progress_.clear();
  return actions;
}

ServerMachine::Actions ServerMachine::on(const Started&, core::Time now) {
  if (state_ != ServerState::starting) return {};
  return keep_waiting("waiting for the process to answer", now);
}

ServerMachine::Actions ServerMachine::on(const StartFailed& event, core::Time now) {
  return state_ == ServerState::starting ? try_later(event.why, now) : Actions{};
}

ServerMachine::Actions ServerMachine::on(const StartImpossible& event, core::Time) {
  if (state_ != ServerState::starting) return {};
  Actions actions{CancelTimer{}};
  state_ = ServerState::failed;
  last_error_ = event.why;
  progress_ = "not started again before the cause is repaired";
  return actions;
}

ServerMachine::Actions ServerMachine::on(const PortTaken&, core::Time now) {
  if (state_ != ServerState::starting) return {};
  if (starts_.size() >= policy_.starts_max) return try_later("no free port: another program took each one that was tried", now);
  return start(now);  // at once: another port is chosen
}

ServerMachine::Actions ServerMachine::on(const HealthOk&, core::Time) {
  if (!has_process()) return {};
  if (state_ == ServerState::ready) last_error_.clear();  // it has been well for a whole interval
  state_ = ServerState::ready;
  health_failures_ = 0;
  progress_.clear();
  return {Schedule{policy_.health_interval}};
}

/// Keeps a starting server waiting, up to start_timeout.
ServerMachine::Actions ServerMachine::keep_waiting(std::string progress, core::Time now) {
  const auto waited = between(started_, now);
  if (waited >= policy_.start_timeout) return restart_hung(fmt::format("was not ready after {}: {}", seconds(waited), progress), now);
  progress_ = fmt::format("{}, {}", progress, seconds(waited));
  const auto wait = poll_;
  poll_ = std::min(poll_ * 2, policy_.poll_max);
  return {Schedule{wait}};
}

ServerMachine::Actions ServerMachine::restart_hung(std::string why, core::Time now) {
  Actions actions{KillProcess{}};
  for (auto& action : try_later(std::move(why), now)) actions.push_back(action);
  return actions;
}

ServerMachine::Actions ServerMachine::on(const NotReadyYet& event, core::Time now) {
  if (state_ == ServerState::starting) return keep_waiting(event.progress, now);
  return on(HealthFailed{event.progress}, now);  // a ready server that loads again is not well
}

ServerMachine::Actions ServerMachine::on(const HealthFailed& event, core::Time now) {
  if (!has_process()) return {};
  if (state_ == ServerState::starting) return keep_waiting("waiting for the process to answer", now);
  ++health_failures_;
  last_error_ = event.why;
  if (health_failures_ >= policy_.health_failures_max)
    return restart_hung(fmt::format("failed {} health checks in a row: {}", health_failures_, event.why), now);
  state_ = ServerState::unhealthy;
  progress_ = fmt::format("failed {} of {} health checks", health_failures_, policy_.health_failures_max);
  return {Schedule{policy_.unhealthy_interval}};
}

ServerMachine::Actions ServerMachine::on(const Exited& event, core::Time now) {
  return has_process() ? try_later(event.why, now) : Actions{};
}

ServerMachine::Actions ServerMachine::on(const TimerFired&, core::Time now) {
  if (state_ == ServerState::backing_off) return start(now);
  return has_process() ? Actions{CheckHealth{}} : Actions{};
}

}  // namespace volan::runtime
