// Column store: rows per second from the journal to disk, and the time of small queries beside a tail.
// Sketch: a row of 17 columns costs 20 calls of the appender (about 1 us), its copy to disk is columnar (1 to 2 us, compression).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/file.hpp"
#include "core/process.hpp"
#include "storage/column_store.hpp"

namespace {

using namespace volan;
using namespace volan::storage;

TableSpec span_table() {
  TableSpec table{.name = "span", .columns = {{"id", ColumnType::text}, {"start_ns", ColumnType::integer}}};
  for (int i = 0; i < 6; ++i) table.columns.push_back({fmt::format("text{}", i), ColumnType::text});
  for (int i = 0; i < 6; ++i) table.columns.push_back({fmt::format("n{}", i), ColumnType::integer});
  table.columns.push_back({"input", ColumnType::text});
  return table;
}

core::Result<> map_span(std::uint64_t position, const JournalEntry& entry, const std::function<void(std::size_t, ColumnRow)>& emit) {
  ColumnRow row{fmt::format("{:032x}", position), static_cast<std::int64_t>(position)};
  for (int i = 0; i < 6; ++i) row.emplace_back(fmt::format("value {}", (position * 7) % 50));
  for (int i = 0; i < 6; ++i) row.emplace_back(static_cast<std::int64_t>(position) * i % 1'000);
  row.emplace_back(entry.body);
  emit(0, std::move(row));
  return {};
}

struct Bench {
  core::Metrics metrics;
  core::Log log{core::LogLevel::error};
  core::TempFolder folder = std::move(*core::TempFolder::create("volan-bench"));
  std::unique_ptr<Journal> journal = std::move(*Journal::open({.file = folder.file("journal.db")}, metrics));
  std::unique_ptr<ColumnStore> store = std::move(*ColumnStore::open({.file = folder.file("traces.duckdb"), .rows_per_move = 10'000'000, .bytes_per_move = 1ull << 40,
                                                                     .move_interval_ms = 3'600'000, .tail_rows_max = 10'000'000},
                                                                    {span_table()}, *journal, map_span, log, metrics));
  void append(int rows) {
    for (int i = 0; i < rows; ++i) (void)journal->append_later({.kind = 1, .body = fmt::format("{}{}", i, std::string(400, 'x'))});
    (void)journal->append_and_wait({});
  }
};

/// From append to disk: journal, mapping, tail, move.
void intake_to_disk(benchmark::State& state) {
  Bench bench;
  constexpr int rows = 122'880;
  for (auto _ : state) {
    bench.append(rows);
    auto moved = bench.store->move_now();
    if (!moved) state.SkipWithError(moved.error().message.c_str());
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["rss_mb"] = static_cast<double>(core::own_resident_bytes()) / 1e6;
}
BENCHMARK(intake_to_disk)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A query right after an append: the price of reading one's own writes.
void query_after_append(benchmark::State& state) {
  Bench bench;
  bench.append(static_cast<int>(state.range(0)));
  if (state.range(1) != 0) (void)bench.store->move_now();
  std::int64_t position = 1;
  for (auto _ : state) {
    bench.append(1);
    auto rows = bench.store->query("SELECT * FROM span WHERE id = ?", {fmt::format("{:032x}", position++)});
    if (!rows || rows->size() != 1) state.SkipWithError("the row is not there");
  }
}
BENCHMARK(query_after_append)->ArgNames({"rows", "on_disk"})->Args({20'000, 0})->Args({20'000, 1})->Args({500'000, 1})->Unit(benchmark::kMillisecond)->UseRealTime();

void open_with_replay(benchmark::State& state) {
  Bench bench;
  bench.append(20'000);
  bench.store.reset();
  for (auto _ : state) {
    auto opened = ColumnStore::open({.file = bench.folder.file("traces.duckdb")}, {span_table()}, *bench.journal, map_span, bench.log, bench.metrics);
    if (!opened) state.SkipWithError("cannot open");
  }
}
BENCHMARK(open_with_replay)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
