/// Documents as they were read from a source: sections of blocks, code kept byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.hpp"

namespace volan::collect {

enum class Category { article, post, repository };
enum class BlockKind { paragraph, code, list, table, quote };

constexpr auto describe(const Category*) {
  using enum Category;
  return core::names("Category", core::name(article, "article"), core::name(post, "post"), core::name(repository, "repository"));
}
constexpr auto describe(const BlockKind*) {
  using enum BlockKind;
  return core::names("BlockKind", core::name(paragraph, "paragraph"), core::name(code, "code"), core::name(list, "list"),
                     core::name(table, "table"), core::name(quote, "quote"));
}

/// A piece of a section. Code is byte for byte what the page says (entities decoded); in every other kind runs of blanks are one blank,
/// as a browser shows them, and line breaks are those that a reader would see.
struct Block {
  BlockKind kind = BlockKind::paragraph;
  std::string text;
  bool operator==(const Block&) const = default;
};
constexpr auto describe(const Block*) {
  return core::object("DocumentBlock", core::field("kind", &Block::kind, "What it is."), core::field("text", &Block::text, "Its text."));
}

/// What stands between one heading and the next.
struct Section {
  std::vector<std::string> heading_path;  ///< headings from the outermost to this one; empty before the first heading
  std::int64_t level = 0;                 ///< 1 to 6; 0 before the first heading
  std::string anchor;                     ///< name that a link to the section ends in, without '#'; may be empty
  std::vector<Block> blocks;
  bool operator==(const Section&) const = default;
};
constexpr auto describe(const Section*) {
  return core::object("DocumentSection", core::field("heading_path", &Section::heading_path, "Headings from the outermost to this one."),
                      core::field("level", &Section::level, "Level of the heading, 1 to 6; 0 before the first."),
                      core::field("anchor", &Section::anchor, "End of a link to the section."),
                      core::field("blocks", &Section::blocks, "Its text."));
}

/// One text of an author. The id is a hash of the source's id, the locator and the content, so a changed page is another document.
struct Document {
  std::string id;
  std::string source;        ///< name of the source it came from
  std::string locator;       ///< place inside the source: path of the file from the source's folder
  std::string content_hash;  ///< SHA-256 of what was read and of the rules that read it
  std::string author;
  Category category = Category::article;
  std::string title;
  std::string url;       ///< where a reader finds it
  std::string language;  ///< BCP 47, may be empty
  std::vector<Section> sections;
};

}  // namespace volan::collect
