/// Builds sections and blocks from the pieces of a page in reading order. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "collect/types.hpp"

namespace volan::collect {

/// Receives text and structure, gives sections. Blanks collapse as in a browser, except between begin_code() and end_code().
class PageWriter {
 public:
  void text(std::string_view utf8);
  /// A line break that the reader sees.
  void break_line();
  /// The end of a paragraph; inside lists and tables only a line break.
  void break_block();

  void begin_code();
  void end_code();
  void begin_list();
  void end_list();
  void begin_item(bool has_bullet);
  void begin_table();
  void end_table();
  void begin_cell();
  void begin_quote();
  void end_quote();
  void begin_heading();
  void end_heading(int level);
  /// A link target; it belongs to the next heading unless text comes first.
  void anchor(std::string_view name);

  bool is_in_code() const { return code_depth_ > 0; }
  bool is_in_heading() const { return is_in_heading_; }
  std::size_t section_count() const { return sections_.size(); }
  const std::string& first_heading() const { return first_heading_; }
  /// Ends the last block. Sections without a block are left out; their headings stay in the paths of those below.
  std::vector<Section> finish();

 private:
  BlockKind kind() const;
  void flush();
  void push(BlockKind kind, std::string text);

  std::vector<Section> sections_{Section{}};
  std::array<std::string, 7> headings_;  // by level; index 0 is not used
  std::string first_heading_, anchor_, buffer_;
  bool has_pending_blank_ = false, is_in_heading_ = false;
  int list_depth_ = 0, table_depth_ = 0, quote_depth_ = 0, code_depth_ = 0;
};

}  // namespace volan::collect
