/// A thin RAII layer over the SQLite C API for the store's own files: vectors as blobs and the FTS5 index, which the portable SQL of
/// storage::Database cannot hold.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace volan::feature {

class SqliteFile;

/// A prepared statement. Confined to the thread that uses its file. Bound views must live until the next reset() or the end.
class Statement {
 public:
  Statement() = default;
  void bind(int at, std::string_view text) { sqlite3_bind_text64(get(), at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8); }
  void bind(int at, std::int64_t number) { sqlite3_bind_int64(get(), at, number); }
  void bind_blob(int at, std::string_view bytes) { sqlite3_bind_blob64(get(), at, bytes.data(), bytes.size(), SQLITE_STATIC); }
  /// True when there is a row. Errors: data_loss for a corrupt file, resource_exhausted for a full disk, internal otherwise.
  core::Result<bool> step();
  /// For statements without rows.
  core::Result<> run();
  void reset() { sqlite3_reset(get()); }

  std::string text(int column) const;
  std::string_view blob(int column) const;  ///< valid until the next step
  std::int64_t integer(int column) const { return sqlite3_column_int64(get(), column); }
  double real(int column) const { return sqlite3_column_double(get(), column); }

 private:
  friend class SqliteFile;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3_stmt* get() const { return statement_.get(); }
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection. Confined to one thread at a time.
class SqliteFile {
 public:
  enum class Mode { create, read_immutable };
  /// create: read and write, made when missing. read_immutable: a finished file that nobody changes, without locks.
  static core::Result<SqliteFile> open(const std::string& path, Mode mode);
  core::Result<> execute(const std::string& sql);
  core::Result<Statement> prepare(std::string_view sql) const;

 private:
  struct Close {
    void operator()(sqlite3* file) const { sqlite3_close_v2(file); }
  };
  std::unique_ptr<sqlite3, Close> file_;
};

}  // namespace volan::feature
