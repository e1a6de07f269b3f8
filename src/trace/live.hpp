/// Live follow: summaries of root spans as they start and end, broadcast to the readers of a project.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics.hpp"
#include "core/result.hpp"

namespace volan::trace {

struct LiveOptions {
  std::size_t events_max = 256;   ///< per reader; beyond it new events are dropped and counted
  std::size_t readers_max = 256;  ///< of all projects; resource_exhausted beyond it
};

/// Thread-safe. Publishing never waits for a reader.
class LiveFeed {
 public:
  /// What one reader has not taken yet. Thread-safe.
  class Reader {
   public:
    struct Batch {
      std::vector<std::shared_ptr<const std::string>> events;  // shared with the other readers of the project
      std::uint64_t dropped = 0;                               ///< events lost since the last batch, because this reader was too slow
      bool empty() const { return events.empty() && dropped == 0; }
    };
    /// Everything that waits. Afterwards `wake` is called again at the next event.
    Batch take();

   private:
    friend class LiveFeed;
    Reader(std::string project, std::size_t events_max, std::function<void()> wake)
        : project_(std::move(project)), events_max_(events_max), wake_(std::move(wake)) {}
    /// Returns false when the event was dropped.
    bool push(const std::shared_ptr<const std::string>& event);
    const std::string project_;
    const std::size_t events_max_;
    const std::function<void()> wake_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<const std::string>> events_;
    std::uint64_t dropped_ = 0;
    bool is_awake_ = true;  // true from a wake until the next take()
  };

  explicit LiveFeed(LiveOptions options, core::Metrics& metrics);
  ~LiveFeed();

  /// A reader of one project; it leaves when the pointer is dropped. `wake` is called from the publishing thread when the first event after
  /// a take() has come: it must not block and must not call back. Errors: resource_exhausted.
  core::Result<std::shared_ptr<Reader>> subscribe(std::string project, std::function<void()> wake);
  /// True when somebody follows the project: saves making events that nobody reads. One atomic read when nobody follows anything.
  bool has_readers(std::string_view project) const;
  /// `event` is a complete server-sent event.
  void publish(std::string_view project, std::string event);

 private:
  const LiveOptions options_;
  core::Counter& dropped_;
  std::atomic<bool> may_have_readers_ = false;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Reader>> readers_;  // owned by the streams that read
};

}  // namespace volan::trace
