// Tests of the column store: each entry's rows are seen at once and exactly once, before, during and after a move, and after a crash.
#include "storage/column_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <latch>
#include <optional>
#include <thread>

#include "core/file.hpp"
#include "storage/column_schema.hpp"

namespace volan::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using core::ErrorCode;

const std::vector<TableSpec> tables = {
    {.name = "span", .columns = {{"id", ColumnType::text}, {"n", ColumnType::integer}, {"cost", ColumnType::real}, {"is_ok", ColumnType::boolean}}},
    {.name = "score", .columns = {{"id", ColumnType::text}}}};

/// Kind 1: a span "id" with n = position; kind 2: two scores and no span; kind 3: refused; others: nothing.
core::Result<> map_entry(std::uint64_t position, const JournalEntry& entry, const std::function<void(std::size_t table, ColumnRow row)>& emit) {
  if (entry.kind == 1) emit(0, {entry.body, static_cast<std::int64_t>(position), 0.5, std::int64_t{1}});
  if (entry.kind == 2) {
    emit(1, {entry.body});
    emit(1, {Value{}});
  }
  if (entry.kind == 3) {
    emit(0, {entry.body, Value{}, Value{}, Value{}});
    return core::fail(ErrorCode::invalid_argument, "not readable");
  }
  return {};
}

class ColumnStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = core::TempFolder::create("volan-columns");
    ASSERT_TRUE(folder) << core::to_text(folder.error());
    folder_ = std::move(*folder);
    options.file = folder_->file("traces.duckdb");
    options.move_interval_ms = 3'600'000;  // only when a test says so
    open();
  }
  void close() {
    store.reset();
    journal.reset();
  }
  void open() {
    close();
    auto opened_journal = Journal::open({.file = folder_->file("journal.db")}, metrics);
    ASSERT_TRUE(opened_journal) << core::to_text(opened_journal.error());
    journal = std::move(*opened_journal);
    auto opened = ColumnStore::open(options, tables, *journal, map_entry, log, metrics);
    ASSERT_TRUE(opened) << core::to_text(opened.error());
    store = std::move(*opened);
  }
  void append(std::string id, std::uint16_t kind = 1) {
    auto done = journal->append_and_wait({{.kind = kind, .body = std::move(id)}});
    ASSERT_TRUE(done) << core::to_text(done.error());
  }
  std::vector<Row> query(std::string_view sql, std::vector<Value> params = {}) {
    auto rows = store->query(sql, std::move(params));
    EXPECT_TRUE(rows) << core::to_text(rows.error());
    return rows ? *rows : std::vector<Row>{};
  }
  /// Ids of all spans in order of position.
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const Row& row : query("SELECT id FROM span ORDER BY journal_position")) out.push_back(row.text(0));
    return out;
  }
  void move() {
    auto moved = store->move_now();
    ASSERT_TRUE(moved) << core::to_text(moved.error());
  }

  core::Metrics metrics;
  core::Log log{core::LogLevel::off};
  ColumnStoreOptions options;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<ColumnStore> store;
  std::optional<core::TempFolder> folder_;
};

TEST_F(ColumnStoreTest, ShowsAnEntryAsSoonAsItsAppendHasReturned) {
  for (const char* id : {"a", "b", "c"}) {
    append(id);
    EXPECT_EQ(query("SELECT count(*) FROM span WHERE id = ?", {std::string(id)}).at(0).integer(0), 1);
  }
  EXPECT_EQ(store->stats().tail_rows, 3u);
}

TEST_F(ColumnStoreTest, OpensDuckDbOnlyWhenItIsNeeded) {
  append("a");
  EXPECT_FALSE(store->stats().is_open);
  EXPECT_FALSE(std::filesystem::exists(options.file));
  EXPECT_THAT(ids(), ElementsAre("a"));
  EXPECT_TRUE(store->stats().is_open);
}

TEST_F(ColumnStoreTest, KeepsTypesAndNulls) {
  append("Grüße");
  append("s", 2);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(query("SELECT journal_position, id, n, cost, is_ok FROM span").at(0).values,
                ElementsAre(Value(std::int64_t{1}), Value("Grüße"), Value(std::int64_t{1}), Value(0.5), Value(std::int64_t{1})));
    EXPECT_EQ(query("SELECT id FROM score WHERE id IS NULL").size(), 1u);
    EXPECT_THAT(query("SELECT count(*), sum(n), avg(n), 1.25, n::SMALLINT, NULL, (n > 0), sum(n) + 9223372036854775807::HUGEINT FROM span GROUP BY n").at(0).values,
                ElementsAre(Value(std::int64_t{1}), Value(std::int64_t{1}), Value(1.0), Value(1.25), Value(std::int64_t{1}), Value(), Value(std::int64_t{1}),
                            Value(9223372036854775808.0)));
    move();
  }
}

TEST_F(ColumnStoreTest, RepairsTextThatIsNotUtf8) {
  append("a\xff");
  EXPECT_THAT(ids(), ElementsAre("a\xEF\xBF\xBD"));
}

TEST_F(ColumnStoreTest, MovesRowsToDiskAndTrimsTheJournal) {
  for (const char* id : {"a", "b", "c"}) append(id);
  move();
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(journal->trimmed_position(), 3u);
  EXPECT_EQ(store->stats().tail_rows, 0u);
  EXPECT_EQ(store->stats().moved_rows, 3u);
  EXPECT_EQ(store->stats().moved_position, 3u);
  append("d");
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c", "d"));
  open();
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(ColumnStoreTest, TrimsEntriesWithoutRowsToo) {
  append("x", 9);
  move();
  EXPECT_EQ(journal->trimmed_position(), 1u);
  EXPECT_THAT(ids(), ElementsAre());
}

// A crash between the commit on disk and the trim: the journal still holds what is on disk already. (The trim fails because the journal
// the store knows is not asked; here it is simulated by moving with the schema's own functions.)
TEST_F(ColumnStoreTest, ReplaysOnlyWhatIsNotOnDiskYet) {
  for (const char* id : {"a", "b", "c"}) append(id);
  const std::string journal_id = journal->id();
  close();
  {
    auto duck = Duck::open({.file = options.file, .temporary_folder = options.file + ".tmp", .memory_limit_bytes = 256u << 20});
    ASSERT_TRUE(duck) << core::to_text(duck.error());
    ASSERT_TRUE(create_schema(**duck, tables));
    ASSERT_TRUE(read_moved_position(**duck, journal_id));
    for (const char* row : {"(1, 'a', 1, 0.5, true)", "(2, 'b', 2, 0.5, true)"})
      ASSERT_TRUE((*duck)->run(std::string("INSERT INTO tail0.span VALUES ") + row));
    auto moved = move_tail(**duck, tables, 0, journal_id, 2);
    ASSERT_TRUE(moved) << core::to_text(moved.error());
    EXPECT_EQ(*moved, 2u);
    // Before the tail is emptied, the view shows each row once as well.
    EXPECT_EQ((*duck)->run("SELECT count(*) FROM span")->at(0).integer(0), 2);
  }
  open();
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(store->stats().tail_rows, 1u);
}

// Positions of a new journal start at 1 again and must not be taken for ones that are on disk.
TEST_F(ColumnStoreTest, TakesANewJournalForWhatItIs) {
  append("old");
  move();
  close();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(folder_->file("journal.db") + suffix);
  open();
  append("new");
  EXPECT_EQ(query("SELECT count(*) FROM span").at(0).integer(0), 2);
  move();
  EXPECT_EQ(query("SELECT count(*) FROM span").at(0).integer(0), 2);
}

TEST_F(ColumnStoreTest, SkipsAnEntryThatTheMapperRefusesAndCountsIt) {
  append("a");
  append("bad", 3);
  append("b");
  EXPECT_THAT(ids(), ElementsAre("a", "b"));
  EXPECT_THAT(metrics.text(), HasSubstr("volan_column_store_refused_entries_total 1"));
}

TEST_F(ColumnStoreTest, AddsAColumnThatANewerVersionBrings) {
  append("a");
  move();
  close();
  auto newer = tables;
  newer[0].columns.push_back({"model", ColumnType::text});
  auto opened_journal = Journal::open({.file = folder_->file("journal.db")}, metrics);
  ASSERT_TRUE(opened_journal);
  auto mapper = [](std::uint64_t, const JournalEntry& entry, const std::function<void(std::size_t, ColumnRow)>& emit) -> core::Result<> {
    emit(0, {entry.body, Value{}, Value{}, Value{}, std::string("m")});
    return {};
  };
  auto opened = ColumnStore::open(options, newer, **opened_journal, mapper, log, metrics);
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened_journal)->append_and_wait({{.kind = 1, .body = "b"}}));
  auto rows = (*opened)->query("SELECT id, model FROM span ORDER BY id");
  ASSERT_TRUE(rows) << core::to_text(rows.error());
  EXPECT_THAT((*rows)[0].values, ElementsAre(Value("a"), Value()));
  EXPECT_THAT((*rows)[1].values, ElementsAre(Value("b"), Value("m")));
}

TEST_F(ColumnStoreTest, RefusesAColumnThatChangedItsType) {
  append("a");
  move();
  close();
  auto other = tables;
  other[0].columns[1].type = ColumnType::text;
  auto opened_journal = Journal::open({.file = folder_->file("journal.db")}, metrics);
  auto opened = ColumnStore::open(options, other, **opened_journal, map_entry, log, metrics);
  ASSERT_TRUE(opened);
  auto rows = (*opened)->query("SELECT 1");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::conflict);
  EXPECT_THAT(rows.error().message, HasSubstr("span.n"));
}

// --- removal -----------------------------------------------------------------------------------------------------------------------

TEST_F(ColumnStoreTest, RemovesFromDiskAndTailForGood) {
  append("forget");
  append("keep");
  move();
  append("forget");
  append("keep too");
  auto removed = store->remove("span", "id = ?", {std::string("forget")});
  ASSERT_TRUE(removed) << core::to_text(removed.error());
  EXPECT_EQ(*removed, 2);
  EXPECT_THAT(ids(), ElementsAre("keep", "keep too"));
  open();
  EXPECT_THAT(ids(), ElementsAre("keep", "keep too"));
}

// --- limits ------------------------------------------------------------------------------------------------------------------------

// The mover is kept busy with nothing to do (its interval is long, its sizes are large), so the tail only grows.
TEST_F(ColumnStoreTest, HoldsTheJournalWhenTheTailIsFull) {
  options.tail_rows_max = 10;
  open();
  core::Result<std::uint64_t> done;
  int accepted = 0;
  while ((done = journal->append_and_wait({{.kind = 1, .body = "x"}})) && accepted < 100) ++accepted;
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(accepted, 11);
  move();
  append("fits again");
  EXPECT_EQ(query("SELECT count(*) FROM span").at(0).integer(0), 12);
}

TEST_F(ColumnStoreTest, MovesByItselfWhenTheTailIsLargeOrOld) {
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    options.rows_per_move = round == 0 ? 5 : 1'000'000;
    options.bytes_per_move = round == 1 ? 5 : 1'000'000'000;
    options.move_interval_ms = round == 2 ? 1 : 3'600'000;
    open();
    const auto before = store->stats().moved_rows;
    for (int i = 0; i < 5; ++i) append("x");
    while (store->stats().moved_rows < before + 5 && store->stats().last_error.empty()) std::this_thread::yield();
    EXPECT_EQ(store->stats().last_error, "");
    EXPECT_EQ(query("SELECT count(*) FROM span").at(0).integer(0), 5 * (round + 1));
  }
}

TEST_F(ColumnStoreTest, ClosesDuckDbWhenNobodyUsesItAndOpensItAgain) {
  options.idle_close_ms = 1;
  open();
  append("a");
  EXPECT_THAT(ids(), ElementsAre("a"));
  EXPECT_TRUE(store->stats().is_open);  // the tail is not empty
  move();
  while (store->stats().is_open) std::this_thread::yield();
  EXPECT_THAT(ids(), ElementsAre("a"));
}

TEST_F(ColumnStoreTest, LetsNoQueryTouchOtherFilesOrSettings) {
  for (const char* sql : {"SELECT * FROM read_csv('/etc/passwd')", "ATTACH '/tmp/volan-other.duckdb' AS other", "COPY (SELECT 1) TO '/tmp/volan-out.csv'",
                          "SET enable_external_access = true", "SET memory_limit = '100GB'", "INSTALL httpfs"})
    EXPECT_FALSE(store->query(sql)) << sql;
}

TEST_F(ColumnStoreTest, ReportsMistakesInAQuery) {
  append("a");
  auto wrong = store->query("SELEKT");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::internal);
  auto value = store->query("SELECT CAST(id AS BIGINT) FROM span");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::invalid_argument);
  auto type = store->query("SELECT DATE '2026-01-01'");
  ASSERT_FALSE(type);
  EXPECT_THAT(type.error().message, HasSubstr("cast it"));
  EXPECT_THAT(ids(), ElementsAre("a"));
}

TEST_F(ColumnStoreTest, AnswersAQueryBeyondTheMemoryLimit) {
  options.memory_limit_bytes = 64u << 20;
  open();
  auto rows = store->query("SELECT length(string_agg(repeat('x', 1000) || range::VARCHAR, '')) FROM range(400000)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::resource_exhausted);
  append("a");
  EXPECT_THAT(ids(), ElementsAre("a"));
}

// --- damage ------------------------------------------------------------------------------------------------------------------------

TEST_F(ColumnStoreTest, RefusesADamagedFileWithARemedy) {
  append("a");
  move();
  close();
  const auto bytes = core::read_file(options.file);
  ASSERT_TRUE(bytes);
  auto opened_journal = Journal::open({.file = folder_->file("journal.db")}, metrics);
  // Garbage from the start: refused when the store is opened.
  ASSERT_TRUE(core::write_file_durably(options.file, std::string(bytes->size(), 'x')));
  auto opened = ColumnStore::open(options, tables, **opened_journal, map_entry, log, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::data_loss);
  EXPECT_FALSE(opened.error().fix.empty());
  // Right head, wrong blocks: refused by the first query.
  ASSERT_TRUE(core::write_file_durably(options.file, bytes->substr(0, 100) + std::string(bytes->size() - 100, 'x')));
  auto half = ColumnStore::open(options, tables, **opened_journal, map_entry, log, metrics);
  ASSERT_TRUE(half);
  auto rows = (*half)->query("SELECT 1");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::data_loss);
  EXPECT_THAT(rows.error().message, HasSubstr(options.file));
}

TEST_F(ColumnStoreTest, StartsAgainAfterAKillWhileItCreatedItsFile) {
  ASSERT_TRUE(core::write_file_durably(options.file + ".new", "half a file"));
  append("a");
  EXPECT_THAT(ids(), ElementsAre("a"));
}

// --- together ----------------------------------------------------------------------------------------------------------------------

// Two threads append, two query, one moves all the time. A query that runs while rows move sees each row once: never fewer than were
// acknowledged before it began, never one twice.
TEST_F(ColumnStoreTest, ShowsEachRowOnceWhileRowsMove) {
  constexpr int each = 300;
  std::atomic<int> acknowledged{0};
  std::atomic<bool> is_done{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        append(std::to_string(t) + ":" + std::to_string(i));
        ++acknowledged;
      }
    });
  }
  std::atomic<int> queries{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!is_done) {
        const int before = acknowledged;
        const auto rows = query("SELECT count(*), count(DISTINCT id) FROM span");
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_GE(rows[0].integer(0), before);
        EXPECT_EQ(rows[0].integer(0), rows[0].integer(1));
        ++queries;
      }
    });
  }
  readers.emplace_back([&] {
    while (!is_done) move();
  });
  for (auto& thread : threads) thread.join();
  is_done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(query("SELECT count(DISTINCT id) FROM span").at(0).integer(0), 2 * each);
  EXPECT_GT(queries, 0);
}

/// The child: one thread appends and reports, one queries, one moves.
[[noreturn]] void work_until_killed(const ColumnStoreOptions& options, const std::string& journal_file, int round, int pipe) {
  core::Metrics metrics;
  core::Log log(core::LogLevel::off);
  auto journal = Journal::open({.file = journal_file}, metrics);
  if (!journal) ::_exit(1);
  auto store = ColumnStore::open(options, tables, **journal, map_entry, log, metrics);
  if (!store) ::_exit(2);
  std::thread mover([&] {
    while ((*store)->move_now()) {}
    ::_exit(3);
  });
  for (int i = 0;; ++i) {
    const std::string id = std::to_string(round) + ":" + std::to_string(i);
    if (!(*journal)->append_and_wait({{.kind = 1, .body = id}})) ::_exit(4);
    if (::write(pipe, &i, sizeof i) != sizeof i) ::_exit(5);
  }
}

// Ten kills at random points of appending and moving on one data folder: every acknowledged row is there exactly once.
TEST_F(ColumnStoreTest, KeepsEachRowOnceThroughKills) {
  close();
  std::uint32_t random = 4711;
  std::int64_t expected = 0;
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) work_until_killed(options, folder_->file("journal.db"), round, ends[1]);
    ::close(ends[1]);
    random = random * 1664525 + 1013904223;
    const int kill_after = 1 + static_cast<int>((random >> 16) % 400);
    int acknowledged = 0, i = 0;
    while (::read(ends[0], &i, sizeof i) == sizeof i) {
      if (++acknowledged == kill_after) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    open();
    const auto rows = query("SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE split_part(id, ':', 2)::BIGINT < ?) FROM span WHERE split_part(id, ':', 1) = ?",
                            {std::int64_t{acknowledged}, std::to_string(round)});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].integer(0), rows[0].integer(1)) << "a row is there twice";
    EXPECT_EQ(rows[0].integer(2), acknowledged) << "an acknowledged row is lost";
    expected += rows[0].integer(0);
    EXPECT_EQ(query("SELECT count(*) FROM span").at(0).integer(0), expected);
    close();
  }
}

}  // namespace
}  // namespace volan::storage
