// Kill -9 at random moments while traces are recorded and moved to disk: after each restart every acknowledged trace is there exactly once.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>

#include "core/ids.hpp"
#include "trace/testing.hpp"

namespace volan::trace {
namespace {

/// A journal, a store that moves often, and a recorder on `folder`; as in the server.
struct Server {
  explicit Server(const std::string& folder) {
    auto opened_journal = storage::Journal::open({.file = folder + "/journal.db"}, metrics);
    if (!opened_journal) return;
    journal = std::move(*opened_journal);
    TraceStoreOptions options;
    options.columns.file = folder + "/traces.duckdb";
    options.columns.rows_per_move = 64;
    options.columns.move_interval_ms = 5;
    auto opened = TraceStore::open(std::move(options), *journal, clock, log, metrics);
    if (!opened) return;
    store = std::move(*opened);
    recorder = std::make_unique<Recorder>(*journal, clock, &metrics);
  }
  core::Pools pools{{.io = 1, .compute = 1, .disk = 1}};
  core::SystemClock clock;
  core::Log log{core::LogLevel::off};
  core::Metrics metrics;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<TraceStore> store;
  std::unique_ptr<Recorder> recorder;
};

/// The child: records traces of three spans until it is killed, and writes an id to `acknowledged` after its commit.
[[noreturn]] void record_until_killed(const std::string& folder, int acknowledged) {
  Server server(folder);
  while (server.recorder) {
    auto root = server.recorder->start({.project = "p", .name = "chat"});
    if (!root) break;
    for (const char* name : {"search", "answer"}) {
      auto inner = server.recorder->start_inner({.trace_id = root->trace_id(), .parent_id = root->span_id(), .project = "p", .name = name});
      if (!inner.end()) ::_exit(1);
    }
    if (!root->end() || !testing::run(server.pools, server.recorder->flush())) break;
    if (::write(acknowledged, root->trace_id().data(), 32) != 32) break;
  }
  ::_exit(1);
}

TEST(TraceCrash, KeepsEveryAcknowledgedTraceExactlyOnce) {
  constexpr int rounds = 8;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto folder = core::TempFolder::create("volan-trace-crash");
  ASSERT_TRUE(folder.has_value());
  std::set<std::string> acknowledged;

  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_until_killed(folder->path(), ends[1]);
    ::close(ends[1]);
    // The moment is a random number of acknowledgements, after which the child is somewhere in its next steps.
    const int wanted = 1 + static_cast<int>(random() % 200);
    char id[32];
    for (int n = 0;; ++n) {
      ssize_t got = 0;
      while (got < 32) {
        const ssize_t more = ::read(ends[0], id + got, static_cast<std::size_t>(32 - got));
        if (more <= 0) break;
        got += more;
      }
      if (got < 32) break;
      acknowledged.insert(std::string(id, 32));
      if (n == wanted) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not record";

    Server server(folder->path());
    ASSERT_TRUE(server.recorder) << "no repair by hand";
    std::multiset<std::string> listed;
    std::optional<std::string> after;
    do {
      const auto page = server.store->list("p", {}, 200, after);
      ASSERT_TRUE(page.has_value()) << core::to_text(page.error());
      for (const auto& trace : page->traces) {
        listed.insert(trace.id);
        const bool is_whole = trace.status == ViewStatus::ok;
        EXPECT_TRUE(is_whole || (trace.status == ViewStatus::interrupted && !acknowledged.contains(trace.id))) << trace.id;
      }
      after = page->next;
    } while (after);
    for (const std::string& one : acknowledged) EXPECT_EQ(listed.count(one), 1u) << one;
    const auto rows = server.store->columns().query("SELECT trace_id, count(*), count(DISTINCT span_id) FROM spans GROUP BY trace_id");
    ASSERT_TRUE(rows.has_value()) << core::to_text(rows.error());
    for (const auto& row : *rows) {
      if (!acknowledged.contains(row.text(0))) continue;
      EXPECT_EQ(row.integer(1), 4) << "a start, two inner ends, an end";
      EXPECT_EQ(row.integer(2), 3);
    }
  }
}

}  // namespace
}  // namespace volan::trace
