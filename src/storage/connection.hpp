/// One connection to the metadata database, and what its failures mean. Private to storage.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.hpp"

namespace volan::storage {

/// What can be done about a failed statement.
enum class Remedy {
  none,       ///< report it
  try_again,  ///< a serialisation failure, a deadlock or a busy file: run the transaction again
  reconnect,  ///< the connection is gone
};

struct SqlError {
  core::Error error;
  Remedy remedy = Remedy::none;
};

template <class T>
using SqlResult = std::expected<T, SqlError>;

/// What a statement gave: its rows, or how many rows it changed.
struct SqlOutcome {
  std::vector<Row> rows;
  std::int64_t changed = 0;
};

/// Confined to one thread at a time (the pool in database.cpp lends it). SOCI prepares and binds; the values of a result are read from
/// the back end itself, because SOCI fixes a column's type before the first row and so calls count(*) a text in SQLite, and rounds a sum
/// of integers to a double in PostgreSQL.
class Connection {
 public:
  virtual ~Connection() = default;
  SqlResult<SqlOutcome> run(std::string_view sql, const std::vector<Value>& params);
  /// Starts a transaction that may write.
  SqlResult<SqlOutcome> begin() { return run(begin_sql(), {}); }
  SqlResult<SqlOutcome> commit() { return run("COMMIT", {}); }
  /// Best effort; false when the connection must not be used again.
  bool rollback();

  /// Held by one process at a time while it migrates. PostgreSQL: an advisory lock; SQLite needs none beside its transactions.
  virtual SqlResult<SqlOutcome> lock_migrations() = 0;
  virtual void unlock_migrations() = 0;

 protected:
  virtual std::string_view begin_sql() const = 0;
  virtual SqlResult<std::vector<Row>> read_rows(soci::statement& statement) = 0;
  virtual SqlError classify(const soci::soci_error& error) const = 0;

  soci::session session_;
};

SqlResult<std::unique_ptr<Connection>> connect_sqlite(const std::string& file);
SqlResult<std::unique_ptr<Connection>> connect_postgresql(const std::string& url);

}  // namespace volan::storage
