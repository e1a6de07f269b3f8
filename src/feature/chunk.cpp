#include "feature/chunk.hpp"

#include <algorithm>
#include <numeric>

#include "core/result.hpp"
#include "core/text.hpp"
#include "feature/clean.hpp"
#include "feature/sentences.hpp"

namespace volan::feature {
namespace {

constexpr std::string_view heading_separator = " › ";
constexpr std::size_t heading_bytes_max = 240;

Atom make_atom(std::string_view text, bool is_code) { return {std::string(text), count_characters(text), is_code, false}; }

// Byte offset after `characters` code points.
std::size_t offset_of(std::string_view text, std::int64_t characters) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && characters-- == 0) break;
  return at;
}

// Where to cut `text` at or before byte `limit` (> 0): after the last blank, else exactly there; never 0.
std::size_t word_border(std::string_view text, std::size_t limit) {
  const std::size_t blank = text.substr(0, limit).find_last_of(" \t\n");
  return blank == std::string_view::npos || blank + 1 < limit / 2 ? limit : blank + 1;
}

// Pieces of at most `characters_max`, cut between words.
void cut_words(std::string_view text, std::int64_t characters_max, bool is_code, std::vector<Atom>& atoms) {
  while (count_characters(text) > characters_max) {
    const std::size_t end = word_border(text, offset_of(text, characters_max));
    atoms.push_back(make_atom(text.substr(0, end), is_code));
    text.remove_prefix(end);
  }
  if (!text.empty()) atoms.push_back(make_atom(text, is_code));
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    found.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return found;
}

void add_block(const collect::Block& block, bool is_last, std::int64_t characters_max, std::vector<Atom>& atoms) {
  using enum collect::BlockKind;
  std::string text = block.text;
  if (!is_last) text += text.ends_with('\n') ? "\n" : "\n\n";
  // A block's own line breaks at its end do not decide whether it fits.
  const bool fits = count_characters(text.substr(0, text.find_last_not_of('\n') + 1)) <= characters_max;
  if (block.kind == code && fits) return atoms.push_back(make_atom(text, true));
  const bool by_line = block.kind == code || block.kind == list || block.kind == table;
  for (const std::string_view piece : by_line ? lines(text) : sentences(text)) {
    if (count_characters(piece) <= characters_max || block.kind == code) {
      cut_words(piece, characters_max, block.kind == code, atoms);
    } else {
      for (const std::string_view sentence : sentences(piece)) cut_words(sentence, characters_max, false, atoms);
    }
  }
}

std::int64_t total(const std::vector<Atom>& atoms) {
  return std::accumulate(atoms.begin(), atoms.end(), std::int64_t{0},
                         [](std::int64_t sum, const Atom& atom) { return sum + atom.characters; });
}

// Moves atoms from the end of `before` to the front of `last` while `last` is short and `before` stays long enough.
void balance(std::vector<Atom>& before, std::vector<Atom>& last, const ChunkSettings& settings) {
  while (before.size() > 1 && total(last) < settings.characters_min) {
    const Atom& moved = before.back();
    if (total(before) - moved.characters < settings.characters_min || total(last) + moved.characters > settings.characters_max) return;
    last.insert(last.begin(), std::move(before.back()));
    before.pop_back();
  }
}

void repeat_tail(const std::vector<Atom>& before, std::vector<Atom>& next, const ChunkSettings& settings) {
  std::int64_t room = std::min(settings.overlap_characters, settings.characters_max - total(next));
  std::vector<Atom> repeated;
  for (auto atom = before.rbegin(); atom != before.rend() && !atom->is_repeated && atom->characters <= room; ++atom) {
    room -= atom->characters;
    repeated.insert(repeated.begin(), *atom);
    repeated.front().is_repeated = true;
  }
  next.insert(next.begin(), repeated.begin(), repeated.end());
}

}  // namespace

std::string ChunkDraft::text() const {
  std::string text;
  for (const Atom& atom : atoms) text += atom.text;
  text.resize(text.find_last_not_of(" \t\n") + 1);
  return text;
}

std::int64_t ChunkDraft::characters() const { return total(atoms); }

std::vector<ChunkDraft> cut(const std::vector<collect::Section>& sections, const ChunkSettings& settings) {
  std::vector<ChunkDraft> drafts;
  for (std::size_t s = 0; s < sections.size(); ++s) {
    std::vector<Atom> atoms;
    for (std::size_t b = 0; b < sections[s].blocks.size(); ++b)
      add_block(sections[s].blocks[b], b + 1 == sections[s].blocks.size(), settings.characters_max, atoms);

    std::vector<std::vector<Atom>> groups;
    std::int64_t size = 0;
    for (Atom& atom : atoms) {
      // From the second chunk on, room is left for what it repeats.
      const std::int64_t room = settings.characters_max - (groups.size() > 1 ? settings.overlap_characters : 0);
      if (groups.empty() || size + atom.characters > room) {
        groups.emplace_back();
        size = 0;
      }
      size += atom.characters;
      groups.back().push_back(std::move(atom));
    }
    if (groups.size() > 1) balance(groups[groups.size() - 2], groups.back(), settings);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g > 0 && settings.overlap_characters > 0) repeat_tail(groups[g - 1], groups[g], settings);
    }
    for (std::vector<Atom>& group : groups) drafts.push_back({s, std::move(group)});
  }
  // Blanks alone make no chunk, not even behind a repeated sentence.
  std::erase_if(drafts, [](const ChunkDraft& draft) {
    return std::all_of(draft.atoms.begin(), draft.atoms.end(),
                       [](const Atom& atom) { return atom.is_repeated || atom.text.find_first_not_of(" \t\n") == std::string::npos; });
  });
  return drafts;
}

std::vector<ChunkDraft> halve(const ChunkDraft& draft) {
  ChunkDraft whole = draft;
  std::erase_if(whole.atoms, [](const Atom& atom) { return atom.is_repeated; });
  if (whole.atoms.size() < draft.atoms.size()) return {std::move(whole)};
  VOLAN_CHECK(!whole.atoms.empty(), "a draft has at least one atom of its own");
  if (whole.atoms.size() == 1) {
    const Atom atom = whole.atoms.front();
    if (atom.characters <= 1) return {std::move(whole)};
    std::vector<Atom> parts;
    const std::vector<std::string_view> pieces = atom.is_code ? lines(atom.text) : sentences(atom.text);
    if (pieces.size() > 1) {
      for (const std::string_view piece : pieces) parts.push_back(make_atom(piece, atom.is_code));
    } else {
      cut_words(atom.text, (atom.characters + 1) / 2, atom.is_code, parts);
    }
    whole.atoms = std::move(parts);
  }
  // The border nearest to the middle.
  const std::int64_t middle = whole.characters() / 2;
  std::size_t best = 1;
  std::int64_t size = 0, best_distance = -1;
  for (std::size_t i = 1; i < whole.atoms.size(); ++i) {
    size += whole.atoms[i - 1].characters;
    const std::int64_t distance = std::abs(size - middle);
    if (best_distance < 0 || distance < best_distance) {
      best_distance = distance;
      best = i;
    }
  }
  const auto border = whole.atoms.begin() + static_cast<std::ptrdiff_t>(best);
  std::vector<ChunkDraft> halves{{whole.section, {whole.atoms.begin(), border}}, {whole.section, {border, whole.atoms.end()}}};
  std::erase_if(halves, [](const ChunkDraft& half) { return half.text().empty(); });
  return halves;
}

std::string heading_of(const collect::Section& section, std::string_view title) {
  if (section.heading_path.empty()) return std::string(core::truncate_utf8(title, heading_bytes_max));
  std::string heading(core::truncate_utf8(section.heading_path.back(), heading_bytes_max));
  for (auto above = section.heading_path.rbegin() + 1; above != section.heading_path.rend(); ++above) {
    if (heading.size() + above->size() + heading_separator.size() > heading_bytes_max) break;
    heading = *above + std::string(heading_separator) + heading;
  }
  return heading;
}

std::string embedded_text(std::string_view heading, std::string_view text, bool has_heading) {
  std::string whole;
  if (has_heading && !heading.empty()) whole.append(heading).append("\n\n");
  return whole.append(text);
}

}  // namespace volan::feature
