/// Weights in the safetensors format: the index of a file, and tensors as float32.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "runtime/byte_source.hpp"

namespace volan::runtime {

enum class SafetensorsType { f32, f16, bf16, other };

struct SafetensorsEntry {
  SafetensorsType type = SafetensorsType::other;
  std::string type_name;             ///< as written: "F32", "I64"
  std::vector<std::uint64_t> shape;  ///< outermost first; row-major
  std::uint64_t values = 0;          ///< product of the shape
  std::uint64_t offset = 0;          ///< from the start of the file, bytes
  std::uint64_t bytes = 0;
};

/// The index of a file by tensor name.
using SafetensorsIndex = std::map<std::string, SafetensorsEntry, std::less<>>;

/// Reads and checks the index: every tensor's shape, type and bytes agree, lie inside of the file and do not overlap.
/// Errors: invalid_argument with the file as path; too_large when the index exceeds 16 MiB.
/// Source: the format is 8 bytes with the length of the index, little-endian, the index as a JSON object of
/// name -> {dtype, shape, data_offsets} with an optional "__metadata__", then the bytes of the tensors.
core::Result<SafetensorsIndex> read_safetensors(ByteSource& source);

/// The values of a tensor as float32. Errors: invalid_argument for integer types; those of ByteSource::read. Cost: O(values).
core::Result<std::vector<float>> read_values(ByteSource& source, std::string_view name, const SafetensorsEntry& entry);

}  // namespace volan::runtime
