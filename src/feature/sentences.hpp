/// Finds the borders of sentences.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace volan::feature {

/// The sentences of a text of one paragraph; each view includes the blanks after it, so together they are the text.
/// A sentence ends after . ! ? … (and their full-width forms) and closing quotes or brackets, before a blank and something that can begin a
/// sentence. Not after abbreviations such as "e.g." or "Fig.", single initials, or a dot before a small letter. Line breaks are borders
/// too. Cost: O(bytes).
std::vector<std::string_view> sentences(std::string_view utf8);

}  // namespace volan::feature
