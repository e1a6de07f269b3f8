/// Model files in the GGUF format: read the header defensively and check that a file is whole and fits its job before a server loads it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "runtime/byte_source.hpp"
#include "runtime/endpoints.hpp"

namespace volan::runtime {

/// One key of the header. Arrays are walked and counted, their elements are not kept.
struct GgufValue {
  std::variant<std::monostate, std::uint64_t, std::int64_t, double, bool, std::string> scalar;  ///< empty for an array
  bool is_array = false;
  std::uint64_t count = 1;  ///< elements of an array
};

struct GgufTensor {
  std::string name;
  std::string type;                      ///< "f32", "q4_1"
  std::array<std::uint64_t, 4> shape{};  ///< the first is the innermost (row length); missing ones are 1
  std::uint64_t offset = 0;              ///< from the start of the file, bytes
  std::uint64_t bytes = 0;
};

/// What the header says, all of it checked against the length of the file.
struct GgufFile {
  std::string path;
  std::uint32_t version = 0;
  std::uint64_t file_bytes = 0;
  std::map<std::string, GgufValue, std::less<>> keys;
  std::vector<GgufTensor> tensors;  ///< in file order

  /// nullptr when absent.
  const GgufValue* find(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;
  /// The value when the key holds a whole number >= 0 / a string.
  std::optional<std::uint64_t> number(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  std::string_view architecture() const { return text("general.architecture").value_or(""); }
  /// `<architecture>.<key>`, for example of_architecture("context_length").
  std::optional<std::uint64_t> of_architecture(std::string_view key) const;
};

/// Reads the header. Never trusts a count or a length: a hostile file costs at most its own size in time and 64 MiB in memory.
/// Errors: not_found; invalid_argument with the file as path and what is wrong with which key or tensor (wrong magic, unsupported
/// version, cut short, absurd counts, duplicate names, a tensor whose bytes lie outside of the file).
/// Source: the description of the format at the head of ggml's gguf.h; sizes of the tensor types come from ggml.
core::Result<GgufFile> read_gguf(ByteSource& source);
core::Result<GgufFile> read_gguf(const std::string& path);

/// Reads the header and checks that the model can do `kind`: architecture, required keys, shape of the vocabulary, no missing block.
/// Cost: the header only (a few ms); weights are not read. Errors: as read_gguf; invalid_argument when the model cannot do it.
core::Result<GgufFile> check_gguf(const std::string& path, EndpointKind kind);
/// The check of an already read header.
core::Result<> check_model(const GgufFile& file, EndpointKind kind);

/// Hash of the whole file against `expected` (64 hex digits; empty = any). Returns the hash. Errors: data_loss when it differs;
/// those of sha256_of.
core::Result<std::string> verify_hash(const std::string& path, std::string_view expected, const std::function<bool()>& is_cancelled = {});

}  // namespace volan::runtime
