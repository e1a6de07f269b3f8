/// Turns what a person typed into a safe FTS5 query.
#pragma once

#include <string>
#include <string_view>

namespace volan::feature {

/// Each word of the text becomes a quoted phrase, joined by OR: no character has a special meaning ("std::move" becomes the phrase "std
/// move" after FTS5's tokeniser). Common English words are left out while others remain; at most 64 different words count. Empty when the
/// text has no letter and no digit: then nothing matches. Any bytes are safe. Cost: O(bytes) of the first 64 words.
std::string lexical_query(std::string_view text);

}  // namespace volan::feature
