// Goal: configuration files with every kind of mistake give file, line, path and remedy. Method: small texts in, errors out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/json.hpp"

namespace volan::core {
namespace {

struct App {
  static constexpr bool lenient_defaults = true;
  std::string model = "none";
  std::optional<double> temperature;
  bool is_public = false;
  RawJson options;
};
constexpr auto describe(const App*) {
  return object("App", field("model", &App::model), field("temperature", &App::temperature), field("is_public", &App::is_public),
                field("options", &App::options));
}

struct Config {
  std::string version;
  std::map<std::string, App> apps;
  std::vector<std::int64_t> ports;
};
constexpr auto describe(const Config*) {
  return object("Config", field("version", &Config::version), field("apps", &Config::apps), field("ports", &Config::ports));
}

std::string error_of(std::string_view text) {
  const auto config = decode_yaml<Config>(text, "volan.yaml");
  return config ? "decoded" : to_text(config.error());
}

TEST(Yaml, DecodesAFile) {
  const auto config = decode_yaml<Config>(
      "# comment\nversion: 1.10\napps:\n  twin:\n    model: \"true\"\n    temperature: 1\n    is_public: true\n"
      "    options: {a: [1, x, null, 0x10, 'y']}\n  empty:\nports: [1, 0o17, -3]\n",
      "volan.yaml");
  ASSERT_TRUE(config) << to_text(config.error());
  EXPECT_EQ(config->version, "1.10");  // a text field keeps what is written
  EXPECT_EQ(config->apps.at("twin").model, "true");
  EXPECT_EQ(config->apps.at("twin").temperature, 1.0);
  EXPECT_TRUE(config->apps.at("twin").is_public);
  EXPECT_EQ(config->apps.at("twin").options.text, R"({"a":[1,"x",null,16,"y"]})");
  EXPECT_EQ(config->apps.at("empty").model, "none");
  EXPECT_THAT(config->ports, testing::ElementsAre(1, 15, -3));
}

TEST(Yaml, NamesFileLinePathAndRemedy) {
  EXPECT_EQ(error_of("version: a\napps:\n  twin:\n    model: [x]\n"),
            "volan.yaml:4: apps.twin.model: expected string, found array (send a string)");
  EXPECT_EQ(error_of("version: a\napps:\n  twin:\n    modle: x\n"),
            "volan.yaml:4: apps.twin.modle: unknown field (did you mean \"model\"?)");
  EXPECT_EQ(error_of("version: a\nports:\n  - 1\n  - \"2\"\n"), "volan.yaml:4: ports[1]: expected integer, found string (send an integer)");
  EXPECT_EQ(error_of("ports: []\n"), "volan.yaml:1: version: required field is missing");
  EXPECT_EQ(error_of("- 1\n"), "volan.yaml:1: expected object, found array (send an object)");
  EXPECT_EQ(error_of(""), "volan.yaml:1: expected object, found null (send an object)");
}

TEST(Yaml, RefusesBadSyntaxWithItsLine) {
  EXPECT_THAT(error_of("version: a\napps: {b\n"), testing::StartsWith("volan.yaml:"));
  EXPECT_THAT(error_of("version: a\n\tx: b\n"), testing::StartsWith("volan.yaml:2: invalid YAML: "));
  EXPECT_THAT(error_of("version: a\nversion: b\n"), testing::StartsWith("volan.yaml:2: the key version appears twice, first in line 1"));
  EXPECT_THAT(error_of("version: a\n---\nversion: b\n"), testing::HasSubstr("expected one document"));
  EXPECT_THAT(error_of("version: !!binary aGk=\n"), testing::StartsWith("volan.yaml:1: tags like"));
  EXPECT_THAT(error_of("? [a]\n: b\n"), testing::HasSubstr("expected a text as key"));
  EXPECT_THAT(error_of("a: &x {b: c}\nd:\n  <<: *x\n"), testing::StartsWith("volan.yaml:3: merge keys"));
  EXPECT_THAT(error_of("version: \xff\n"), testing::HasSubstr("not valid UTF-8"));
  EXPECT_THAT(error_of("version: *nowhere\n"), testing::StartsWith("volan.yaml:1: invalid YAML"));
}

// Found by the fuzzer: yaml-cpp's LoadAll() never returned for these.
TEST(Yaml, ReturnsForTextsThatAreNotTwoDocuments) {
  EXPECT_NE(error_of(",**HOa********* 2]*cq\" :q\".\n"), "decoded");
  EXPECT_NE(error_of("version: a\n]"), "decoded");
  EXPECT_NE(error_of("version: a\n}\n"), "decoded");
  EXPECT_NE(error_of("version: a\n...\n]"), "decoded");
}

TEST(Yaml, FollowsAliasesUpToALimit) {
  EXPECT_EQ(error_of("version: &v a\napps:\n  x: &x {model: *v}\n  y: *x\n"), "decoded");
  std::string bomb = "version: a\nl0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *l" : "*l") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb), testing::HasSubstr("more than 100,000 values"));
  EXPECT_THAT(error_of("version: &v [*v]\n"), testing::StartsWith("volan.yaml:1: "));
  EXPECT_THAT(error_of(std::string(5u << 20, ' ')), testing::HasSubstr("larger than 4 MiB"));
}

TEST(Yaml, RefusesDeepNesting) {
  EXPECT_THAT(error_of("version: " + std::string(70, '[') + std::string(70, ']')), testing::HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(error_of("version: " + std::string(100'000, '[')), testing::HasSubstr("invalid YAML"));
}

TEST(Yaml, ReplacesEnvironmentVariables) {
  ::setenv("VOLAN_YAML_TEST", "12", 1);
  ::setenv("VOLAN_YAML_EMPTY", "", 1);
  ::unsetenv("VOLAN_YAML_MISSING");
  const auto config = decode_yaml<Config>(
      "version: a-${env:VOLAN_YAML_TEST}-$${env:X}-${other}\napps:\n  x: {model: '${env:VOLAN_YAML_EMPTY}'}\n"
      "  y:\n    model: ${env:VOLAN_YAML_EMPTY}\nports:\n  - ${env:VOLAN_YAML_TEST}\n",
      "volan.yaml");
  ASSERT_TRUE(config) << to_text(config.error());
  EXPECT_EQ(config->version, "a-12-${env:X}-${other}");
  EXPECT_EQ(config->apps.at("x").model, "");
  EXPECT_EQ(config->apps.at("y").model, "");
  EXPECT_THAT(config->ports, testing::ElementsAre(12));
  EXPECT_EQ(error_of("a: b\nversion: ${env:VOLAN_YAML_MISSING}\n"),
            "volan.yaml:2: the environment variable \"VOLAN_YAML_MISSING\" is not set (set it before volan starts)");
  EXPECT_THAT(error_of("version: ${env:VOLAN\n"), testing::HasSubstr("without a closing brace"));
}

}  // namespace
}  // namespace volan::core
