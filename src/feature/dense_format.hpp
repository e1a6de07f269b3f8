/// Constants of dense.bin, the file of a snapshot's vectors. docs/formats/feature_dense.md describes it; dense_index.cpp writes and reads
/// it.
#pragma once

#include <array>
#include <cstdint>

namespace volan::feature {

inline constexpr std::array<char, 8> dense_magic{'V', 'O', 'L', 'A', 'N', 'D', 'N', 'S'};
inline constexpr std::uint32_t dense_version = 1;

/// 64 bytes, little-endian. After it: count x dimension float32, count x uint32 group, count x 32 bytes chunk id.
struct DenseHeader {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t dimension = 0;
  std::uint64_t count = 0;
  std::uint32_t crc32c = 0;         ///< of everything after the header
  std::uint32_t header_crc32c = 0;  ///< of the header with this field 0
  std::array<std::uint8_t, 32> reserved{};
};
static_assert(sizeof(DenseHeader) == 64);

}  // namespace volan::feature
