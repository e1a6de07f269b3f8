// The SQLite side of Connection.
#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "storage/connection.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
namespace sqlite = sqlite_api;  // SOCI includes sqlite3.h inside this namespace

constexpr int busy_timeout_ms = 5'000;

class SqliteConnection final : public Connection {
 public:
  SqlResult<SqlOutcome> open(const std::string& file) {
    file_ = file;
    try {
      session_.open(*soci::factory_sqlite3(), "db=\"" + file + "\"");
    } catch (const soci::soci_error& error) {
      return std::unexpected(SqlError{.error = {ErrorCode::unavailable, fmt::format("cannot open the database {}: {}", file, error.get_error_message()),
                                                {}, "check that the folder exists and may be written"}});
    }
    sqlite::sqlite3_busy_timeout(handle(), busy_timeout_ms);
    // A transaction that was committed must survive a power cut, so FULL: SQLite's own default for WAL may lose the last ones.
    for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"}) {
      auto done = run(pragma, {});
      if (!done) return done;
    }
    return SqlOutcome{};
  }

  SqlResult<SqlOutcome> lock_migrations() override { return SqlOutcome{}; }
  void unlock_migrations() override {}

 protected:
  // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later could otherwise only fail as busy.
  std::string_view begin_sql() const override { return "BEGIN IMMEDIATE"; }

  SqlResult<std::vector<Row>> read_rows(soci::statement& statement) override {
    auto* backend = static_cast<soci::sqlite3_statement_backend*>(statement.get_backend());
    sqlite::sqlite3_stmt* step = backend->stmt_;
    std::vector<Row> rows;
    const int columns = sqlite::sqlite3_column_count(step);
    if (columns == 0) return rows;
    int code = sqlite::sqlite3_data_count(step) > 0 ? SQLITE_ROW : SQLITE_DONE;  // execute() has made the first step
    while (code == SQLITE_ROW) {
      auto& values = rows.emplace_back().values;
      values.reserve(static_cast<std::size_t>(columns));
      for (int i = 0; i < columns; ++i) values.push_back(read(step, i));
      code = sqlite::sqlite3_step(step);
    }
    if (code != SQLITE_DONE) return std::unexpected(describe(code, sqlite::sqlite3_errmsg(handle())));
    return rows;
  }

  SqlError classify(const soci::soci_error& error) const override {
    const auto* own = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    return describe(own ? own->result() : SQLITE_ERROR, error.get_error_message());
  }

 private:
  static Value read(sqlite::sqlite3_stmt* step, int i) {
    switch (sqlite::sqlite3_column_type(step, i)) {
      case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite::sqlite3_column_int64(step, i));
      case SQLITE_FLOAT: return sqlite::sqlite3_column_double(step, i);
      case SQLITE_NULL: return std::monostate{};
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite::sqlite3_column_text(step, i));
        return std::string(text, static_cast<std::size_t>(sqlite::sqlite3_column_bytes(step, i)));
      }
    }
  }

  SqlError describe(int code, std::string message) const {
    const int extended = (code & 0xff) == SQLITE_CONSTRAINT ? sqlite::sqlite3_extended_errcode(handle()) : code;
    switch (extended) {
      case SQLITE_CONSTRAINT_UNIQUE:
      case SQLITE_CONSTRAINT_PRIMARYKEY:
        return {.error = {ErrorCode::conflict, "a row with this key exists already"}};
      case SQLITE_CONSTRAINT_FOREIGNKEY:
        return {.error = {ErrorCode::conflict, "a row refers to one that does not exist"}};
      default: break;
    }
    switch (code & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        return {.error = {ErrorCode::unavailable, fmt::format("the database {} is busy", file_), {}, "try again; another program may hold it open"},
                .remedy = Remedy::try_again};
      case SQLITE_FULL:
        return {.error = {ErrorCode::resource_exhausted, fmt::format("the disk that holds {} is full", file_), {}, "free some space and try again"}};
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return {.error = {ErrorCode::data_loss, fmt::format("the database {} is damaged: {}", file_, message), {}, "restore it from a backup"}};
      case SQLITE_CANTOPEN:
      case SQLITE_READONLY:
        return {.error = {ErrorCode::unavailable, fmt::format("the database {} cannot be written: {}", file_, message), {}, "check the folder and its permissions"}};
      default: return {.error = {ErrorCode::internal, fmt::format("SQLite: {}", message)}};
    }
  }

  sqlite::sqlite3* handle() const {
    auto& session = const_cast<soci::session&>(session_);
    return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
  }

  std::string file_;
};

}  // namespace

SqlResult<std::unique_ptr<Connection>> connect_sqlite(const std::string& file) {
  if (file.empty() || file.find('"') != std::string::npos)
    return std::unexpected(SqlError{.error = {ErrorCode::invalid_argument, fmt::format("\"{}\" is no usable file name", file), "database.url", "write sqlite:///path/to/file.db"}});
  auto connection = std::make_unique<SqliteConnection>();
  auto opened = connection->open(file);
  if (!opened) return std::unexpected(std::move(opened).error());
  return connection;
}

}  // namespace volan::storage
