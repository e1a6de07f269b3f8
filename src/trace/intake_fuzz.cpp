// Any body gives spans within the limits or an error with a message; every accepted span can be stored and read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trace/bounds.hpp"
#include "trace/intake.hpp"
#include "trace/span_entry.hpp"
#include "trace/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto intake = volan::trace::read_spans({reinterpret_cast<const char*>(data), size}, "p");
  if (!intake) {
    if (intake.error().message.empty()) std::abort();
    return 0;
  }
  for (volan::trace::Span span : intake->spans) {
    volan::trace::cut_to_bounds(span);
    if (!volan::trace::is_within_bounds(span)) std::abort();
    if (!volan::trace::decode_span(volan::trace::span_entry_version, volan::trace::encode_span(span))) std::abort();
    volan::trace::preview_of(span.input.text);
  }
  return 0;
}
