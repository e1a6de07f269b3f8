#include "core/pools.hpp"

#include <pthread.h>

#include <algorithm>
#include <latch>
#include <string>

namespace volan::core {
namespace {

thread_local bool is_io_thread = false;

std::size_t cores() { return std::max(1u, std::thread::hardware_concurrency()); }

/// Linux keeps 15 bytes of a thread's name.
void name_this_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

/// Names all threads of a pool: each of the posted jobs waits for the others, so every thread takes exactly one.
void name_threads(boost::asio::thread_pool& pool, std::size_t count, const char* prefix) {
  // Shared by the jobs and this function: whoever is woken last still looks at it.
  const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(count) + 1);
  for (std::size_t i = 0; i < count; ++i) {
    boost::asio::post(pool, [all, prefix, i] {
      name_this_thread(prefix + std::to_string(i));
      all->arrive_and_wait();
    });
  }
  all->arrive_and_wait();
}

PoolSizes with_defaults(PoolSizes sizes) {
  if (sizes.io == 0) sizes.io = cores();
  if (sizes.compute == 0) sizes.compute = cores();
  if (sizes.disk == 0) sizes.disk = 1;
  return sizes;
}

}  // namespace

void mark_io_thread() { is_io_thread = true; }

void assert_may_block() { VOLAN_CHECK(!is_io_thread, "blocking work belongs to the compute or disk pool, never to an io thread"); }

Pools::Pools(PoolSizes sizes) : compute_(with_defaults(sizes).compute), disk_(with_defaults(sizes).disk) {
  sizes = with_defaults(sizes);
  name_threads(compute_, sizes.compute, "volan-compute-");
  name_threads(disk_, sizes.disk, "volan-disk-");
  for (std::size_t i = 0; i < sizes.io; ++i) {
    io_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(*io_.back()));
  }
  for (std::size_t i = 0; i < sizes.io; ++i) {
    threads_.emplace_back([&loop = *io_[i], i] {
      name_this_thread("volan-io-" + std::to_string(i));
      mark_io_thread();
      loop.run();
    });
  }
}

Pools::~Pools() {
  stop();
  for (auto& thread : threads_) thread.join();
  // Jobs that have begun finish; those still queued are dropped together with the coroutines that wait for them.
  compute_.stop();
  disk_.stop();
  compute_.join();
  disk_.join();
}

boost::asio::io_context& Pools::next_io() { return *io_[next_.fetch_add(1, std::memory_order_relaxed) % io_.size()]; }

void Pools::stop() {
  for (auto& loop : io_) loop->stop();
}

}  // namespace volan::core
