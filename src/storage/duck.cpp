#include "storage/duck.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/file.hpp"
#include "core/text.hpp"
#include "storage/duck_result.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

// DuckDB reports these through its text only where a statement is prepared or a file is attached.
constexpr std::string_view fatal_text = "database has been invalidated";

core::Error error_of(duckdb_error_type type, std::string message) {
  switch (type) {
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return {ErrorCode::resource_exhausted, fmt::format("the query needs more memory than allowed: {}", message), {}, "ask for a smaller range"};
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_INVALID_INPUT:
      return {ErrorCode::invalid_argument, std::move(message)};
    case DUCKDB_ERROR_IO: return {ErrorCode::unavailable, fmt::format("column store: {}", message), {}, "check the disk that holds the data folder"};
    default: return {ErrorCode::internal, fmt::format("column store: {}", message)};
  }
}

/// A result that is destroyed with its scope.
struct OwnedResult {
  duckdb_result raw{};
  ~OwnedResult() { duckdb_destroy_result(&raw); }
};
struct OwnedStatement {
  duckdb_prepared_statement raw = nullptr;
  ~OwnedStatement() { duckdb_destroy_prepare(&raw); }
};

duckdb_state bind(duckdb_prepared_statement statement, idx_t index, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return duckdb_bind_int64(statement, index, *integer);
  if (const auto* real = std::get_if<double>(&value)) return duckdb_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value)) return duckdb_bind_varchar_length(statement, index, text->data(), text->size());
  return duckdb_bind_null(statement, index);
}

std::string literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

/// Creates the file under another name first: a kill in the middle must not leave half a file that no later start can open.
Result<> create_file(Duck& duck, const std::string& file) {
  const std::string fresh = file + ".new";
  ::unlink(fresh.c_str());
  ::unlink((fresh + ".wal").c_str());
  VOLAN_TRY_VOID(duck.run(fmt::format("ATTACH {} AS fresh", literal(fresh))));
  VOLAN_TRY_VOID(duck.run("DETACH fresh"));
  if (::rename(fresh.c_str(), file.c_str()) != 0) return core::fail(core::system_error("cannot create " + file, errno));
  const auto slash = file.rfind('/');
  return core::sync_folder(slash == std::string::npos ? "." : file.substr(0, slash));
}

core::Error cannot_attach(const std::string& file, const core::Error& error) {
  if (error.message.find("Conflicting lock") != std::string::npos || error.message.find("Could not set lock") != std::string::npos)
    return {ErrorCode::conflict, fmt::format("another process has {} open", file), {}, "stop it: only one may use the file"};
  if (error.message.find("newer version") != std::string::npos || error.message.find("storage version") != std::string::npos)
    return {ErrorCode::conflict, fmt::format("{} was written by a newer version: {}", file, error.message), {}, "start the newer version of volan"};
  if (error.message.find("Permission denied") != std::string::npos || error.message.find("No such file") != std::string::npos)
    return {ErrorCode::unavailable, fmt::format("cannot open {}: {}", file, error.message), {}, "check the folder and its permissions"};
  return {ErrorCode::data_loss, fmt::format("{} is damaged: {}", file, error.message), {},
          "restore it from a backup, or move it away to start an empty one; entries that are still in the journal are kept"};
}

}  // namespace

bool is_fatal(const core::Error& error) { return error.message.find(fatal_text) != std::string::npos; }

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

Result<std::vector<Row>> DuckConnection::run(const std::string& sql, const std::vector<Value>& params) {
  OwnedStatement statement;
  if (duckdb_prepare(raw_, sql.c_str(), &statement.raw) != DuckDBSuccess)
    return core::fail(error_of(DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement.raw)));
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (bind(statement.raw, i + 1, params[i]) != DuckDBSuccess)
      return core::fail(ErrorCode::internal, fmt::format("column store: parameter {} cannot be bound", i + 1));
  }
  OwnedResult result;
  if (duckdb_execute_prepared(statement.raw, &result.raw) != DuckDBSuccess) {
    const char* message = duckdb_result_error(&result.raw);
    return core::fail(error_of(duckdb_result_error_type(&result.raw), message ? message : "unknown error"));
  }
  return rows_of(result.raw);
}

Result<std::unique_ptr<Duck>> Duck::open(const DuckOptions& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) return core::fail(ErrorCode::internal, "column store: no memory for its configuration");
  const std::string memory_limit = fmt::format("{}MiB", std::max<std::uint64_t>(options.memory_limit_bytes >> 20, 64));
  // Two threads: a query may use a second core, and never all of a larger machine that answers chats meanwhile.
  for (const auto& [name, value] : {std::pair<const char*, const char*>{"threads", "2"}, {"memory_limit", memory_limit.c_str()},
                                    {"temp_directory", options.temporary_folder.c_str()}, {"autoload_known_extensions", "false"},
                                    {"autoinstall_known_extensions", "false"}, {"allow_unsigned_extensions", "false"}}) {
    if (duckdb_set_config(config, name, value) != DuckDBSuccess) {
      duckdb_destroy_config(&config);
      return core::fail(ErrorCode::internal, fmt::format("column store: DuckDB does not know the setting {}", name));
    }
  }
  auto duck = std::unique_ptr<Duck>(new Duck());
  char* message = nullptr;
  const auto state = duckdb_open_ext(nullptr, &duck->raw_, config, &message);
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const std::string why = message ? message : "unknown error";
    duckdb_free(message);
    return core::fail(ErrorCode::unavailable, fmt::format("cannot start DuckDB: {}", why));
  }
  if (::access(options.file.c_str(), F_OK) != 0) VOLAN_TRY_VOID(create_file(*duck, options.file));
  if (auto attached = duck->run(fmt::format("ATTACH {} AS disk", literal(options.file))); !attached)
    return core::fail(cannot_attach(options.file, attached.error()));
  // No query may read or write other files, and none may lift this again.
  for (const char* setting : {"SET enable_external_access = false", "SET lock_configuration = true"}) VOLAN_TRY_VOID(duck->run(setting));
  return duck;
}

Duck::~Duck() {
  idle_.clear();
  duckdb_close(&raw_);
}

Result<Duck::Loan> Duck::connect() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Loan loan(idle_.back().release(), GiveBack{this});
      idle_.pop_back();
      return loan;
    }
  }
  duckdb_connection raw = nullptr;
  if (duckdb_connect(raw_, &raw) != DuckDBSuccess) return core::fail(ErrorCode::internal, "column store: cannot connect to DuckDB");
  return Loan(new DuckConnection(raw), GiveBack{this});
}

void Duck::GiveBack::operator()(DuckConnection* connection) const {
  std::lock_guard lock(duck->mutex_);
  duck->idle_.emplace_back(connection);
}

Result<std::vector<Row>> Duck::run(const std::string& sql, const std::vector<Value>& params) {
  VOLAN_TRY(auto connection, connect());
  return connection->run(sql, params);
}

Result<std::unique_ptr<DuckAppender>> DuckAppender::open(DuckConnection& connection, const std::string& schema, const std::string& table) {
  duckdb_appender raw = nullptr;
  const auto state = duckdb_appender_create_ext(connection.raw(), "memory", schema.c_str(), table.c_str(), &raw);
  auto appender = std::unique_ptr<DuckAppender>(new DuckAppender(raw));
  VOLAN_TRY_VOID(appender->check(state));
  return appender;
}

DuckAppender::~DuckAppender() { duckdb_appender_destroy(&raw_); }

Result<> DuckAppender::check(duckdb_state state) {
  if (state == DuckDBSuccess) return {};
  const char* message = duckdb_appender_error(raw_);
  return core::fail(ErrorCode::internal, fmt::format("column store: {}", message ? message : "cannot append"));
}

Result<> DuckAppender::begin_row(std::int64_t position) { return check(duckdb_append_int64(raw_, position)); }

Result<> DuckAppender::add(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return check(duckdb_append_int64(raw_, *integer));
  if (const auto* real = std::get_if<double>(&value)) return check(duckdb_append_double(raw_, *real));
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (core::is_valid_utf8(*text)) return check(duckdb_append_varchar_length(raw_, text->data(), text->size()));
    const std::string repaired = core::make_valid_utf8(*text);  // DuckDB refuses the whole batch otherwise
    return check(duckdb_append_varchar_length(raw_, repaired.data(), repaired.size()));
  }
  return check(duckdb_append_null(raw_));
}

Result<> DuckAppender::end_row() { return check(duckdb_appender_end_row(raw_)); }
Result<> DuckAppender::finish() { return check(duckdb_appender_close(raw_)); }

}  // namespace volan::storage
