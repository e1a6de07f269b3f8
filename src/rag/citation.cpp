#include "rag/citation.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace volan::rag {
namespace {

constexpr std::size_t sentence_bytes_max = 8192;
constexpr std::size_t bracket_bytes_max = 24;
constexpr std::size_t gap_bytes_max = 64;
constexpr std::size_t word_letters_min = 4;
constexpr std::size_t shared_words_min = 3;
constexpr double share_min = 0.5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
// After which "[9]" is an index.
bool is_index_base(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == ')' || c == ']'; }

// Dashes, quotes and other punctuation beyond ASCII: U+0080 to U+00BF and U+2000 to U+207F.
std::size_t wide_punctuation(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(at) == 0xC2) return 2;
  if (byte(at) == 0xE2 && (byte(at + 1) == 0x80 || byte(at + 1) == 0x81)) return 3;
  return 0;
}

std::set<std::string, std::less<>> content_words(std::string_view text) {
  std::set<std::string, std::less<>> words;
  std::string word;
  std::size_t letters = 0;
  const auto close = [&] {
    if (letters >= word_letters_min) words.insert(word);
    word.clear();
    letters = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t skipped = wide_punctuation(text, at)) {
      close();
      at += skipped;
      continue;
    }
    const char c = text[at++];
    if (!is_letter(c)) {
      close();
      continue;
    }
    if (!is_continuation(c)) ++letters;
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  close();
  return words;
}

// True after . ! ? and any closing quotes, brackets and emphasis; not after one letter and a full stop, as in "e.g." or "B.".
bool ends_sentence(std::string_view text) {
  for (bool is_stripped = true; is_stripped;) {
    is_stripped = false;
    if (text.ends_with("”") || text.ends_with("’") || text.ends_with("»")) {
      text.remove_suffix(text.ends_with("»") ? 2 : 3);
      is_stripped = true;
    } else if (!text.empty() && std::string_view("\"')*_").find(text.back()) != std::string_view::npos) {
      text.remove_suffix(1);
      is_stripped = true;
    }
  }
  if (text.empty()) return false;
  if (text.back() == '!' || text.back() == '?') return true;
  if (text.back() != '.') return false;
  text.remove_suffix(1);
  const bool is_one_letter = !text.empty() && is_letter(text.back()) &&
                             (text.size() == 1 || !(is_letter(text[text.size() - 2]) || is_digit(text[text.size() - 2])));
  return !is_one_letter;
}

// The numbers of "[1, 2" (without the closing bracket); nothing when it is no citation.
std::optional<std::vector<std::int64_t>> numbers_in(std::string_view bracket) {
  std::vector<std::int64_t> numbers;
  std::int64_t number = -1;
  bool needs_comma = false;
  for (const char c : bracket.substr(1)) {
    if (is_digit(c)) {
      if (needs_comma || number > 99'999) return std::nullopt;
      number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
    } else if (c == ' ') {
      needs_comma = number >= 0;
    } else {
      if (number < 1) return std::nullopt;
      numbers.push_back(number);
      number = -1;
      needs_comma = false;
    }
  }
  if (number < 1) return std::nullopt;
  numbers.push_back(number);
  return numbers;
}

}  // namespace

Citer::Citer(std::vector<Source> sources) {
  for (const Source& source : sources)
    sources_.push_back({.number = source.number, .words = content_words(source.title + "\n" + source.heading + "\n" + source.text)});
}

bool Citer::is_known(std::int64_t number) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const Known& source) { return source.number == number; });
}

std::string Citer::feed(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (const char byte : text) take(byte, out);
  return out;
}

std::string Citer::finish() {
  std::string out;
  close_backticks();
  if (!bracket_.empty()) release_bracket(out);
  if (!is_block_ && !has_ended_) has_ended_ = ends_sentence(sentence_);
  release_gap(out);
  return out;
}

void Citer::take(char byte, std::string& out) {
  if (byte != '`') close_backticks();
  if (!bracket_.empty()) {
    const bool may_go_on = is_digit(byte) || byte == ',' || byte == ' ';
    if (byte == ']' && bracket_.size() > 1) return close_bracket(out);
    if (may_go_on && bracket_.size() < bracket_bytes_max) {
      bracket_ += byte;
      return;
    }
    release_bracket(out);
  }
  if (byte == '`') {
    release_gap(out);
    ++backticks_;
    return append(byte, out);
  }
  if (is_block_) {
    out += byte;
    return;
  }
  if (byte == '\n' && last_ == '\n') {  // a paragraph ends everything that was left open
    is_inline_ = false;
    is_cited_ = has_ended_ = false;
    sentence_.clear();
  }
  if (is_inline_) return append(byte, out);
  if (is_blank(byte) && gap_.size() < gap_bytes_max) {
    if (!has_ended_ && gap_.empty()) has_ended_ = ends_sentence(sentence_);
    has_lost_gap_ = false;
    gap_ += byte;
    return;
  }
  if (byte == '\n' || byte == '\r' || is_blank(byte)) {
    if (!has_ended_ && gap_.empty()) has_ended_ = ends_sentence(sentence_);
    release_gap(out);
    return append(byte, out);
  }
  if (byte == '[') {
    bracket_ = "[";
    return;
  }
  if (has_lost_gap_ && gap_.empty() && (is_letter(byte) || is_digit(byte))) gap_ = " ";
  release_gap(out);
  append(byte, out);
}

// A run of backticks is over: three or more begin or end a block, fewer begin or end code in a line.
void Citer::close_backticks() {
  if (backticks_ == 0) return;
  if (backticks_ >= 3 && !is_inline_) {
    is_block_ = !is_block_;
    sentence_.clear();
    is_cited_ = has_ended_ = false;
  } else if (!is_block_) {
    is_inline_ = !is_inline_;
  }
  backticks_ = 0;
}

void Citer::close_bracket(std::string& out) {
  const auto numbers = numbers_in(bracket_);
  const bool is_behind_word = gap_.empty() && !follows_citation_ && is_index_base(last_);
  std::string kept;
  std::size_t kept_count = 0;
  if (numbers)
    for (const std::int64_t number : *numbers)
      if (is_known(number)) {
        kept += (kept.empty() ? "" : ", ") + std::to_string(number);
        ++kept_count;
      }
  if (!numbers || (kept.empty() && is_behind_word)) {
    release_bracket(out);
    return append(']', out);
  }
  if (kept.empty()) {
    has_lost_gap_ = has_lost_gap_ || !gap_.empty();
    gap_.clear();
    bracket_.clear();
    return;
  }
  if (has_lost_gap_ && gap_.empty()) gap_ = " ";
  out += gap_;
  out += kept_count == numbers->size() ? bracket_ + "]" : "[" + kept + "]";
  gap_.clear();
  bracket_.clear();
  has_lost_gap_ = false;
  is_cited_ = follows_citation_ = true;
  last_ = ']';
}

void Citer::release_bracket(std::string& out) {
  const std::string held = std::exchange(bracket_, {});
  release_gap(out);
  for (const char byte : held) append(byte, out);
}

// Something else follows: the sentence before the blanks is over or goes on.
void Citer::release_gap(std::string& out) {
  if (has_ended_ && !is_cited_) cite_sentence(out);
  out += gap_;
  if (!gap_.empty() && !has_ended_) sentence_ += ' ';
  if (!gap_.empty()) last_ = ' ';
  if (has_ended_) {
    sentence_.clear();
    is_cited_ = false;
  }
  gap_.clear();
  has_ended_ = has_lost_gap_ = false;
}

void Citer::cite_sentence(std::string& out) {
  const auto words = content_words(sentence_);
  const Known* best = nullptr;
  std::size_t best_shared = 0;
  for (const Known& source : sources_) {
    const auto shared = static_cast<std::size_t>(
        std::count_if(words.begin(), words.end(), [&](const std::string& word) { return source.words.contains(word); }));
    if (shared > best_shared) {
      best = &source;
      best_shared = shared;
    }
  }
  if (best == nullptr || best_shared < shared_words_min) return;
  if (static_cast<double>(best_shared) < share_min * static_cast<double>(words.size())) return;
  out += " [" + std::to_string(best->number) + "]";
}

void Citer::append(char byte, std::string& out) {
  if (sentence_.size() >= sentence_bytes_max) sentence_.erase(0, sentence_bytes_max / 2);
  sentence_ += byte;
  out += byte;
  last_ = byte;
  follows_citation_ = false;
}

}  // namespace volan::rag
