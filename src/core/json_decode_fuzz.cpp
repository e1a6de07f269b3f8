// Bytes that decode must encode to text that decodes to the same; nothing may crash or hang.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/json.hpp"

namespace volan::core {

struct FuzzItem {
  std::string text;
  std::optional<std::int32_t> number;
  std::vector<FuzzItem> children;
  std::map<std::string, double> reals;
  RawJson raw;
};
constexpr auto describe(const FuzzItem*) {
  return object("FuzzItem", field("text", &FuzzItem::text), field("number", &FuzzItem::number), field("children", &FuzzItem::children),
                field("reals", &FuzzItem::reals), field("raw", &FuzzItem::raw));
}

}  // namespace volan::core

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace volan::core;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto raw = decode_json<RawJson>(bytes)) {
    const auto again = decode_json<RawJson>(raw->text);
    if (!again || again->text != raw->text || !parse_json(bytes)) std::abort();
  }
  for (const auto unknown : {UnknownFields::reject, UnknownFields::ignore}) {
    const auto item = decode_json<FuzzItem>(bytes, {.unknown = unknown});
    if (!item) {
      if (item.error().message.empty()) std::abort();
      continue;
    }
    const std::string text = encode_json(*item);
    const auto again = decode_json<FuzzItem>(text);
    if (!again || encode_json(*again) != text) std::abort();
  }
  return 0;
}
