// Goal: the program is found where it should be, and its arguments say what the settings say and are known to the program that set-up
// built.
#include "runtime/llama_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "core/process.hpp"

namespace volan::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string value_after(const std::vector<std::string>& list, const std::string& flag) {
  for (std::size_t i = 0; i + 1 < list.size(); ++i)
    if (list[i] == flag) return list[i + 1];
  return "absent";
}

TEST(LlamaProgram, IsFoundWhereSetUpPutsIt) {
  const auto program = find_llama_server();
  ASSERT_TRUE(program) << core::to_text(program.error());
  const auto version = llama_server_version(*program);
  ASSERT_TRUE(version) << core::to_text(version.error());
  EXPECT_THAT(*version, HasSubstr("version: "));
}

TEST(LlamaProgram, RefusesAConfiguredPathThatIsNoProgram) {
  for (const char* path : {"/nowhere/llama-server", "/tmp", "/etc/passwd"}) {
    const auto program = find_llama_server(path);
    ASSERT_FALSE(program) << path;
    EXPECT_EQ(program.error().code, core::ErrorCode::not_found);
    EXPECT_EQ(program.error().path, path);
  }
  EXPECT_FALSE(llama_server_version("/bin/false"));
}

TEST(LlamaProgram, GivesEachSlotTheContextOfOneRequest) {
  const auto list =
      server_arguments({.model_file = "m.gguf", .model_name = "m", .context_tokens = 2'048, .parallel = 4, .threads = 3}, 8'080);
  EXPECT_EQ(value_after(list, "--ctx-size"), "8192");
  EXPECT_EQ(value_after(list, "--parallel"), "4");
  EXPECT_EQ(value_after(list, "--threads"), "3");
  EXPECT_EQ(value_after(list, "--port"), "8080");
  EXPECT_EQ(value_after(list, "--host"), "127.0.0.1");
  EXPECT_THAT(list, Contains("--cache-prompt"));
  EXPECT_THAT(list, Not(Contains("--embedding")));
}

TEST(LlamaProgram, MakesBatchesOfAnEncoderHoldAWholeText) {
  const auto embedding =
      server_arguments({.kind = EndpointKind::embedding, .model_file = "m.gguf", .model_name = "m", .context_tokens = 512}, 1);
  EXPECT_THAT(embedding, Contains("--embedding"));
  EXPECT_EQ(value_after(embedding, "--ubatch-size"), "512");
  const auto rerank =
      server_arguments({.kind = EndpointKind::rerank, .model_file = "m.gguf", .model_name = "m", .context_tokens = 8'192}, 1);
  EXPECT_THAT(rerank, Contains("--rerank"));
  EXPECT_EQ(value_after(rerank, "--ubatch-size"), "8192");
}

TEST(LlamaProgram, UsesOnlyArgumentsThatTheProgramKnows) {
  const auto program = find_llama_server();
  ASSERT_TRUE(program);
  std::mutex mutex;
  std::string help;
  core::ProcessOptions options;
  options.program = *program;
  options.arguments = {"--help"};
  options.on_line = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    help += std::string(line) + "\n";
  };
  auto process = core::Process::start(std::move(options));
  ASSERT_TRUE(process);
  ASSERT_TRUE((*process)->wait(std::chrono::seconds(60)));
  process->reset();
  for (const auto kind : {EndpointKind::chat, EndpointKind::embedding, EndpointKind::rerank})
    for (const auto& argument : server_arguments({.kind = kind, .model_file = "m.gguf", .model_name = "m"}, 1))
      if (argument.starts_with("--")) {
        EXPECT_THAT(help, HasSubstr(argument));
      }
}

TEST(LlamaProgram, FindsAFreePort) {
  const auto port = free_loopback_port();
  ASSERT_TRUE(port);
  EXPECT_GT(*port, 1'023);
}

}  // namespace
}  // namespace volan::runtime
