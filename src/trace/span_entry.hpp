/// The stored form of a span event, version 1: docs/formats/span_entry.md. Written by the recorder, read by the trace store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "trace/types.hpp"

namespace volan::trace {

/// JournalEntry::kind of a span event. A kind is never given to anything else.
inline constexpr std::uint16_t span_entry_kind = 1;
inline constexpr std::uint16_t span_entry_version = 1;

/// The fixed first part: flags, kind, status, zero; then five 64-bit integers.
inline constexpr std::size_t span_entry_fixed_bytes = 44;
inline constexpr std::uint8_t span_entry_has_end = 1;
inline constexpr std::uint8_t span_entry_has_first_token = 2;
/// Longest text and most attributes a reader accepts; the recorder stays far below.
inline constexpr std::uint64_t span_entry_text_bytes_max = 16u << 20;
inline constexpr std::uint64_t span_entry_attributes_max = 4096;

/// The entry's body. Pure.
/// Cost: one allocation and one copy of the texts; some 0.3 µs for a span of 800 bytes.
std::string encode_span(const Span& span);

/// Reads it back. Errors: data_loss for a body that encode_span() did not write (bad length, unknown enumerator, trailing bytes) or a
/// version that this program does not know.
core::Result<Span> decode_span(std::uint16_t version, std::string_view body);

}  // namespace volan::trace
