/// UTF-8 text: validation, repair, safe cutting, and the nearest of some words.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace volan::core {

/// True for well-formed UTF-8 (no surrogates, no overlong forms). O(n), several GB/s.
bool is_valid_utf8(std::string_view bytes);

/// The text with each ill-formed sequence replaced by U+FFFD (one per maximal subpart, as Unicode 15, section 3.9 recommends).
std::string make_valid_utf8(std::string_view bytes);

/// The longest start of `text` of at most `bytes_max` bytes that does not cut a code point. Expects valid UTF-8; for other bytes the
/// result may be up to 3 bytes shorter than it could be.
std::string_view truncate_utf8(std::string_view text, std::size_t bytes_max);

/// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours), if it is near enough to be a typing
/// mistake: at most a third of the word's length, at least 1. Words over 64 bytes have no nearest candidate. The first one wins a tie.
std::optional<std::string_view> nearest_of(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace volan::core
