#include "runtime/llama_program.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>

#include "core/file.hpp"
#include "core/pools.hpp"
#include "core/process.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint32_t embedding_batch_tokens = 512;

bool is_program(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // tidy: where programs lie is what PATH and the cache variable are for
  return value == nullptr ? std::string() : value;
}

std::vector<std::string> default_places() {
  std::vector<std::string> places;
  const std::string cache = environment("VOLAN_CACHE"), home = environment("HOME");
  if (!cache.empty())
    places.push_back(cache + "/build-llama/bin/llama-server");
  else if (!home.empty())
    places.push_back(home + "/.cache/volan/build-llama/bin/llama-server");
  std::istringstream path(environment("PATH"));
  for (std::string folder; std::getline(path, folder, ':');)
    if (!folder.empty()) places.push_back(folder + "/llama-server");
  return places;
}

}  // namespace

Result<std::string> find_llama_server(std::string_view configured) {
  core::assert_may_block();
  if (!configured.empty()) {
    if (is_program(std::string(configured))) return std::string(configured);
    return fail(ErrorCode::not_found, "the configured llama-server is not an executable file", std::string(configured),
                "correct the path, or run: make setup");
  }
  const auto places = default_places();
  const auto found = std::find_if(places.begin(), places.end(), is_program);
  if (found != places.end()) return *found;
  return fail(ErrorCode::not_found, fmt::format("llama-server was not found; looked at {}", fmt::join(places, ", ")), "",
              "run: make setup");
}

Result<std::string> llama_server_version(const std::string& program) {
  std::mutex mutex;
  std::string first;
  core::ProcessOptions options{.program = program, .arguments = {"--version"}, .env = {}, .working_directory = {}, .on_line = {}};
  options.on_line = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    if (first.empty() && line.starts_with("version")) first = line;
  };
  VOLAN_TRY(auto process, core::Process::start(std::move(options)));
  const auto status = process->wait(std::chrono::seconds(10));
  process.reset();  // joins the reader: all lines have been seen
  if (!status || !status->is_success() || first.empty())
    return fail(ErrorCode::upstream, "does not answer --version", program, "run: make setup");
  return first;
}

std::vector<std::string> server_arguments(const ServerSettings& s, std::uint16_t port) {
  const std::uint32_t threads = s.threads != 0 ? s.threads : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> list = {
      "--model",
      s.model_file,
      "--alias",
      s.model_name,
      "--host",
      "127.0.0.1",
      "--port",
      std::to_string(port),
      "--threads",
      std::to_string(threads),
      "--parallel",
      std::to_string(s.parallel),
      "--ctx-size",
      std::to_string(static_cast<std::uint64_t>(s.context_tokens) * s.parallel),  // divided evenly among the slots
      "--fit",
      "off",  // every size is given; nothing is to be guessed from the memory of devices
      "--no-ui",
      "--no-slots",
      "--cors-origins",
      "localhost",
      "--offline",
      "--log-colors",
      "off"};
  const auto add = [&list](std::initializer_list<std::string> more) { list.insert(list.end(), more); };
  if (s.kind == EndpointKind::chat) {
    // A request goes to the slot whose last prompt has the longest common start with it, and what idle slots held is kept in memory:
    // both reuse exact prefixes. --cache-reuse stays off: it moves pieces to other positions, which changes the answer.
    add({"--cache-prompt", "--cache-ram", std::to_string(s.cache_mb)});
  } else {
    // A text of an encoder must fit into one physical batch. Attention in a batch costs the square of its tokens, so it is not larger.
    const auto batch = std::to_string(std::max(embedding_batch_tokens, s.context_tokens));
    add({s.kind == EndpointKind::embedding ? "--embedding" : "--rerank", "--batch-size", batch, "--ubatch-size", batch, "--no-warmup",
         "--cache-ram", "0"});
  }
  list.insert(list.end(), s.extra_arguments.begin(), s.extra_arguments.end());
  return list;
}

Result<std::uint16_t> free_loopback_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(core::system_error("socket", errno));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  const int reason = errno;
  ::close(fd);
  if (!is_bound) return fail(core::system_error("bind to 127.0.0.1", reason));
  return ntohs(address.sin_port);
}

}  // namespace volan::runtime
