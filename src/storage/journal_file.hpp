/// The journal's SQLite file: groups of entries written in one transaction, deleted from the front. Private to storage.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "storage/journal_format.hpp"

namespace volan::storage {

struct CloseSqlite {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteHandle = std::unique_ptr<sqlite3, CloseSqlite>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, CloseSqlite>;

/// What is known about the file when it is opened.
struct JournalHead {
  std::string id;
  std::uint64_t last_position = 0;
  std::uint64_t trimmed = 0;
};

/// The one connection that writes. Confined to the writer thread once opened. Every error of a write is final for the process: after a
/// failed fsync nobody knows what is on the disk, and trying again would only hide it.
class JournalWriter {
 public:
  static core::Result<std::unique_ptr<JournalWriter>> open(const std::string& file);
  ~JournalWriter();

  const JournalHead& head() const { return head_; }

  /// Writes the entries as positions head().last_position + 1 … and deletes a slice of what lies up to `trim`, all in one fsynced
  /// transaction. Either may be nothing.
  core::Result<> commit(std::span<const JournalEntry> entries, std::uint64_t trim);
  /// True while entries up to `trim` are left to delete.
  bool has_to_trim(std::uint64_t trim) const { return trim > trimmed_done_; }

  /// Pages in the write-ahead log that lie before the end of the last commit.
  int log_pages() const { return log_pages_; }
  /// Copies the log into the file, as far as no reader is in the way; the next commit then starts the log anew if all was copied.
  core::Result<> checkpoint();
  /// After a failed write: closing must not touch the file any more (SQLite would checkpoint, and so repeat a failed fsync).
  void abandon() { sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

 private:
  JournalWriter() = default;
  core::Result<> prepare();
  core::Result<> write(std::span<const JournalEntry> entries);
  core::Result<> write_group(std::uint64_t first, std::uint64_t entries);
  core::Result<> delete_slice(std::uint64_t trim);
  core::Result<> step(sqlite3_stmt* statement);
  core::Error failed(std::string_view doing) const;

  std::string file_;
  SqliteHandle handle_;
  SqliteStatement begin_, commit_, insert_, slice_, delete_, trimmed_;
  JournalHead head_;
  std::uint64_t trimmed_done_ = 0;  // everything up to here is deleted
  int log_pages_ = 0;
  std::string group_;
};

/// A second connection, for the checkpoints that must not hold up commits. Confined to one thread.
class JournalCheckpointer {
 public:
  static core::Result<std::unique_ptr<JournalCheckpointer>> open(const std::string& file);
  struct Progress {
    int log_pages = 0, copied_pages = 0;
  };
  /// Copies the log without blocking the writer.
  core::Result<Progress> run();
  void abandon() { sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

 private:
  SqliteHandle handle_;
};

/// Reads committed entries after `after` (and after what is trimmed), in order. Errors: data_loss, unavailable, the visitor's own.
core::Result<> read_journal(const std::string& file, std::uint64_t after, const journal_format::Visit& visit);

}  // namespace volan::storage
