/// From DuckDB's columns to rows of values. Private to storage.
#pragma once

#include <duckdb.h>

#include <vector>

#include "core/result.hpp"
#include "storage/database.hpp"

namespace volan::storage {

/// All rows of a result. Integers of any width become int64 (a sum beyond it a double), decimals doubles, booleans 0 or 1.
/// Errors: internal for a column of another type, naming it.
core::Result<std::vector<Row>> rows_of(duckdb_result& result);

}  // namespace volan::storage
