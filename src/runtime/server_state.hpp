/// The life of a managed model server as a pure state machine: no clock, no process, no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "core/fields.hpp"
#include "core/time.hpp"

namespace volan::runtime {

enum class ServerState {
  stopped,      ///< nobody wants it to run
  starting,     ///< the process runs or is about to; the model is being loaded
  ready,        ///< answers
  unhealthy,    ///< was ready and has failed its last health checks; still answers calls as well as it can
  backing_off,  ///< has ended; the next start is scheduled
  failed,       ///< will not be started again until someone asks for it
};

constexpr auto describe(const ServerState*) {
  using enum ServerState;
  return core::names("ServerState", core::name(stopped, "stopped"), core::name(starting, "starting"), core::name(ready, "ready"),
                     core::name(unhealthy, "unhealthy"), core::name(backing_off, "backing_off"), core::name(failed, "failed"));
}

/// When to look, when to try again, when to give up.
struct RestartPolicy {
  std::chrono::milliseconds backoff_first{500};  ///< before the second start; doubles with each further one
  std::chrono::milliseconds backoff_max{30'000};
  std::uint32_t starts_max = 5;  ///< within `window`; then the server has failed
  std::chrono::milliseconds window{300'000};
  std::chrono::milliseconds start_timeout{300'000};  ///< from the start of the process until it is ready
  std::chrono::milliseconds poll_first{50};          ///< while it starts; doubles up to poll_max
  std::chrono::milliseconds poll_max{1'000};
  std::chrono::milliseconds health_interval{15'000};
  std::chrono::milliseconds unhealthy_interval{2'000};
  std::uint32_t health_failures_max = 5;  ///< in a row; then the process is ended and started again
};

// What happened. Every event comes with the time at which it happened.
struct StartAsked {};  ///< by a person or at the start of the program; forgets earlier failures
struct StopAsked {};
struct Started {};  ///< the process runs
struct StartFailed {
  std::string why;
};  ///< the process could not be started; trying again may help
struct StartImpossible {
  std::string why;
};  ///< wrong file, wrong model: trying again cannot help
struct PortTaken {};  ///< the process ended because someone took its port first
struct HealthOk {};
struct NotReadyYet {
  std::string progress;
};  ///< it answers, but the model is still being loaded
struct HealthFailed {
  std::string why;
};
struct Exited {
  std::string why;
};
struct TimerFired {};
using ServerEvent = std::variant<StartAsked, StopAsked, Started, StartFailed, StartImpossible, PortTaken, HealthOk, NotReadyYet,
                                 HealthFailed, Exited, TimerFired>;

// What to do now, in order.
struct StartProcess {};
struct KillProcess {};  ///< end it and wait until it is gone; no Exited event follows
struct CheckHealth {};  ///< ask, and report HealthOk, NotReadyYet or HealthFailed
struct Schedule {
  std::chrono::milliseconds after;
};  ///< TimerFired after this; replaces an earlier schedule
struct CancelTimer {};
using ServerAction = std::variant<StartProcess, KillProcess, CheckHealth, Schedule, CancelTimer>;

/// Not thread-safe. Cost: O(1) per event, O(starts_max) memory.
/// Example: `for (auto& action : machine.advance(StartAsked{}, now)) perform(action);`
class ServerMachine {
 public:
  explicit ServerMachine(RestartPolicy policy = {}) : policy_(policy) {}

  std::vector<ServerAction> advance(const ServerEvent& event, core::Time now);

  ServerState state() const { return state_; }
  /// Starts after the first one, since the machine was made.
  std::uint64_t restarts() const { return restarts_; }
  /// Why it last failed; kept until it is ready for a whole health interval or someone asks for a start.
  const std::string& last_error() const { return last_error_; }
  /// What it is doing, for a person: "loading the model, 3 s", "next start in 2 s (start 3 of 5)". Empty when ready or stopped.
  const std::string& progress() const { return progress_; }

 private:
  using Actions = std::vector<ServerAction>;
  Actions on(const StartAsked&, core::Time now);
  Actions on(const StopAsked&, core::Time now);
  Actions on(const Started&, core::Time now);
  Actions on(const StartFailed& event, core::Time now);
  Actions on(const StartImpossible& event, core::Time now);
  Actions on(const PortTaken&, core::Time now);
  Actions on(const HealthOk&, core::Time now);
  Actions on(const NotReadyYet& event, core::Time now);
  Actions on(const HealthFailed& event, core::Time now);
  Actions on(const Exited& event, core::Time now);
  Actions on(const TimerFired&, core::Time now);
  bool has_process() const;
  Actions start(core::Time now);
  Actions try_later(std::string why, core::Time now);
  Actions keep_waiting(std::string progress, core::Time now);
  Actions restart_hung(std::string why, core::Time now);

  RestartPolicy policy_;
  ServerState state_ = ServerState::stopped;
  std::deque<core::Time> starts_;      // within the window
  core::Time started_{};               // of the current process
  std::chrono::milliseconds poll_{0};  // next interval while starting
  std::uint32_t health_failures_ = 0;  // in a row
  std::uint64_t restarts_ = 0;
  bool has_started_before_ = false;
  std::string last_error_, progress_;
};

}  // namespace volan::runtime
