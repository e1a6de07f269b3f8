/// Cleans documents: blanks collapse outside of code, everything else stays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collect/types.hpp"
#include "feature/config.hpp"

namespace volan::feature {

/// Part of every chunk's settings hash; raise it when the rules change.
inline constexpr std::string_view clean_rules_version = "clean-1";

struct CleanedText {
  std::vector<collect::Section> sections;  ///< none without text
  std::int64_t characters_in = 0;          ///< code points before
  std::int64_t characters_out = 0;         ///< code points after
};

/// Cleaning::keep: code is untouched; elsewhere a run of blanks (of any kind Unicode knows, and control characters) becomes one blank,
/// blanks at line ends go, at most one line break stays, the indentation of list items stays. No other character is lost or changed.
/// Cleaning::reference: see the enum; code becomes paragraphs.
/// Cost: O(characters). Thread-safe.
CleanedText clean(const std::vector<collect::Section>& sections, Cleaning rule);

/// One text by the rule `keep`.
std::string collapse_blanks(std::string_view utf8, bool keeps_indentation);

/// Code points of UTF-8 text.
std::int64_t count_characters(std::string_view utf8);

}  // namespace volan::feature
