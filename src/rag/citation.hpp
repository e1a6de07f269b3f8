/// Adds citations that a model left out and drops those of sources that do not exist, while the answer streams.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rag/types.hpp"

namespace volan::rag {

/// Passes text through; only blanks and an open "[12" are held back until what follows decides about them.
/// - A sentence (ended by . ! ? and closing quotes, before a blank or the end) without a citation gets " [n]" of the source that holds the
///   largest share of its distinct content words (four letters or more, ASCII letters lower-cased), if that is at least one half and at
///   least three words. A citation right behind the sentence counts as its own.
/// - "[n]" and "[n, m]" lose the numbers that no source has. Directly behind a word, as in "table[9]", an unknown number is an index and
///   stays.
/// - Code (``` blocks and `inline`) is never changed.
/// The sum of all returned texts does not depend on how the input is cut, also inside a code point. Any bytes are accepted.
/// Not thread-safe. Cost: O(bytes); memory: the words of the sources and the current sentence (at most 8 KiB of it).
class Citer {
 public:
  explicit Citer(std::vector<Source> sources);
  /// What can be shown now.
  std::string feed(std::string_view text);
  /// What was held back; call it once at the end.
  std::string finish();

 private:
  struct Known {
    std::int64_t number = 0;
    std::set<std::string, std::less<>> words;
  };
  void take(char byte, std::string& out);
  void close_backticks();
  void close_bracket(std::string& out);
  void release_bracket(std::string& out);
  void release_gap(std::string& out);
  void cite_sentence(std::string& out);
  void append(char byte, std::string& out);
  bool is_known(std::int64_t number) const;

  std::vector<Known> sources_;
  std::string sentence_;  // since the last end, without citations
  std::string gap_;       // blanks held back
  std::string bracket_;   // "[12" held back
  int backticks_ = 0;     // length of the run that just passed
  bool is_block_ = false, is_inline_ = false;
  bool is_cited_ = false;      // the sentence has a citation
  bool has_ended_ = false;     // the sentence has ended, and a gap is held or a citation followed
  bool has_lost_gap_ = false;  // a dropped citation took the blank before it
  bool follows_citation_ = false;
  char last_ = '\n';
};

}  // namespace volan::rag
