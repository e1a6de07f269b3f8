/// What the tests of this module share: a journal, a recorder and a trace store on a temporary folder, with a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/file.hpp"
#include "core/pools.hpp"
#include "trace/recorder.hpp"
#include "trace/store.hpp"

namespace volan::trace::testing {

constexpr std::int64_t ms_ns = 1'000'000;
constexpr std::int64_t second_ns = 1'000 * ms_ns;
constexpr std::int64_t hour_ns = 3'600 * second_ns;
constexpr std::int64_t day_ns = 24 * hour_ns;

/// Runs a coroutine on an io loop and blocks until it ends.
template <class T>
core::Result<T> run(core::Pools& pools, core::Task<T> task) {
  return boost::asio::co_spawn(pools.io(0), std::move(task), boost::asio::use_future).get();
}

class TraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto created = core::TempFolder::create("volan-trace");
    ASSERT_TRUE(created.has_value());
    folder.emplace(std::move(*created));
    options.columns.file = folder->file("traces.duckdb");
    open();
  }
  void TearDown() override { close(); }
  void close() {
    recorder.reset();
    store.reset();
    journal.reset();
  }
  /// Also opens everything again, as after a restart.
  void open() {
    close();
    auto opened_journal = storage::Journal::open({.file = folder->file("journal.db")}, metrics);
    ASSERT_TRUE(opened_journal.has_value()) << core::to_text(opened_journal.error());
    journal = std::move(*opened_journal);
    auto opened = TraceStore::open(options, *journal, clock, log, metrics);
    ASSERT_TRUE(opened.has_value()) << core::to_text(opened.error());
    store = std::move(*opened);
    recorder = std::make_unique<Recorder>(*journal, clock, &metrics, &store->live());
  }
  void flush() {
    const auto done = run(pools, recorder->flush());
    ASSERT_TRUE(done.has_value()) << core::to_text(done.error());
  }
  /// Records a finished root span of project "p" that began `ago_ns` before now; returns its trace id.
  std::string add(Span span, std::int64_t ago_ns = second_ns, std::int64_t took_ns = 100 * ms_ns) {
    if (span.trace_id.empty()) span.trace_id = core_id();
    if (span.span_id.empty()) span.span_id = core_id().substr(16);
    if (span.project.empty()) span.project = "p";
    if (span.name.empty()) span.name = "chat";
    if (span.status == SpanStatus::running) span.status = SpanStatus::ok;
    span.start = {clock.now().ns - ago_ns};
    span.end = core::Time{span.start.ns + took_ns};
    const std::string id = span.trace_id;
    EXPECT_TRUE(recorder->record(span).has_value());
    return id;
  }
  std::vector<std::string> ids(const TraceFilter& filter = {}, std::int64_t limit = 200, const std::string& project = "p") {
    flush();
    const auto page = store->list(project, filter, limit, {});
    EXPECT_TRUE(page.has_value()) << core::to_text(page.error());
    std::vector<std::string> found;
    if (page)
      for (const TraceSummary& trace : page->traces) found.push_back(trace.id);
    return found;
  }
  /// 32 hex digits that count up, so that a failure is readable.
  std::string core_id() {
    std::string digits = std::to_string(++ids_made_);
    return std::string(32 - digits.size(), '0').replace(0, 1, "a") + digits;
  }

  core::Pools pools{{.io = 1, .compute = 1, .disk = 2}};
  core::ManualClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  TraceStoreOptions options;
  std::optional<core::TempFolder> folder;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<TraceStore> store;
  std::unique_ptr<Recorder> recorder;

 private:
  int ids_made_ = 0;
};

}  // namespace volan::trace::testing
