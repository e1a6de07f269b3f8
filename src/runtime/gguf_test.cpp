// Goal: whole models pass, and every kind of damage is named; files are put together byte by byte here, so that each lie is deliberate.
#include "runtime/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/file.hpp"
#include "runtime/testdata_models.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

/// Writes the pieces of a GGUF header.
class Bytes {
 public:
  template <class T>
  Bytes& number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  Bytes& text(std::string_view value) { return number<std::uint64_t>(value.size()).raw(value); }
  Bytes& start(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return raw("GGUF").number(version).number(tensors).number(keys);
  }
  Bytes& key(std::string_view name, std::string_view value) { return text(name).number<std::uint32_t>(8).text(value); }
  Bytes& key(std::string_view name, std::uint32_t value) { return text(name).number<std::uint32_t>(4).number(value); }
  Bytes& strings(std::string_view name, std::initializer_list<std::string_view> values) {
    text(name).number<std::uint32_t>(9).number<std::uint32_t>(8).number<std::uint64_t>(values.size());
    for (const auto value : values) text(value);
    return *this;
  }
  Bytes& tensor(std::string_view name, std::initializer_list<std::uint64_t> shape, std::uint64_t offset, std::uint32_t type = 0) {
    text(name).number(static_cast<std::uint32_t>(shape.size()));
    for (const auto n : shape) number(n);
    return number(type).number(offset);
  }
  Bytes& pad(std::size_t to = 32) {
    text_.resize((text_.size() + to - 1) / to * to, '\0');
    return *this;
  }
  Bytes& zeros(std::size_t count) {
    text_.append(count, '\0');
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

core::Result<GgufFile> read(const std::string& bytes) {
  const auto source = memory_byte_source(bytes, "m.gguf");
  return read_gguf(*source);
}

void expect_refused(const std::string& bytes, const std::string& why) {
  const auto file = read(bytes);
  ASSERT_FALSE(file) << "was accepted; expected: " << why;
  EXPECT_EQ(file.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(file.error().path, "m.gguf");
  EXPECT_THAT(file.error().message, HasSubstr(why));
  EXPECT_NE(file.error().fix, "");
}

/// A whole one-block llama model of 4 dimensions and 2 tokens; 8 floats = 32 bytes a matrix, so every tensor is 32 bytes apart.
Bytes tiny_llama(std::string_view architecture = "llama") {
  const std::string a(architecture);
  Bytes b;
  b.start(4, 7).key("general.architecture", a).key(a + ".block_count", 1).key(a + ".embedding_length", 4).key(a + ".context_length", 64);
  b.key(a + ".attention.head_count", 1).key("tokenizer.ggml.model", "gpt2").strings("tokenizer.ggml.tokens", {"a", "b"});
  b.tensor("token_embd.weight", {4, 2}, 0)
      .tensor("output_norm.weight", {8}, 32)
      .tensor("blk.0.attn_output.weight", {4, 2}, 64)
      .tensor("blk.0.ffn_norm.weight", {8}, 96);
  return b;
}

TEST(Gguf, ReadsKeysAndTensorsOfAWholeFile) {
  const auto file = read(tiny_llama().pad().zeros(128).str());
  ASSERT_TRUE(file) << core::to_text(file.error());
  EXPECT_EQ(file->architecture(), "llama");
  EXPECT_EQ(file->of_architecture("context_length"), 64u);
  EXPECT_EQ(file->find("tokenizer.ggml.tokens")->count, 2u);
  ASSERT_EQ(file->tensors.size(), 4u);
  EXPECT_EQ(file->tensors[0].type, "f32");
  EXPECT_EQ(file->tensors[0].bytes, 32u);
  EXPECT_EQ(file->tensors[3].offset + file->tensors[3].bytes, file->file_bytes);
  EXPECT_TRUE(check_model(*file, EndpointKind::chat)) << "a whole model";
}

TEST(Gguf, NamesTheFileThatDoesNotExist) {
  const auto file = read_gguf("/nowhere/model.gguf");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::not_found);
  EXPECT_EQ(file.error().path, "/nowhere/model.gguf");
}

TEST(Gguf, RefusesAFolder) {
  const auto file = read_gguf("/tmp");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::invalid_argument);
}

TEST(Gguf, RefusesOtherFilesByTheirStart) {
  expect_refused("PK\x03\x04 and so on and so on", "starts with \"PK??\" instead of \"GGUF\"");
  expect_refused("", "the file ends at byte 0");
  expect_refused("GG", "the file ends at byte 2");
}

TEST(Gguf, RefusesUnknownVersions) {
  expect_refused(Bytes().start(0, 0, 1).str(), "version 1 is not supported");
  expect_refused(Bytes().start(0, 0, 4).str(), "version 4 is not supported");
}

TEST(Gguf, RefusesAbsurdCountsBeforeItReservesMemory) {
  expect_refused(Bytes().start(0, ~0ull).str(), "claims 18446744073709551615 keys");
  expect_refused(Bytes().start(1ull << 40, 0).str(), "tensors, which cannot be");
  expect_refused(Bytes().start(0, 1).number<std::uint64_t>(~0ull).zeros(64).str(), "has a length of 18446744073709551615 bytes but only");
  expect_refused(
      Bytes().start(0, 1).text("k").number<std::uint32_t>(9).number<std::uint32_t>(8).number<std::uint64_t>(1ull << 60).zeros(64).str(),
      "strings, more than fit");
  expect_refused(
      Bytes().start(0, 1).text("k").number<std::uint32_t>(9).number<std::uint32_t>(12).number<std::uint64_t>(1ull << 61).zeros(64).str(),
      "elements, more than fit");
}

TEST(Gguf, RefusesUnknownTypesAndNestedArrays) {
  expect_refused(Bytes().start(0, 1).text("k").number<std::uint32_t>(99).zeros(64).str(), "key \"k\" has the unknown type 99");
  expect_refused(Bytes().start(0, 1).text("k").number<std::uint32_t>(9).number<std::uint32_t>(9).zeros(64).str(),
                 "is an array of the unknown type 9");
}

TEST(Gguf, ShowsNamesThatAreNoTextWithoutBreaking) {
  expect_refused(Bytes().start(0, 1).text("llama\xff\xfe.\n").number<std::uint32_t>(99).zeros(64).str(),
                 "key \"llama\uFFFD\uFFFD.\\n\" has the unknown type 99");
}

TEST(Gguf, RefusesDuplicateAndEmptyNames) {
  expect_refused(Bytes().start(0, 2).key("k", 1).key("k", 2).str(), "key \"k\" is there twice");
  expect_refused(Bytes().start(0, 1).key("", 1).str(), "key 0 has no name");
  expect_refused(Bytes().start(2, 0).tensor("t", {1}, 0).tensor("t", {1}, 32).pad().zeros(64).str(), "tensor \"t\" is there twice");
}

TEST(Gguf, RefusesImpossibleTensors) {
  expect_refused(Bytes().start(1, 0).tensor("t", {1, 1, 1, 1, 1}, 0).zeros(64).str(), "has 5 dimensions");
  expect_refused(Bytes().start(1, 0).tensor("t", {4}, 0, 4'000).zeros(64).str(), "unknown type 4000");
  expect_refused(Bytes().start(1, 0).tensor("t", {1ull << 62, 1ull << 62}, 0).zeros(64).str(), "does not fit into a file");
  expect_refused(Bytes().start(1, 0).tensor("t", {33}, 0, 2).zeros(64).str(), "do not divide into blocks of 32 (q4_0)");
  expect_refused(Bytes().start(1, 0).tensor("t", {1}, 32).zeros(96).str(), "start at 32 of the data; 0 was expected");
  expect_refused(Bytes().start(1, 0).tensor("t", {4}, 0, 4).zeros(64).str(), "tensor \"t\"");  // a type that ggml has retired
}

TEST(Gguf, RefusesABadAlignment) {
  for (const std::uint32_t alignment : {0u, 3u, 1u << 30})
    expect_refused(Bytes().start(1, 1).key("general.alignment", alignment).tensor("t", {1}, 0).zeros(64).str(),
                   "general.alignment must be a power of two");
}

TEST(Gguf, NamesTheTensorThatLacksBytes) {
  expect_refused(tiny_llama().pad().zeros(127).str(), "not enough bytes for tensor \"blk.0.ffn_norm.weight\"");
}

TEST(Gguf, RefusesEveryTruncationOfAWholeFile) {
  const std::string whole = tiny_llama().pad().zeros(128).str();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read(whole.substr(0, length))) << "cut to " << length << " bytes";
}

TEST(Gguf, RefusesAModelThatCannotDoItsJob) {
  const auto llama = read(tiny_llama().pad().zeros(128).str());
  const auto embedding = check_model(*llama, EndpointKind::embedding);
  ASSERT_FALSE(embedding);
  EXPECT_THAT(embedding.error().message, HasSubstr("architecture \"llama\", which makes no embeddings"));
  EXPECT_FALSE(check_model(*llama, EndpointKind::rerank));
  const auto bert = read(tiny_llama("bert").pad().zeros(128).str());
  const auto chat = check_model(*bert, EndpointKind::chat);
  ASSERT_FALSE(chat);
  EXPECT_THAT(chat.error().message, HasSubstr("cannot write text"));
}

TEST(Gguf, NamesMissingKeysAndTensorsOfAModel) {
  const auto whole = read(tiny_llama().pad().zeros(128).str());
  const auto message_without = [&](const std::string& key, const std::string& tensor) {
    GgufFile file = *whole;
    file.keys.erase(key);
    std::erase_if(file.tensors, [&](const GgufTensor& t) { return t.name == tensor; });
    const auto checked = check_model(file, EndpointKind::chat);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(message_without("", ""), "accepted");
  EXPECT_THAT(message_without("general.architecture", ""), HasSubstr("general.architecture"));
  for (const char* key : {"llama.block_count", "llama.embedding_length", "llama.context_length", "llama.attention.head_count",
                          "tokenizer.ggml.model", "tokenizer.ggml.tokens"})
    EXPECT_THAT(message_without(key, ""), HasSubstr(key));
  for (const char* tensor : {"token_embd.weight", "output_norm.weight", "blk.0.attn_output.weight", "blk.0.ffn_norm.weight"})
    EXPECT_THAT(message_without("", tensor), HasSubstr(tensor));
}

TEST(Gguf, RefusesAnAdapterWhereAModelIsNeeded) {
  GgufFile file = *read(tiny_llama().pad().zeros(128).str());
  file.keys["general.type"].scalar = std::string("adapter");
  const auto checked = check_model(file, EndpointKind::chat);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("of type \"adapter\""));
}

TEST(Gguf, AcceptsTheChatModelOfTheDemo) {
  const auto file = check_gguf(demo_chat_model(), EndpointKind::chat);
  ASSERT_TRUE(file) << core::to_text(file.error());
  EXPECT_EQ(file->tensors.size(), 272u);
  EXPECT_EQ(file->of_architecture("embedding_length"), 576u);
  EXPECT_EQ(file->tensors.back().offset + file->tensors.back().bytes, file->file_bytes);
}

TEST(Gguf, VerifiesTheHashOfAFile) {
  const auto folder = core::TempFolder::create();
  const std::string path = folder->file("m.gguf");
  ASSERT_TRUE(core::write_file_durably(path, "abc"));
  const std::string right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-2, appendix B.1
  EXPECT_EQ(verify_hash(path, "").value_or(""), right);
  EXPECT_TRUE(verify_hash(path, right));
  const auto wrong = verify_hash(path, std::string(64, '0'));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::data_loss);
  const auto cancelled = verify_hash(path, "", [] { return true; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace volan::runtime
