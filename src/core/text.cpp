#include "core/text.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace volan::core {
namespace {

constexpr std::size_t word_bytes_max = 64;

/// Length of the well-formed sequence at the start of `s`, or minus the length of its maximal ill-formed subpart.
/// Source: Unicode 15.0, table 3-7 (well-formed UTF-8 byte sequences).
int sequence_at(std::string_view s) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return -1;
  if (first < 0xE0) return tail(1) ? 2 : -1;
  const unsigned second = byte(1);
  if (!tail(1)) return -1;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return -1;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return -1;
  if (!tail(2)) return -2;
  if (first < 0xF0) return 3;
  return tail(3) ? 4 : -3;
}

/// Optimal string alignment distance in three rows of at most 65 cells.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, word_bytes_max + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& before = rows[(i + 2) % 3];
    const auto& before_that = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_that[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::string make_valid_utf8(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size() + 16);
  while (!bytes.empty()) {
    const int length = sequence_at(bytes);
    const auto used = std::min(static_cast<std::size_t>(length > 0 ? length : -length), bytes.size());
    if (length > 0)
      out.append(bytes.substr(0, used));
    else
      out.append("\xEF\xBF\xBD");
    bytes.remove_prefix(used);
  }
  return out;
}

std::string_view truncate_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  // Back over continuation bytes; a code point has at most three.
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u; ++i) --end;
  return text.substr(0, end);
}

std::optional<std::string_view> nearest_of(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > word_bytes_max) return std::nullopt;
  const std::size_t distance_max = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best = distance_max + 1;
  std::optional<std::string_view> nearest;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > word_bytes_max) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace volan::core
