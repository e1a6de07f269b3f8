/// Work that a background thread repeats on a timer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace volan::core {

/// Calls `work` every `interval` on a thread of its own, first after one interval; a call that takes longer delays the next one. The end of
/// the scope waits for a running call. `work` must not throw; it says itself what it did (log, metric, state that a page shows). Not
/// movable. Example: `core::Periodic sweeper(std::chrono::minutes(1), [this] { sweep(); });`
class Periodic {
 public:
  Periodic(std::chrono::milliseconds interval, std::function<void()> work)
      : thread_([interval, work = std::move(work)](std::stop_token stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!stop.stop_requested()) {
            wake.wait_for(lock, stop, interval, [] { return false; });
            if (!stop.stop_requested()) work();
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace volan::core
