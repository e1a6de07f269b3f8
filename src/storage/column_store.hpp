/// Columnar tables (DuckDB) fed from the journal: rows not yet moved to disk are visible to every query.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace volan::storage {

enum class ColumnType { text, integer, real, boolean };
struct Column {
  std::string name;
  ColumnType type;
};
/// A table; a hidden first column `journal_position` is added. Rows are only inserted; "newest wins" is a query's business.
struct TableSpec {
  std::string name;
  std::vector<Column> columns;
};
using ColumnRow = std::vector<Value>;

struct ColumnStoreOptions {
  std::string file;                           ///< the DuckDB file; created on first move, so an idle start is cheap
  std::uint64_t memory_limit_bytes = 512u << 20;
  std::uint64_t rows_per_move = 122'880;      ///< a row group
  std::uint64_t move_interval_ms = 30'000;    ///< the tail moves at the latest this long after its first row
  std::size_t tail_rows_max = 1'000'000;      ///< beyond it the journal answers resource_exhausted
};

/// Turns a committed journal entry into rows of tables (index into the specs, row). Called in order of position.
using RowMapper = std::function<core::Result<>(std::uint64_t position, const JournalEntry& entry,
                                               const std::function<void(std::size_t table, ColumnRow row)>& emit)>;

/// Thread-safe. Owns a mover thread. At open it replays the journal after the position stored with the rows.
class ColumnStore {
 public:
  static core::Result<std::unique_ptr<ColumnStore>> open(ColumnStoreOptions options, std::vector<TableSpec> tables, Journal& journal,
                                                         RowMapper mapper, const core::Log& log, core::Metrics& metrics);
  ~ColumnStore();  // moves nothing; what is in the tail is replayed at the next open

  /// SQL over the tables by name, each being disk rows + tail. Bound `?` parameters. Blocking. Sees every entry whose append has returned.
  core::Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params = {});
  /// Moves the tail to disk now and trims the journal. Blocking.
  core::Result<> move_now();
  /// Deletes rows by a WHERE clause, on disk and tail (retention, forgetting). Blocking. Returns rows removed.
  core::Result<std::int64_t> remove(std::string_view table, std::string_view where, std::vector<Value> params = {});

  struct Stats {
    std::uint64_t tail_rows = 0, moved_rows = 0, moved_position = 0;
    std::int64_t last_move_ns = 0;
    std::string last_error;
  };
  Stats stats() const;

 private:
  struct State;
  explicit ColumnStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Holds DIR/lock for the life of the process. Errors: conflict naming the pid of the process that has the data folder.
class DataFolderLock {
 public:
  static core::Result<std::unique_ptr<DataFolderLock>> acquire(const std::string& folder);
  ~DataFolderLock();

 private:
  explicit DataFolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace volan::storage
