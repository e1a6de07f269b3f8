// Journal: entries per second and processor time per entry, one caller and many, threads and coroutines.
// Sketch: an entry of 1 kB is one copy and one CRC (0.1 us), 1.3 pages of 4 KiB in the log (two system calls and a checksum each, about
// 3 us); a commit is one fdatasync (0.2 to 0.4 ms), shared by all that wait. A caller costs a wake-up.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <latch>
#include <thread>

#include "core/file.hpp"
#include "storage/journal.hpp"

namespace {

using namespace volan;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A journal in a temporary folder of the current directory's disk; trimmed by a thread of its own, as the column store does.
struct Bench {
  core::Metrics metrics;
  core::TempFolder folder = std::move(*core::TempFolder::create("volan-bench"));
  std::unique_ptr<storage::Journal> journal = std::move(*storage::Journal::open({.file = folder.file("journal.db")}, metrics));
  double cpu = cpu_seconds();

  void report(benchmark::State& state, std::int64_t entries) {
    state.SetItemsProcessed(entries);
    state.counters["cpu_us_per_entry"] = (cpu_seconds() - cpu) * 1e6 / static_cast<double>(entries);
    state.counters["entries_per_commit"] = static_cast<double>(journal->stats().entries) / static_cast<double>(journal->stats().commits);
  }
};

void append_blocking(benchmark::State& state) {
  Bench bench;
  const auto threads = static_cast<int>(state.range(0));
  const auto bytes = static_cast<std::size_t>(state.range(1));
  const int each = 20'000 / threads;
  std::int64_t entries = 0;
  for (auto _ : state) {
    std::vector<std::thread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < each; ++i) (void)bench.journal->append_and_wait({{.kind = 1, .body = std::string(bytes, 'x')}});
      });
    }
    for (auto& caller : callers) caller.join();
    entries += threads * each;
    state.PauseTiming();
    (void)bench.journal->trim(bench.journal->last_position());
    state.ResumeTiming();
  }
  bench.report(state, entries);
}
BENCHMARK(append_blocking)->ArgNames({"threads", "bytes"})->Args({1, 1000})->Args({16, 1000})->Args({64, 1000})->Unit(benchmark::kMillisecond)->UseRealTime();

core::Task<> append_often(storage::Journal& journal, int times, std::size_t bytes, std::latch& done) {
  for (int i = 0; i < times; ++i) {
    std::vector<storage::JournalEntry> entries(1);
    entries[0].body.assign(bytes, 'x');
    auto appended = co_await journal.append(std::move(entries));
    if (!appended) break;
  }
  done.count_down();
  co_return core::Result<>{};
}

void append_coroutines(benchmark::State& state) {
  Bench bench;
  core::Pools pools({.io = 2, .compute = 1, .disk = 1});
  const auto callers = static_cast<int>(state.range(0));
  const auto bytes = static_cast<std::size_t>(state.range(1));
  const int each = std::max(20'000 / callers / (bytes > 10'000 ? 10 : 1), 1);
  std::int64_t entries = 0;
  for (auto _ : state) {
    std::latch done(callers);
    for (int c = 0; c < callers; ++c)
      boost::asio::co_spawn(pools.next_io(), append_often(*bench.journal, each, bytes, done), boost::asio::detached);
    done.wait();
    entries += callers * each;
    state.PauseTiming();
    (void)bench.journal->trim(bench.journal->last_position());
    state.ResumeTiming();
  }
  bench.report(state, entries);
}
BENCHMARK(append_coroutines)
    ->ArgNames({"callers", "bytes"})
    ->Args({1, 1000})
    ->Args({16, 1000})
    ->Args({64, 1000})
    ->Args({512, 1000})
    ->Args({64, 65'000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Time of each single append while a second thread appends 65 kB records as fast as it can: what a checkpoint does to others.
void append_latency_under_load(benchmark::State& state) {
  Bench bench;
  std::atomic<bool> is_done{false};
  std::thread load([&] {
    while (!is_done) (void)bench.journal->append_and_wait({{.kind = 1, .body = std::string(65'000, 'x')}});
  });
  std::vector<double> times;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    (void)bench.journal->append_and_wait({{.kind = 1, .body = std::string(1'000, 'x')}});
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  is_done = true;
  load.join();
  std::sort(times.begin(), times.end());
  state.counters["p50_ms"] = times[times.size() / 2];
  state.counters["p99_ms"] = times[times.size() * 99 / 100];
  state.counters["max_ms"] = times.back();
}
BENCHMARK(append_latency_under_load)->Unit(benchmark::kMillisecond)->Iterations(5'000)->UseRealTime();

void replay(benchmark::State& state) {
  Bench bench;
  for (int i = 0; i < 100'000; ++i) (void)bench.journal->append_later({.kind = 1, .body = std::string(1'000, 'x')});
  (void)bench.journal->append_and_wait({});
  for (auto _ : state) {
    std::size_t bytes = 0;
    (void)bench.journal->replay(0, [&](std::uint64_t, storage::JournalEntry&& entry) -> core::Result<> {
      bytes += entry.body.size();
      return {};
    });
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(replay)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
