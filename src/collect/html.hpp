/// HTML page to sections and blocks; safe for hostile pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collect/types.hpp"
#include "core/result.hpp"

namespace volan::collect {

/// Part of a document's content hash: raise it when the rules of this file change, and every page is read again.
inline constexpr std::string_view html_rules_version = "html-1";

/// Every limit ends in an error, never in a hang or a crash.
struct HtmlLimits {
  std::uint64_t bytes_max = 16u << 20;
  std::uint32_t nesting_max = 512;              ///< open elements; browsers stop at about the same depth
  std::uint32_t attributes_max = 1'000;         ///< of one tag; the parser compares each with each
  std::uint64_t memory_bytes_max = 512u << 20;  ///< for the tree of one page
  std::uint32_t sections_max = 20'000;          ///< headings of one page
  std::uint32_t time_ms_max = 10'000;           ///< for the parser; a megabyte of ordinary HTML takes some 30 ms
};

/// What a page says.
struct HtmlPage {
  std::string title;     ///< first h1, else <title>; may be empty
  std::string language;  ///< lang of <html>; may be empty
  std::vector<Section> sections;
  std::uint64_t dropped_characters = 0;  ///< navigation: <nav>, tables of contents, previous/next links
};

/// Reads a page. Headings h1 to h6 begin sections; <pre> becomes a code block byte for byte; lists, tables and quotations keep their lines;
/// scripts, styles, forms and navigation are left out. A list or table whose text is nearly all links into the same site is navigation.
/// The charset is taken from the byte order mark, then from <meta>, then UTF-8 is tried, then windows-1252.
/// Errors:  too_large beyond a limit (the message names it); invalid_argument for bytes that are no text. `path` stays empty: the caller
///          knows the file.
/// Cost:    O(bytes); no recursion, whatever the nesting. Thread-safe.
core::Result<HtmlPage> read_html(std::string_view bytes, const HtmlLimits& limits = {});

/// UTF-8 of a page's bytes (see read_html for how the charset is found). Errors: invalid_argument when it is no text in any of them.
core::Result<std::string> html_to_utf8(std::string_view bytes);

/// Refuses pages that are too deeply nested or have too many attributes in a tag, before any tree is built. One pass, no memory.
core::Result<> check_html_shape(std::string_view utf8, const HtmlLimits& limits);

}  // namespace volan::collect
