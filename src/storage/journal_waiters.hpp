/// Who waits for a commit: coroutines, resumed on their own executors, and blocked threads. Private to storage.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "core/task.hpp"

namespace volan::storage {

using AppendResult = core::Result<std::uint64_t>;

/// One waiting caller.
class JournalWaiter {
 public:
  virtual ~JournalWaiter() = default;
  /// Called once; a coroutine's on its executor.
  virtual void complete(AppendResult result) = 0;
  /// Where complete() must run; empty = anywhere.
  boost::asio::any_io_executor executor;
};

/// A suspended coroutine.
template <class Handler>
class CoroutineWaiter final : public JournalWaiter {
 public:
  explicit CoroutineWaiter(Handler handler) : handler_(std::move(handler)) { executor = boost::asio::get_associated_executor(handler_); }
  void complete(AppendResult result) override { std::move(handler_)(std::move(result)); }

 private:
  Handler handler_;
};

/// A thread that blocks in wait().
class ThreadWaiter {
 public:
  AppendResult wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
    return std::move(*result_);
  }
  void complete(AppendResult result) {
    std::lock_guard lock(mutex_);
    result_ = std::move(result);
    done_.notify_one();  // under the lock: the waiting thread destroys this object
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<AppendResult> result_;
};

class ThreadWaiterLink final : public JournalWaiter {
 public:
  explicit ThreadWaiterLink(ThreadWaiter& waiter) : waiter_(waiter) {}
  void complete(AppendResult result) override { waiter_.complete(std::move(result)); }

 private:
  ThreadWaiter& waiter_;
};

/// Collects the callers of a commit with their results and resumes them: one post per event loop, however many wait on it.
class JournalResumer {
 public:
  void add(std::unique_ptr<JournalWaiter> waiter, AppendResult result);
  void resume_all();

  struct Resumption {
    std::unique_ptr<JournalWaiter> waiter;
    AppendResult result;
  };

 private:
  struct Batch {
    boost::asio::any_io_executor executor;
    std::vector<Resumption> resumptions;
  };
  std::vector<Batch> batches_;
};

}  // namespace volan::storage
