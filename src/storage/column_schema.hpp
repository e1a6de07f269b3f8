/// SQL that defines a column store's tables: on disk, in the two halves of the tail, and the views that join them. Private to storage.
///
/// Each table of a spec exists three times: disk.main.T, memory.tail0.T and memory.tail1.T. A view T shows all rows once: those on disk,
/// and those of the tail whose journal position lies beyond the one that disk.main.volan_moved names. That row and the moved rows are
/// committed together, so a query sees each row exactly once, whether its snapshot lies before or after a move.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/column_store.hpp"
#include "storage/duck.hpp"

namespace volan::storage {

/// Creates what is missing on disk (tables, columns that a newer spec adds) and the tail and the views in memory.
/// Errors: conflict when a column has another type on disk than in the spec.
core::Result<> create_schema(Duck& duck, const std::vector<TableSpec>& tables);

/// The position up to which rows are on disk, for this journal; 0 when the file belongs to another (older) journal or is new.
core::Result<std::uint64_t> read_moved_position(Duck& duck, const std::string& journal_id);

/// One half of the tail, emptied. A new table gives the memory back at once, which deleting rows would not.
core::Result<> empty_tail(Duck& duck, const std::vector<TableSpec>& tables, int half);

/// Moves the rows of one half to disk and sets the moved position, in one durable transaction. Returns the number of rows.
core::Result<std::uint64_t> move_tail(Duck& duck, const std::vector<TableSpec>& tables, int half, const std::string& journal_id, std::uint64_t position);

/// The schema of a half: "tail0" or "tail1".
std::string tail_schema(int half);

}  // namespace volan::storage
