// Tests of the journal: what was acknowledged is there exactly once, whatever happens to the process, and errors say what to do.
#include "storage/journal.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <latch>
#include <map>
#include <thread>

#include "core/file.hpp"
#include "storage/journal_file.hpp"

namespace volan::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using core::ErrorCode;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = core::TempFolder::create("volan-journal");
    ASSERT_TRUE(folder) << core::to_text(folder.error());
    folder_ = std::move(*folder);
    options.file = folder_->file("journal.db");
    open();
  }
  void open() {
    journal.reset();
    auto opened = Journal::open(options, metrics);
    ASSERT_TRUE(opened) << core::to_text(opened.error());
    journal = std::move(*opened);
  }
  /// position -> body of everything after `after`.
  std::map<std::uint64_t, std::string> read(std::uint64_t after = 0) {
    std::map<std::uint64_t, std::string> entries;
    auto done = journal->replay(after, [&](std::uint64_t position, JournalEntry&& entry) -> core::Result<> {
      EXPECT_TRUE(entries.emplace(position, std::move(entry.body)).second) << "position " << position << " twice";
      return {};
    });
    EXPECT_TRUE(done) << core::to_text(done.error());
    return entries;
  }
  std::uint64_t append(std::string body) {
    auto done = journal->append_and_wait({{.kind = 7, .body = std::move(body)}});
    EXPECT_TRUE(done) << core::to_text(done.error());
    return done ? *done : 0;
  }
  /// SQL on the file behind the journal's back.
  void edit(const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(options.file.c_str(), &handle), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(handle);
  }

  core::Metrics metrics;
  JournalOptions options;
  std::unique_ptr<Journal> journal;
  std::optional<core::TempFolder> folder_;
};

TEST_F(JournalTest, KeepsEntriesInOrderWithKindAndVersion) {
  auto last = journal->append_and_wait({{.kind = 1, .version = 2, .body = "a"}, {.kind = 3, .body = ""}, {.kind = 65535, .version = 65535, .body = std::string("\0\xff", 2)}});
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, 3u);
  open();
  std::vector<std::tuple<std::uint64_t, int, int, std::string>> seen;
  ASSERT_TRUE(journal->replay(0, [&](std::uint64_t position, JournalEntry&& entry) -> core::Result<> {
    seen.emplace_back(position, entry.kind, entry.version, entry.body);
    return {};
  }));
  EXPECT_THAT(seen, ElementsAre(std::tuple(1u, 1, 2, "a"), std::tuple(2u, 3, 1, ""), std::tuple(3u, 65535, 65535, std::string("\0\xff", 2))));
  EXPECT_EQ(append("next"), 4u);
}

TEST_F(JournalTest, ReplaysOnlyWhatLiesBehindAPositionEvenInsideOfAGroup) {
  ASSERT_TRUE(journal->append_and_wait({{.body = "1"}, {.body = "2"}, {.body = "3"}, {.body = "4"}}));
  append("5");
  EXPECT_THAT(read(2), ElementsAre(std::pair(3u, "3"), std::pair(4u, "4"), std::pair(5u, "5")));
  EXPECT_THAT(read(5), ElementsAre());
  EXPECT_THAT(read(99), ElementsAre());
}

TEST_F(JournalTest, StopsAReplayWithTheErrorOfTheVisitor) {
  append("1");
  auto done = journal->replay(0, [](std::uint64_t, JournalEntry&&) -> core::Result<> { return core::fail(ErrorCode::cancelled, "enough"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::cancelled);
}

// The sink holds the writer after the first commit; 999 entries queue up meanwhile. They must share one transaction.
TEST_F(JournalTest, PutsEverythingThatWaitsIntoOneCommit) {
  std::latch entered(1), release(1);
  journal->set_committed_sink([&](std::uint64_t position, JournalEntry&&) {
    if (position != 1) return;
    entered.count_down();
    release.wait();
  });
  ASSERT_TRUE(journal->append_later({.body = "first"}));
  entered.wait();
  for (int i = 0; i < 999; ++i) ASSERT_TRUE(journal->append_later({.body = "later"}));
  release.count_down();
  append("last");
  const auto stats = journal->stats();
  EXPECT_EQ(stats.entries, 1001u);
  EXPECT_EQ(stats.commits, 2u);
  EXPECT_EQ(stats.waiting_bytes, 0u);
}

TEST_F(JournalTest, RefusesMoreWaitingBytesThanAllowed) {
  options.waiting_bytes_max = 10'000;
  open();
  std::latch entered(1), release(1);
  journal->set_committed_sink([&](std::uint64_t position, JournalEntry&&) {
    if (position != 1) return;
    entered.count_down();
    release.wait();
  });
  ASSERT_TRUE(journal->append_later({.body = "first"}));
  entered.wait();
  core::Result<> refused;
  int accepted = 0;
  while ((refused = journal->append_later({.body = std::string(1'000, 'x')})) && accepted < 100) ++accepted;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_THAT(accepted, ::testing::AllOf(::testing::Ge(8), ::testing::Le(10)));
  release.count_down();
  EXPECT_EQ(append("fits again"), static_cast<std::uint64_t>(accepted) + 2);
  auto too_large = journal->append_later({.body = std::string(10'001, 'x')});
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, ErrorCode::too_large);
}

TEST_F(JournalTest, RefusesEntriesWhileTheIntakeIsHeld) {
  journal->hold_intake("the reader sleeps");
  auto refused = journal->append_and_wait({{.body = "x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(refused.error().message, "the reader sleeps");
  EXPECT_TRUE(journal->append_and_wait({}));  // a flush is no entry
  journal->release_intake();
  EXPECT_EQ(append("x"), 1u);
}

TEST_F(JournalTest, RefusesAnEntryBeyondItsLimit) {
  options.entry_bytes_max = 100;
  open();
  auto refused = journal->append_and_wait({{.body = "small"}, {.body = std::string(101, 'x')}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_TRUE(read().empty());
}

core::Task<> append_and_note(Journal& journal, std::vector<std::pair<std::uint64_t, std::thread::id>>& seen, std::latch& done) {
  std::vector<JournalEntry> entries{{.body = "x"}};
  auto appended = co_await journal.append(std::move(entries));
  if (appended) seen.emplace_back(*appended, std::this_thread::get_id());
  auto flushed = co_await journal.flush();
  if (flushed) seen.emplace_back(*flushed, std::this_thread::get_id());
  done.count_down();
  co_return core::Result<>{};
}

// Coroutines of two event loops append at once; each continues on the thread of its own loop.
TEST_F(JournalTest, ResumesEachCoroutineOnItsOwnExecutor) {
  constexpr int coroutines = 50;
  core::Pools pools({.io = 2, .compute = 1, .disk = 1});
  std::vector<std::pair<std::uint64_t, std::thread::id>> seen[2];
  std::latch done(2 * coroutines);
  for (int i = 0; i < coroutines; ++i)
    for (std::size_t loop : {0u, 1u}) boost::asio::co_spawn(pools.io(loop), append_and_note(*journal, seen[loop], done), boost::asio::detached);
  done.wait();
  for (const auto& list : seen) {
    ASSERT_EQ(list.size(), 2u * coroutines);
    for (const auto& [position, thread] : list) EXPECT_EQ(thread, list.front().second);
  }
  EXPECT_NE(seen[0].front().second, seen[1].front().second);
  EXPECT_EQ(journal->last_position(), 2u * coroutines);
}

core::Task<> expect_refusal(Journal& journal, core::Error& error, std::latch& done) {
  std::vector<JournalEntry> entries{{.body = std::string(1'000, 'x')}};
  auto appended = co_await journal.append(std::move(entries));
  if (!appended) error = appended.error();
  done.count_down();
  co_return core::Result<>{};
}

TEST_F(JournalTest, TellsACoroutineThatItsEntryWasRefused) {
  options.entry_bytes_max = 100;
  open();
  core::Pools pools({.io = 1, .compute = 1, .disk = 1});
  core::Error error;
  std::latch done(1);
  boost::asio::co_spawn(pools.io(0), expect_refusal(*journal, error, done), boost::asio::detached);
  done.wait();
  EXPECT_EQ(error.code, ErrorCode::too_large);
}

// Positions of one thread's entries follow the order of its calls, and no position is missing or given twice.
TEST_F(JournalTest, Serves64ThreadsInOrder) {
  constexpr int threads = 64, each = 20;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([this, t] {
      std::uint64_t before = 0;
      for (int i = 0; i < each; ++i) {
        const auto position = append(std::to_string(t) + ":" + std::to_string(i));
        EXPECT_GT(position, before);
        before = position;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  const auto entries = read();
  ASSERT_EQ(entries.size(), static_cast<std::size_t>(threads * each));
  EXPECT_EQ(entries.begin()->first, 1u);
  EXPECT_EQ(entries.rbegin()->first, static_cast<std::uint64_t>(threads * each));
  std::map<std::string, int> next;
  for (const auto& [position, body] : entries) {
    const auto colon = body.find(':');
    EXPECT_EQ(body.substr(colon + 1), std::to_string(next[body.substr(0, colon)]++));
  }
  EXPECT_LT(journal->stats().commits, static_cast<std::uint64_t>(threads * each) / 2);
}

TEST_F(JournalTest, CallsTheSinkInOrderBeforeTheAppendReturns) {
  std::vector<std::uint64_t> seen;
  journal->set_committed_sink([&](std::uint64_t position, JournalEntry&& entry) {
    seen.push_back(position);
    EXPECT_EQ(entry.body, std::to_string(position));
  });
  append("1");
  EXPECT_THAT(seen, ElementsAre(1u));
  ASSERT_TRUE(journal->append_and_wait({{.body = "2"}, {.body = "3"}}));
  EXPECT_THAT(seen, ElementsAre(1u, 2u, 3u));
  journal->set_committed_sink(nullptr);
  append("4");
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(JournalTest, CommitsWhatWaitsWhenItCloses) {
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(journal->append_later({.body = "x"}));
  open();
  EXPECT_EQ(read().size(), 500u);
}

// --- trim --------------------------------------------------------------------------------------------------------------------------

TEST_F(JournalTest, NeverGivesAPositionTwiceAfterATrim) {
  ASSERT_TRUE(journal->append_and_wait({{.body = "1"}, {.body = "2"}, {.body = "3"}}));
  ASSERT_TRUE(journal->trim(3));
  EXPECT_TRUE(read().empty());
  const std::string id = journal->id();
  open();
  EXPECT_EQ(journal->id(), id);
  EXPECT_EQ(journal->trimmed_position(), 3u);
  EXPECT_EQ(journal->last_position(), 3u);
  EXPECT_EQ(append("4"), 4u);
}

TEST_F(JournalTest, TrimsInTheMiddleOfAGroup) {
  ASSERT_TRUE(journal->append_and_wait({{.body = "1"}, {.body = "2"}, {.body = "3"}}));
  ASSERT_TRUE(journal->trim(2));
  EXPECT_THAT(read(), ElementsAre(std::pair(3u, "3")));
  open();
  EXPECT_THAT(read(), ElementsAre(std::pair(3u, "3")));
  ASSERT_TRUE(journal->trim(1));  // less than before: nothing comes back
  EXPECT_THAT(read(), ElementsAre(std::pair(3u, "3")));
  ASSERT_TRUE(journal->trim(1'000));  // no further than what there is
  EXPECT_EQ(journal->trimmed_position(), 3u);
}

// 24 MB lie in many groups, more than one slice; entries keep coming meanwhile.
TEST_F(JournalTest, TrimsInSlicesWhileEntriesCome) {
  const std::string body(1u << 20, 'x');
  for (int i = 0; i < 24; ++i) ASSERT_TRUE(journal->append_later({.body = body}));
  append("last");
  std::thread trimmer([this] { EXPECT_TRUE(journal->trim(20)); });
  for (int i = 0; i < 20; ++i) append("more");
  trimmer.join();
  const auto entries = read();
  EXPECT_EQ(entries.begin()->first, 21u);
  EXPECT_EQ(entries.size(), 25u);
  edit("SELECT 1");
  open();
  EXPECT_EQ(read().size(), 25u);
}

// The write-ahead log must not grow for as long as entries keep coming: it starts anew after each checkpoint.
TEST_F(JournalTest, KeepsItsLogShortUnderSteadyLoad) {
  const std::string body(256u << 10, 'x');
  std::uintmax_t largest = 0;
  for (int i = 0; i < 400; ++i) {
    append(body);
    largest = std::max(largest, std::filesystem::file_size(options.file + "-wal"));
  }
  EXPECT_LT(largest, 64u << 20);
  EXPECT_EQ(read().size(), 400u);
}

// --- damage ------------------------------------------------------------------------------------------------------------------------

TEST_F(JournalTest, NamesAnEntryThatFailsItsChecksum) {
  append("one");
  ASSERT_TRUE(journal->append_and_wait({{.body = "two"}, {.body = "three"}}));
  journal.reset();
  // The last byte of entry 3, in a group of two.
  edit("UPDATE entry_group SET body = CAST(substr(body, 1, length(body) - 1) AS BLOB) || x'00' WHERE first_position = 2; "
       "UPDATE entry_group SET body = CAST(body AS BLOB)");
  open();
  std::vector<std::uint64_t> seen;
  auto done = journal->replay(0, [&](std::uint64_t position, JournalEntry&&) -> core::Result<> {
    seen.push_back(position);
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::data_loss);
  EXPECT_THAT(done.error().message, HasSubstr("entry 3"));
  EXPECT_FALSE(done.error().fix.empty());
  EXPECT_THAT(seen, ElementsAre(1u, 2u));
}

TEST_F(JournalTest, NamesEntriesThatAreMissing) {
  for (const char* body : {"1", "2", "3", "4"}) append(body);
  journal.reset();
  edit("DELETE FROM entry_group WHERE first_position IN (2, 3)");
  open();
  auto done = journal->replay(0, [](std::uint64_t, JournalEntry&&) -> core::Result<> { return {}; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::data_loss);
  EXPECT_THAT(done.error().message, HasSubstr("2 to 3"));
}

TEST_F(JournalTest, RefusesAFileThatIsNoJournal) {
  journal.reset();
  for (const std::string& content : {std::string("not a database at all, only some text that is long enough to be read as a head of a file......................"), std::string(8192, 'x')}) {
    std::filesystem::remove(options.file);
    ASSERT_TRUE(core::write_file_durably(options.file, content));
    auto opened = Journal::open(options, metrics);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::data_loss);
    EXPECT_THAT(opened.error().message, HasSubstr(options.file));
  }
}

TEST_F(JournalTest, RefusesADatabaseOfSomebodyElse) {
  journal.reset();
  std::filesystem::remove(options.file);
  edit("CREATE TABLE other (x)");
  auto opened = Journal::open(options, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::data_loss);
}

TEST_F(JournalTest, RefusesAJournalOfANewerVersion) {
  journal.reset();
  edit("PRAGMA user_version = 99");
  auto opened = Journal::open(options, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::conflict);
}

TEST_F(JournalTest, SaysThatTheFolderIsMissing) {
  options.file = "/nowhere/at/all/journal.db";
  auto opened = Journal::open(options, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
}

/// No file may grow beyond `bytes` until the end of the scope: writes beyond it fail, as they do on a full disk.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// A write fails in the middle: those who wait and those who come later learn why, room on the disk changes nothing before a restart, and
// after it everything acknowledged is there.
TEST_F(JournalTest, StopsForGoodWhenAWriteFails) {
  std::uint64_t acknowledged = 0;
  core::Error error;
  {
    SmallDisk disk(1u << 20);
    for (int i = 0; i < 1'000; ++i) {
      auto done = journal->append_and_wait({{.body = std::string(10'000, 'x')}});
      if (!done) {
        error = done.error();
        break;
      }
      acknowledged = *done;
    }
  }
  EXPECT_GT(acknowledged, 0u);
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_FALSE(error.fix.empty());
  EXPECT_FALSE(journal->stats().error.empty());
  auto later = journal->append_later({.body = "x"});
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(journal->trim(1));
  core::Pools pools({.io = 1, .compute = 1, .disk = 1});
  core::Error of_coroutine;
  std::latch done(1);
  boost::asio::co_spawn(pools.io(0), expect_refusal(*journal, of_coroutine, done), boost::asio::detached);
  done.wait();
  EXPECT_EQ(of_coroutine.code, ErrorCode::unavailable);
  open();
  EXPECT_GE(read().size(), acknowledged);
  EXPECT_GT(append("after"), acknowledged);
}

// A checkpoint fails although appends still succeed: that is final too, because nobody knows what the file holds.
TEST_F(JournalTest, StopsForGoodWhenACheckpointFails) {
  // The log is reused from its start, so that it does not grow any more, while the main file must.
  const std::string body(1u << 20, 'x');
  std::uint64_t acknowledged = 0;
  core::Error error;
  {
    SmallDisk disk(40u << 20);
    for (int i = 0; i < 200 && error.message.empty(); ++i) {
      auto done = journal->append_and_wait({{.body = body}});
      if (done) acknowledged = *done;
      else error = done.error();
    }
  }
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_GE(acknowledged, 30u);
  open();
  EXPECT_GE(read().size(), acknowledged);
}

// --- a killed process --------------------------------------------------------------------------------------------------------------

/// The child: eight threads append, and report each acknowledged position with its thread and number on the pipe.
[[noreturn]] void append_until_killed(const JournalOptions& options, int pipe) {
  core::Metrics metrics;
  auto journal = Journal::open(options, metrics);
  if (!journal) ::_exit(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&journal, pipe, t] {
      for (int i = 0;; ++i) {
        const auto position = (*journal)->append_and_wait({{.body = std::to_string(::getpid()) + ":" + std::to_string(t) + ":" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 700) * 9, '.')}});
        if (!position) ::_exit(1);
        const std::int64_t report[3] = {static_cast<std::int64_t>(*position), t, i};
        if (::write(pipe, report, sizeof report) != sizeof report) ::_exit(1);
        if (i % 50 == 49 && t == 0 && !(*journal)->trim(*position / 2)) ::_exit(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ::_exit(0);
}

// A child is killed after a random number of acknowledgements, twenty times on one file. Each time every entry that was acknowledged and
// not trimmed is there once, with its own content, and positions go on.
TEST_F(JournalTest, KeepsAcknowledgedEntriesAfterAKill) {
  journal.reset();
  std::uint32_t random = 12345;
  std::uint64_t last = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) append_until_killed(options, ends[1]);
    ::close(ends[1]);
    random = random * 1664525 + 1013904223;
    const int kill_after = static_cast<int>((random >> 16) % 300);
    std::map<std::uint64_t, std::string> acknowledged;
    std::int64_t report[3];
    while (::read(ends[0], report, sizeof report) == sizeof report) {
      acknowledged[static_cast<std::uint64_t>(report[0])] = std::to_string(child) + ":" + std::to_string(report[1]) + ":" + std::to_string(report[2]);
      if (static_cast<int>(acknowledged.size()) >= kill_after) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    open();
    const auto entries = read();
    for (const auto& [position, body] : acknowledged) {
      EXPECT_GT(position, last) << "a position was given twice";
      if (position <= journal->trimmed_position()) continue;
      const auto found = entries.find(position);
      ASSERT_NE(found, entries.end()) << "position " << position << " is lost";
      EXPECT_EQ(found->second.substr(0, found->second.find('.')), body);
    }
    last = journal->last_position();
    journal.reset();
  }
}

// --- the format --------------------------------------------------------------------------------------------------------------------

// A file of format 1 as its first release wrote it: every later build must read it.
TEST_F(JournalTest, ReadsTheGoldenFileOfFormat1) {
  journal.reset();
  std::filesystem::copy_file(std::string(VOLAN_TESTDATA) + "/journal_v1.db", options.file, std::filesystem::copy_options::overwrite_existing);
  open();
  EXPECT_EQ(journal->id().size(), 32u);
  EXPECT_EQ(journal->trimmed_position(), 2u);
  const auto entries = read();
  EXPECT_THAT(entries, ElementsAre(std::pair(3u, "third"), std::pair(4u, std::string(10'000, 'x')), std::pair(5u, ""), std::pair(6u, "Grüße")));
  EXPECT_EQ(append("next"), 7u);
}

}  // namespace
}  // namespace volan::storage
