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
#include "storage/data_folder_lock.hpp"
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
  std::string file;                           ///< the DuckDB file; opened by the first query or move, so an idle start is cheap
  std::uint64_t memory_limit_bytes = 512u << 20;
  std::uint64_t rows_per_move = 122'880;      ///< a row group
  std::uint64_t bytes_per_move = 128u << 20;  ///< of entries: a tail of large rows moves earlier
  std::uint64_t move_interval_ms = 30'000;    ///< the tail moves at the latest this long after its first row
  std::uint64_t idle_close_ms = 60'000;       ///< DuckDB's memory is given back this long after its last use; the next query opens it again
  std::size_t tail_rows_max = 1'000'000;      ///< beyond it the journal answers resource_exhausted
};

/// Turns a committed journal entry into rows of tables (index into the specs, row). Called in order of position, one call at a time, some
/// time after the append and before the next query. A row has one value per column of its spec; text that is not UTF-8 is repaired. An
/// entry that it refuses is logged and counted (volan_column_store_refused_entries_total), and gives no rows.
using RowMapper = std::function<core::Result<>(std::uint64_t position, const JournalEntry& entry,
                                               const std::function<void(std::size_t table, ColumnRow row)>& emit)>;

/// Thread-safe. Owns a mover thread. At open it reads what the journal holds; the position stored with the rows on disk then decides which
/// of these entries are new, so that a crash at any moment leaves each entry's rows exactly once. The journal must outlive it and has
/// no second reader, because the store trims it.
class ColumnStore {
 public:
  static core::Result<std::unique_ptr<ColumnStore>> open(ColumnStoreOptions options, std::vector<TableSpec> tables, Journal& journal,
                                                         RowMapper mapper, const core::Log& log, core::Metrics& metrics);
  ~ColumnStore();  // moves nothing; what is in the tail is replayed at the next open

  ColumnStore(const ColumnStore&) = delete;
  ColumnStore& operator=(const ColumnStore&) = delete;

  /// SQL over the tables by name, each being disk rows + tail. Bound `?` parameters. Blocking. Sees every entry whose append has returned.
  /// The SQL is the caller's own text and never a user's: it could write. Columns may be integers, floats, decimals, booleans and text;
  /// cast times and lists. Errors: data_loss when the file is damaged, conflict when another process holds it, resource_exhausted when
  /// the query needs more than the memory limit, invalid_argument for a value that cannot be converted, internal otherwise.
  core::Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params = {});
  /// Moves the tail to disk now and trims the journal. Blocking.
  core::Result<> move_now();
  /// Deletes rows by a WHERE clause, on disk and tail (retention, forgetting): everything whose append returned before the call. The tail
  /// is moved first, so that no later replay can bring a row back. Blocking. Returns rows removed.
  core::Result<std::int64_t> remove(std::string_view table, std::string_view where, std::vector<Value> params = {});

  struct Stats {
    std::uint64_t tail_rows = 0;       ///< rows, or entries not yet turned into rows, that are not on disk
    std::uint64_t moved_rows = 0;      ///< since the start
    std::uint64_t moved_position = 0;  ///< 0 until the file was first opened
    std::int64_t last_move_ns = 0;     ///< when the last move ended, since 1970; 0 = none since the start
    std::string last_error;            ///< of the last failed move; empty after a successful one
    bool is_open = false;              ///< DuckDB is loaded
  };
  Stats stats() const;

 private:
  struct State;
  explicit ColumnStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::storage
