/// The text of the sources as the model reads it.
#pragma once

#include <string>
#include <vector>

#include "rag/types.hpp"

namespace volan::rag {

/// "[1] title › heading\ntext", sources parted by an empty line. Each text is cut at source_characters_max bytes, the whole at
/// context_characters_max, never inside a code point; a source whose heading line does not fit any more is left out with all after it.
/// Pure. Cost: O(bytes).
std::string numbered_context(const std::vector<Source>& sources, const RetrievalSettings& settings);

}  // namespace volan::rag
