// Cost of a span: encoding it, and its way into the journal and to the first query that sees it.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "trace/bounds.hpp"
#include "trace/recorder.hpp"
#include "trace/rows.hpp"
#include "trace/span_entry.hpp"
#include "trace/store.hpp"

namespace volan::trace {
namespace {

/// 17 attributes, about 790 bytes in all: the span of performance goals.
Span typical_span() {
  Span span;
  span.trace_id = core::new_id();
  span.span_id = core::new_span_id();
  span.project = "default";
  span.name = "chat smollm2";
  span.kind = SpanKind::llm;
  span.status = SpanStatus::ok;
  span.start = core::SystemClock().now();
  span.end = core::Time{span.start.ns + 1'000'000};
  span.app = "twin";
  span.model = "smollm2-135m-instruct";
  span.prompt_tokens = 345;
  span.completion_tokens = 67;
  span.input.text = R"([{"role":"user","content":"What is a stream buffer and when do I need one of my own?"}])";
  span.output.text = R"("A stream buffer is the part of a stream that moves the bytes.")";
  for (int i = 0; i < 17; ++i) span.attributes["gen_ai.attribute." + std::to_string(i)].text = "\"value " + std::to_string(i) + "\"";
  return span;
}

void encode(benchmark::State& state) {
  const Span span = typical_span();
  std::size_t bytes = 0;
  for (auto _ : state) {
    if (!is_within_bounds(span)) state.SkipWithError("out of bounds");
    const std::string body = encode_span(span);
    benchmark::DoNotOptimize(body.data());
    bytes = body.size();
  }
  state.counters["bytes_per_span"] = static_cast<double>(bytes);
}
BENCHMARK(encode);

void decode_into_rows(benchmark::State& state) {
  const std::string body = encode_span(typical_span());
  for (auto _ : state) {
    auto span = decode_span(span_entry_version, body);
    auto summary = trace_row(*span);
    auto row = span_row(*std::move(span));
    benchmark::DoNotOptimize(row.data());
    benchmark::DoNotOptimize(summary.data());
  }
}
BENCHMARK(decode_into_rows);

struct Server {
  Server() : folder(core::TempFolder::create("volan-trace-bench").value()) {
    journal = storage::Journal::open({.file = folder.file("journal.db")}, metrics).value();
    TraceStoreOptions options;
    options.columns.file = folder.file("traces.duckdb");
    store = TraceStore::open(std::move(options), *journal, clock, log, metrics).value();
  }
  core::TempFolder folder;
  core::SystemClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<TraceStore> store;
};

std::vector<storage::JournalEntry> batch_of(std::int64_t spans) {
  static const Span typical = typical_span();
  std::vector<storage::JournalEntry> entries;
  entries.reserve(static_cast<std::size_t>(spans));
  Span span = typical;
  for (std::int64_t i = 0; i < spans; ++i) {
    span.trace_id = core::new_id();
    entries.push_back({.kind = span_entry_kind, .version = span_entry_version, .body = encode_span(span)});
  }
  return entries;
}

/// Encoding a batch and waiting for its commit, one writer.
void intake_to_journal(benchmark::State& state) {
  Server server;
  for (auto _ : state) {
    const auto done = server.journal->append_and_wait(batch_of(state.range(0)));
    if (!done) state.SkipWithError(core::to_text(done.error()).c_str());
  }
  state.counters["spans/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(intake_to_journal)->Arg(1)->Arg(100)->Arg(500)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// The same until a list shows the newest of them.
void intake_to_queryable(benchmark::State& state) {
  Server server;
  for (auto _ : state) {
    const auto done = server.journal->append_and_wait(batch_of(state.range(0)));
    const auto page = server.store->list("default", {}, 1, {});
    if (!done || !page || page->traces.empty()) state.SkipWithError("not visible");
  }
  state.counters["spans/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(intake_to_queryable)->Arg(1)->Arg(100)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// 100,000 traces of four spans on disk, one trace every 100 ms; ids as the recorder makes them.
struct Filled : Server {
  static constexpr std::int64_t traces = 100'000;
  Filled() {
    const Span typical = typical_span();
    const std::int64_t now_ns = typical.start.ns;
    std::vector<storage::JournalEntry> entries;
    for (std::int64_t i = 0; i < traces; ++i) {
      Span span = typical;
      span.start = {now_ns - (traces - i) * 100'000'000};
      span.trace_id = fmt::format("{:012x}{:020x}", span.start.ns / 1'000'000, i);
      if (i == traces / 2) some_id = span.trace_id;
      span.app = i % 10 ? "twin" : "rare";
      const std::string root_id = core::new_span_id();
      for (int n = 0; n < 4; ++n) {
        span.span_id = n ? core::new_span_id() : root_id;
        span.parent_id = n ? root_id : std::string();
        span.end = core::Time{span.start.ns + (i % 1000) * 1'000'000};
        entries.push_back({.kind = span_entry_kind, .version = span_entry_version, .body = encode_span(span)});
      }
      if (entries.size() < 4000 && i + 1 < traces) continue;
      if (!journal->append_and_wait(std::exchange(entries, {}))) std::abort();
    }
    if (!store->columns().move_now()) std::abort();
  }
  std::string some_id;
};
Filled& filled() {
  static Filled server;
  return server;
}

void shortest_query(benchmark::State& state) {
  filled();
  for (auto _ : state)
    if (!filled().store->columns().query("SELECT 1")) state.SkipWithError("failed");
}
BENCHMARK(shortest_query)->UseRealTime()->Unit(benchmark::kMillisecond);

void list_newest(benchmark::State& state) {
  for (auto _ : state)
    if (const auto page = filled().store->list("default", {}, 50, {}); !page || page->traces.size() != 50) state.SkipWithError("not 50");
}
void list_filtered(benchmark::State& state) {
  const TraceFilter filter{.app = "rare", .duration_ms_min = 900.0};
  for (auto _ : state)
    if (const auto page = filled().store->list("default", filter, 50, {}); !page || page->traces.size() != 50)
      state.SkipWithError("not 50");
}
void list_by_text_of_an_hour(benchmark::State& state) {
  const TraceFilter filter{.text_contains = "stream buffer", .from = core::Time{core::SystemClock().now().ns - 3'600'000'000'000}};
  for (auto _ : state)
    if (const auto page = filled().store->list("default", filter, 50, {}); !page || page->traces.size() != 50)
      state.SkipWithError("not 50");
}
void tree_by_id(benchmark::State& state) {
  for (auto _ : state)
    if (const auto tree = filled().store->tree("default", filled().some_id); !tree || tree->spans.size() != 4) state.SkipWithError("not 4");
}
void stats_of_a_day(benchmark::State& state) {
  const core::Time now = core::SystemClock().now();
  for (auto _ : state)
    if (const auto stats = filled().store->stats("default", {now.ns - 86'400'000'000'000}, now); !stats || stats->traces == 0)
      state.SkipWithError("none");
}
BENCHMARK(list_newest)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(list_filtered)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(list_by_text_of_an_hour)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(tree_by_id)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(stats_of_a_day)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace volan::trace

BENCHMARK_MAIN();
