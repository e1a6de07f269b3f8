/// Child processes: started with exact arguments and environment, watched, and ended with their whole group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace volan::core {

struct ProcessOptions {
  std::string program;                       ///< path, or a name looked up in PATH
  std::vector<std::string> arguments{};      ///< without argv[0]
  std::map<std::string, std::string> env{};  ///< added to (or replacing in) the inherited environment
  std::string working_directory{};           ///< empty = inherited
  /// Called for each line the child writes to stdout or stderr, from the process's reader thread. Lines over 64 KiB are cut.
  std::function<void(std::string_view line)> on_line{};
};

struct ExitStatus {
  int code = 0;    ///< exit code; meaningless if signal != 0
  int signal = 0;  ///< signal that ended it, or 0
  bool is_success() const { return code == 0 && signal == 0; }
  bool operator==(const ExitStatus&) const = default;
};

/// A running child in a process group of its own. It dies with this process, even when that is killed with SIGKILL
/// (PR_SET_PDEATHSIG, set from a thread that lives as long as the process). When the child ends, the rest of its group is killed.
/// Destruction terminates the group and reaps it. Thread-safe. It inherits no file descriptors; standard input is empty.
class Process {
 public:
  /// Blocks for the few milliseconds of the start. Errors: not_found when the program does not exist, internal with errno's text otherwise.
  static Result<std::unique_ptr<Process>> start(ProcessOptions options);
  ~Process();

  pid_t pid() const;
  /// The status if it has ended.
  std::optional<ExitStatus> poll();
  /// Blocks until it ends or `timeout` passes (nullopt).
  std::optional<ExitStatus> wait(std::chrono::milliseconds timeout);
  /// SIGTERM to the group, after `grace` SIGKILL. Blocks until reaped.
  ExitStatus terminate(std::chrono::milliseconds grace = std::chrono::seconds(5));
  /// Resident memory of the child in bytes (0 once it has ended).
  std::uint64_t resident_bytes() const;

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Resident memory of this process in bytes.
std::uint64_t own_resident_bytes();

}  // namespace volan::core
