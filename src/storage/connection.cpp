#include "storage/connection.hpp"

#include <fmt/format.h>

namespace volan::storage {

using core::ErrorCode;

SqlResult<SqlOutcome> Connection::run(std::string_view sql, const std::vector<Value>& params) {
  // What SOCI binds must stay where it is until the statement has run.
  std::vector<long long> integers(params.size());
  std::vector<std::string> names(params.size());
  std::string null_text;
  soci::indicator null = soci::i_null;
  try {
    soci::statement statement(session_);
    for (std::size_t i = 0; i < params.size(); ++i) {
      names[i] = fmt::format("p{}", i + 1);
      if (const auto* integer = std::get_if<std::int64_t>(&params[i])) {
        integers[i] = *integer;
        statement.exchange(soci::use(integers[i], names[i]));
      } else if (const auto* real = std::get_if<double>(&params[i])) {
        statement.exchange(soci::use(*real, names[i]));
      } else if (const auto* text = std::get_if<std::string>(&params[i])) {
        if (text->find('\0') != std::string::npos)  // PostgreSQL has no such text, and libpq would cut it silently
          return std::unexpected(SqlError{.error = {ErrorCode::invalid_argument, "a text holds the character U+0000, which a database cannot store", {}, "remove it"}});
        statement.exchange(soci::use(*text, names[i]));
      } else {
        statement.exchange(soci::use(null_text, null, names[i]));
      }
    }
    statement.alloc();
    statement.prepare(std::string(sql), soci::details::st_one_time_query);
    statement.define_and_bind();
    statement.execute(true);
    auto rows = read_rows(statement);
    if (!rows) return std::unexpected(std::move(rows).error());
    return SqlOutcome{.rows = std::move(*rows), .changed = statement.get_affected_rows()};
  } catch (const soci::soci_error& error) {
    return std::unexpected(classify(error));
  } catch (const std::exception& error) {
    return std::unexpected(SqlError{.error = {ErrorCode::internal, fmt::format("database: {}", error.what())}});
  }
}

bool Connection::rollback() { return run("ROLLBACK", {}).has_value(); }

}  // namespace volan::storage
