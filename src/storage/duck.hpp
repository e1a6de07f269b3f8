/// DuckDB's C interface with owners and Results. Private to storage.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "storage/database.hpp"

namespace volan::storage {

struct DuckOptions {
  std::string file;              ///< attached as the catalogue `disk`
  std::string temporary_folder;  ///< for what does not fit into the memory limit
  std::uint64_t memory_limit_bytes = 0;
};

/// A connection; confined to one thread at a time.
class DuckConnection {
 public:
  explicit DuckConnection(duckdb_connection raw) : raw_(raw) {}
  ~DuckConnection() { duckdb_disconnect(&raw_); }
  DuckConnection(const DuckConnection&) = delete;
  DuckConnection& operator=(const DuckConnection&) = delete;

  /// One statement with bound `?` parameters. Changed rows come as one integer, as DuckDB has it.
  core::Result<std::vector<Row>> run(const std::string& sql, const std::vector<Value>& params = {});
  duckdb_connection raw() { return raw_; }

 private:
  duckdb_connection raw_;
};

/// An in-memory database with the file attached. Thread-safe. The file is closed when this is destroyed.
class Duck {
 public:
  /// Errors: data_loss when the file is damaged, conflict when another process holds it, unavailable when it cannot be opened.
  static core::Result<std::unique_ptr<Duck>> open(const DuckOptions& options);
  ~Duck();
  Duck(const Duck&) = delete;
  Duck& operator=(const Duck&) = delete;

  /// A connection from the idle ones, or a new one; it goes back when the loan ends.
  struct GiveBack {
    Duck* duck;
    void operator()(DuckConnection* connection) const;
  };
  using Loan = std::unique_ptr<DuckConnection, GiveBack>;
  core::Result<Loan> connect();
  /// Runs one statement on a connection of its own.
  core::Result<std::vector<Row>> run(const std::string& sql, const std::vector<Value>& params = {});

 private:
  Duck() = default;
  duckdb_database raw_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<DuckConnection>> idle_;
};

/// Adds rows to one table of the in-memory catalogue; they are there once finish() has returned. Confined to one thread.
class DuckAppender {
 public:
  static core::Result<std::unique_ptr<DuckAppender>> open(DuckConnection& connection, const std::string& schema, const std::string& table);
  ~DuckAppender();
  core::Result<> begin_row(std::int64_t position);
  core::Result<> add(const Value& value);
  core::Result<> end_row();
  core::Result<> finish();

 private:
  explicit DuckAppender(duckdb_appender raw) : raw_(raw) {}
  core::Result<> check(duckdb_state state);
  duckdb_appender raw_;
};

/// True if the error left the database unusable until it is opened again.
bool is_fatal(const core::Error& error);

/// "name" quoted for SQL.
std::string quoted(std::string_view name);

}  // namespace volan::storage
