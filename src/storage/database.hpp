/// The metadata database: SQLite or PostgreSQL behind one small interface. SQL text lives in store.cpp and migrations/ only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/embedded_file.hpp"
#include "core/result.hpp"

namespace volan::storage {

/// A bound parameter or a column of a result. Booleans are integers 0/1, times integer nanoseconds; no blobs (those go to BlobStore).
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One row. Getters abort on a wrong column index (a bug) and convert between the number types; NULL gives 0 or "".
class Row {
 public:
  std::vector<Value> values;
  std::int64_t integer(std::size_t i) const;
  double real(std::size_t i) const;
  const std::string& text(std::size_t i) const;
  bool is_null(std::size_t i) const;
};

/// One transaction. Confined to the thread that runs it.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// `sql` has the placeholders :p1, :p2, … bound from `params` in order, and keeps to the subset of SQL that both databases share
  /// (TEXT, BIGINT, DOUBLE PRECISION; INSERT … ON CONFLICT; no RETURNING). Errors: conflict for a unique violation, internal otherwise.
  virtual core::Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params = {}) = 0;
  /// Returns the number of rows changed.
  virtual core::Result<std::int64_t> execute(std::string_view sql, std::vector<Value> params = {}) = 0;
};

/// Thread-safe pool of connections. Blocking: call it in the disk pool.
class Database {
 public:
  /// `url`: "sqlite:///path/file.db" or "postgresql://user@host:port/db". SQLite: WAL, synchronous=FULL, foreign keys on, busy timeout.
  static core::Result<std::unique_ptr<Database>> open(std::string url, std::size_t connections = 4);
  ~Database();

  /// Applies the migrations of one module (names sorted; each in its own transaction, recorded with its hash). Errors: conflict when an
  /// applied migration's text has changed or when the database is newer than this program.
  core::Result<> migrate(std::string_view module, std::span<const core::EmbeddedFile> migrations);

  /// Runs `body` in a transaction: commit on success, roll back on error. A serialisation failure or busy database is tried again
  /// (at most 5 times), so `body` must have no other effect.
  core::Result<> transaction(const std::function<core::Result<>(Transaction&)>& body);

  /// One read outside of an explicit transaction.
  core::Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params = {});

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::storage
