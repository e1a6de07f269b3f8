#include "collect/page_writer.hpp"

#include <algorithm>
#include <utility>

namespace volan::collect {
namespace {

constexpr std::size_t heading_bytes_max = 300;  // it is repeated in the path of every section below it
constexpr int indent_levels_max = 8;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

void trim_end(std::string& text) {
  while (!text.empty() && is_blank(text.back())) text.pop_back();
}

// At most `bytes_max` bytes, without cutting a character.
std::string cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "…";
}

}  // namespace

void PageWriter::text(std::string_view utf8) {
  if (is_in_code()) {
    buffer_ += utf8;
    return;
  }
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const bool is_no_break_space = utf8[i] == '\xC2' && i + 1 < utf8.size() && utf8[i + 1] == '\xA0';
    if (is_blank(utf8[i]) || is_no_break_space) {
      has_pending_blank_ = true;
      if (is_no_break_space) ++i;
      continue;
    }
    if (has_pending_blank_ && !buffer_.empty() && !is_blank(buffer_.back())) buffer_ += ' ';
    has_pending_blank_ = false;
    if (!is_in_heading_) anchor_.clear();
    buffer_ += utf8[i];
  }
}

void PageWriter::break_line() {
  if (is_in_code()) {
    buffer_ += '\n';
    return;
  }
  if (is_in_heading_) {
    has_pending_blank_ = true;
    return;
  }
  has_pending_blank_ = false;
  while (!buffer_.empty() && buffer_.back() == ' ') buffer_.pop_back();
  if (!buffer_.empty() && buffer_.back() != '\n') buffer_ += '\n';
}

void PageWriter::break_block() {
  if (is_in_code()) return;
  if (is_in_heading_ || list_depth_ > 0 || table_depth_ > 0) return break_line();
  flush();
}

BlockKind PageWriter::kind() const {
  if (table_depth_ > 0) return BlockKind::table;
  if (list_depth_ > 0) return BlockKind::list;
  return quote_depth_ > 0 ? BlockKind::quote : BlockKind::paragraph;
}

void PageWriter::push(BlockKind kind, std::string text) { sections_.back().blocks.push_back({kind, std::move(text)}); }

void PageWriter::flush() {
  has_pending_blank_ = false;
  std::string text = std::exchange(buffer_, {});
  trim_end(text);
  const bool has_words = std::any_of(text.begin(), text.end(), [](char c) { return !is_blank(c) && c != '-' && c != '|'; });
  if (has_words) push(kind(), std::move(text));
}

void PageWriter::begin_code() {
  if (code_depth_++ == 0) flush();
}

void PageWriter::end_code() {
  if (code_depth_ == 0 || --code_depth_ > 0) return;
  anchor_.clear();
  std::string code = std::exchange(buffer_, {});
  if (!std::all_of(code.begin(), code.end(), is_blank)) push(BlockKind::code, std::move(code));
}

void PageWriter::begin_list() {
  if (is_in_code()) return;
  if (list_depth_ == 0 && table_depth_ == 0)
    flush();
  else
    break_line();
  ++list_depth_;
}

void PageWriter::end_list() {
  if (is_in_code() || list_depth_ == 0) return;
  if (list_depth_ == 1 && table_depth_ == 0)
    flush();
  else
    break_line();
  --list_depth_;
}

void PageWriter::begin_item(bool has_bullet) {
  if (is_in_code() || is_in_heading_) return;
  if (list_depth_ == 0 && table_depth_ == 0)
    flush();
  else
    break_line();
  const int level = std::clamp(list_depth_ - 1, 0, indent_levels_max);
  buffer_.append(static_cast<std::size_t>(2 * level), ' ');
  buffer_ += has_bullet ? "- " : "  ";
}

void PageWriter::begin_table() {
  if (is_in_code()) return;
  if (table_depth_ == 0)
    flush();
  else
    break_line();
  ++table_depth_;
}

void PageWriter::end_table() {
  if (is_in_code() || table_depth_ == 0) return;
  if (table_depth_ == 1)
    flush();
  else
    break_line();
  --table_depth_;
}

void PageWriter::begin_cell() {
  if (is_in_code() || is_in_heading_ || buffer_.empty() || buffer_.back() == '\n') return;
  trim_end(buffer_);
  buffer_ += " | ";
  has_pending_blank_ = false;
}

void PageWriter::begin_quote() {
  break_block();
  ++quote_depth_;
}

void PageWriter::end_quote() {
  break_block();
  quote_depth_ = std::max(0, quote_depth_ - 1);
}

void PageWriter::begin_heading() {
  if (is_in_code() || is_in_heading_) return;
  flush();
  is_in_heading_ = true;
}

void PageWriter::end_heading(int level) {
  if (!is_in_heading_) return;
  is_in_heading_ = false;
  has_pending_blank_ = false;
  std::string title = std::exchange(buffer_, {});
  trim_end(title);
  if (title.empty()) return;
  title = cut(title, heading_bytes_max);
  if (level == 1 && first_heading_.empty()) first_heading_ = title;
  for (int deeper = level; deeper <= 6; ++deeper) headings_[static_cast<std::size_t>(deeper)].clear();
  headings_[static_cast<std::size_t>(level)] = std::move(title);

  Section section{.heading_path = {}, .level = level, .anchor = std::exchange(anchor_, {}), .blocks = {}};
  for (const std::string& heading : headings_)
    if (!heading.empty()) section.heading_path.push_back(heading);
  sections_.push_back(std::move(section));
}

void PageWriter::anchor(std::string_view name) {
  if (anchor_.empty() && name.size() <= heading_bytes_max) anchor_ = name;
}

std::vector<Section> PageWriter::finish() {
  code_depth_ > 0 ? (code_depth_ = 1, end_code()) : flush();
  std::erase_if(sections_, [](const Section& section) { return section.blocks.empty(); });
  return std::move(sections_);
}

}  // namespace volan::collect
