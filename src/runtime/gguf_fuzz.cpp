// No bytes may crash the header reader or make it use memory out of proportion; what it accepts lies within the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "runtime/gguf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace volan::runtime;
  const auto source = memory_byte_source({reinterpret_cast<const char*>(data), size}, "fuzz");
  const auto file = read_gguf(*source);
  if (!file) return 0;
  for (const auto& tensor : file->tensors)
    if (tensor.offset > size || tensor.bytes > size - tensor.offset) std::abort();
  for (const auto kind : {EndpointKind::chat, EndpointKind::embedding, EndpointKind::rerank})
    static_cast<void>(check_model(*file, kind).has_value());
  return 0;
}
