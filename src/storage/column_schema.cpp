#include "storage/column_schema.hpp"

#include <fmt/format.h>

#include <map>

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

constexpr std::string_view position_column = "journal_position";

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::text: return "VARCHAR";
    case ColumnType::integer: return "BIGINT";
    case ColumnType::real: return "DOUBLE";
    case ColumnType::boolean: return "BOOLEAN";
  }
  return "VARCHAR";
}

std::string definition(const TableSpec& table) {
  std::string columns = fmt::format("{} BIGINT", position_column);
  for (const Column& column : table.columns) columns += fmt::format(", {} {}", quoted(column.name), sql_type(column.type));
  return fmt::format("{} ({})", quoted(table.name), columns);
}

std::string names(const TableSpec& table) {
  std::string columns(position_column);
  for (const Column& column : table.columns) columns += ", " + quoted(column.name);
  return columns;
}

/// Adds the columns that the spec has and the file has not.
Result<> match_columns(Duck& duck, const TableSpec& table) {
  VOLAN_TRY(const auto rows, duck.run("SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'disk' AND schema_name = 'main' AND table_name = ?", {table.name}));
  std::map<std::string, std::string> stored;
  for (const Row& row : rows) stored[row.text(0)] = row.text(1);
  for (const Column& column : table.columns) {
    const auto found = stored.find(column.name);
    if (found == stored.end()) {
      VOLAN_TRY_VOID(duck.run(fmt::format("ALTER TABLE disk.main.{} ADD COLUMN {} {}", quoted(table.name), quoted(column.name), sql_type(column.type))));
    } else if (found->second != sql_type(column.type)) {
      return core::fail(ErrorCode::conflict, fmt::format("column {}.{} is {} on disk and {} in this program", table.name, column.name, found->second, sql_type(column.type)),
                        {}, "start the version of volan that wrote the data folder");
    }
  }
  return {};
}

}  // namespace

std::string tail_schema(int half) { return half == 0 ? "tail0" : "tail1"; }

Result<> create_schema(Duck& duck, const std::vector<TableSpec>& tables) {
  VOLAN_TRY_VOID(duck.run("CREATE TABLE IF NOT EXISTS disk.main.volan_moved (journal_id VARCHAR, position BIGINT)"));
  for (const TableSpec& table : tables) {
    VOLAN_TRY_VOID(duck.run(fmt::format("CREATE TABLE IF NOT EXISTS disk.main.{}", definition(table))));
    VOLAN_TRY_VOID(match_columns(duck, table));
  }
  for (int half : {0, 1}) {
    VOLAN_TRY_VOID(duck.run(fmt::format("CREATE SCHEMA {}", tail_schema(half))));
    VOLAN_TRY_VOID(empty_tail(duck, tables, half));
  }
  for (const TableSpec& table : tables) {
    std::string view = fmt::format("CREATE VIEW {0} AS SELECT {1} FROM disk.main.{0}", quoted(table.name), names(table));
    for (int half : {0, 1})
      view += fmt::format(" UNION ALL SELECT {} FROM {}.{} WHERE {} > (SELECT position FROM disk.main.volan_moved)", names(table), tail_schema(half), quoted(table.name), position_column);
    VOLAN_TRY_VOID(duck.run(view));
  }
  return {};
}

Result<std::uint64_t> read_moved_position(Duck& duck, const std::string& journal_id) {
  VOLAN_TRY(const auto rows, duck.run("SELECT journal_id, position FROM disk.main.volan_moved"));
  if (rows.size() == 1 && rows[0].text(0) == journal_id) return static_cast<std::uint64_t>(rows[0].integer(1));
  VOLAN_TRY_VOID(duck.run("DELETE FROM disk.main.volan_moved"));
  VOLAN_TRY_VOID(duck.run("INSERT INTO disk.main.volan_moved VALUES (?, 0)", {journal_id}));
  return 0;
}

Result<> empty_tail(Duck& duck, const std::vector<TableSpec>& tables, int half) {
  for (const TableSpec& table : tables) VOLAN_TRY_VOID(duck.run(fmt::format("CREATE OR REPLACE TABLE {}.{}", tail_schema(half), definition(table))));
  return {};
}

Result<std::uint64_t> move_tail(Duck& duck, const std::vector<TableSpec>& tables, int half, const std::string& journal_id, std::uint64_t position) {
  VOLAN_TRY(auto connection, duck.connect());
  std::uint64_t moved = 0;
  const auto move = [&]() -> Result<> {
    VOLAN_TRY_VOID(connection->run("BEGIN TRANSACTION"));
    for (const TableSpec& table : tables) {
      VOLAN_TRY(const auto rows, connection->run(fmt::format("INSERT INTO disk.main.{0} ({1}) SELECT {1} FROM {2}.{0}", quoted(table.name), names(table), tail_schema(half))));
      moved += rows.empty() ? 0 : static_cast<std::uint64_t>(rows[0].integer(0));
    }
    VOLAN_TRY_VOID(connection->run("UPDATE disk.main.volan_moved SET position = ? WHERE journal_id = ?", {static_cast<std::int64_t>(position), journal_id}));
    VOLAN_TRY_VOID(connection->run("COMMIT"));
    return {};
  };
  if (auto done = move(); !done) {
    (void)connection->run("ROLLBACK");
    return std::unexpected(std::move(done).error());
  }
  return moved;
}

}  // namespace volan::storage
