/// Runs a coroutine from a thread outside the io pool and waits for its result: for the command line and the demo.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <future>

#include "core/pools.hpp"
#include "core/task.hpp"

namespace volan::app {

/// Blocks. Must not be called on an io thread.
template <class T>
core::Result<T> run_blocking(core::Pools& pools, core::Task<T> task) {
  std::promise<core::Result<T>> promise;
  auto future = promise.get_future();
  boost::asio::co_spawn(pools.next_io(), std::move(task), [&promise](std::exception_ptr thrown, core::Result<T> result) {
    if (thrown) promise.set_exception(thrown);
    else promise.set_value(std::move(result));
  });
  return future.get();
}

}  // namespace volan::app
