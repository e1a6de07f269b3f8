// The PostgreSQL side of Connection.
#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>

#include <charconv>

#include "storage/connection.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;

// Names of types in PostgreSQL's catalogue pg_type; they are part of its wire protocol and do not change.
enum Oid : unsigned { oid_bool = 16, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_oid = 26, oid_float4 = 700, oid_float8 = 701, oid_numeric = 1700 };

constexpr std::int64_t migration_lock_key = 0x766f6c616e;  // "volan"

Value number(std::string_view text) {
  std::int64_t integer = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (error == std::errc() && end == text.data() + text.size()) return integer;
  return std::strtod(std::string(text).c_str(), nullptr);
}

Value read(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return std::monostate{};
  const char* data = PQgetvalue(result, row, column);
  const std::string_view text(data, static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case oid_bool: return static_cast<std::int64_t>(text == "t");
    case oid_int2:
    case oid_int4:
    case oid_int8:
    case oid_oid:
    case oid_numeric: return number(text);  // a sum of BIGINT is NUMERIC: an integer where it has no fraction
    case oid_float4:
    case oid_float8: return std::strtod(data, nullptr);
    default: return std::string(text);
  }
}

/// The address without its password and options, for messages.
std::string shown(const std::string& url) {
  std::string text = url.substr(0, url.find('?'));
  const auto scheme = text.find("://");
  const auto at = text.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return text;
  const auto colon = text.find(':', scheme + 3);
  if (colon < at) text.erase(colon, at - colon);
  return text;
}

class PostgresqlConnection final : public Connection {
 public:
  SqlResult<SqlOutcome> open(const std::string& url) {
    shown_ = shown(url);
    std::string address = url;
    for (const char* option : {"connect_timeout=5", "client_encoding=UTF8", "application_name=volan"}) {
      const std::string name(option, std::string_view(option).find('='));
      if (address.find(name + "=") == std::string::npos) address += (address.find('?') == std::string::npos ? "?" : "&") + std::string(option);
    }
    try {
      session_.open(*soci::factory_postgresql(), address);
    } catch (const soci::soci_error& error) {
      return std::unexpected(down(error.get_error_message()));
    }
    // Serialisable, as SQLite always is: code that is right there must be right here. A commit must be durable when it returns.
    for (const char* setting : {"SET client_min_messages = warning", "SET default_transaction_isolation = 'serializable'",
                                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')"}) {
      auto done = run(setting, {});
      if (!done) return done;
    }
    return SqlOutcome{};
  }

  SqlResult<SqlOutcome> lock_migrations() override { return run(fmt::format("SELECT pg_advisory_lock({})", migration_lock_key), {}); }
  void unlock_migrations() override { (void)run(fmt::format("SELECT pg_advisory_unlock({})", migration_lock_key), {}); }

 protected:
  std::string_view begin_sql() const override { return "BEGIN"; }

  SqlResult<std::vector<Row>> read_rows(soci::statement& statement) override {
    auto* backend = static_cast<soci::postgresql_statement_backend*>(statement.get_backend());
    const PGresult* result = backend->result_;
    std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result)));
    const int columns = PQnfields(result);
    for (int i = 0; i < PQntuples(result); ++i) {
      auto& values = rows[static_cast<std::size_t>(i)].values;
      values.reserve(static_cast<std::size_t>(columns));
      for (int j = 0; j < columns; ++j) values.push_back(read(result, i, j));
    }
    return rows;
  }

  SqlError classify(const soci::soci_error& error) const override {
    const auto* own = dynamic_cast<const soci::postgresql_soci_error*>(&error);
    const std::string state = own ? own->sqlstate() : "";
    if (state == "23505") return {.error = {ErrorCode::conflict, "a row with this key exists already"}};
    if (state == "23503") return {.error = {ErrorCode::conflict, "a row refers to one that does not exist"}};
    if (state == "40001" || state == "40P01" || state == "55P03")
      return {.error = {ErrorCode::unavailable, "the database is busy: transactions got in each other's way", {}, "try again"}, .remedy = Remedy::try_again};
    if (state == "53100") return {.error = {ErrorCode::resource_exhausted, fmt::format("the disk of {} is full", shown_), {}, "free some space there"}};
    if (state == "22021") return {.error = {ErrorCode::invalid_argument, "a text is not valid UTF-8"}};
    // 08: connection; 57P01 to 57P03: the server stops, crashed or starts.
    if (state.starts_with("08") || state.starts_with("57P0") || PQstatus(handle()) != CONNECTION_OK) return down(error.get_error_message());
    return {.error = {ErrorCode::internal, fmt::format("PostgreSQL ({}): {}", state, error.get_error_message())}};
  }

 private:
  SqlError down(const std::string& why) const {
    return {.error = {ErrorCode::unavailable, fmt::format("PostgreSQL at {} does not answer: {}", shown_, why), "database.url",
                      "start it, or correct database.url in volan.yaml; volan connects again by itself"},
            .remedy = Remedy::reconnect};
  }
  PGconn* handle() const {
    auto& session = const_cast<soci::session&>(session_);
    return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
  }

  std::string shown_;
};

}  // namespace

SqlResult<std::unique_ptr<Connection>> connect_postgresql(const std::string& url) {
  auto connection = std::make_unique<PostgresqlConnection>();
  auto opened = connection->open(url);
  if (!opened) return std::unexpected(std::move(opened).error());
  return connection;
}

}  // namespace volan::storage
