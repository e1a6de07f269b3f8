// Goal: the demo's embedding model is converted into a file that passes our own check, and every unsuitable folder is refused with a
// reason.
#include "runtime/model_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/file.hpp"
#include "runtime/gguf.hpp"
#include "runtime/testdata_models.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

constexpr const char* tiny_config =
    R"({"model_type":"bert","hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":8,)"
    R"("vocab_size":7,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu","architectures":["BertModel"]})";
constexpr const char* tiny_vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\n##s\n";

/// A safetensors file of zeros with the given tensors.
std::string zeros(const std::vector<std::pair<std::string, std::vector<int>>>& tensors) {
  std::string index = "{";
  std::uint64_t offset = 0;
  for (const auto& [name, shape] : tensors) {
    std::uint64_t count = 4;
    std::string text;
    for (const int n : shape) {
      count *= static_cast<std::uint64_t>(n);
      text += (text.empty() ? "" : ",") + std::to_string(n);
    }
    index += (index.size() == 1 ? "" : ",") + ("\"" + name + R"(":{"dtype":"F32","shape":[)" + text + R"(],"data_offsets":[)" +
                                               std::to_string(offset) + "," + std::to_string(offset + count) + "]}");
    offset += count;
  }
  index += "}";
  const std::uint64_t length = index.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + index + std::string(offset, '\0');
}

std::vector<std::pair<std::string, std::vector<int>>> tiny_tensors() {
  std::vector<std::pair<std::string, std::vector<int>>> list = {{"embeddings.word_embeddings.weight", {7, 4}},
                                                                {"embeddings.position_embeddings.weight", {8, 4}},
                                                                {"embeddings.token_type_embeddings.weight", {2, 4}},
                                                                {"embeddings.LayerNorm.gamma", {4}},
                                                                {"embeddings.LayerNorm.beta", {4}},
                                                                {"pooler.dense.weight", {4, 4}}};
  const std::string l = "encoder.layer.0.";
  for (const char* part : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) {
    list.push_back({l + part + ".weight", {4, 4}});
    list.push_back({l + part + ".bias", {4}});
  }
  for (const char* norm : {"attention.output.LayerNorm", "output.LayerNorm"}) {
    list.push_back({l + norm + ".weight", {4}});
    list.push_back({l + norm + ".bias", {4}});
  }
  list.insert(list.end(), {{l + "intermediate.dense.weight", {8, 4}},
                           {l + "intermediate.dense.bias", {8}},
                           {l + "output.dense.weight", {4, 8}},
                           {l + "output.dense.bias", {4}}});
  return list;
}

/// A folder with a whole model of 4 dimensions, to be damaged.
class ModelImport : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = core::TempFolder::create();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    write("config.json", tiny_config);
    write("vocab.txt", tiny_vocabulary);
    write("model.safetensors", zeros(tiny_tensors()));
  }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_->file(name)).parent_path());
    std::ofstream(folder_->file(name), std::ios::binary) << text;
  }
  void replace_in_config(const std::string& from, const std::string& to) {
    std::string text = tiny_config;
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    write("config.json", text.replace(at, from.size(), to));
  }
  std::string out() const { return folder_->file("out.gguf"); }
  core::Result<ImportReport> import() { return import_minilm({.folder = folder_->path(), .out = out()}); }
  /// The error as text; also sees to it that nothing was written.
  std::string refusal(ErrorCode code = ErrorCode::invalid_argument) {
    const auto report = import();
    if (report) return "accepted";
    EXPECT_EQ(report.error().code, code);
    EXPECT_FALSE(std::filesystem::exists(out()));
    return core::to_text(report.error());
  }
  std::optional<core::TempFolder> folder_;
};

TEST_F(ModelImport, WritesAFileThatPassesTheCheck) {
  const auto report = import();
  ASSERT_TRUE(report) << core::to_text(report.error());
  EXPECT_EQ(report->tokens, 7u);
  EXPECT_EQ(report->dimension, 4u);
  const auto file = check_gguf(out(), EndpointKind::embedding);
  ASSERT_TRUE(file) << core::to_text(file.error());
  EXPECT_EQ(file->of_architecture("pooling_type"), 1u);
  EXPECT_EQ(file->number("tokenizer.ggml.cls_token_id"), 2u);
  EXPECT_EQ(file->find_tensor("token_embd.weight")->type, "f16");
  EXPECT_EQ(file->find_tensor("blk.0.ffn_up.weight")->shape, (std::array<std::uint64_t, 4>{4, 8, 1, 1}));
  EXPECT_EQ(file->find_tensor("position_embd.weight")->type, "f32");
  EXPECT_EQ(file->find_tensor("pooler.dense.weight"), nullptr);
  EXPECT_EQ(verify_hash(out(), report->sha256).value_or(""), report->sha256);
}

TEST_F(ModelImport, GivesTheSameBytesForTheSameFolder) {
  const auto first = import();
  const auto second = import();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->sha256, second->sha256);
}

TEST_F(ModelImport, ReportsProgressUpToTheEnd) {
  std::uint64_t last = 0, total = 0;
  const auto note = [&](std::string_view, std::uint64_t done, std::uint64_t all) {
    EXPECT_GT(done, last);
    last = done;
    total = all;
  };
  ASSERT_TRUE(import_minilm({.folder = folder_->path(), .out = out(), .on_progress = note}));
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
}

TEST_F(ModelImport, TakesTheClsVectorWhenTheFolderSaysSo) {
  write("1_Pooling/config.json", R"({"word_embedding_dimension":4,"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  ASSERT_TRUE(import());
  EXPECT_EQ(check_gguf(out(), EndpointKind::embedding)->of_architecture("pooling_type"), 2u);
}

TEST_F(ModelImport, RefusesOtherArchitecturesByName) {
  write("config.json", R"({"model_type":"llama","architectures":["LlamaForCausalLM"]})");
  EXPECT_THAT(refusal(), HasSubstr("the architecture is \"llama\"; only \"bert\" can be converted"));
}

TEST_F(ModelImport, RefusesSettingsWithoutAGgufForm) {
  replace_in_config(R"("gelu")", R"("relu")");
  EXPECT_THAT(refusal(), HasSubstr("hidden_act"));
  replace_in_config(R"("architectures")", R"("position_embedding_type":"relative_key","architectures")");
  EXPECT_THAT(refusal(), HasSubstr("position_embedding_type"));
  replace_in_config(R"("num_attention_heads":2)", R"("num_attention_heads":3)");
  EXPECT_THAT(refusal(), HasSubstr("3 heads do not divide 4 dimensions"));
  replace_in_config(R"("hidden_size":4)", R"("hidden_size":0)");
  EXPECT_THAT(refusal(), HasSubstr("hidden_size"));
  replace_in_config(R"("hidden_size":4,)", "");
  EXPECT_THAT(refusal(), HasSubstr("config.json: hidden_size"));
  write("config.json", tiny_config);
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":false})");
  EXPECT_THAT(refusal(), HasSubstr("mean and CLS pooling"));
  std::filesystem::remove_all(folder_->file("1_Pooling"));
  write("tokenizer_config.json", R"({"tokenizer_class":"XLMRobertaTokenizer"})");
  EXPECT_THAT(refusal(), HasSubstr("not a WordPiece tokenizer"));
}

TEST_F(ModelImport, NeverOpensPickleFilesAndNamesTheWayOut) {
  std::filesystem::remove(folder_->file("model.safetensors"));
  write("pytorch_model.bin", "\x80\x02}q\x00.");
  const auto text = refusal();
  EXPECT_THAT(text, HasSubstr("pytorch_model.bin: is a pickle file"));
  EXPECT_THAT(text, HasSubstr("safe_serialization=True"));
}

TEST_F(ModelImport, NamesWhatIsMissing) {
  std::filesystem::remove(folder_->file("model.safetensors"));
  EXPECT_THAT(refusal(ErrorCode::not_found), HasSubstr("no model.safetensors"));
  write("model.safetensors.index.json", "{}");
  EXPECT_THAT(refusal(), HasSubstr("split over several"));
  std::filesystem::remove(folder_->file("model.safetensors.index.json"));
  write("model.safetensors", zeros(tiny_tensors()));
  std::filesystem::remove(folder_->file("vocab.txt"));
  EXPECT_THAT(refusal(ErrorCode::not_found), HasSubstr("vocab.txt"));
  EXPECT_EQ(import_minilm({.folder = "/nowhere/model", .out = out()}).error().code, ErrorCode::not_found);
}

TEST_F(ModelImport, RefusesAVocabularyThatDoesNotFit) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\n");
  EXPECT_THAT(refusal(), HasSubstr("has 6 tokens but config.json says 7"));
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\nword\n");
  EXPECT_THAT(refusal(), HasSubstr("vocab.txt:7: token \"word\" is there twice"));
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nmask\nword\n##s\n");
  EXPECT_THAT(refusal(), HasSubstr("special token [MASK] is missing"));
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nw\xff\n##s\n");
  EXPECT_THAT(refusal(), HasSubstr("not valid UTF-8"));
}

TEST_F(ModelImport, RefusesWeightsThatDoNotFitTheConfiguration) {
  auto tensors = tiny_tensors();
  tensors[0].second = {6, 4};
  write("model.safetensors", zeros(tensors));
  EXPECT_THAT(refusal(), HasSubstr("tensor \"embeddings.word_embeddings.weight\" is 6 x 4, but config.json makes it 7 x 4"));
  tensors = tiny_tensors();
  tensors.pop_back();
  write("model.safetensors", zeros(tensors));
  EXPECT_THAT(refusal(), HasSubstr("tensor \"encoder.layer.0.output.dense.bias\" is missing"));
  tensors = tiny_tensors();
  tensors.push_back({"encoder.layer.0.experts.0.weight", {4, 4}});
  write("model.safetensors", zeros(tensors));
  EXPECT_THAT(refusal(), HasSubstr("is not part of a BERT encoder"));
  const auto whole = zeros(tiny_tensors());
  write("model.safetensors", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(refusal(), HasSubstr("not enough bytes for tensor"));
}

TEST_F(ModelImport, KeepsTheOldFileWhenItCannotWrite) {
  ASSERT_TRUE(import());
  const auto report = import_minilm({.folder = folder_->path(), .out = folder_->file("no/such/folder/out.gguf")});
  EXPECT_FALSE(report);
  EXPECT_TRUE(check_gguf(out(), EndpointKind::embedding));
}

TEST_F(ModelImport, ConvertsTheDemosModel) {
  const auto report = import_minilm({.folder = demo_embedding_folder(), .out = out()});
  ASSERT_TRUE(report) << core::to_text(report.error());
  EXPECT_EQ(report->tensors, 101u);  // 5 of the embeddings, 16 in each of 6 blocks
  EXPECT_EQ(report->tokens, 30'522u);
  EXPECT_EQ(report->context_tokens, 512u);
}

}  // namespace
}  // namespace volan::runtime
