#include "feature/sentences.hpp"

#include <algorithm>
#include <array>

namespace volan::feature {
namespace {

constexpr std::array abbreviations =
    std::to_array<std::string_view>({"e.g",  "i.e",  "cf", "vs", "mr",  "mrs", "ms", "dr",     "prof", "fig", "figs", "eq",
                                     "sect", "chap", "no", "nr", "vol", "pp",  "al", "approx", "resp", "st",  "inc",  "viz"});

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0; }

// One of . ! ? or U+2026, U+3002, U+FF01, U+FF1F at `at`: its size, else 0.
std::size_t terminator_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '.' || c == '!' || c == '?') return 1;
  for (const std::string_view wide : {"\u2026", "\u3002", "\uFF01", "\uFF1F"})
    if (text.substr(at).starts_with(wide)) return wide.size();
  return 0;
}

bool is_wide(std::string_view terminator) { return terminator.size() == 3 && terminator != "\u2026"; }

// The word before a dot is an abbreviation or an initial.
bool is_abbreviation(std::string_view before) {
  std::size_t begin = before.size();
  while (begin > 0 && (is_letter(before[begin - 1]) || before[begin - 1] == '.')) --begin;
  std::string_view word = before.substr(begin);
  if (word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I') return true;
  std::array<char, 8> lower{};
  if (word.empty() || word.size() > lower.size()) return false;
  std::transform(word.begin(), word.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view folded(lower.data(), word.size());
  return std::find(abbreviations.begin(), abbreviations.end(), folded) != abbreviations.end();
}

}  // namespace

std::vector<std::string_view> sentences(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t begin = 0;
  const auto end_at = [&](std::size_t end) {
    while (end < text.size() && is_blank(text[end])) ++end;
    found.push_back(text.substr(begin, end - begin));
    return begin = end;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      at = end_at(at);
      continue;
    }
    const std::size_t size = terminator_at(text, at);
    if (size == 0) {
      ++at;
      continue;
    }
    std::size_t end = at + size;
    if (is_wide(text.substr(at, size))) {
      at = end_at(end);
      continue;
    }
    while (end < text.size() &&
           (terminator_at(text, end) != 0 || text[end] == ')' || text[end] == '"' || text[end] == '\'' || text[end] == ']'))
      end += std::max<std::size_t>(1, terminator_at(text, end));
    std::size_t next = end;
    while (next < text.size() && is_blank(text[next])) ++next;
    const bool begins_small = next < text.size() && text[next] >= 'a' && text[next] <= 'z';
    const bool is_end = next > end && !begins_small && !(text[at] == '.' && is_abbreviation(text.substr(begin, at - begin)));
    at = is_end ? end_at(end) : end;
  }
  if (begin < text.size()) found.push_back(text.substr(begin));
  return found;
}

}  // namespace volan::feature
