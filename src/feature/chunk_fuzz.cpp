// Any bytes as the text of a section: cleaning and cutting lose nothing, and any text is a query that FTS5 can read.
#include <cstdint>
#include <cstdlib>

#include "feature/chunk.hpp"
#include "feature/clean.hpp"
#include "feature/lexical_query.hpp"
#include "feature/sentences.hpp"

namespace feature = volan::feature;
namespace collect = volan::collect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const feature::ChunkSettings settings{
      .characters_min = data[0] / 4, .characters_max = 50 + data[1], .overlap_characters = data[2] / 6, .tokens_max = 480};
  const std::string text(reinterpret_cast<const char*>(data) + 3, size - 3);

  std::string all;
  for (const std::string_view sentence : feature::sentences(text)) all += sentence;
  if (all != text) std::abort();

  const auto kind = static_cast<collect::BlockKind>(data[0] % 5);
  const auto cleaned = feature::clean({collect::Section{{"H"}, 1, "", {{kind, text}}}}, feature::Cleaning::keep);
  // Drafts of nothing but blanks are left out, so blanks do not count here.
  std::string kept, found;
  const auto add = [](std::string& out, const std::string& from) {
    for (const char c : from)
      if (c != ' ' && c != '\n' && c != '\t') out += c;
  };
  for (const auto& section : cleaned.sections)
    for (const auto& block : section.blocks) add(kept, block.text);
  for (const feature::ChunkDraft& draft : feature::cut(cleaned.sections, settings)) {
    for (const feature::ChunkDraft& half : feature::halve(draft))
      if (half.text().empty()) std::abort();
    for (const feature::Atom& atom : draft.atoms)
      if (!atom.is_repeated) add(found, atom.text);
  }
  if (found != kept) std::abort();

  int quotes = 0;
  for (const char c : feature::lexical_query(text)) quotes += c == '"';
  if (quotes % 2 != 0) std::abort();
  return 0;
}
