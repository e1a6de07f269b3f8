/// One timer per io loop for the deadlines of all its connections, and the one place that notices peers that left.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

struct pollfd;

namespace volan::net {

/// Looks at every entry each `period`: calls on_deadline() where the deadline has passed, and on_hangup() where a watched socket's peer has
/// closed (one poll() call for all of them). A deadline is so a plain store, without a timer of its own, and is met up to one period late.
/// The timer runs only while there are entries. Confined to its io loop.
class Sweeper : public std::enable_shared_from_this<Sweeper> {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point never = Clock::time_point::max();

  /// What a connection derives from. Not movable: the sweeper keeps its address from add() to remove().
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    Clock::time_point deadline = never;
    /// From when on hangups are looked for; `never` = not watched.
    Clock::time_point watched_from = never;
    int watched_socket = -1;
    /// Whether readable bytes count as a hangup too (a pooled connection has nothing to say).
    bool is_silent = false;

   protected:
    ~Entry() = default;

   private:
    friend class Sweeper;
    /// Called with `deadline` set back to never. May remove this entry, no other.
    virtual void on_deadline() = 0;
    /// Called with `watched_from` set back to never. May remove this entry, no other.
    virtual void on_hangup() = 0;
    std::size_t index_ = 0;
  };

  Sweeper(boost::asio::io_context& io, std::chrono::milliseconds period) : timer_(std::in_place, io), period_(period) {}
  void add(Entry& entry);
  void remove(Entry& entry);
  /// Looks at nothing any more and lets go of the io loop. Entries may still be added and removed.
  void stop() { timer_.reset(); }
  const std::vector<Entry*>& entries() const { return entries_; }
  std::chrono::milliseconds period() const { return period_; }

 private:
  void arm();
  void sweep();
  void poll_watched();

  std::optional<boost::asio::steady_timer> timer_;
  std::chrono::milliseconds period_;
  std::vector<Entry*> entries_;
  std::vector<pollfd> polled_;
  std::vector<Entry*> polled_entries_;
  bool is_armed_ = false;
};

}  // namespace volan::net
