#include "runtime/bert_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"  // tidy: the settings of a model are JSON files
#include "core/text.hpp"
#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint64_t json_bytes_max = 16u << 20;

struct ModelKind {
  std::optional<std::string> model_type;
};
constexpr auto describe(const ModelKind*) { return core::object("ModelKind", core::field("model_type", &ModelKind::model_type)); }

struct TokenizerConfig {
  std::optional<bool> do_lower_case;
  std::optional<bool> strip_accents;
  std::optional<std::string> tokenizer_class;
};
constexpr auto describe(const TokenizerConfig*) {
  using C = TokenizerConfig;
  return core::object("TokenizerConfig", core::field("do_lower_case", &C::do_lower_case), core::field("strip_accents", &C::strip_accents),
                      core::field("tokenizer_class", &C::tokenizer_class));
}

struct PoolingConfig {
  std::optional<bool> pooling_mode_cls_token;
  std::optional<bool> pooling_mode_mean_tokens;
};
constexpr auto describe(const PoolingConfig*) {
  using C = PoolingConfig;
  return core::object("PoolingConfig", core::field("pooling_mode_cls_token", &C::pooling_mode_cls_token),
                      core::field("pooling_mode_mean_tokens", &C::pooling_mode_mean_tokens));
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// Decodes a JSON file; errors get "file: field" as path.
template <class T>
Result<T> read_json(const std::string& path) {
  VOLAN_TRY(const auto text, core::read_file(path, json_bytes_max));
  auto value = core::decode_json<T>(text, {.unknown = core::UnknownFields::ignore});
  if (value) return value;
  auto error = value.error();
  error.path = error.path.empty() ? path : path + ": " + error.path;
  return fail(std::move(error));
}

core::Error refused(const std::string& path, std::string text,
                    std::string fix = "import a sentence-transformers model of the BERT family, such as all-MiniLM-L6-v2") {
  return {ErrorCode::invalid_argument, std::move(text), path, std::move(fix)};
}

/// Weights must be there as safetensors. Pickle files run code when they are read, so they are never opened.
Result<> check_weights(const BertFolder& folder) {
  if (exists(folder.file("model.safetensors"))) return {};
  if (exists(folder.file("model.safetensors.index.json")))
    return fail(refused(folder.path, "the weights are split over several safetensors files",
                        "save them as one: model.save_pretrained(DIR, max_shard_size=\"10GB\")"));
  for (const char* pickle : {"pytorch_model.bin", "model.pt", "model.pth", "model.pkl"})
    if (exists(folder.file(pickle)))
      return fail(
          refused(folder.file(pickle), "is a pickle file: reading it would run the program inside of it",
                  "convert it on a machine you trust: AutoModel.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True)"));
  return fail(ErrorCode::not_found, "the folder has no model.safetensors", folder.path,
              "name the folder that holds config.json and model.safetensors");
}

Result<> check_config(const BertConfig& c, const std::string& path) {
  if (c.hidden_act != "gelu")
    return fail(
        refused(path + ": hidden_act", fmt::format("the activation {} has no GGUF form here; expected \"gelu\"", in_quotes(c.hidden_act))));
  if (c.position_embedding_type.value_or("absolute") != "absolute")
    return fail(refused(path + ": position_embedding_type",
                        fmt::format("{} positions have no GGUF form here; expected \"absolute\"", in_quotes(*c.position_embedding_type))));
  const std::pair<const char*, std::pair<std::uint64_t, std::uint64_t>> limits[] = {
      {"hidden_size", {c.hidden_size, 16'384}},
      {"num_hidden_layers", {c.num_hidden_layers, 256}},
      {"num_attention_heads", {c.num_attention_heads, 1'024}},
      {"intermediate_size", {c.intermediate_size, 65'536}},
      {"max_position_embeddings", {c.max_position_embeddings, 65'536}},
      {"vocab_size", {c.vocab_size, 4'000'000}},
      {"type_vocab_size", {c.type_vocab_size, 1'024}}};
  for (const auto& [name, value] : limits)
    if (value.first == 0 || value.first > value.second)
      return fail(refused(fmt::format("{}: {}", path, name), fmt::format("{} is not from 1 to {}", value.first, value.second)));
  if (c.hidden_size % c.num_attention_heads != 0)
    return fail(
        refused(path + ": num_attention_heads", fmt::format("{} heads do not divide {} dimensions", c.num_attention_heads, c.hidden_size)));
  if (!(c.layer_norm_eps > 0 && c.layer_norm_eps < 1))
    return fail(refused(path + ": layer_norm_eps", fmt::format("{} is not between 0 and 1", c.layer_norm_eps)));
  return {};
}

Result<Pooling> read_pooling(const BertFolder& folder) {
  const std::string path = folder.file("1_Pooling/config.json");
  if (!exists(path)) return Pooling::mean;  // what sentence-transformers does with a bare model
  VOLAN_TRY(const auto config, read_json<PoolingConfig>(path));
  const bool mean = config.pooling_mode_mean_tokens.value_or(false), cls = config.pooling_mode_cls_token.value_or(false);
  if (mean == cls) return fail(refused(path, "exactly one of mean and CLS pooling must be on; other kinds have no GGUF form"));
  return mean ? Pooling::mean : Pooling::cls;
}

Result<> read_tokenizer(BertFolder& folder) {
  const std::string path = folder.file("tokenizer_config.json");
  if (!exists(path)) return {};
  VOLAN_TRY(const auto config, read_json<TokenizerConfig>(path));
  const std::string type = config.tokenizer_class.value_or("BertTokenizer");
  if (type != "BertTokenizer" && type != "BertTokenizerFast")
    return fail(
        refused(path + ": tokenizer_class", fmt::format("{} is not a WordPiece tokenizer; expected \"BertTokenizer\"", in_quotes(type))));
  folder.lowercase = config.do_lower_case.value_or(true);
  folder.strip_accents = config.strip_accents.value_or(folder.lowercase);  // absent follows lower-casing, as BertTokenizer does
  return {};
}

Result<> read_vocabulary(BertFolder& folder) {
  const std::string path = folder.file("vocab.txt");
  VOLAN_TRY(const auto text, core::read_file(path, json_bytes_max));
  if (!core::is_valid_utf8(text)) return fail(refused(path, "is not valid UTF-8", "copy or download the file again"));
  std::unordered_map<std::string_view, std::uint32_t> ids;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    std::string_view token = std::string_view(text).substr(begin, end - begin);
    if (token.ends_with('\r')) token.remove_suffix(1);
    const auto id = static_cast<std::uint32_t>(folder.tokens.size());
    if (token.empty() || !ids.emplace(token, id).second)
      return fail(refused(fmt::format("{}:{}", path, id + 1),
                          token.empty() ? "the line is empty" : fmt::format("token {} is there twice", in_quotes(token)),
                          "copy or download the file again"));
    folder.tokens.emplace_back(token);
    begin = end + 1;
  }
  if (folder.tokens.size() != folder.config.vocab_size)
    return fail(refused(path, fmt::format("has {} tokens but config.json says {}", folder.tokens.size(), folder.config.vocab_size),
                        "copy or download the folder again"));
  const std::pair<std::string_view, std::uint32_t*> wanted[] = {{"[PAD]", &folder.special.pad},
                                                                {"[UNK]", &folder.special.unknown},
                                                                {"[CLS]", &folder.special.cls},
                                                                {"[SEP]", &folder.special.separator},
                                                                {"[MASK]", &folder.special.mask}};
  for (const auto& [token, id] : wanted) {
    const auto found = ids.find(token);
    if (found == ids.end()) return fail(refused(path, fmt::format("the special token {} is missing", token)));
    *id = found->second;
  }
  return {};
}

}  // namespace

Result<BertFolder> read_bert_folder(const std::string& path) {
  BertFolder folder;
  folder.path = path;
  while (folder.path.size() > 1 && folder.path.ends_with('/')) folder.path.pop_back();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder.path, ignored))
    return fail(ErrorCode::not_found, "is not a folder", path, "name the folder that holds config.json and model.safetensors");
  folder.name = std::filesystem::path(folder.path).filename().string();
  const std::string config = folder.file("config.json");
  // The kind first: another architecture lacks the other keys, and "hidden_size is missing" would not tell why.
  VOLAN_TRY(const auto kind, read_json<ModelKind>(config));
  if (kind.model_type.value_or("bert") != "bert")
    return fail(refused(config + ": model_type",
                        fmt::format("the architecture is {}; only \"bert\" can be converted", in_quotes(*kind.model_type))));
  VOLAN_TRY(folder.config, read_json<BertConfig>(config));
  VOLAN_TRY_VOID(check_config(folder.config, config));
  VOLAN_TRY_VOID(check_weights(folder));
  VOLAN_TRY(folder.pooling, read_pooling(folder));
  VOLAN_TRY_VOID(read_tokenizer(folder));
  VOLAN_TRY_VOID(read_vocabulary(folder));
  return folder;
}

}  // namespace volan::runtime
