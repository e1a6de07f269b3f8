// Goal: work moves between pools and comes back to its loop; blocking an io thread aborts. Method: coroutines on real pools.
#include "core/pools.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "core/periodic.hpp"
#include "core/task.hpp"

namespace volan::core {
namespace {

std::string thread_name() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

Task<std::vector<std::string>> visit_all(Pools& pools) {
  std::vector<std::string> names{thread_name()};
  VOLAN_CO_TRY(auto compute, co_await pools.on_compute([] { return Result<std::string>(thread_name()); }));
  names.push_back(std::move(compute));
  names.push_back(thread_name());
  VOLAN_CO_TRY(auto disk, co_await pools.on_disk([]() -> Result<std::string> {
    assert_may_block();
    return thread_name();
  }));
  names.push_back(std::move(disk));
  names.push_back(thread_name());
  co_return names;
}

Task<int> fails(Pools& pools) {
  VOLAN_CO_TRY(auto value, co_await pools.on_disk([]() -> Result<int> { return fail(ErrorCode::not_found, "nothing"); }));
  co_return value;
}

TEST(Pools, MovesWorkAndResumesOnTheSameLoop) {
  Pools pools({.io = 2, .compute = 2, .disk = 1});
  const auto names = boost::asio::co_spawn(pools.io(1), visit_all(pools), boost::asio::use_future).get();
  ASSERT_TRUE(names);
  EXPECT_EQ((*names)[0], "volan-io-1");
  EXPECT_EQ((*names)[1].substr(0, 14), "volan-compute-");
  EXPECT_EQ((*names)[2], "volan-io-1");
  EXPECT_EQ((*names)[3], "volan-disk-0");
  EXPECT_EQ((*names)[4], "volan-io-1");
}

TEST(Pools, PassesErrorsOn) {
  Pools pools({.io = 1, .compute = 1, .disk = 1});
  const auto result = boost::asio::co_spawn(pools.io(0), fails(pools), boost::asio::use_future).get();
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
}

TEST(Pools, HandsOutLoopsInTurn) {
  Pools pools({.io = 2, .compute = 1, .disk = 1});
  EXPECT_EQ(pools.io_count(), 2u);
  boost::asio::io_context& first = pools.next_io();
  EXPECT_NE(&first, &pools.next_io());
  EXPECT_EQ(&first, &pools.next_io());
}

TEST(Pools, EndsWhileCoroutinesStillWait) {
  std::promise<void> begun;
  std::promise<void> may_end;
  {
    Pools pools({.io = 1, .compute = 1, .disk = 1});
    boost::asio::co_spawn(pools.io(0), pools.on_disk([&begun, end = may_end.get_future().share()] {
      begun.set_value();
      end.wait();
      return Result<int>(1);
    }),
                          [](std::exception_ptr, Result<int>) {});
    begun.get_future().wait();
    pools.stop();
    pools.stop();
    may_end.set_value();
  }  // joins the job and drops the coroutine that waits for it
}

TEST(PoolsDeathTest, AbortsWhenAnIoThreadWouldBlock) {
  EXPECT_DEATH(
      {
        Pools pools({.io = 1, .compute = 1, .disk = 1});
        std::promise<void> never;
        boost::asio::post(pools.io(0), [] { assert_may_block(); });
        never.get_future().wait();
      },
      "never to an io thread");
}

TEST(Periodic, RepeatsUntilItsScopeEnds) {
  std::promise<void> third;
  int calls = 0;
  {
    const Periodic work(std::chrono::milliseconds(1), [&] {
      if (++calls == 3) third.set_value();
    });
    third.get_future().wait();
  }
  EXPECT_GE(calls, 3);
  const Periodic never(std::chrono::hours(1), [] { FAIL(); });
}

}  // namespace
}  // namespace volan::core
