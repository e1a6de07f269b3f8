// Any file gives a value or an error with the file's name; a value's JSON text must be valid. Nothing may crash or hang.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace volan::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = decode_yaml<RawJson>(text, "f.yaml");
  if (value) {
    if (!parse_json(value->text, 1000)) std::abort();
  } else if (!value.error().path.starts_with("f.yaml")) {
    std::abort();
  }
  return 0;
}
