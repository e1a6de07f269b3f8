// Any bytes give sections of valid UTF-8 or an error; limits are low so that the fuzzer reaches them.
#include <cstdint>
#include <cstdlib>

#include "collect/html.hpp"
#include "core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  volan::collect::HtmlLimits limits;
  limits.bytes_max = 64u << 10;
  limits.nesting_max = 64;
  limits.memory_bytes_max = 64u << 20;
  limits.time_ms_max = 2'000;
  const auto page = volan::collect::read_html({reinterpret_cast<const char*>(data), size}, limits);
  if (!page) return page.error().message.empty() ? (std::abort(), 0) : 0;
  for (const auto& section : page->sections) {
    if (section.blocks.empty() || section.heading_path.size() > 6) std::abort();
    for (const auto& block : section.blocks)
      if (block.text.empty() || !volan::core::is_valid_utf8(block.text)) std::abort();
    for (const auto& heading : section.heading_path)
      if (!volan::core::is_valid_utf8(heading)) std::abort();
  }
  return 0;
}
