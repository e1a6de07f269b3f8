#include "core/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "core/file.hpp"
#include "core/pools.hpp"
#include "core/spawner.hpp"

namespace volan::core {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t line_bytes_max = 64u << 10;

/// Splits what a child writes into lines, cutting long ones.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t newline = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, newline);
      line_.append(piece.substr(0, line_bytes_max - std::min(line_bytes_max, line_.size())));
      if (newline == std::string_view::npos) return;
      finish();
      bytes.remove_prefix(newline + 1);
    }
  }
  void finish_rest() {
    if (!line_.empty()) finish();
  }

 private:
  void finish() {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (on_line_) on_line_(line_);
    line_.clear();
  }
  const std::function<void(std::string_view)>& on_line_;
  std::string line_;
};

std::uint64_t resident_bytes_of(const std::string& statm) {
  std::ifstream file(statm);
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return file ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [name, value] : added) all[name] = value;
  std::vector<std::string> list;
  for (const auto& [name, value] : all) list.push_back(name + "=" + value);
  return list;
}

/// The file to execute: a path as it is, a bare name from PATH.
Result<std::string> find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (::access(program.c_str(), F_OK) != 0) return fail(ErrorCode::not_found, "no program " + program);
    return program;
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!program.empty() && !rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return fail(ErrorCode::not_found, "no program \"" + program + "\" in PATH");
}

}  // namespace

struct Process::State {
  ProcessOptions options;
  pid_t pid = -1;
  int pid_fd = -1;
  int output_fd = -1;
  int stop_pipe[2] = {-1, -1};  // closing the write end ends the reader
  std::thread reader;
  std::mutex mutex;  // guards status, and the pid against use after it was reaped
  std::optional<ExitStatus> status;

  void read_output() {
    LineSplitter lines(options.on_line);
    char buffer[16384];
    while (true) {
      pollfd waits[2] = {{output_fd, POLLIN, 0}, {stop_pipe[0], POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
      const bool is_stopping = waits[1].revents != 0;
      if (waits[0].revents != 0) {
        const ssize_t n = ::read(output_fd, buffer, sizeof buffer);
        if (n > 0) {
          lines.add({buffer, static_cast<std::size_t>(n)});
          continue;  // also while stopping: what was written is read
        }
        if (n == 0 || (errno != EINTR && errno != EAGAIN)) break;
      }
      if (is_stopping) break;
    }
    lines.finish_rest();
  }

  /// Takes the status if the child has ended. The rest of its group is killed first: as long as the leader is not reaped,
  /// the group's number cannot belong to anybody else. Needs the mutex.
  void reap_if_ended() {
    if (status) return;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != pid) return;
    ::kill(-pid, SIGKILL);
    int raw = 0;
    while (::waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
    }
    status = WIFSIGNALED(raw) ? ExitStatus{0, WTERMSIG(raw)} : ExitStatus{WEXITSTATUS(raw), 0};
  }

  std::optional<ExitStatus> poll_status() {
    const std::lock_guard lock(mutex);
    reap_if_ended();
    return status;
  }

  std::optional<ExitStatus> wait_until(Clock::time_point deadline) {
    while (true) {
      if (auto ended = poll_status()) return ended;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return std::nullopt;
      pollfd end{pid_fd, POLLIN, 0};
      ::poll(&end, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    }
  }

  void signal_group(int signal) {
    const std::lock_guard lock(mutex);
    if (!status) ::kill(-pid, signal);
  }

  ~State() {
    for (const int fd : {pid_fd, output_fd, stop_pipe[0], stop_pipe[1]})
      if (fd >= 0) ::close(fd);
  }
};

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Process>> Process::start(ProcessOptions options) {
  assert_may_block();
  auto state = std::make_unique<State>();
  VOLAN_TRY(std::string program, find_program(options.program));
  SpawnRequest request{.program = std::move(program),
                       .arguments = {},
                       .environment = merged_environment(options.env),
                       .working_directory = options.working_directory,
                       .output_fd = -1};
  request.arguments.push_back(options.program);
  request.arguments.insert(request.arguments.end(), options.arguments.begin(), options.arguments.end());

  int output[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
  state->output_fd = output[0];
  if (::pipe2(state->stop_pipe, O_CLOEXEC) != 0) {
    const int error_number = errno;
    ::close(output[1]);
    return fail(system_error("cannot make a pipe", error_number));
  }
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  request.output_fd = output[1];
  Result<pid_t> pid = spawn(request);
  ::close(output[1]);
  if (!pid) return std::unexpected(std::move(pid).error());

  state->options = std::move(options);
  state->pid = *pid;
  state->pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
  const int pidfd_error = errno;
  state->reader = std::thread([s = state.get()] {
    pthread_setname_np(pthread_self(), "volan-child-out");
    s->read_output();
  });
  auto process = std::unique_ptr<Process>(new Process(std::move(state)));
  // Without it there is no way to wait with a time limit; the destructor ends the child.
  if (process->state_->pid_fd < 0) return fail(system_error("cannot watch the child process", pidfd_error));
  return process;
}

Process::~Process() {
  terminate(std::chrono::seconds(5));
  ::close(std::exchange(state_->stop_pipe[1], -1));
  state_->reader.join();
}

pid_t Process::pid() const { return state_->pid; }
std::optional<ExitStatus> Process::poll() { return state_->poll_status(); }

std::optional<ExitStatus> Process::wait(std::chrono::milliseconds timeout) {
  assert_may_block();
  return state_->wait_until(Clock::now() + timeout);
}

ExitStatus Process::terminate(std::chrono::milliseconds grace) {
  assert_may_block();
  state_->signal_group(SIGTERM);
  if (auto ended = state_->wait_until(Clock::now() + grace)) return *ended;
  state_->signal_group(SIGKILL);
  while (true)
    if (auto ended = state_->wait_until(Clock::now() + std::chrono::seconds(60))) return *ended;
}

std::uint64_t Process::resident_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->status ? 0 : resident_bytes_of("/proc/" + std::to_string(state_->pid) + "/statm");
}

std::uint64_t own_resident_bytes() { return resident_bytes_of("/proc/self/statm"); }

}  // namespace volan::core
