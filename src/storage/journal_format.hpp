/// Constants and record layout of the journal file. docs/formats/journal.md is the page about it; journal_file.cpp reads and writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "storage/journal.hpp"

namespace volan::storage::journal_format {

inline constexpr int version = 1;                    ///< PRAGMA user_version
inline constexpr int application_id = 0x564f4c4e;    ///< PRAGMA application_id, "VOLN"
inline constexpr std::size_t record_header_bytes = 12;
inline constexpr std::size_t group_bytes_max = 1u << 20;  ///< a group is closed once it is this large

/// Adds one record to a group's body.
/// Layout, little-endian: crc32c u32 | kind u16 | version u16 | body length u32 | body. The checksum covers the position (u64) and
/// everything after itself, so that a record in the wrong place is found too.
void append_record(std::string& group, std::uint64_t position, const JournalEntry& entry);

using Visit = std::function<core::Result<>(std::uint64_t position, JournalEntry&& entry)>;

/// Visits the records of a group of `entries` records that starts at `first`, without those up to `after`.
/// Errors: data_loss naming the position when a checksum is wrong, a record is cut or bytes are left over; the visitor's own error.
core::Result<> read_group(std::string_view group, std::uint64_t first, std::uint64_t entries, std::uint64_t after, const Visit& visit);

}  // namespace volan::storage::journal_format
