// Goal: real llama-server processes are started, asked, killed, broken and ended; nothing remains and every failure has a reason.
// Method: the demo's chat model (set-up has put it into the cache); waiting is for states, never for time.
#include "runtime/model_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "core/process.hpp"
#include "runtime/server_fixture.hpp"

namespace volan::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// True when the process has ended within `patience` (or was gone already), reaped or not.
bool has_ended(pid_t pid, std::chrono::milliseconds patience) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&wanted, 1, static_cast<int>(patience.count()));
  ::close(fd);
  return ready == 1;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

using ManagedServerTest = ServerTest;

TEST_F(ManagedServerTest, StartsAnswersAChatAndLeavesNothingBehind) {
  pid_t pid = 0;
  {
    ManagedServer server(chat_options(), context());
    const auto ready = server.wait_ready(start_patience);
    ASSERT_TRUE(ready) << core::to_text(ready.error());
    const auto status = server.status();
    pid = status.pid;
    EXPECT_THAT(status.identity, HasSubstr("smol@sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"));
    EXPECT_EQ(status.context_tokens, 512u);
    EXPECT_EQ(status.restarts, 0u);
    EXPECT_EQ(status.progress, "");
    EXPECT_TRUE(status.started && status.last_check);
    EXPECT_GT(server.resident_bytes(), 50'000'000u);
    EXPECT_THAT(metrics.text(), HasSubstr("volan_model_server_up{endpoint=\"chat\"} 1"));
    EXPECT_THAT(metrics.text(), Not(HasSubstr("volan_model_server_resident_memory_bytes{endpoint=\"chat\"} 0")));

    const std::string question = R"({"messages":[{"role":"user","content":"Say hello."}],"max_tokens":8,"temperature":0})";
    const auto answer = post(status.base_url + "/chat/completions", status.api_key, question);
    ASSERT_TRUE(answer) << core::to_text(answer.error());
    EXPECT_EQ(answer->status, 200u) << answer->body;
    EXPECT_THAT(answer->body, HasSubstr("\"model\":\"smol\""));
    const auto again = post(status.base_url + "/chat/completions", status.api_key, question);
    ASSERT_TRUE(again);
    EXPECT_THAT(again->body, HasSubstr("\"cached_tokens\":"));
    EXPECT_THAT(again->body, Not(HasSubstr("\"cached_tokens\":0"))) << "the common start of two prompts is computed once";
    const auto stranger = post(status.base_url + "/chat/completions", "", question);
    ASSERT_TRUE(stranger);
    EXPECT_EQ(stranger->status, 401u);

    EXPECT_GE(status.api_key.size(), 32u);
    EXPECT_THAT(file_text("/proc/" + std::to_string(pid) + "/cmdline"), Not(HasSubstr(status.api_key)));
    EXPECT_FALSE(server.log_lines().empty());
    EXPECT_THAT(file_text(folder->file("chat.log")), HasSubstr("listening on http://127.0.0.1:"));
    EXPECT_THAT(file_text(folder->file("chat.log")), Not(HasSubstr(status.api_key)));
  }
  EXPECT_TRUE(has_ended(pid, std::chrono::milliseconds(0)));
}

TEST_F(ManagedServerTest, StartsAgainAfterItsProcessWasKilled) {
  ManagedServer server(chat_options(), context());
  ASSERT_TRUE(server.wait_ready(start_patience));
  const auto before = server.status();
  ASSERT_EQ(::kill(before.pid, SIGKILL), 0);
  ASSERT_TRUE(
      server.wait_until([&](const ServerStatus& s) { return s.state == ServerState::ready && s.pid != before.pid; }, start_patience));
  const auto after = server.status();
  EXPECT_EQ(after.restarts, 1u);
  EXPECT_THAT(after.last_error, HasSubstr("was ended by signal 9"));
  EXPECT_NE(after.api_key, before.api_key);
  EXPECT_THAT(metrics.text(), HasSubstr("volan_model_server_restarts_total{endpoint=\"chat\"} 1"));
}

TEST_F(ManagedServerTest, RestartsAndStopsWhenAsked) {
  ManagedServer server(chat_options(), context());
  ASSERT_TRUE(server.wait_ready(start_patience));
  const pid_t first = server.status().pid;
  server.restart();
  ASSERT_TRUE(server.wait_until([&](const ServerStatus& s) { return s.state == ServerState::ready && s.pid != first; }, start_patience));
  EXPECT_TRUE(has_ended(first, std::chrono::milliseconds(0)));
  const pid_t second = server.status().pid;
  server.stop();
  ASSERT_TRUE(server.wait_until([](const ServerStatus& s) { return s.state == ServerState::stopped; }, start_patience));
  EXPECT_TRUE(has_ended(second, std::chrono::milliseconds(0)));
  EXPECT_EQ(server.status().pid, 0);
  EXPECT_EQ(server.resident_bytes(), 0u);
  EXPECT_EQ(server.wait_ready(std::chrono::milliseconds(0)).error().code, core::ErrorCode::unavailable);
}

TEST_F(ManagedServerTest, FailsOnceAndForAllOnAFileThatIsNoModel) {
  const std::string broken = folder->file("broken.gguf");
  const std::string whole = file_text(demo_chat_model());
  ASSERT_TRUE(core::write_file_durably(broken, whole.substr(0, whole.size() / 2)));
  auto options = chat_options();
  options.settings.model_file = broken;
  ManagedServer server(options, context());
  const auto ready = server.wait_ready(start_patience);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, core::ErrorCode::unavailable);
  EXPECT_THAT(ready.error().message, HasSubstr("not enough bytes for tensor"));
  const auto status = server.status();
  EXPECT_EQ(status.state, ServerState::failed);
  EXPECT_THAT(status.last_error, HasSubstr(broken));
  EXPECT_EQ(status.restarts, 0u);
  EXPECT_EQ(status.pid, 0);
}

TEST_F(ManagedServerTest, GivesUpOnAModelThatOnlyTheServerFindsBrokenAndSaysWhatTheServerSaid) {
  const std::string broken = folder->file("odd.gguf");
  std::string bytes = file_text(demo_chat_model());
  const std::string key = std::string("tokenizer.ggml.model\x08\0\0\0\x04\0\0\0\0\0\0\0gpt2", 20 + 4 + 8 + 4);
  const auto at = bytes.find(key);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at + key.size() - 4, 4, "nope");
  ASSERT_TRUE(core::write_file_durably(broken, bytes));
  auto options = chat_options();
  options.settings.model_file = broken;
  options.policy.starts_max = 2;
  ManagedServer server(options, context());
  ASSERT_TRUE(server.wait_until([](const ServerStatus& s) { return s.state == ServerState::failed; }, start_patience));
  const auto status = server.status();
  EXPECT_EQ(status.restarts, 1u);
  EXPECT_EQ(status.pid, 0);
  EXPECT_THAT(status.last_error, HasSubstr("ended with exit code 1: "));
  EXPECT_THAT(status.last_error, HasSubstr("model"));
}

TEST_F(ManagedServerTest, RefusesAFileWithAnotherHash) {
  auto options = chat_options();
  options.model_sha256 = std::string(64, '0');
  ManagedServer server(options, context());
  ASSERT_FALSE(server.wait_ready(start_patience));
  EXPECT_EQ(server.status().state, ServerState::failed);
  EXPECT_THAT(server.status().last_error, HasSubstr("SHA-256"));
  EXPECT_EQ(server.status().started, std::nullopt);
}

TEST_F(ManagedServerTest, SaysHowToGetAMissingProgram) {
  auto options = chat_options();
  options.program = folder->file("no-llama-server");
  ManagedServer server(options, context());
  ASSERT_FALSE(server.wait_ready(start_patience));
  EXPECT_THAT(server.status().last_error, HasSubstr("make setup"));
}

TEST_F(ManagedServerTest, TakesAnotherPortWhenItsOwnIsInUse) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  auto options = chat_options();
  const std::uint16_t taken = ntohs(address.sin_port);
  options.choose_port = [taken, first = true]() mutable -> core::Result<std::uint16_t> {
    if (std::exchange(first, false)) return taken;
    return free_loopback_port();
  };
  ManagedServer server(options, context());
  const auto ready = server.wait_ready(start_patience);
  ::close(listener);
  ASSERT_TRUE(ready) << core::to_text(ready.error());
  EXPECT_EQ(server.status().restarts, 1u);
  EXPECT_THAT(server.status().base_url, Not(HasSubstr(":" + std::to_string(taken) + "/")));
}

/// The other role of the next test: the program that is going to be killed. Prints the server's pid and waits for its end.
void keep_a_server(ManagedServer& server) {
  if (!server.wait_ready(start_patience)) std::_Exit(1);
  std::printf("server %d\n", server.status().pid);
  std::fflush(stdout);
  for (;;) ::pause();
}

TEST_F(ManagedServerTest, DiesWithTheProgramEvenWhenThatIsKilled) {
  if (std::getenv("VOLAN_TEST_KEEPS_A_SERVER") != nullptr) {
    ManagedServer server(chat_options(), context());
    keep_a_server(server);
  }
  std::mutex mutex;
  std::condition_variable said;
  pid_t server = 0;
  core::ProcessOptions options;
  options.program = "/proc/self/exe";
  options.arguments = {"--gtest_filter=ManagedServerTest.DiesWithTheProgramEvenWhenThatIsKilled"};
  options.env = {{"VOLAN_TEST_KEEPS_A_SERVER", "1"}};
  options.on_line = [&](std::string_view line) {
    if (!line.starts_with("server ")) return;
    const std::lock_guard lock(mutex);
    server = std::atoi(std::string(line.substr(7)).c_str());
    said.notify_all();
  };
  auto program = core::Process::start(options);
  ASSERT_TRUE(program) << core::to_text(program.error());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(said.wait_for(lock, start_patience, [&] { return server != 0; }));
  }
  ASSERT_FALSE(has_ended(server, std::chrono::milliseconds(0)));
  ASSERT_EQ(::kill((*program)->pid(), SIGKILL), 0);
  EXPECT_TRUE(has_ended(server, std::chrono::seconds(10)));
}

}  // namespace
}  // namespace volan::runtime
