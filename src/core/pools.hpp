/// Threads: io threads (one event loop each), a compute pool and a disk pool, and how a coroutine moves work between them.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/result.hpp"

namespace volan::core {

/// Aborts when called on an io thread. First line of every function that blocks (files, databases, child processes).
void assert_may_block();

/// Marks the calling thread as an io thread for assert_may_block(). Pools does it for its own threads.
void mark_io_thread();

struct PoolSizes {
  std::size_t io = 0;       ///< 0 = one per core
  std::size_t compute = 0;  ///< 0 = one per core
  std::size_t disk = 4;
};

/// Owns the threads of the process. Thread-safe. Built first and destroyed last, by app/wiring.cpp and by tests.
/// Example: `auto rows = co_await pools.on_disk([&] { return store.read(id); });`
class Pools {
 public:
  explicit Pools(PoolSizes sizes = {});
  ~Pools();  // stop() and join
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  /// One event loop per io thread; index < io_count(). A connection stays on one of them, so its state needs no mutex.
  boost::asio::io_context& io(std::size_t index) { return *io_[index]; }
  std::size_t io_count() const { return io_.size(); }
  /// The next io loop, round robin.
  boost::asio::io_context& next_io();

  /// Runs `work` (a callable returning a movable value, usually Result<T>) in the compute pool and resumes on the caller's executor.
  /// For more than about 1 ms of processor work. `work` must not throw.
  template <class F>
  boost::asio::awaitable<std::invoke_result_t<F>> on_compute(F work) {
    co_return co_await run_in(compute_, std::move(work));
  }
  /// The same in the disk pool, for everything that blocks on files or databases.
  template <class F>
  boost::asio::awaitable<std::invoke_result_t<F>> on_disk(F work) {
    co_return co_await run_in(disk_, std::move(work));
  }
  boost::asio::thread_pool& compute() { return compute_; }
  boost::asio::thread_pool& disk() { return disk_; }

  /// Stops the io loops: no handler runs any more. Idempotent.
  void stop();

 private:
  template <class F>
  static boost::asio::awaitable<std::invoke_result_t<F>> run_in(boost::asio::thread_pool& pool, F work) {
    using R = std::invoke_result_t<F>;
    static_assert(!std::is_void_v<R>, "return a Result<>, so that failures are seen");
    auto initiate = [&pool](auto handler, F job) {
      auto back = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
      boost::asio::post(pool, [handler = std::move(handler), job = std::move(job), back = std::move(back)]() mutable {
        R value = job();
        boost::asio::post(back.get_executor(),
                          [handler = std::move(handler), value = std::move(value)]() mutable { std::move(handler)(std::move(value)); });
      });
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(R)>(
        std::move(initiate), boost::asio::use_awaitable, std::move(work));
  }

  std::vector<std::unique_ptr<boost::asio::io_context>> io_;
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
  boost::asio::thread_pool compute_;
  boost::asio::thread_pool disk_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace volan::core
