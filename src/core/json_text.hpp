/// Pieces of JSON text, for code that writes JSON without building a document.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace volan::core {

/// Appends `text` in quotes, escaped. Ill-formed UTF-8 becomes U+FFFD, so the result is always valid JSON. O(n).
void append_json_string(std::string& out, std::string_view text);

/// Appends a number; the shortest digits that read back to the same double. Infinity and NaN, which JSON lacks, become null.
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, float value);
void append_json_number(std::string& out, std::int64_t value);
void append_json_number(std::string& out, std::uint64_t value);
template <std::integral I>
void append_json_number(std::string& out, I value) {
  if constexpr (std::signed_integral<I>)
    append_json_number(out, static_cast<std::int64_t>(value));
  else
    append_json_number(out, static_cast<std::uint64_t>(value));
}

}  // namespace volan::core
