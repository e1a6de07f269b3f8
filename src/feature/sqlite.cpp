#include "feature/sqlite.hpp"

#include <fmt/format.h>

namespace volan::feature {
namespace {

core::Error to_error(sqlite3* file, std::string_view what) {
  const int code = file ? sqlite3_errcode(file) : SQLITE_NOMEM;
  core::ErrorCode kind = core::ErrorCode::internal;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) kind = core::ErrorCode::data_loss;
  if (code == SQLITE_FULL) kind = core::ErrorCode::resource_exhausted;
  return {kind, fmt::format("{}: {}", what, file ? sqlite3_errmsg(file) : "out of memory")};
}

// For a file: URI.
std::string escape(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%')
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

}  // namespace

core::Result<bool> Statement::step() {
  const int code = sqlite3_step(get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return core::fail(to_error(sqlite3_db_handle(get()), "a statement of the feature store failed"));
}

core::Result<> Statement::run() {
  VOLAN_TRY([[maybe_unused]] const bool has_row, step());
  reset();
  return {};
}

std::string Statement::text(int column) const { return std::string(blob(column)); }

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
}

core::Result<SqliteFile> SqliteFile::open(const std::string& path, Mode mode) {
  const bool is_immutable = mode == Mode::read_immutable;
  const std::string uri = "file:" + escape(path) + (is_immutable ? "?immutable=1" : "");
  const int flags =
      SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | (is_immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
  SqliteFile file;
  file.file_.reset(raw);
  if (code != SQLITE_OK) return core::fail(to_error(raw, "cannot open " + path));
  sqlite3_busy_timeout(raw, 10'000);
  return file;
}

core::Result<> SqliteFile::execute(const std::string& sql) {
  if (sqlite3_exec(file_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return core::fail(to_error(file_.get(), "the feature store's file"));
  return {};
}

core::Result<Statement> SqliteFile::prepare(std::string_view sql) const {
  Statement statement;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(file_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
    return core::fail(to_error(file_.get(), "the feature store's file"));
  statement.statement_.reset(raw);
  return statement;
}

}  // namespace volan::feature
