#include "core/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "core/text.hpp"

namespace volan::core {
namespace {

constexpr std::uint64_t bytes_of(unsigned char byte) { return 0x0101010101010101ull * byte; }

/// True if one of the 8 bytes needs an escape: below 0x20, quote or backslash.
/// A byte of `x ^ pattern` is zero where x holds the pattern; (v - 0x01..) & ~v & 0x80.. marks zero bytes and, only after a real one,
/// neighbours.
bool needs_escape(std::uint64_t word) {
  const auto zero_bytes = [](std::uint64_t v) { return (v - bytes_of(0x01)) & ~v & bytes_of(0x80); };
  const std::uint64_t control = (word - bytes_of(0x20)) & ~word & bytes_of(0x80);
  return (control | zero_bytes(word ^ bytes_of('"')) | zero_bytes(word ^ bytes_of('\\'))) != 0;
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

/// Bytes at the start of `text` that can be copied as they are.
std::size_t plain_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if (needs_escape(word)) break;
  }
  while (i < text.size() && !needs_escape(text[i])) ++i;
  return i;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[static_cast<unsigned char>(c) >> 4];
  out += digits[static_cast<unsigned char>(c) & 15];
}

template <class Number>
void append_digits(std::string& out, Number value) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

template <class Real>
void append_real(std::string& out, Real value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const std::size_t start = out.size();
  append_digits(out, value);
  // Digits alone would be an integer, and readers refuse one beyond 64 bits.
  constexpr Real integers_end = 9.2e18f;
  if (std::abs(value) > integers_end && out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (!is_valid_utf8(text)) return append_json_string(out, make_valid_utf8(text));
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    append_escape(out, text.front());
    text.remove_prefix(1);
  }
  out += '"';
}

void append_json_number(std::string& out, double value) { append_real(out, value); }
void append_json_number(std::string& out, float value) { append_real(out, value); }
void append_json_number(std::string& out, std::int64_t value) { append_digits(out, value); }
void append_json_number(std::string& out, std::uint64_t value) { append_digits(out, value); }

}  // namespace volan::core
