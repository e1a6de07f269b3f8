// No bytes may crash the reader of safetensors files; what it accepts lies within the file and can be read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "runtime/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace volan::runtime;
  const auto source = memory_byte_source({reinterpret_cast<const char*>(data), size}, "fuzz");
  const auto index = read_safetensors(*source);
  if (!index) return 0;
  for (const auto& [name, entry] : *index) {
    if (entry.offset > size || entry.bytes > size - entry.offset) std::abort();
    if (entry.type != SafetensorsType::other && !read_values(*source, name, entry)) std::abort();
  }
  return 0;
}
