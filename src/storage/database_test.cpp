// Tests of the metadata database, each on SQLite and on PostgreSQL.
#include "storage/database.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "storage/migrations.hpp"
#include "storage/testing.hpp"

namespace volan::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using core::ErrorCode;

class DatabaseTest : public EachDatabase {
 protected:
  void SetUp() override {
    EachDatabase::SetUp();
    if (!database) return;
    execute("CREATE TABLE thing (id TEXT PRIMARY KEY, n BIGINT, x DOUBLE PRECISION, note TEXT)");
  }
  void execute(std::string_view sql, std::vector<Value> params = {}) {
    auto done = database->transaction([&](Transaction& t) -> core::Result<> {
      VOLAN_TRY_VOID(t.execute(sql, params));
      return {};
    });
    ASSERT_TRUE(done) << core::to_text(done.error());
  }
  std::vector<Row> query(std::string_view sql, std::vector<Value> params = {}) {
    auto rows = database->query(sql, std::move(params));
    EXPECT_TRUE(rows) << core::to_text(rows.error());
    return rows ? *rows : std::vector<Row>{};
  }
  std::int64_t count() { return query("SELECT count(*) FROM thing").at(0).integer(0); }
};
INSTANTIATE_TEST_SUITE_P(EachDatabase, DatabaseTest, each_database(), database_name);

// Every kind of value comes back as what it was, in columns and in expressions; both databases agree on the types.
TEST_P(DatabaseTest, KeepsTypesOfColumnsAndExpressions) {
  constexpr std::int64_t large = 9'007'199'254'740'993;  // not representable as a double
  execute("INSERT INTO thing (id, n, x, note) VALUES (:p1, :p2, :p3, :p4)", {std::string("a"), large, 2.5, std::string("Grüße 'quoted' :p1")});
  execute("INSERT INTO thing (id, n, x, note) VALUES (:p1, :p2, :p3, :p4)", {std::string("b"), std::int64_t{0}, std::int64_t{1}, Value{}});
  auto rows = query("SELECT id, n, x, note FROM thing ORDER BY id");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0].values, ElementsAre(Value("a"), Value(large), Value(2.5), Value("Grüße 'quoted' :p1")));
  EXPECT_THAT(rows[1].values, ElementsAre(Value("b"), Value(std::int64_t{0}), Value(1.0), Value()));
  EXPECT_TRUE(rows[1].is_null(3));
  EXPECT_EQ(rows[1].text(3), "");
  auto sums = query("SELECT count(*), sum(n), max(n), sum(x), n + 1 FROM thing WHERE id = :p1 GROUP BY n", {std::string("a")});
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_THAT(sums[0].values, ElementsAre(Value(std::int64_t{1}), Value(large), Value(large), Value(2.5), Value(large + 1)));
}

// One parameter may be used twice, and there may be more than nine.
TEST_P(DatabaseTest, BindsParametersByNumber) {
  std::vector<Value> params;
  for (std::int64_t i = 1; i <= 12; ++i) params.emplace_back(i);
  auto rows = query("SELECT CAST(:p12 AS BIGINT) - CAST(:p1 AS BIGINT) + CAST(:p2 AS BIGINT) + CAST(:p2 AS BIGINT) + CAST(:p3 AS BIGINT) * 0"
                    " + CAST(:p4 AS BIGINT) * 0 + CAST(:p5 AS BIGINT) * 0 + CAST(:p6 AS BIGINT) * 0 + CAST(:p7 AS BIGINT) * 0"
                    " + CAST(:p8 AS BIGINT) * 0 + CAST(:p9 AS BIGINT) * 0 + CAST(:p10 AS BIGINT) * 0 + CAST(:p11 AS BIGINT) * 0", params);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].integer(0), 15);
}

TEST_P(DatabaseTest, ReportsTheNumberOfChangedRows) {
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    for (const char* id : {"a", "b", "c"}) VOLAN_TRY_VOID(t.execute("INSERT INTO thing (id, n) VALUES (:p1, 1)", {std::string(id)}));
    VOLAN_TRY(const auto changed, t.execute("UPDATE thing SET n = 2 WHERE id <> :p1", {std::string("a")}));
    EXPECT_EQ(changed, 2);
    VOLAN_TRY(const auto none, t.execute("DELETE FROM thing WHERE id = 'x'"));
    EXPECT_EQ(none, 0);
    return {};
  });
  EXPECT_TRUE(done);
}

TEST_P(DatabaseTest, RollsBackWhenTheBodyFails) {
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY_VOID(t.execute("INSERT INTO thing (id) VALUES ('a')"));
    return core::fail(ErrorCode::not_found, "no");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, AnswersAUniqueViolationWithConflict) {
  execute("INSERT INTO thing (id) VALUES ('a')");
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY_VOID(t.execute("INSERT INTO thing (id) VALUES ('a')"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, AnswersAMissingForeignRowWithConflict) {
  execute("CREATE TABLE part (thing TEXT NOT NULL REFERENCES thing(id))");
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY_VOID(t.execute("INSERT INTO part (thing) VALUES ('nowhere')"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
}

// A body that overlooks a failed statement must not commit the rest: SQLite would, PostgreSQL would not.
TEST_P(DatabaseTest, CommitsNothingAfterAFailedStatement) {
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    EXPECT_TRUE(t.execute("INSERT INTO thing (id) VALUES ('a')"));
    EXPECT_FALSE(t.execute("INSERT INTO thing (id) VALUES ('a')"));
    EXPECT_FALSE(t.execute("INSERT INTO thing (id) VALUES ('b')"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, RefusesATextWithANulCharacter) {
  auto rows = database->query("SELECT count(*) FROM thing WHERE id = :p1", {std::string("a\0b", 3)});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::invalid_argument);
}

TEST_P(DatabaseTest, ReportsAMistakeInTheSqlAsInternal) {
  auto rows = database->query("SELEKT 1");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::internal);
  EXPECT_EQ(count(), 0);  // the connection is still usable
}

// Values and SQL parameters never appear in an error: they may be secrets.
TEST_P(DatabaseTest, KeepsValuesOutOfErrors) {
  auto rows = database->query("SELECT nothing FROM thing WHERE id = :p1", {std::string("hunter2")});
  ASSERT_FALSE(rows);
  EXPECT_THAT(core::to_text(rows.error()), ::testing::Not(HasSubstr("hunter2")));
}

// Eight threads read, then write what they read plus one. Only if transactions are serialisable is no step lost.
TEST_P(DatabaseTest, LosesNoUpdateBetweenManyThreads) {
  execute("INSERT INTO thing (id, n) VALUES ('counter', 0)");
  constexpr int threads = 8, steps = 10;
  std::vector<std::thread> workers;
  std::atomic<int> failed{0};
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (int step = 0; step < steps;) {
        auto done = database->transaction([&](Transaction& t) -> core::Result<> {
          VOLAN_TRY(const auto rows, t.query("SELECT n FROM thing WHERE id = 'counter'"));
          VOLAN_TRY_VOID(t.execute("UPDATE thing SET n = :p1 WHERE id = 'counter'", {rows.at(0).integer(0) + 1}));
          return {};
        });
        if (done) ++step;
        else if (done.error().code != ErrorCode::unavailable) { ++failed; return; }  // busy after five attempts is allowed; try again
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(query("SELECT n FROM thing WHERE id = 'counter'").at(0).integer(0), threads * steps);
}

// --- migrations --------------------------------------------------------------------------------------------------------------------

const core::EmbeddedFile first{"0001_start.sql", "-- One; comment;\nCREATE TABLE item (id TEXT PRIMARY KEY);\n\nINSERT INTO item (id)\n  VALUES ('semi;colon');\n"};
const core::EmbeddedFile second{"0002_more.sql", "ALTER TABLE item ADD COLUMN n BIGINT"};

TEST_P(DatabaseTest, AppliesEachMigrationOnce) {
  const core::EmbeddedFile both[] = {second, first};  // sorted by name, not by place
  ASSERT_TRUE(database->migrate("shop", {&first, 1}));
  for (int i = 0; i < 2; ++i) {
    auto done = database->migrate("shop", both);
    ASSERT_TRUE(done) << core::to_text(done.error());
  }
  EXPECT_EQ(query("SELECT id, n FROM item").size(), 1u);
  auto rows = query("SELECT name, sha256 FROM volan_migrations WHERE module = 'shop' ORDER BY name");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].text(0), "0002_more.sql");
  EXPECT_EQ(rows[1].text(1).size(), 64u);
}

TEST_P(DatabaseTest, RefusesAChangedMigration) {
  ASSERT_TRUE(database->migrate("shop", {&first, 1}));
  const core::EmbeddedFile changed{first.name, "CREATE TABLE item (id TEXT)"};
  auto done = database->migrate("shop", {&changed, 1});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  EXPECT_THAT(done.error().message, HasSubstr("shop/0001_start.sql"));
}

TEST_P(DatabaseTest, RefusesADatabaseThatIsNewerThanTheProgram) {
  const core::EmbeddedFile both[] = {first, second};
  ASSERT_TRUE(database->migrate("shop", both));
  auto done = database->migrate("shop", {&first, 1});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  EXPECT_THAT(done.error().message, HasSubstr("newer"));
}

TEST_P(DatabaseTest, LeavesNothingOfAFailedMigration) {
  const core::EmbeddedFile broken{"0001_start.sql", "CREATE TABLE item (id TEXT PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n"};
  auto done = database->migrate("shop", {&broken, 1});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("shop/0001_start.sql"));
  auto again = database->migrate("shop", {&first, 1});
  EXPECT_TRUE(again) << core::to_text(again.error());
}

// Several servers start at once on one database: each migration is applied once and nobody fails.
TEST_P(DatabaseTest, MigratesOnceWhenSeveralProgramsStartTogether) {
  const core::EmbeddedFile both[] = {first, second};
  std::vector<std::thread> servers;
  std::atomic<int> failures{0};
  for (int i = 0; i < 6; ++i) {
    servers.emplace_back([&] {
      auto own = Database::open(url, 1);
      if (!own || !(*own)->migrate("shop", both)) ++failures;
    });
  }
  for (auto& server : servers) server.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(query("SELECT id FROM item").size(), 1u);
}

TEST(SplitStatements, EndsAStatementAtASemicolonThatEndsALine) {
  EXPECT_THAT(split_statements("A ';' x;  \n-- only;\nB\n  c;\n\n"), ElementsAre("A ';' x;", "-- only;\nB\n  c;"));
  EXPECT_THAT(split_statements("A"), ElementsAre("A"));
  EXPECT_THAT(split_statements("  \n-- nothing\n"), ElementsAre());
}

// --- one database only -------------------------------------------------------------------------------------------------------------

TEST(Database, RefusesAnAddressThatItDoesNotKnow) {
  auto opened = Database::open("mysql://localhost/x");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
}

TEST(Database, NamesTheFileThatCannotBeOpened) {
  auto opened = Database::open("sqlite:///nowhere/at/all.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("/nowhere/at/all.db"));
}

TEST(Database, CallsADamagedFileDataLoss) {
  auto folder = core::TempFolder::create();
  ASSERT_TRUE(core::write_file_durably(folder->file("x.db"), std::string(4096, 'x')));
  auto opened = Database::open("sqlite://" + folder->file("x.db"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::data_loss);
}

TEST(Database, OpensSqliteWithFullDurability) {
  auto folder = core::TempFolder::create();
  auto database = Database::open("sqlite://" + folder->file("with space.db"));
  ASSERT_TRUE(database);
  EXPECT_EQ((*database)->query("PRAGMA journal_mode")->at(0).text(0), "wal");
  EXPECT_EQ((*database)->query("PRAGMA synchronous")->at(0).integer(0), 2);
  EXPECT_EQ((*database)->query("PRAGMA foreign_keys")->at(0).integer(0), 1);
}

TEST(Database, ReadsSqliteWhileATransactionWrites) {
  auto folder = core::TempFolder::create();
  auto database = Database::open("sqlite://" + folder->file("x.db"));
  ASSERT_TRUE(database);
  auto done = (*database)->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY_VOID(t.execute("CREATE TABLE x (n BIGINT)"));
    auto rows = (*database)->query("SELECT count(*) FROM sqlite_master");
    EXPECT_TRUE(rows);
    EXPECT_EQ(rows->at(0).integer(0), 0);
    return {};
  });
  EXPECT_TRUE(done);
}

// Nobody listens: the error says so, names the server without its password, and says what to do.
TEST(Database, SaysThatPostgresqlIsDown) {
  auto opened = Database::open("postgresql://volan:secret@127.0.0.1:1/none");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("postgresql://volan@127.0.0.1:1/none"));
  EXPECT_THAT(core::to_text(opened.error()), ::testing::Not(HasSubstr("secret")));
  EXPECT_FALSE(opened.error().fix.empty());
}

class PostgresqlTest : public EachDatabase {};
INSTANTIATE_TEST_SUITE_P(Only, PostgresqlTest, ::testing::Values(DatabaseKind::postgresql), database_name);

// The server ends all connections, as a restart does. The next query and the next transaction connect again by themselves.
TEST_P(PostgresqlTest, ConnectsAgainAfterTheServerClosedItsConnections) {
  auto* cluster = *TestPostgresql::get();
  const std::string end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'volan'";
  ASSERT_TRUE(cluster->execute(url, end_all));
  auto rows = database->query("SELECT 1");
  ASSERT_TRUE(rows) << core::to_text(rows.error());
  ASSERT_TRUE(cluster->execute(url, end_all));
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY_VOID(t.execute("CREATE TABLE x (n BIGINT)"));
    return {};
  });
  EXPECT_TRUE(done) << core::to_text(done.error());
}

// The commit is refused because another transaction got in between: the body runs again and sees the other's change.
TEST_P(PostgresqlTest, RunsTheBodyAgainAfterASerialisationFailure) {
  auto* cluster = *TestPostgresql::get();
  ASSERT_TRUE(cluster->execute(url, "CREATE TABLE x (n BIGINT)"));
  ASSERT_TRUE(cluster->execute(url, "INSERT INTO x VALUES (1)"));
  int runs = 0;
  auto done = database->transaction([&](Transaction& t) -> core::Result<> {
    VOLAN_TRY(const auto rows, t.query("SELECT n FROM x"));
    if (++runs == 1) VOLAN_TRY_VOID(cluster->execute(url, "UPDATE x SET n = 10"));
    VOLAN_TRY_VOID(t.execute("UPDATE x SET n = :p1", {rows.at(0).integer(0) + 1}));
    return {};
  });
  ASSERT_TRUE(done) << core::to_text(done.error());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(database->query("SELECT n FROM x")->at(0).integer(0), 11);
}

}  // namespace
}  // namespace volan::storage
