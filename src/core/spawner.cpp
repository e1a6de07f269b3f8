#include "core/spawner.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "core/file.hpp"

namespace volan::core {
namespace {

/// What the child reports through a pipe when it cannot execute the program.
struct ChildFailure {
  int error_number;
  char step;  // 'd' folder, 'x' exec, 'o' anything else
};

/// Runs in the child between fork and exec: only async-signal-safe calls, no allocation, no return.
[[noreturn]] void become(const SpawnRequest& request, char* const* argv, char* const* envp, int report_fd, pid_t parent) {
  const auto give_up = [report_fd](char step) {
    const ChildFailure failure{errno, step};
    [[maybe_unused]] const ssize_t ignored = ::write(report_fd, &failure, sizeof failure);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up('o');
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = ::open("/dev/null", O_RDONLY);
  if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(request.output_fd, 1) < 0 || ::dup2(request.output_fd, 2) < 0) give_up('o');
  if (::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
    for (int fd = 3; fd < 65'536; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  if (!request.working_directory.empty() && ::chdir(request.working_directory.c_str()) != 0) give_up('d');
  ::execve(request.program.c_str(), argv, envp);
  give_up('x');
  ::_exit(127);
}

Result<pid_t> fork_and_exec(const SpawnRequest& request) {
  std::vector<char*> argv, envp;
  for (const auto& argument : request.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  for (const auto& entry : request.environment) envp.push_back(const_cast<char*>(entry.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(request, argv.data(), envp.data(), report[1], parent);
  const int fork_error = errno;
  ::close(report[1]);
  if (pid < 0) {
    ::close(report[0]);
    return fail(system_error("cannot fork", fork_error));
  }
  ::setpgid(pid, pid);  // also here, so that the group exists before anybody signals it
  ChildFailure failure{};
  ssize_t n = 0;
  do n = ::read(report[0], &failure, sizeof failure);
  while (n < 0 && errno == EINTR);
  ::close(report[0]);
  if (n == 0) return pid;  // exec closed the pipe
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (failure.step == 'd') return fail(system_error("cannot enter the folder " + request.working_directory, failure.error_number));
  return fail(system_error("cannot run " + request.program, failure.error_number));
}

/// The thread and its queue. Never destroyed: children live exactly as long as this thread.
class Spawner {
 public:
  static Spawner& of_process() {
    static Spawner* const spawner = new Spawner;
    return *spawner;
  }
  Result<pid_t> run(const SpawnRequest& request) {
    std::packaged_task<Result<pid_t>()> job([&request] { return fork_and_exec(request); });
    auto done = job.get_future();
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    has_job_.notify_one();
    return done.get();
  }

 private:
  Spawner() {
    std::thread([this] { work(); }).detach();
  }
  [[noreturn]] void work() {
    pthread_setname_np(pthread_self(), "volan-spawner");
    while (true) {
      std::unique_lock lock(mutex_);
      has_job_.wait(lock, [this] { return !jobs_.empty(); });
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }
  std::mutex mutex_;
  std::condition_variable has_job_;
  std::deque<std::packaged_task<Result<pid_t>()>> jobs_;
};

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) { return Spawner::of_process().run(request); }

}  // namespace volan::core
