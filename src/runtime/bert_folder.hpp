/// A folder with a sentence-embedding model of the BERT family, as sentence-transformers saves it: settings and vocabulary, checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::runtime {

/// The parts of config.json that shape the network.
struct BertConfig {
  std::string model_type;
  std::uint64_t hidden_size = 0;
  std::uint64_t num_hidden_layers = 0;
  std::uint64_t num_attention_heads = 0;
  std::uint64_t intermediate_size = 0;
  std::uint64_t max_position_embeddings = 0;
  std::uint64_t vocab_size = 0;
  std::uint64_t type_vocab_size = 0;
  double layer_norm_eps = 0;
  std::string hidden_act;
  std::optional<std::string> position_embedding_type;
};

constexpr auto describe(const BertConfig*) {
  using C = BertConfig;
  return core::object("BertConfig", core::field("model_type", &C::model_type), core::field("hidden_size", &C::hidden_size),
                      core::field("num_hidden_layers", &C::num_hidden_layers), core::field("num_attention_heads", &C::num_attention_heads),
                      core::field("intermediate_size", &C::intermediate_size),
                      core::field("max_position_embeddings", &C::max_position_embeddings), core::field("vocab_size", &C::vocab_size),
                      core::field("type_vocab_size", &C::type_vocab_size), core::field("layer_norm_eps", &C::layer_norm_eps),
                      core::field("hidden_act", &C::hidden_act), core::field("position_embedding_type", &C::position_embedding_type));
}

/// llama.cpp's numbers of the ways to make one vector of many.
enum class Pooling : std::uint32_t { mean = 1, cls = 2 };

/// Positions of the special tokens in the vocabulary.
struct SpecialTokens {
  std::uint32_t pad = 0, unknown = 0, cls = 0, separator = 0, mask = 0;
};

struct BertFolder {
  std::string path;
  std::string name;  ///< the folder's own name
  BertConfig config;
  Pooling pooling = Pooling::mean;
  bool lowercase = true;
  bool strip_accents = true;
  std::vector<std::string> tokens;  ///< as in vocab.txt: continuations start with ##
  SpecialTokens special;

  std::string file(const std::string& name) const { return path + "/" + name; }
};

/// Reads and checks everything but the weights. Blocking. Errors: as import_minilm.
core::Result<BertFolder> read_bert_folder(const std::string& path);

}  // namespace volan::runtime
