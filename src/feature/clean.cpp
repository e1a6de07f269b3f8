#include "feature/clean.hpp"

#include <utf8proc.h>

#include <algorithm>

namespace volan::feature {
namespace {

struct CodePoint {
  utf8proc_int32_t value = 0;
  std::size_t bytes = 1;
};

// Bytes that are no UTF-8 count as one unknown code point each, and are kept.
CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {byte, 1};
  utf8proc_int32_t value = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const utf8proc_ssize_t size = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &value);
  return size > 0 ? CodePoint{value, static_cast<std::size_t>(size)} : CodePoint{-1, 1};
}

bool is_blank(utf8proc_int32_t c) {
  if (c < 0) return false;
  if (c < 0x80) return c <= 0x20 || c == 0x7F;
  if (c == 0x85 || c == 0x2028 || c == 0x2029) return true;
  return c >= 0x80 && (c < 0xA0 || utf8proc_category(c) == UTF8PROC_CATEGORY_ZS);
}

// What Python's \w matches: letters, numbers and '_'.
bool is_word(utf8proc_int32_t c) {
  if (c < 0) return false;
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return false;
  }
}

std::string by_reference_rule(std::string_view text) {
  std::string out;
  bool has_blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    if (is_word(c.value) || c.value == '.' || c.value == ',' || c.value == '!' || c.value == '?') {
      if (has_blank && !out.empty()) out += ' ';
      has_blank = false;
      out += text.substr(at, c.bytes);
    } else {
      has_blank = true;
    }
    at += c.bytes;
  }
  return out;
}

}  // namespace

std::int64_t count_characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::string collapse_blanks(std::string_view utf8, bool keeps_indentation) {
  std::string out;
  out.reserve(utf8.size());
  std::size_t indentation = 0;
  bool has_blank = false, has_break = true;
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint c = code_point_at(utf8, at);
    if (c.value == '\n') {
      has_break = true;
      indentation = 0;
    } else if (is_blank(c.value)) {
      has_blank = true;
      ++indentation;
    } else {
      if (has_break) {
        if (!out.empty()) out += '\n';
        if (keeps_indentation) out.append(indentation, ' ');
      } else if (has_blank) {
        out += ' ';
      }
      has_blank = has_break = false;
      indentation = 0;
      out += utf8.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return out;
}

CleanedText clean(const std::vector<collect::Section>& sections, Cleaning rule) {
  CleanedText cleaned;
  for (const collect::Section& section : sections) {
    collect::Section kept = section;
    kept.blocks.clear();
    for (const collect::Block& block : section.blocks) {
      cleaned.characters_in += count_characters(block.text);
      collect::Block out = block;
      if (rule == Cleaning::reference) {
        out = {collect::BlockKind::paragraph, by_reference_rule(block.text)};
      } else if (block.kind != collect::BlockKind::code) {
        out.text = collapse_blanks(block.text, block.kind == collect::BlockKind::list);
      }
      if (out.text.empty()) continue;
      cleaned.characters_out += count_characters(out.text);
      kept.blocks.push_back(std::move(out));
    }
    if (!kept.blocks.empty()) cleaned.sections.push_back(std::move(kept));
  }
  return cleaned;
}

}  // namespace volan::feature
