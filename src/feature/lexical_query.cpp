#include "feature/lexical_query.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/text.hpp"

namespace volan::feature {
namespace {

constexpr std::size_t words_max = 64;
constexpr std::size_t word_bytes_max = 200;

// They are in nearly every chunk: they cost time and move no rank.
constexpr std::array common_words = std::to_array<std::string_view>(
    {"a",     "about", "an",    "and",   "any",   "are",   "as",    "at",   "be",   "been",  "but",    "by",  "can",
     "could", "did",   "do",    "does",  "for",   "from",  "had",   "has",  "have", "how",   "i",      "if",  "in",
     "into",  "is",    "it",    "its",   "me",    "my",    "of",    "on",   "or",   "our",   "should", "so",  "than",
     "that",  "the",   "their", "them",  "then",  "there", "these", "they", "this", "to",    "us",     "was", "we",
     "were",  "what",  "when",  "where", "which", "who",   "why",   "will", "with", "would", "you",    "your"});

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }
bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// Without punctuation at both ends: "move," and "(move)" are the word move.
std::string_view trim(std::string_view word) {
  while (!word.empty() && !is_token_character(word.front())) word.remove_prefix(1);
  while (!word.empty() && !is_token_character(word.back())) word.remove_suffix(1);
  return word;
}

std::string quoted(std::string_view word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string lexical_query(std::string_view text) {
  std::string repaired;
  if (!core::is_valid_utf8(text)) text = repaired = core::make_valid_utf8(text);
  std::vector<std::string> words, common;
  for (std::size_t at = 0; at < text.size() && words.size() < words_max;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    const std::string word = to_lower(core::truncate_utf8(trim(text.substr(at, end - at)), word_bytes_max));
    at = end;
    if (word.empty()) continue;
    const bool is_common = std::find(common_words.begin(), common_words.end(), word) != common_words.end();
    std::vector<std::string>& list = is_common ? common : words;
    if (list.size() < words_max && std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
  }
  std::string query;
  for (const std::string& word : words.empty() ? common : words) query.append(query.empty() ? "" : " OR ").append(quoted(word));
  return query;
}

}  // namespace volan::feature
