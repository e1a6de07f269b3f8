#include "storage/migrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

/// True if there is anything but blank lines and comments.
bool has_statement(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    if (!line.empty() && !line.starts_with("--")) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

std::unexpected<SqlError> refuse(std::string message, std::string fix) {
  return std::unexpected(SqlError{.error = {ErrorCode::conflict, std::move(message), {}, std::move(fix)}});
}

SqlResult<SqlOutcome> apply_one(Connection& connection, std::string_view module, const core::EmbeddedFile& file, const std::string& hash) {
  for (std::string_view statement : split_statements(file.bytes)) {
    auto done = connection.run(statement, {});
    if (!done) {
      done.error().error.message = fmt::format("migration {}/{}: {}", module, file.name, done.error().error.message);
      return done;
    }
  }
  return connection.run("INSERT INTO volan_migrations (module, name, sha256, applied_ns) VALUES (:p1, :p2, :p3, :p4)",
                        {std::string(module), std::string(file.name), hash, core::SystemClock().now().ns});
}

/// The migrations of the module that the database has: name and hash.
SqlResult<std::map<std::string, std::string>> applied_migrations(Connection& connection, std::string_view module) {
  auto outcome = connection.run("SELECT name, sha256 FROM volan_migrations WHERE module = :p1", {std::string(module)});
  if (!outcome) return std::unexpected(std::move(outcome).error());
  std::map<std::string, std::string> applied;
  for (const Row& row : outcome->rows) applied[row.text(0)] = row.text(1);
  return applied;
}

/// Each migration in its own transaction, with a look at what another process may have done in the meantime.
SqlResult<SqlOutcome> apply_missing(Connection& connection, std::string_view module, const std::vector<core::EmbeddedFile>& files) {
  auto table = connection.run("CREATE TABLE IF NOT EXISTS volan_migrations (module TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,"
                              " applied_ns BIGINT NOT NULL, PRIMARY KEY (module, name))", {});
  if (!table) return table;
  auto known = applied_migrations(connection, module);
  if (!known) return std::unexpected(std::move(known).error());
  for (const auto& [name, hash] : *known) {
    if (std::ranges::none_of(files, [&](const auto& file) { return file.name == name; }))
      return refuse(fmt::format("the database is newer than this program: it holds migration {}/{}", module, name),
                    "start the newer version of volan, or restore a backup that this one made");
  }
  for (const core::EmbeddedFile& file : files) {
    const std::string hash = core::sha256_hex(file.bytes);
    auto begun = connection.begin();
    if (!begun) return begun;
    auto applied = applied_migrations(connection, module);
    SqlResult<SqlOutcome> done = SqlOutcome{};
    if (!applied) {
      done = std::unexpected(std::move(applied).error());
    } else if (auto found = applied->find(std::string(file.name)); found == applied->end()) {
      done = apply_one(connection, module, file, hash);
    } else if (found->second != hash) {
      done = refuse(fmt::format("migration {}/{} was changed after it was applied to this database", module, file.name),
                    "put the released text back and write a new migration for the change");
    }
    if (done) done = connection.commit();
    if (!done) {
      (void)connection.rollback();
      return done;
    }
  }
  return SqlOutcome{};
}

}  // namespace

std::vector<std::string_view> split_statements(std::string_view text) {
  std::vector<std::string_view> statements;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(text.substr(at, end - at));
    at = end + 1;
    if (line.starts_with("--") || !line.ends_with(';')) continue;
    const auto statement = text.substr(begin, end - begin);
    if (has_statement(statement)) statements.push_back(trimmed(statement));
    begin = std::min(at, text.size());
  }
  if (has_statement(text.substr(begin))) statements.push_back(trimmed(text.substr(begin)));
  return statements;
}

SqlResult<SqlOutcome> apply_migrations(Connection& connection, std::string_view module, std::span<const core::EmbeddedFile> migrations) {
  std::vector<core::EmbeddedFile> files(migrations.begin(), migrations.end());
  std::ranges::sort(files, {}, &core::EmbeddedFile::name);
  auto locked = connection.lock_migrations();
  if (!locked) return locked;
  auto done = apply_missing(connection, module, files);
  connection.unlock_migrations();
  return done;
}

}  // namespace volan::storage
