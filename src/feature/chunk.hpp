/// Cuts cleaned sections into chunks at the borders of sentences, list items, lines and code blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collect/types.hpp"
#include "feature/config.hpp"

namespace volan::feature {

/// Part of every chunk's settings hash; raise it when the rules change.
inline constexpr std::string_view chunk_rules_version = "chunk-1";

/// The smallest thing that is kept whole where possible: a sentence, a list item, a table row, a code block or a line of a large one.
/// The text of a chunk is the concatenation of its atoms, less blanks at the very end.
struct Atom {
  std::string text;  ///< with the blanks or line breaks that follow it
  std::int64_t characters = 0;
  bool is_code = false;
  bool is_repeated = false;  ///< overlap: stands in the chunk before, too
};

/// A chunk that is being made: pure data, cut smaller by halve() until it fits.
struct ChunkDraft {
  std::size_t section = 0;  ///< index into the sections
  std::vector<Atom> atoms;
  std::string text() const;
  std::int64_t characters() const;
};

/// Cuts every section. A chunk never crosses a section, never has more than characters_max characters, and ends inside a code block only
/// if that block alone is larger; then at a line, and inside a line only if the line alone is larger. The tail is never dropped: the
/// texts of all drafts (without repeated atoms) are the sections' text. Cost: O(characters). Thread-safe.
std::vector<ChunkDraft> cut(const std::vector<collect::Section>& sections, const ChunkSettings& settings);

/// Cuts a draft near its middle at the best border: for chunks that fit by characters and not by tokens. A draft of one character is
/// returned alone. Repeated atoms are dropped first, because they are the cheapest to lose.
std::vector<ChunkDraft> halve(const ChunkDraft& draft);

/// "Classes › Constructors": the path of headings, the outermost left out first where it would exceed 240 bytes; the title when there is
/// none.
std::string heading_of(const collect::Section& section, std::string_view title);

/// What is embedded: the heading, an empty line, the text; or the text alone.
std::string embedded_text(std::string_view heading, std::string_view text, bool has_heading);

}  // namespace volan::feature
