#include "storage/journal_format.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "core/ids.hpp"

namespace volan::storage::journal_format {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie in memory");

template <class Integer>
void put(char* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}
template <class Integer>
Integer get(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Checksum of a record: its position, then its bytes behind the checksum field.
std::uint32_t checksum(std::uint64_t position, std::string_view after_checksum) {
  char place[sizeof position];
  put(place, position);
  return core::crc32c(after_checksum, core::crc32c({place, sizeof place}));
}

std::unexpected<core::Error> damaged(std::uint64_t position, std::string_view what) {
  return core::fail(core::ErrorCode::data_loss, fmt::format("journal entry {} {}", position, what), {},
                    "the disk or the memory changed stored bytes: check them, then restore the data folder from a backup, or move journal.db away "
                    "to start without the entries that were not yet in the column store");
}

}  // namespace

void append_record(std::string& group, std::uint64_t position, const JournalEntry& entry) {
  const std::size_t begin = group.size();
  char header[record_header_bytes];
  put(header + 4, entry.kind);
  put(header + 6, entry.version);
  put(header + 8, static_cast<std::uint32_t>(entry.body.size()));
  group.append(header, sizeof header).append(entry.body);
  const std::string_view after_checksum = std::string_view(group).substr(begin + 4);
  put(group.data() + begin, checksum(position, after_checksum));
}

core::Result<> read_group(std::string_view group, std::uint64_t first, std::uint64_t entries, std::uint64_t after, const Visit& visit) {
  for (std::uint64_t position = first; position < first + entries; ++position) {
    if (group.size() < record_header_bytes) return damaged(position, "is cut off");
    const std::uint64_t length = get<std::uint32_t>(group.data() + 8);
    if (group.size() - record_header_bytes < length) return damaged(position, "is cut off or fails its checksum");
    const auto record = group.substr(0, record_header_bytes + length);
    group.remove_prefix(record.size());
    if (get<std::uint32_t>(record.data()) != checksum(position, record.substr(4))) return damaged(position, "fails its checksum");
    if (position <= after) continue;
    VOLAN_TRY_VOID(visit(position, {.kind = get<std::uint16_t>(record.data() + 4),
                                    .version = get<std::uint16_t>(record.data() + 6),
                                    .body = std::string(record.substr(record_header_bytes))}));
  }
  if (!group.empty()) return damaged(first + entries, "was not announced: its group holds bytes beyond its last record");
  return {};
}

}  // namespace volan::storage::journal_format
