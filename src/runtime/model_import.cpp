#include "runtime/model_import.hpp"

#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "core/pools.hpp"
#include "runtime/bert_folder.hpp"
#include "runtime/byte_source.hpp"
#include "runtime/gguf.hpp"
#include "runtime/quote.hpp"
#include "runtime/safetensors.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint32_t token_normal = 1, token_control = 3;    // llama.cpp's LLAMA_TOKEN_TYPE_*
constexpr std::uint32_t file_all_f32 = 0, file_mostly_f16 = 1;  // llama.cpp's LLAMA_FTYPE_*

/// One tensor of the GGUF file: where it comes from and what it must be.
struct TensorPlan {
  std::string source;                ///< name in the safetensors file
  std::string name;                  ///< name in the GGUF file
  std::vector<std::uint64_t> shape;  ///< outermost first
  bool may_be_half = false;          ///< a matrix that is multiplied or looked up
};

/// All tensors of a BERT encoder, in the order of the file. Source: the tensor list that llama.cpp's "bert" architecture loads.
std::vector<TensorPlan> plan_tensors(const BertConfig& c) {
  std::vector<TensorPlan> plan;
  const auto add = [&plan](std::string source, std::string name, std::vector<std::uint64_t> shape, bool may_be_half = false) {
    plan.push_back({std::move(source), std::move(name), std::move(shape), may_be_half});
  };
  const auto add_norm = [&](const std::string& source, const std::string& name) {
    add(source + ".weight", name + ".weight", {c.hidden_size});
    add(source + ".bias", name + ".bias", {c.hidden_size});
  };
  const auto add_linear = [&](const std::string& source, const std::string& name, std::uint64_t out, std::uint64_t in) {
    add(source + ".weight", name + ".weight", {out, in}, true);
    add(source + ".bias", name + ".bias", {out});
  };
  add("embeddings.word_embeddings.weight", "token_embd.weight", {c.vocab_size, c.hidden_size}, true);
  add("embeddings.position_embeddings.weight", "position_embd.weight", {c.max_position_embeddings, c.hidden_size});
  add("embeddings.token_type_embeddings.weight", "token_types.weight", {c.type_vocab_size, c.hidden_size});
  add_norm("embeddings.LayerNorm", "token_embd_norm");
  for (std::uint64_t i = 0; i < c.num_hidden_layers; ++i) {
    const std::string from = fmt::format("encoder.layer.{}.", i), to = fmt::format("blk.{}.", i);
    add_linear(from + "attention.self.query", to + "attn_q", c.hidden_size, c.hidden_size);
    add_linear(from + "attention.self.key", to + "attn_k", c.hidden_size, c.hidden_size);
    add_linear(from + "attention.self.value", to + "attn_v", c.hidden_size, c.hidden_size);
    add_linear(from + "attention.output.dense", to + "attn_output", c.hidden_size, c.hidden_size);
    add_norm(from + "attention.output.LayerNorm", to + "attn_output_norm");
    add_linear(from + "intermediate.dense", to + "ffn_up", c.intermediate_size, c.hidden_size);
    add_linear(from + "output.dense", to + "ffn_down", c.hidden_size, c.intermediate_size);
    add_norm(from + "output.LayerNorm", to + "layer_output_norm");
  }
  return plan;
}

/// Tensors that embeddings do not need: the classifier on the first token, heads of pre-training, a table of 0, 1, 2, ….
bool is_unneeded(std::string_view name) {
  return name.starts_with("pooler.") || name.starts_with("cls.") || name == "embeddings.position_ids";
}

/// The index with the names that models saved from a larger one carry ("bert." in front) or old ones use (gamma, beta) made uniform.
SafetensorsIndex with_plain_names(SafetensorsIndex index) {
  SafetensorsIndex out;
  for (auto& [name, entry] : index) {
    std::string plain = name.starts_with("bert.") ? name.substr(5) : name;
    if (plain.ends_with(".gamma")) plain.replace(plain.size() - 5, 5, "weight");
    if (plain.ends_with(".beta")) plain.replace(plain.size() - 4, 4, "bias");
    if (!is_unneeded(plain)) out.emplace(std::move(plain), std::move(entry));
  }
  return out;
}

Result<> check_plan(const std::string& file, const std::vector<TensorPlan>& plan, const SafetensorsIndex& index) {
  for (const auto& tensor : plan) {
    const auto found = index.find(tensor.source);
    if (found == index.end())
      return fail(ErrorCode::invalid_argument, fmt::format("tensor {} is missing", in_quotes(tensor.source)), file,
                  "copy or download the file again");
    if (found->second.shape != tensor.shape)
      return fail(ErrorCode::invalid_argument,
                  fmt::format("tensor {} is {}, but config.json makes it {}", in_quotes(tensor.source),
                              fmt::join(found->second.shape, " x "), fmt::join(tensor.shape, " x ")),
                  file, "use the config.json that belongs to these weights");
  }
  if (index.size() == plan.size()) return {};
  for (const auto& [name, entry] : index) {
    const bool is_known = std::any_of(plan.begin(), plan.end(), [&](const TensorPlan& t) { return t.source == name; });
    if (!is_known)
      return fail(ErrorCode::invalid_argument, fmt::format("tensor {} is not part of a BERT encoder", in_quotes(name)), file,
                  "only plain BERT encoders can be converted");
  }
  return {};
}

/// Pieces as llama.cpp keeps them: a word's start is marked by U+2581, a continuation is bare, special tokens stay as they are.
std::string piece_of(const std::string& token, bool is_special) {
  if (is_special) return token;
  return token.starts_with("##") ? token.substr(2) : "\u2581" + token;
}

void set_vocabulary(gguf_context* gguf, const BertFolder& folder) {
  const auto& s = folder.special;
  std::vector<std::string> pieces;
  std::vector<std::int32_t> types;
  for (std::uint32_t id = 0; id < folder.tokens.size(); ++id) {
    const bool is_special = id == s.pad || id == s.unknown || id == s.cls || id == s.separator || id == s.mask;
    pieces.push_back(piece_of(folder.tokens[id], is_special));
    types.push_back(static_cast<std::int32_t>(is_special ? token_control : token_normal));
  }
  std::vector<const char*> views;
  for (const auto& piece : pieces) views.push_back(piece.c_str());
  gguf_set_val_str(gguf, "tokenizer.ggml.model", "bert");
  gguf_set_val_str(gguf, "tokenizer.ggml.pre", "default");
  gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", views.data(), views.size());
  gguf_set_arr_data(gguf, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
  gguf_set_val_u32(gguf, "tokenizer.ggml.token_type_count", static_cast<std::uint32_t>(folder.config.type_vocab_size));
  gguf_set_val_u32(gguf, "tokenizer.ggml.bos_token_id", s.cls);
  gguf_set_val_u32(gguf, "tokenizer.ggml.cls_token_id", s.cls);
  gguf_set_val_u32(gguf, "tokenizer.ggml.seperator_token_id", s.separator);  // spelled so in the format
  gguf_set_val_u32(gguf, "tokenizer.ggml.padding_token_id", s.pad);
  gguf_set_val_u32(gguf, "tokenizer.ggml.unknown_token_id", s.unknown);
  gguf_set_val_u32(gguf, "tokenizer.ggml.mask_token_id", s.mask);
  gguf_set_val_bool(gguf, "tokenizer.ggml.normalizer.lowercase", folder.lowercase);
  gguf_set_val_bool(gguf, "tokenizer.ggml.normalizer.strip_accents", folder.strip_accents);
}

void set_keys(gguf_context* gguf, const BertFolder& folder, WeightType weights) {
  const auto& c = folder.config;
  const auto number = [gguf](const char* key, std::uint64_t value) { gguf_set_val_u32(gguf, key, static_cast<std::uint32_t>(value)); };
  gguf_set_val_str(gguf, "general.architecture", "bert");
  gguf_set_val_str(gguf, "general.type", "model");
  gguf_set_val_str(gguf, "general.name", folder.name.c_str());
  number("general.file_type", weights == WeightType::f16 ? file_mostly_f16 : file_all_f32);
  number("bert.block_count", c.num_hidden_layers);
  number("bert.context_length", c.max_position_embeddings);
  number("bert.embedding_length", c.hidden_size);
  number("bert.feed_forward_length", c.intermediate_size);
  number("bert.attention.head_count", c.num_attention_heads);
  number("bert.vocab_size", c.vocab_size);
  number("bert.pooling_type", static_cast<std::uint32_t>(folder.pooling));
  gguf_set_val_f32(gguf, "bert.attention.layer_norm_epsilon", static_cast<float>(c.layer_norm_eps));
  gguf_set_val_bool(gguf, "bert.attention.causal", false);
  set_vocabulary(gguf, folder);
}

/// The bytes of one tensor as they go into the file.
Result<std::string> read_weights(ByteSource& source, const TensorPlan& tensor, const SafetensorsEntry& entry, ggml_type type) {
  VOLAN_TRY(const auto values, read_values(source, tensor.source, entry));
  std::string bytes(values.size() * ggml_type_size(type), '\0');
  if (type == GGML_TYPE_F16)
    ggml_fp32_to_fp16_row(values.data(), reinterpret_cast<ggml_fp16_t*>(bytes.data()), static_cast<std::int64_t>(values.size()));
  else
    std::copy_n(reinterpret_cast<const char*>(values.data()), bytes.size(), bytes.data());
  return bytes;
}

struct Gguf {
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file{gguf_init_empty(), gguf_free};
  std::unique_ptr<ggml_context, decltype(&ggml_free)> shapes{nullptr, ggml_free};
};

/// Header and padded weights in one buffer (as large as the file).
Result<std::string> build_file(const BertFolder& folder, const std::vector<TensorPlan>& plan, const SafetensorsIndex& index,
                               ByteSource& source, const ImportOptions& options) {
  Gguf gguf;
  gguf.shapes.reset(ggml_init({.mem_size = plan.size() * ggml_tensor_overhead(), .mem_buffer = nullptr, .no_alloc = true}));
  if (gguf.shapes == nullptr) return fail(ErrorCode::internal, "not enough memory to convert the model");
  set_keys(gguf.file.get(), folder, options.weights);
  const auto type_of = [&](const TensorPlan& t) {
    return t.may_be_half && options.weights == WeightType::f16 ? GGML_TYPE_F16 : GGML_TYPE_F32;
  };
  for (const auto& tensor : plan) {
    const auto rows = static_cast<std::int64_t>(tensor.shape[0]);  // ggml counts from the innermost dimension
    auto* shape = tensor.shape.size() == 1
                      ? ggml_new_tensor_1d(gguf.shapes.get(), type_of(tensor), rows)
                      : ggml_new_tensor_2d(gguf.shapes.get(), type_of(tensor), static_cast<std::int64_t>(tensor.shape[1]), rows);
    gguf_add_tensor(gguf.file.get(), ggml_set_name(shape, tensor.name.c_str()));
  }
  std::string bytes(gguf_get_meta_size(gguf.file.get()), '\0');  // padded to the alignment
  gguf_get_meta_data(gguf.file.get(), bytes.data());
  std::uint64_t done = 0, total = 0;
  for (const auto& tensor : plan) total += index.find(tensor.source)->second.bytes;
  for (const auto& tensor : plan) {
    const auto& entry = index.find(tensor.source)->second;
    VOLAN_TRY(const auto weights, read_weights(source, tensor, entry, type_of(tensor)));
    bytes += weights;
    bytes.resize(GGML_PAD(bytes.size(), gguf_get_alignment(gguf.file.get())), '\0');
    done += entry.bytes;
    if (options.on_progress) options.on_progress(tensor.name, done, total);
  }
  return bytes;
}

}  // namespace

Result<ImportReport> import_minilm(const ImportOptions& options) {
  core::assert_may_block();
  VOLAN_TRY(const auto folder, read_bert_folder(options.folder));
  const std::string weights = folder.file("model.safetensors");
  VOLAN_TRY(auto source, open_byte_source(weights));
  VOLAN_TRY(auto raw_index, read_safetensors(*source));
  const auto index = with_plain_names(std::move(raw_index));
  const auto plan = plan_tensors(folder.config);
  VOLAN_TRY_VOID(check_plan(weights, plan, index));
  VOLAN_TRY(const auto bytes, build_file(folder, plan, index, *source, options));
  // What is written must be what a server will accept: read it back through the same check before it gets its name.
  VOLAN_TRY(const auto written, read_gguf(*memory_byte_source(bytes, options.out)));
  VOLAN_TRY_VOID(check_model(written, EndpointKind::embedding));
  VOLAN_TRY_VOID(core::write_file_durably(options.out, bytes));
  return ImportReport{.out = options.out,
                      .sha256 = core::sha256_hex(bytes),
                      .bytes = bytes.size(),
                      .tensors = plan.size(),
                      .tokens = folder.tokens.size(),
                      .dimension = folder.config.hidden_size,
                      .context_tokens = folder.config.max_position_embeddings};
}

}  // namespace volan::runtime
