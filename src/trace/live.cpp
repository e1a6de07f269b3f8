#include "trace/live.hpp"

#include <algorithm>

namespace volan::trace {

LiveFeed::Reader::Batch LiveFeed::Reader::take() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  batch.events.assign(std::make_move_iterator(events_.begin()), std::make_move_iterator(events_.end()));
  batch.dropped = std::exchange(dropped_, 0);
  events_.clear();
  is_awake_ = false;
  return batch;
}

bool LiveFeed::Reader::push(const std::shared_ptr<const std::string>& event) {
  bool is_kept = true;
  bool must_wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= events_max_) {
      ++dropped_;
      is_kept = false;
    } else {
      events_.push_back(event);
    }
    must_wake = !std::exchange(is_awake_, true);
  }
  if (must_wake) wake_();
  return is_kept;
}

LiveFeed::LiveFeed(LiveOptions options, core::Metrics& metrics)
    : options_(options), dropped_(metrics.counter("volan_trace_live_dropped_total", "Live events that a reader was too slow for.")) {}

LiveFeed::~LiveFeed() = default;

core::Result<std::shared_ptr<LiveFeed::Reader>> LiveFeed::subscribe(std::string project, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
  if (readers_.size() >= options_.readers_max)
    return core::fail(core::ErrorCode::resource_exhausted, "too many readers follow traces at the moment", {},
                      "close other live views, or poll the list");
  std::shared_ptr<Reader> reader(new Reader(std::move(project), options_.events_max, std::move(wake)));
  readers_.push_back(reader);
  may_have_readers_ = true;
  return reader;
}

bool LiveFeed::has_readers(std::string_view project) const {
  if (!may_have_readers_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(readers_, [&](const auto& weak) {
    const auto reader = weak.lock();
    return reader && reader->project_ == project;
  });
}

void LiveFeed::publish(std::string_view project, std::string event) {
  const auto shared = std::make_shared<const std::string>(std::move(event));
  const std::lock_guard lock(mutex_);
  for (const auto& weak : readers_)
    if (const auto reader = weak.lock(); reader && reader->project_ == project && !reader->push(shared)) dropped_.add();
}

}  // namespace volan::trace
