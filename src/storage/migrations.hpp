/// Numbered migrations: applied once each, in order of name, and never changed afterwards. Private to storage.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/embedded_file.hpp"
#include "storage/connection.hpp"

namespace volan::storage {

/// Splits the text of a migration into statements. The rule is simple: a statement ends with a `;` at the end of a line (spaces may
/// follow), and a line that starts with `--` is a comment. So a `;` inside a text is harmless unless it ends its line.
/// The last statement may lack its `;`.
std::vector<std::string_view> split_statements(std::string_view text);

/// Applies what is missing. Several processes may do so at once. Errors: conflict when an applied migration's text has changed, or when
/// the database holds a migration that this program does not have.
SqlResult<SqlOutcome> apply_migrations(Connection& connection, std::string_view module, std::span<const core::EmbeddedFile> migrations);

}  // namespace volan::storage
