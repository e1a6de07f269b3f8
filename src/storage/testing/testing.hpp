/// For tests of every module: each test of a store runs on SQLite and on a real PostgreSQL 15.
///
///   class PromptStore : public volan::storage::EachDatabase {};
///   TEST_P(PromptStore, KeepsVersions) { ... *database ... }
///   INSTANTIATE_TEST_SUITE_P(EachDatabase, PromptStore, volan::storage::each_database(), volan::storage::database_name);
///
/// In the module's CMakeLists.txt, behind volan_module(): `target_link_libraries(volan_prompt_test PRIVATE volan_storage_testing)`.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "core/file.hpp"
#include "storage/database.hpp"

namespace volan::storage {

enum class DatabaseKind { sqlite, postgresql };

/// A throw-away PostgreSQL cluster on a socket in a temporary folder, started by the first test that needs it and used by all tests of
/// the process. A shell keeps it: it ends the cluster and removes the folder when its input ends, which happens with the test process
/// however that ends. Needs Debian's postgresql-15; as root the cluster runs as the user `postgres`.
class TestPostgresql {
 public:
  /// The cluster of this process. Errors: unavailable with the cluster's log.
  static core::Result<TestPostgresql*> get();
  ~TestPostgresql();
  TestPostgresql(const TestPostgresql&) = delete;
  TestPostgresql& operator=(const TestPostgresql&) = delete;

  /// A new, empty database; its address for Database::open().
  core::Result<std::string> create_database();
  /// SQL on the database of that address (from create_database), outside of Database.
  core::Result<> execute(const std::string& url, const std::string& sql);
  void drop_database(const std::string& url);

 private:
  TestPostgresql() = default;
  core::Result<> start();
  core::Result<> wait_until_ready();
  std::string url_of(const std::string& name) const;

  std::string folder_;
  int life_ = -1;    // write end of the shell's input
  int shell_ = -1;   // its process id
  int databases_ = 0;
};

/// A fresh, empty database for each test.
class EachDatabase : public ::testing::TestWithParam<DatabaseKind> {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string url;
  std::unique_ptr<Database> database;  // opened on `url`

 private:
  std::optional<core::TempFolder> folder_;
};

inline auto each_database() { return ::testing::Values(DatabaseKind::sqlite, DatabaseKind::postgresql); }
inline std::string database_name(const ::testing::TestParamInfo<DatabaseKind>& info) { return info.param == DatabaseKind::sqlite ? "sqlite" : "postgresql"; }

}  // namespace volan::storage
