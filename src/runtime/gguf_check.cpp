// Whether a model file can do the job of an endpoint: the part of gguf.hpp that knows architectures.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/gguf.hpp"
#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint64_t blocks_max = 4'096;
constexpr std::uint64_t pooling_rank = 4;  // llama.cpp's LLAMA_POOLING_TYPE_RANK: the model scores pairs

/// Architectures that read a text at once and cannot write one.
constexpr std::array<std::string_view, 9> encoders = {"bert",        "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3",
                                                      "modern-bert", "neo-bert",   "eurobert",       "t5encoder"};

bool is_encoder(std::string_view architecture) { return std::find(encoders.begin(), encoders.end(), architecture) != encoders.end(); }

core::Error wrong(const GgufFile& file, std::string text, std::string fix = "use another model file") {
  return {ErrorCode::invalid_argument, std::move(text), file.path, std::move(fix)};
}

Result<> check_kind(const GgufFile& file, EndpointKind kind) {
  const auto architecture = file.architecture();
  if (architecture.empty()) return fail(wrong(file, "key \"general.architecture\" is missing: this is not a model"));
  const auto type = file.text("general.type").value_or("model");
  if (type != "model")
    return fail(
        wrong(file, fmt::format("is of type {}, not a model", in_quotes(type)), "name the base model; an adapter is given beside it"));
  const bool is_scorer = file.of_architecture("pooling_type") == pooling_rank;
  const bool is_embedder = is_encoder(architecture) || file.of_architecture("pooling_type").has_value();
  if (kind == EndpointKind::chat && is_encoder(architecture))
    return fail(wrong(file, fmt::format("has the architecture {}, which makes embeddings and cannot write text", in_quotes(architecture)),
                      "use a chat model here (for example architecture \"llama\"), or set kind: embedding"));
  if (kind == EndpointKind::embedding && (!is_embedder || is_scorer))
    return fail(wrong(
        file,
        fmt::format("has the architecture {}{}, which makes no embeddings", in_quotes(architecture), is_scorer ? " with ranking" : ""),
        "use an embedding model here (for example architecture \"bert\")"));
  if (kind == EndpointKind::rerank && !is_scorer)
    return fail(wrong(file, fmt::format("has the architecture {} without ranking, so it cannot score documents", in_quotes(architecture)),
                      "use a reranker model here"));
  return {};
}

Result<std::uint64_t> require(const GgufFile& file, std::string_view name, std::uint64_t max) {
  const std::string key = fmt::format("{}.{}", file.architecture(), name);
  const auto* value = file.find(key);
  if (value == nullptr) return fail(wrong(file, fmt::format("key {} is missing", in_quotes(key))));
  if (value->is_array) return value->count;  // some architectures give one number per block
  const auto number = file.number(key);
  if (!number || *number == 0 || *number > max)
    return fail(wrong(file, fmt::format("key {} must be a whole number from 1 to {}", in_quotes(key), max)));
  return *number;
}

Result<> require_tensor(const GgufFile& file, std::string_view name) {
  if (file.find_tensor(name) == nullptr)
    return fail(wrong(file, fmt::format("tensor {} is missing", in_quotes(name)), "copy or download the file again"));
  return {};
}

Result<> check_vocabulary(const GgufFile& file, std::uint64_t width) {
  if (!file.text("tokenizer.ggml.model")) return fail(wrong(file, "key \"tokenizer.ggml.model\" is missing: the file has no tokenizer"));
  const auto* tokens = file.find("tokenizer.ggml.tokens");
  if (tokens == nullptr || !tokens->is_array || tokens->count == 0)
    return fail(wrong(file, "key \"tokenizer.ggml.tokens\" is missing: the file has no vocabulary"));
  VOLAN_TRY_VOID(require_tensor(file, "token_embd.weight"));
  const auto& shape = file.find_tensor("token_embd.weight")->shape;
  if (shape[0] != width || shape[1] != tokens->count)
    return fail(wrong(
        file, fmt::format("tensor \"token_embd.weight\" is {} x {}, but the keys say {} x {}", shape[0], shape[1], width, tokens->count)));
  return {};
}

/// The tensors that every block of the two architectures we know by heart must have; other architectures are left to the server.
Result<> check_blocks(const GgufFile& file, std::uint64_t blocks) {
  const bool is_llama = file.architecture() == "llama";
  if (!is_llama && file.architecture() != "bert") return {};
  VOLAN_TRY_VOID(require_tensor(file, is_llama ? "output_norm.weight" : "position_embd.weight"));
  for (std::uint64_t i = 0; i < blocks; ++i) {
    VOLAN_TRY_VOID(require_tensor(file, fmt::format("blk.{}.attn_output.weight", i)));
    VOLAN_TRY_VOID(require_tensor(file, fmt::format("blk.{}.{}.weight", i, is_llama ? "ffn_norm" : "layer_output_norm")));
  }
  return {};
}

}  // namespace

Result<> check_model(const GgufFile& file, EndpointKind kind) {
  VOLAN_TRY_VOID(check_kind(file, kind));
  VOLAN_TRY(const auto blocks, require(file, "block_count", blocks_max));
  VOLAN_TRY(const auto width, require(file, "embedding_length", 1u << 20));
  VOLAN_TRY_VOID(require(file, "context_length", 1u << 30));
  VOLAN_TRY_VOID(require(file, "attention.head_count", 1u << 16));
  if (file.number("split.count").value_or(1) > 1) return {};  // the other parts hold the rest; the server finds them by name
  VOLAN_TRY_VOID(check_vocabulary(file, width));
  return check_blocks(file, blocks);
}

Result<GgufFile> check_gguf(const std::string& path, EndpointKind kind) {
  VOLAN_TRY(auto file, read_gguf(path));
  VOLAN_TRY_VOID(check_model(file, kind));
  return file;
}

}  // namespace volan::runtime
