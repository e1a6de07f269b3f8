#include "rag/context.hpp"

#include <algorithm>
#include <string_view>

#include "core/text.hpp"

namespace volan::rag {

std::string numbered_context(const std::vector<Source>& sources, const RetrievalSettings& settings) {
  const auto whole_max = static_cast<std::size_t>(std::max<std::int64_t>(settings.context_characters_max, 0));
  const auto source_max = static_cast<std::size_t>(std::max<std::int64_t>(settings.source_characters_max, 0));
  std::string out;
  for (const Source& source : sources) {
    std::string head = out.empty() ? "" : "\n\n";
    head += "[" + std::to_string(source.number) + "] " + source.title;
    if (!source.heading.empty() && source.heading != source.title) head += (source.title.empty() ? "" : " › ") + source.heading;
    head += '\n';
    if (out.size() + head.size() >= whole_max) break;
    out += head;
    out += core::truncate_utf8(source.text, std::min(source_max, whole_max - out.size()));
  }
  return out;
}

}  // namespace volan::rag
