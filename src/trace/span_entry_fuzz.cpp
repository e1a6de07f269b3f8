// Any bytes give a span or an error; a span that was read is written back and read again as the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trace/span_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto span = volan::trace::decode_span(volan::trace::span_entry_version, {reinterpret_cast<const char*>(data), size});
  if (!span) return 0;
  const std::string written = volan::trace::encode_span(*span);
  const auto again = volan::trace::decode_span(volan::trace::span_entry_version, written);
  if (!again || volan::trace::encode_span(*again) != written) std::abort();
  return 0;
}
