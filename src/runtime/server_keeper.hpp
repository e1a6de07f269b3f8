/// The thread behind a ManagedServer: feeds events to the state machine and does what it says. Private to the module.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/process.hpp"
#include "core/task.hpp"
#include "runtime/model_server.hpp"
#include "runtime/server_log.hpp"

namespace volan::runtime {

/// A file descriptor that is closed at the end.
class Handle {
 public:
  explicit Handle(int fd = -1) : fd_(fd) {}
  ~Handle() { reset(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  int get() const { return fd_; }
  void reset(int fd = -1);

 private:
  int fd_;
};

/// Owners: the ManagedServer and the health check under way. begin() and end() are called once each, by the ManagedServer.
class ManagedServer::Keeper : public std::enable_shared_from_this<Keeper> {
 public:
  Keeper(ManagedServerOptions options, RuntimeContext context);
  void begin();
  void end();

  const ManagedServerOptions& options() const { return options_; }
  ServerStatus status() const;
  std::uint64_t resident_bytes() const;
  std::vector<std::string> log_lines() const { return log_.lines(); }
  bool wait_until(const std::function<bool(const ServerStatus&)>& is_met, std::chrono::milliseconds timeout) const;
  /// Thread-safe: hands an event to the server's thread.
  void post(ServerEvent event, std::uint64_t run = 0);

 private:
  void run();
  void wait_for_something();
  void feed(ServerEvent event);
  void perform(const ServerAction& action);
  void start_process();
  core::Result<> launch();
  core::Result<> check_model_file();
  core::Result<> identify(std::string_view expected_sha256);
  ServerEvent exit_event();
  void kill_process();
  void start_health_check();
  static core::Task<> check_health(std::shared_ptr<Keeper> self, std::string url, std::uint64_t run);
  void finish_health_check(ServerEvent event, std::uint64_t run);
  void publish();

  const ManagedServerOptions options_;
  const RuntimeContext context_;
  ServerLog log_;
  core::Gauge& up_;
  core::Counter& restarts_;

  // Confined to the server's thread.
  ServerMachine machine_;
  ServerSettings settings_;  // context limited to what the model can do
  std::deque<ServerEvent> events_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  Handle pid_fd_;          // readable once the process has ended
  std::uint64_t run_ = 0;  // number of the process, so that late results of an earlier one are dropped
  std::string identity_;
  std::string api_key_, base_url_;
  std::optional<core::Time> started_;

  Handle wake_;  // eventfd: something was posted
  std::thread thread_;
  mutable std::mutex mutex_;  // guards everything below
  mutable std::condition_variable changed_;
  struct Posted {
    ServerEvent event;
    std::uint64_t run = 0;  // of the process that it tells about; 0 = whichever
  };
  std::vector<Posted> posted_;
  bool is_ending_ = false;
  bool is_checking_ = false;  // a health check is under way
  std::optional<core::Time> last_check_;
  std::unique_ptr<core::Process> process_;
  ServerStatus status_;
};

}  // namespace volan::runtime
