// Fuzzes the reader of groups: any bytes give entries or data_loss, and what it accepts it reads back the same.
#include <cstdint>
#include <cstdlib>

#include "storage/journal_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace volan;
  if (size < 2) return 0;
  const std::uint64_t entries = data[0] % 8;
  const std::uint64_t first = data[1];
  const std::string_view group(reinterpret_cast<const char*>(data + 2), size - 2);
  std::string again;
  auto done = storage::journal_format::read_group(group, first, entries, 0, [&](std::uint64_t position, storage::JournalEntry&& entry) -> core::Result<> {
    storage::journal_format::append_record(again, position, entry);
    return {};
  });
  if (done && first > 0 && again != group) std::abort();
  return 0;
}
