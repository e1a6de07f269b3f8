#include "storage/journal_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "core/file.hpp"
#include "core/ids.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

// A commit is at most this many groups of a trim, so that waiting entries are not held up by it.
constexpr std::uint64_t slice_bytes = 4u << 20;
constexpr int slice_groups = 1'000;

core::Error sqlite_error(sqlite3* handle, int code, std::string_view doing, const std::string& file) {
  const int extended = handle ? sqlite3_extended_errcode(handle) : code;
  const int system = handle ? sqlite3_system_errno(handle) : 0;
  std::string why = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  if (system != 0) why += fmt::format(" ({})", std::strerror(system));
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::data_loss, fmt::format("{}: {} is damaged: {}", doing, file, why), {},
              "restore the data folder from a backup, or move this file away to start without the entries that were not yet in the column store"};
    case SQLITE_FULL:
      return {ErrorCode::unavailable, fmt::format("{}: the disk that holds {} is full: {}", doing, file, why), {},
              "free some space, then restart volan; everything that was acknowledged is kept"};
    default:
      return {ErrorCode::unavailable, fmt::format("{}: {}: {} [{}]", doing, file, why, extended), {},
              "check the disk and its permissions, then restart volan; everything that was acknowledged is kept"};
  }
}

Result<SqliteHandle> open_handle(const std::string& file, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, nullptr);
  SqliteHandle handle(raw);
  if (code != SQLITE_OK) return core::fail(sqlite_error(raw, code, "cannot open the journal", file));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5'000);
  return handle;
}

Result<> execute(sqlite3* handle, const std::string& sql, const std::string& file) {
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return core::fail(sqlite_error(handle, code, "cannot set up the journal", file));
  return {};
}

Result<SqliteStatement> prepare_statement(sqlite3* handle, const char* sql, const std::string& file) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return core::fail(sqlite_error(handle, code, "cannot read the journal", file));
  return SqliteStatement(raw);
}

/// One integer; 0 when there is no row.
Result<std::int64_t> read_integer(sqlite3* handle, const char* sql, const std::string& file) {
  VOLAN_TRY(auto statement, prepare_statement(handle, sql, file));
  const int code = sqlite3_step(statement.get());
  if (code == SQLITE_ROW) return sqlite3_column_int64(statement.get(), 0);
  if (code == SQLITE_DONE) return 0;
  return core::fail(sqlite_error(handle, code, "cannot read the journal", file));
}

constexpr const char* last_position_sql = "SELECT first_position + entries - 1 FROM entry_group ORDER BY first_position DESC LIMIT 1";

/// Creates the tables in an empty file; refuses a file that is something else.
Result<> ensure_format(sqlite3* handle, const std::string& file) {
  VOLAN_TRY(const auto application, read_integer(handle, "PRAGMA application_id", file));
  VOLAN_TRY(const auto version, read_integer(handle, "PRAGMA user_version", file));
  VOLAN_TRY(const auto tables, read_integer(handle, "SELECT count(*) FROM sqlite_master", file));
  if (tables == 0 && application == 0) {
    VOLAN_TRY_VOID(execute(handle, "PRAGMA journal_mode=WAL", file));
    VOLAN_TRY_VOID(execute(handle, "PRAGMA synchronous=FULL", file));
    return execute(handle, fmt::format("BEGIN;"
                                       "CREATE TABLE entry_group (first_position INTEGER PRIMARY KEY, entries INTEGER NOT NULL, body BLOB NOT NULL);"
                                       "CREATE TABLE journal (id TEXT NOT NULL, trimmed INTEGER NOT NULL);"
                                       "INSERT INTO journal VALUES ('{}', 0);"
                                       "PRAGMA application_id={};PRAGMA user_version={};COMMIT;",
                                       core::new_id(), journal_format::application_id, journal_format::version), file);
  }
  if (application != journal_format::application_id)
    return core::fail(ErrorCode::data_loss, fmt::format("{} is not a journal of volan", file), {}, "name another data folder, or move this file away");
  if (version > journal_format::version)
    return core::fail(ErrorCode::conflict, fmt::format("{} has format {}, this program knows up to {}", file, version, journal_format::version), {},
                      "start the newer version of volan");
  VOLAN_TRY_VOID(execute(handle, "PRAGMA journal_mode=WAL", file));
  return execute(handle, "PRAGMA synchronous=FULL", file);
}

Result<JournalHead> read_head(sqlite3* handle, const std::string& file) {
  VOLAN_TRY(auto statement, prepare_statement(handle, "SELECT id, trimmed FROM journal", file));
  const int code = sqlite3_step(statement.get());
  if (code == SQLITE_DONE)
    return core::fail(ErrorCode::data_loss, fmt::format("{} is damaged: its head is missing", file), {}, "restore the data folder from a backup");
  if (code != SQLITE_ROW) return core::fail(sqlite_error(handle, code, "cannot read the journal", file));
  JournalHead head;
  head.id = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0));
  head.trimmed = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 1));
  VOLAN_TRY(const auto last, read_integer(handle, last_position_sql, file));
  // Positions never repeat: what was trimmed counts although its rows are gone.
  head.last_position = std::max(head.trimmed, static_cast<std::uint64_t>(last));
  return head;
}

/// Called after each commit in place of SQLite's own automatic checkpoint, which would run inside the commit.
int note_log_pages(void* pages, sqlite3*, const char*, int log_pages) {
  *static_cast<int*>(pages) = log_pages;
  return SQLITE_OK;
}

}  // namespace

core::Error JournalWriter::failed(std::string_view doing) const {
  return sqlite_error(handle_.get(), sqlite3_errcode(handle_.get()), doing, file_);
}

Result<std::unique_ptr<JournalWriter>> JournalWriter::open(const std::string& file) {
  auto writer = std::unique_ptr<JournalWriter>(new JournalWriter());
  writer->file_ = file;
  VOLAN_TRY(writer->handle_, open_handle(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  VOLAN_TRY_VOID(ensure_format(writer->handle_.get(), file));
  const auto slash = file.rfind('/');
  VOLAN_TRY_VOID(core::sync_folder(slash == std::string::npos ? "." : file.substr(0, slash)));
  VOLAN_TRY(writer->head_, read_head(writer->handle_.get(), file));
  VOLAN_TRY_VOID(writer->prepare());
  return writer;
}

JournalWriter::~JournalWriter() = default;

Result<> JournalWriter::prepare() {
  sqlite3* handle = handle_.get();
  sqlite3_wal_hook(handle, note_log_pages, &log_pages_);
  VOLAN_TRY(begin_, prepare_statement(handle, "BEGIN IMMEDIATE", file_));
  VOLAN_TRY(commit_, prepare_statement(handle, "COMMIT", file_));
  VOLAN_TRY(insert_, prepare_statement(handle, "INSERT INTO entry_group (first_position, entries, body) VALUES (?, ?, ?)", file_));
  VOLAN_TRY(slice_, prepare_statement(handle, "SELECT first_position + entries - 1, length(body) FROM entry_group ORDER BY first_position", file_));
  VOLAN_TRY(delete_, prepare_statement(handle, "DELETE FROM entry_group WHERE first_position <= ?", file_));
  VOLAN_TRY(trimmed_, prepare_statement(handle, "UPDATE journal SET trimmed = ?", file_));
  // What a crash left of an earlier trim is deleted by the next one.
  VOLAN_TRY(const auto first, read_integer(handle, "SELECT first_position FROM entry_group ORDER BY first_position LIMIT 1", file_));
  trimmed_done_ = first == 0 ? head_.trimmed : std::min(head_.trimmed, static_cast<std::uint64_t>(first) - 1);
  return {};
}

Result<> JournalWriter::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code != SQLITE_DONE) {
    auto error = failed("cannot write the journal");
    sqlite3_reset(statement);
    return core::fail(std::move(error));
  }
  sqlite3_reset(statement);
  return {};
}

Result<> JournalWriter::commit(std::span<const JournalEntry> entries, std::uint64_t trim) {
  VOLAN_TRY_VOID(step(begin_.get()));
  VOLAN_TRY_VOID(write(entries));
  if (has_to_trim(trim)) VOLAN_TRY_VOID(delete_slice(trim));
  VOLAN_TRY_VOID(step(commit_.get()));
  head_.last_position += entries.size();
  if (trim > head_.trimmed) head_.trimmed = trim;
  return {};
}

Result<> JournalWriter::write(std::span<const JournalEntry> entries) {
  std::uint64_t first = head_.last_position + 1;
  std::uint64_t position = first;
  group_.clear();
  for (const JournalEntry& entry : entries) {
    journal_format::append_record(group_, position++, entry);
    if (group_.size() < journal_format::group_bytes_max) continue;
    VOLAN_TRY_VOID(write_group(first, position - first));
    first = position;
  }
  return position == first ? Result<>{} : write_group(first, position - first);
}

Result<> JournalWriter::write_group(std::uint64_t first, std::uint64_t entries) {
  sqlite3_bind_int64(insert_.get(), 1, static_cast<sqlite3_int64>(first));
  sqlite3_bind_int64(insert_.get(), 2, static_cast<sqlite3_int64>(entries));
  sqlite3_bind_blob64(insert_.get(), 3, group_.data(), group_.size(), SQLITE_STATIC);
  auto done = step(insert_.get());
  sqlite3_bind_null(insert_.get(), 3);
  if (group_.capacity() > 4 * journal_format::group_bytes_max) group_ = {};  // one huge entry must not cost memory for ever
  group_.clear();
  return done;
}

Result<> JournalWriter::delete_slice(std::uint64_t trim) {
  std::uint64_t last = trimmed_done_;
  std::uint64_t bytes = 0;
  int groups = 0;
  bool is_all = true;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(slice_.get())) == SQLITE_ROW) {
    const auto end = static_cast<std::uint64_t>(sqlite3_column_int64(slice_.get(), 0));
    if (end > trim) break;  // a group that is still needed in part stays whole
    if (groups == slice_groups || bytes >= slice_bytes) {
      is_all = false;
      break;
    }
    last = end;
    bytes += static_cast<std::uint64_t>(sqlite3_column_int64(slice_.get(), 1));
    ++groups;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    auto error = failed("cannot read the journal");
    sqlite3_reset(slice_.get());
    return core::fail(std::move(error));
  }
  sqlite3_reset(slice_.get());
  sqlite3_bind_int64(delete_.get(), 1, static_cast<sqlite3_int64>(last));
  VOLAN_TRY_VOID(step(delete_.get()));
  trimmed_done_ = is_all ? trim : last;
  if (trim <= head_.trimmed) return {};
  sqlite3_bind_int64(trimmed_.get(), 1, static_cast<sqlite3_int64>(trim));
  return step(trimmed_.get());
}

Result<> JournalWriter::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return core::fail(failed("cannot write the journal"));
  return {};
}

Result<std::unique_ptr<JournalCheckpointer>> JournalCheckpointer::open(const std::string& file) {
  auto checkpointer = std::make_unique<JournalCheckpointer>();
  VOLAN_TRY(checkpointer->handle_, open_handle(file, SQLITE_OPEN_READWRITE));
  VOLAN_TRY_VOID(execute(checkpointer->handle_.get(), "PRAGMA synchronous=FULL", file));
  VOLAN_TRY_VOID(read_integer(checkpointer->handle_.get(), "SELECT count(*) FROM sqlite_master", file));  // attaches it to the log
  return checkpointer;
}

Result<JournalCheckpointer::Progress> JournalCheckpointer::run() {
  Progress progress;
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &progress.log_pages, &progress.copied_pages);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    return core::fail(sqlite_error(handle_.get(), code, "cannot write the journal", sqlite3_db_filename(handle_.get(), "main")));
  return progress;
}

Result<> read_journal(const std::string& file, std::uint64_t after, const journal_format::Visit& visit) {
  VOLAN_TRY(auto handle, open_handle(file, SQLITE_OPEN_READONLY));
  VOLAN_TRY_VOID(execute(handle.get(), "BEGIN", file));  // head and groups from one snapshot
  VOLAN_TRY(const auto head, read_head(handle.get(), file));
  after = std::max(after, head.trimmed);
  // The group that holds after + 1 may begin before it.
  VOLAN_TRY(auto statement, prepare_statement(handle.get(), "SELECT first_position, entries, body FROM entry_group WHERE first_position >= "
                                                            "coalesce((SELECT max(first_position) FROM entry_group WHERE first_position <= ?1), 0) ORDER BY first_position", file));
  sqlite3_bind_int64(statement.get(), 1, static_cast<sqlite3_int64>(after + 1));
  std::uint64_t next = after + 1;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    const auto first = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 0));
    const auto entries = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 1));
    const auto* body = static_cast<const char*>(sqlite3_column_blob(statement.get(), 2));
    const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), 2));
    if (first + entries <= after + 1) continue;
    if (first > next)
      return core::fail(ErrorCode::data_loss, fmt::format("journal entries {} to {} are missing from {}", next, first - 1, file), {},
                        "restore the data folder from a backup");
    VOLAN_TRY_VOID(journal_format::read_group({body, bytes}, first, entries, after, visit));
    next = first + entries;
  }
  if (code != SQLITE_DONE) return core::fail(sqlite_error(handle.get(), code, "cannot read the journal", file));
  return {};
}

}  // namespace volan::storage
