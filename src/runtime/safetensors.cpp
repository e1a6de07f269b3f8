#include "runtime/safetensors.hpp"

#include <fmt/format.h>
#include <ggml.h>

#include <algorithm>
#include <boost/json/array.hpp>   // tidy: the index of a safetensors file is JSON
#include <boost/json/object.hpp>  // tidy: the index of a safetensors file is JSON
#include <cstring>
#include <optional>
#include <utility>

#include "core/json.hpp"  // tidy: the index of a safetensors file is JSON
#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

namespace json = boost::json;
using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint64_t index_bytes_max = 16u << 20;

core::Error bad(const ByteSource& source, std::string text) {
  return {ErrorCode::invalid_argument, std::move(text), source.name(), "copy or download the file again"};
}

/// Bytes of one value; 0 for a type that the format does not have.
std::uint64_t bytes_of(std::string_view type) {
  if (type == "F64" || type == "I64" || type == "U64") return 8;
  if (type == "F32" || type == "I32" || type == "U32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
  if (type == "BOOL" || type == "I8" || type == "U8" || type == "F8_E4M3" || type == "F8_E5M2") return 1;
  return 0;
}

SafetensorsType type_of(std::string_view type) {
  if (type == "F32") return SafetensorsType::f32;
  if (type == "F16") return SafetensorsType::f16;
  return type == "BF16" ? SafetensorsType::bf16 : SafetensorsType::other;
}

std::optional<std::vector<std::uint64_t>> whole_numbers(const json::object& entry, std::string_view key) {
  const auto* value = entry.if_contains(key);
  const auto* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->size() > 8) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const auto& item : *list) {
    if (const auto* n = item.if_int64(); n != nullptr && *n >= 0)
      out.push_back(static_cast<std::uint64_t>(*n));
    else if (const auto* u = item.if_uint64(); u != nullptr)
      out.push_back(*u);
    else
      return std::nullopt;
  }
  return out;
}

Result<SafetensorsEntry> read_entry(const ByteSource& source, std::string_view name, const json::value& value, std::uint64_t start) {
  const auto* object = value.if_object();
  const auto* type = object == nullptr ? nullptr : object->if_contains("dtype");
  if (type == nullptr || !type->is_string()) return fail(bad(source, fmt::format("tensor {} has no \"dtype\"", in_quotes(name))));
  SafetensorsEntry entry;
  entry.type_name = type->as_string().c_str();
  entry.type = type_of(entry.type_name);
  const std::uint64_t size = bytes_of(entry.type_name);
  if (size == 0) return fail(bad(source, fmt::format("tensor {} has the unknown type {}", in_quotes(name), in_quotes(entry.type_name))));
  auto shape = whole_numbers(*object, "shape");
  const auto range = whole_numbers(*object, "data_offsets");
  if (!shape || !range || range->size() != 2)
    return fail(bad(source, fmt::format("tensor {} needs \"shape\" and two \"data_offsets\"", in_quotes(name))));
  entry.shape = std::move(*shape);
  entry.values = 1;
  bool is_too_large = false;
  for (const auto n : entry.shape) is_too_large |= __builtin_mul_overflow(entry.values, n, &entry.values);
  is_too_large |= __builtin_mul_overflow(entry.values, size, &entry.bytes);
  const auto begin = range->front(), end = range->back(), available = source.size() - start;
  if (begin > end || end > available)
    return fail(bad(source, fmt::format("not enough bytes for tensor {}: it needs bytes {} to {} of the data, which has {}",
                                        in_quotes(name), begin, end, available)));
  if (is_too_large || end - begin != entry.bytes)
    return fail(bad(source, fmt::format("tensor {} takes {} bytes, which does not fit its shape and type {}", in_quotes(name), end - begin,
                                        entry.type_name)));
  entry.offset = start + begin;
  return entry;
}

Result<> check_overlap(const ByteSource& source, const SafetensorsIndex& index) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, entry] : index) ranges.emplace_back(entry.offset, entry.offset + entry.bytes);
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second) return fail(bad(source, fmt::format("two tensors share byte {}", ranges[i].first)));
  return {};
}

}  // namespace

Result<SafetensorsIndex> read_safetensors(ByteSource& source) {
  std::uint64_t length = 0;
  char prefix[sizeof length];
  VOLAN_TRY_VOID(source.read(0, prefix));
  std::memcpy(&length, prefix, sizeof length);  // little-endian, as this machine
  if (length > source.size() - sizeof length)
    return fail(bad(source, fmt::format("the index is said to have {} bytes but the file has {}: it is cut short or no safetensors file",
                                        length, source.size())));
  if (length > index_bytes_max)
    return fail(ErrorCode::too_large, fmt::format("the index has {} bytes; at most {} are read", length, index_bytes_max), source.name());
  std::string text(static_cast<std::size_t>(length), '\0');
  VOLAN_TRY_VOID(source.read(sizeof length, text));
  auto parsed = core::parse_json(text, 8);
  if (!parsed) return fail(bad(source, "the index is not valid JSON: " + parsed.error().message));
  const auto* object = parsed->if_object();
  if (object == nullptr) return fail(bad(source, "the index is not a JSON object"));
  SafetensorsIndex index;
  for (const auto& [name, value] : *object) {
    if (name == "__metadata__") continue;
    VOLAN_TRY(auto entry, read_entry(source, name, value, sizeof length + length));
    index.emplace(std::string(name), std::move(entry));
  }
  VOLAN_TRY_VOID(check_overlap(source, index));
  return index;
}

Result<std::vector<float>> read_values(ByteSource& source, std::string_view name, const SafetensorsEntry& entry) {
  if (entry.type == SafetensorsType::other)
    return fail(bad(source, fmt::format("tensor {} is of type {}, not of floating-point numbers", in_quotes(name), entry.type_name)));
  std::vector<float> values(static_cast<std::size_t>(entry.values));
  if (entry.type == SafetensorsType::f32) {
    VOLAN_TRY_VOID(source.read(entry.offset, {reinterpret_cast<char*>(values.data()), values.size() * sizeof(float)}));
    return values;
  }
  std::vector<std::uint16_t> halves(values.size());
  VOLAN_TRY_VOID(source.read(entry.offset, {reinterpret_cast<char*>(halves.data()), halves.size() * sizeof(std::uint16_t)}));
  if (entry.type == SafetensorsType::f16)
    ggml_fp16_to_fp32_row(halves.data(), values.data(), static_cast<std::int64_t>(values.size()));
  else
    ggml_bf16_to_fp32_row(reinterpret_cast<const ggml_bf16_t*>(halves.data()), values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

}  // namespace volan::runtime
