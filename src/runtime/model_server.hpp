/// A llama-server process that volan starts, watches, restarts and ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "net/http_client.hpp"
#include "runtime/endpoints.hpp"
#include "runtime/llama_program.hpp"
#include "runtime/server_state.hpp"

namespace volan::runtime {

/// What a managed server is and does right now.
struct ServerStatus {
  ServerState state = ServerState::stopped;
  std::string progress{};  ///< what it is doing while not ready
  std::string last_error{};
  std::string base_url{};            ///< "http://127.0.0.1:41234/v1"; empty before the first start
  std::string api_key{};             ///< of the running process
  std::string identity{};            ///< "<model name>@sha256:<hash>"; empty before the file was read
  std::uint32_t context_tokens = 0;  ///< per request
  pid_t pid = 0;                     ///< 0 = no process
  std::uint64_t restarts = 0;
  std::optional<core::Time> started{};  ///< of the running process
  std::optional<core::Time> last_check{};
};

struct ManagedServerOptions {
  std::string name;  ///< of the endpoint; letters, digits, '-', '_', '.'
  ServerSettings settings;
  std::string program{};       ///< empty = find_llama_server()
  std::string model_sha256{};  ///< when given, the file must have it, or the server is not started
  std::string log_folder{};    ///< NAME.log is written there; empty = memory only
  RestartPolicy policy{};
  std::function<core::Result<std::uint16_t>()> choose_port = free_loopback_port;
  /// Called on the server's thread after each change. Must be quick and must not call back into the server.
  std::function<void(const ServerStatus&)> on_change{};
};

/// What servers need from the program. All of it must outlive them.
struct RuntimeContext {
  core::Pools& pools;
  net::HttpClient& client;
  const core::Clock& clock;
  const core::Log& log;
  core::Metrics& metrics;
};

/// One server with a thread of its own, which sleeps until the process ends, someone asks for something or a health check is due.
/// The process listens on 127.0.0.1 with a random key and dies with this program, even when that is killed. Thread-safe.
/// Destruction ends the process and waits until it is gone.
class ManagedServer {
 public:
  /// Starts at once and returns without waiting; failures show in status(). Must not be called on an io thread.
  ManagedServer(ManagedServerOptions options, RuntimeContext context);
  ~ManagedServer();
  ManagedServer(const ManagedServer&) = delete;
  ManagedServer& operator=(const ManagedServer&) = delete;

  const std::string& name() const;
  ServerStatus status() const;
  /// Resident memory of the process in bytes, 0 without one. Reads /proc: some microseconds.
  std::uint64_t resident_bytes() const;
  /// The last lines that the process wrote, oldest first.
  std::vector<std::string> log_lines() const;
  /// Ends the process if it runs, and starts it anew; forgets earlier failures. Returns at once.
  void restart();
  /// Ends the process and leaves it ended. Returns at once.
  void stop();
  /// Blocks until the server is ready. Errors: unavailable when it has failed or was stopped; deadline_exceeded.
  core::Result<> wait_ready(std::chrono::milliseconds timeout) const;
  /// Blocks until `is_met` holds for the status; false when `timeout` passes first.
  bool wait_until(const std::function<bool(const ServerStatus&)>& is_met, std::chrono::milliseconds timeout) const;

 private:
  class Keeper;
  std::shared_ptr<Keeper> keeper_;  // shared with the health check that is under way
};

}  // namespace volan::runtime
