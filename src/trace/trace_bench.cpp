// Cost of a span: encoding it, and its way into the journal and to the first query that sees it.
#include <benchmark/benchmark.h>

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
    const auto span = decode_span(span_entry_version, body);
    auto row = span_row(*span);
    auto summary = trace_row(*span);
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

}  // namespace
}  // namespace volan::trace

BENCHMARK_MAIN();
