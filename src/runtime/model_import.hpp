/// Turns a folder of a sentence-embedding model (BERT family, safetensors) into one GGUF file that llama-server loads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace volan::runtime {

/// How the matrices are stored. Vectors, norms and positions are always float32.
enum class WeightType { f32, f16 };

struct ImportOptions {
  std::string folder;  ///< config.json, vocab.txt, model.safetensors, and what sentence-transformers puts beside them
  std::string out;     ///< the GGUF file to write; replaced when it is there
  WeightType weights = WeightType::f16;
  /// Told what is done, with done and total in bytes of weights. May be empty.
  std::function<void(std::string_view what, std::uint64_t done, std::uint64_t total)> on_progress{};
};

struct ImportReport {
  std::string out;
  std::string sha256;  ///< of the written file; the same input gives the same bytes
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;
  std::uint64_t tokens = 0;  ///< size of the vocabulary
  std::uint64_t dimension = 0;
  std::uint64_t context_tokens = 0;
};

/// Converts. The file is written aside and renamed, so `out` is either complete or as before. Blocking; about 1 s for 90 MB.
/// Errors: not_found for a missing folder or file; invalid_argument with the file (and key) as path for an architecture other than BERT,
/// settings that the GGUF form cannot express, a vocabulary or weights that do not fit the configuration, or pickle weights (which are
/// programs and are never read; the fix names the way to convert them); resource_exhausted on a full disk.
core::Result<ImportReport> import_minilm(const ImportOptions& options);

}  // namespace volan::runtime
