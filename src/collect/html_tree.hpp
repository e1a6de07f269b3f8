/// A gumbo tree inside an arena: bounded in memory and time, freed at once and without recursion.
#pragma once

#include <gumbo.h>

#include <memory>
#include <string_view>

#include "collect/html.hpp"

namespace volan::collect {

class HtmlArena;

/// Owns the tree. gumbo_destroy_output() recurses once per level and would overflow the stack on a hostile page, so it is never called: the
/// arena takes all blocks back together.
class HtmlTree {
 public:
  /// Errors: too_large when the memory or the time of `limits` is used up. `utf8` must outlive the tree.
  static core::Result<HtmlTree> parse(std::string_view utf8, const HtmlLimits& limits);
  ~HtmlTree();
  HtmlTree(HtmlTree&&) noexcept;
  HtmlTree& operator=(HtmlTree&&) noexcept;
  const GumboNode& root() const { return *root_; }

 private:
  HtmlTree();
  std::unique_ptr<HtmlArena> arena_;
  const GumboNode* root_ = nullptr;
};

}  // namespace volan::collect
