/// Ids, hashes and random bytes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace volan::core {

/// A text id of one kind of thing, so that kinds cannot be mixed up. `struct RunTag; using RunId = core::Id<RunTag>;`
template <class Tag>
struct Id {
  std::string value;
  auto operator<=>(const Id&) const = default;
};

/// 16 bytes: time-ordered first 6 (UUID version 7, RFC 9562), as 32 lower-case hex digits. Trace ids, row ids.
std::string new_id();
/// 8 random bytes as 16 hex digits, never all zero. Span ids.
std::string new_span_id();
/// `bytes` cryptographically random bytes in URL-safe base64 without padding. Keys, tokens, cookies.
std::string random_token(std::size_t bytes = 32);

/// SHA-256 as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);
/// SHA-256, 32 raw bytes.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

/// Incremental SHA-256. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& add(std::string_view bytes);
  /// Adds the length first, so that ("ab","c") and ("a","bc") differ. For ids made of several parts.
  Sha256& add_part(std::string_view bytes);
  /// Ends it; 64 hex digits. Nothing may be called afterwards.
  std::string hex();

 private:
  void* context_;
};

/// CRC-32C (Castagnoli, RFC 3720) of the bytes, for stored records. Uses the processor's instruction where it has one.
/// `seed`: the value of the bytes before, so that crc32c(b, crc32c(a)) is that of a followed by b.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
/// The same on a processor without the instruction.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

/// Equal without leaking where they differ.
bool equal_constant_time(std::string_view a, std::string_view b);

std::string base64(std::string_view bytes);
std::string base64_url(std::string_view bytes);

}  // namespace volan::core

template <class Tag>
struct std::hash<volan::core::Id<Tag>> {
  std::size_t operator()(const volan::core::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
