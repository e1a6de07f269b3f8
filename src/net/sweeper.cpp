#include "net/sweeper.hpp"

#include <poll.h>

namespace volan::net {

void Sweeper::add(Entry& entry) {
  entry.index_ = entries_.size();
  entries_.push_back(&entry);
  if (!is_armed_) arm();
}

void Sweeper::remove(Entry& entry) {
  entries_[entry.index_] = entries_.back();
  entries_[entry.index_]->index_ = entry.index_;
  entries_.pop_back();
}

void Sweeper::arm() {
  if (!timer_) return;
  is_armed_ = true;
  timer_->expires_after(period_);
  timer_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->is_armed_ = false;
    if (error) return;
    self->sweep();
    if (!self->entries_.empty() && !self->is_armed_) self->arm();
  });
}

void Sweeper::sweep() {
  const auto now = Clock::now();
  polled_.clear();
  polled_entries_.clear();
  // Backwards, because a removed entry is replaced by the last one, which has then had its turn.
  for (std::size_t i = entries_.size(); i-- > 0;) {
    Entry& entry = *entries_[i];
    if (entry.deadline <= now) {
      entry.deadline = never;
      entry.on_deadline();
    } else if (entry.watched_from <= now) {
      polled_.push_back({entry.watched_socket, static_cast<short>(entry.is_silent ? POLLIN | POLLRDHUP : POLLRDHUP), 0});
      polled_entries_.push_back(&entry);
    }
  }
  if (!polled_.empty()) poll_watched();
}

void Sweeper::poll_watched() {
  if (::poll(polled_.data(), polled_.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    if (polled_[i].revents == 0) continue;
    polled_entries_[i]->watched_from = never;
    polled_entries_[i]->on_hangup();
  }
}

}  // namespace volan::net
