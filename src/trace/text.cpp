#include "trace/text.hpp"

#include <cstdint>

#include "core/json_text.hpp"  // tidy: the text functions of stored JSON
#include "core/text.hpp"

namespace volan::trace {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

/// Four hex digits at `at`, or -1.
std::int32_t hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  std::int32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/// The beginning of the JSON string whose opening quote stands at `quote`, unescaped: at least `bytes_max` bytes of it when it has them.
std::string unescaped(std::string_view json, std::size_t quote, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = quote + 1; at < json.size() && json[at] != '"' && out.size() < bytes_max; ++at) {
    if (json[at] != '\\' || at + 1 >= json.size()) {
      out.push_back(json[at]);
      continue;
    }
    const char escape = json[++at];
    if (escape == 'u') {
      std::int32_t code = hex4(json, at + 1);
      if (code < 0) break;
      at += 4;
      if (code >= 0xD800 && code <= 0xDBFF && json.substr(at + 1, 2) == "\\u") {
        const std::int32_t low = hex4(json, at + 3);
        if (low >= 0xDC00 && low <= 0xDFFF) {
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          at += 6;
        }
      }
      if (code >= 0xD800 && code <= 0xDFFF) code = 0xFFFD;
      append_utf8(out, static_cast<std::uint32_t>(code));
    } else {
      out.push_back(escape == 'n' || escape == 't' || escape == 'r' || escape == 'b' || escape == 'f' ? ' ' : escape);
    }
  }
  return out;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  core::append_json_string(out, text);
  return out;
}

std::string preview_of(std::string_view json, std::size_t characters_max) {
  // Enough bytes for that many characters of four bytes, and for runs of white space that collapse.
  const std::size_t bytes_max = characters_max * 8;
  std::string text;
  if (json.starts_with('"')) {
    text = unescaped(json, 0, bytes_max);
  } else if (const std::size_t content = json.rfind("\"content\":\""); content != std::string_view::npos) {
    text = unescaped(json, content + 10, bytes_max);
  } else {
    text = core::truncate_utf8(json, bytes_max);
  }
  text = core::make_valid_utf8(text);
  std::string out;
  std::size_t characters = 0;
  bool is_space_due = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;  // well-formed by now
    const bool is_space = lead <= 0x20;
    if (is_space) {
      is_space_due = !out.empty();
    } else {
      if (characters + (is_space_due ? 2 : 1) > characters_max) break;
      if (is_space_due) {
        out.push_back(' ');
        ++characters;
      }
      is_space_due = false;
      out.append(text, at, length);
      ++characters;
    }
    at += length;
  }
  return out;
}

}  // namespace volan::trace
