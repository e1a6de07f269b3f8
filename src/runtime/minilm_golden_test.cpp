// Goal: an imported model embeds like the original. Method: import the demo's safetensors folder, serve it, and compare tokens and
// vectors with those of an independent implementation (tools/golden/minilm_vectors.py). Tolerance: cosine >= 0.999, since the server
// computes with 16-bit weights and an approximated GELU.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "runtime/model_import.hpp"
#include "runtime/server_fixture.hpp"

namespace volan::runtime {
namespace {

namespace json = boost::json;

struct GoldenCase {
  std::string text;
  std::vector<std::int64_t> tokens;
  std::vector<double> vector;
};
constexpr auto describe(const GoldenCase*) {
  return core::object("GoldenCase", core::field("text", &GoldenCase::text), core::field("tokens", &GoldenCase::tokens),
                      core::field("vector", &GoldenCase::vector));
}
struct Golden {
  std::string model;
  std::vector<GoldenCase> cases;
};
constexpr auto describe(const Golden*) {
  return core::object("Golden", core::field("model", &Golden::model), core::field("cases", &Golden::cases));
}

struct Tokens {
  std::vector<std::int64_t> tokens;
};
constexpr auto describe(const Tokens*) { return core::object("Tokens", core::field("tokens", &Tokens::tokens)); }

struct Embedding {
  std::vector<double> embedding;
};
constexpr auto describe(const Embedding*) { return core::object("Embedding", core::field("embedding", &Embedding::embedding)); }
struct Embeddings {
  std::vector<Embedding> data;
};
constexpr auto describe(const Embeddings*) { return core::object("Embeddings", core::field("data", &Embeddings::data)); }

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

class MinilmGolden : public ServerTest {
 protected:
  void SetUp() override {
    const auto text = core::read_file(std::string(VOLAN_TESTDATA) + "/minilm_golden.json");
    ASSERT_TRUE(text) << core::to_text(text.error());
    auto decoded = core::decode_json<Golden>(*text);
    ASSERT_TRUE(decoded) << core::to_text(decoded.error());
    golden = std::move(*decoded);
    ASSERT_GE(golden.cases.size(), 10u);
  }
  /// Largest 1 - cosine over the cases, after checking each one's tokens.
  void expect_golden(WeightType weights, double cosine_min) {
    const std::string file = folder->file("minilm.gguf");
    const auto report = import_minilm({.folder = demo_embedding_folder(), .out = file, .weights = weights});
    ASSERT_TRUE(report) << core::to_text(report.error());
    ManagedServerOptions options;
    options.name = "embedder";
    options.settings = {.kind = EndpointKind::embedding, .model_file = file, .model_name = "minilm", .parallel = 2, .threads = 1};
    ManagedServer server(options, context());
    const auto ready = server.wait_ready(start_patience);
    ASSERT_TRUE(ready) << core::to_text(ready.error());
    const auto status = server.status();
    EXPECT_EQ(status.context_tokens, 512u) << "limited to what the model was made for";
    const std::string root = status.base_url.substr(0, status.base_url.size() - 3);
    json::array texts;
    for (const auto& c : golden.cases) {
      texts.emplace_back(c.text);
      const auto answer =
          post(root + "/tokenize", status.api_key, json::serialize(json::object{{"content", c.text}, {"add_special", true}}));
      ASSERT_TRUE(answer) << core::to_text(answer.error());
      const auto tokens = core::decode_json<Tokens>(answer->body, {.unknown = core::UnknownFields::ignore});
      ASSERT_TRUE(tokens) << answer->body;
      EXPECT_EQ(tokens->tokens, c.tokens) << c.text;
    }
    const auto answer =
        post(status.base_url + "/embeddings", status.api_key, json::serialize(json::object{{"input", texts}, {"model", "minilm"}}));
    ASSERT_TRUE(answer) << core::to_text(answer.error());
    const auto embeddings = core::decode_json<Embeddings>(answer->body, {.unknown = core::UnknownFields::ignore});
    ASSERT_TRUE(embeddings) << core::to_text(embeddings.error());
    ASSERT_EQ(embeddings->data.size(), golden.cases.size());
    double worst = 1;
    for (std::size_t i = 0; i < golden.cases.size(); ++i) {
      ASSERT_EQ(embeddings->data[i].embedding.size(), golden.cases[i].vector.size());
      const double value = cosine(embeddings->data[i].embedding, golden.cases[i].vector);
      EXPECT_GE(value, cosine_min) << golden.cases[i].text;
      worst = std::min(worst, value);
    }
    RecordProperty("worst_cosine", std::to_string(worst));
    std::printf("worst cosine %.6f\n", worst);
  }
  Golden golden;
};

TEST_F(MinilmGolden, HalfPrecisionWeightsEmbedLikeTheOriginal) { expect_golden(WeightType::f16, 0.999); }
TEST_F(MinilmGolden, FullPrecisionWeightsEmbedLikeTheOriginal) { expect_golden(WeightType::f32, 0.9995); }

}  // namespace
}  // namespace volan::runtime
