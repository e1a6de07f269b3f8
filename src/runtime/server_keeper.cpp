#include "runtime/server_keeper.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "runtime/byte_source.hpp"
#include "runtime/gguf.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::Result;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds health_timeout{5'000};
constexpr milliseconds stop_grace{5'000};
constexpr std::string_view port_taken_text = "couldn't bind HTTP server socket";

std::string describe_exit(const core::ExitStatus& status) {
  if (status.signal != 0) return fmt::format("was ended by signal {} ({})", status.signal, ::strsignal(status.signal));
  return fmt::format("ended with exit code {}", status.code);
}

/// Failures of the environment may pass; wrong files and settings do not.
bool may_pass(ErrorCode code) {
  return code == ErrorCode::internal || code == ErrorCode::resource_exhausted || code == ErrorCode::unavailable;
}

}  // namespace

void Handle::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

ManagedServer::Keeper::Keeper(ManagedServerOptions options, RuntimeContext context)
    : options_(std::move(options)),
      context_(context),
      log_({.file = options_.log_folder.empty() ? std::string() : options_.log_folder + "/" + options_.name + ".log"}),
      up_(context.metrics.gauge("volan_model_server_up", "1 while the managed model server is ready.", {{"endpoint", options_.name}})),
      restarts_(context.metrics.counter("volan_model_server_restarts_total", "Starts of the model server's process after the first.",
                                        {{"endpoint", options_.name}})),
      machine_(options_.policy),
      settings_(options_.settings),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void ManagedServer::Keeper::begin() {
  auto& memory = context_.metrics.gauge("volan_model_server_resident_memory_bytes", "Resident memory of the model server's process.",
                                        {{"endpoint", options_.name}});
  context_.metrics.on_scrape([weak = weak_from_this(), &memory] {
    const auto self = weak.lock();
    memory.set(self == nullptr ? 0.0 : static_cast<double>(self->resident_bytes()));
  });
  status_.state = ServerState::starting;  // no thread reads it yet
  status_.progress = "starting the process";
  post(StartAsked{});
  thread_ = std::thread([this] { run(); });
}

void ManagedServer::Keeper::end() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  post(StopAsked{});
  thread_.join();
  // The process is gone, so a check under way fails at once. When the io loops stand still already it never ends, and is dropped with them.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, health_timeout, [this] { return !is_checking_; });
}

ServerStatus ManagedServer::Keeper::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::uint64_t ManagedServer::Keeper::resident_bytes() const {
  const std::lock_guard lock(mutex_);
  return process_ == nullptr ? 0 : process_->resident_bytes();
}

bool ManagedServer::Keeper::wait_until(const std::function<bool(const ServerStatus&)>& is_met, milliseconds timeout) const {
  core::assert_may_block();
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return is_met(status_); });
}

void ManagedServer::Keeper::post(ServerEvent event, std::uint64_t run) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back({std::move(event), run});
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);  // full only when the thread is awake anyway
}

void ManagedServer::Keeper::run() {
  for (bool is_over = false; !is_over;) {
    wait_for_something();
    std::vector<Posted> posted;
    {
      const std::lock_guard lock(mutex_);
      posted.swap(posted_);
      is_over = is_ending_;
    }
    for (auto& [event, run] : posted)
      if (run == 0 || run == run_) feed(std::move(event));  // what a check says about an earlier process is old news
  }
  feed(StopAsked{});  // whatever came last
}

/// Sleeps until something was posted, the process has ended or the timer is due, and feeds the latter two.
void ManagedServer::Keeper::wait_for_something() {
  pollfd wanted[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                      {.fd = pid_fd_.get(), .events = POLLIN, .revents = 0}};  // poll skips -1
  int timeout_ms = -1;
  if (deadline_) {
    const auto left = std::chrono::ceil<milliseconds>(*deadline_ - steady_clock::now()).count();
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }
  if (::poll(wanted, 2, timeout_ms) < 0 && errno != EINTR) std::this_thread::yield();
  std::uint64_t count = 0;
  if (wanted[0].revents != 0) [[maybe_unused]]
    const auto got = ::read(wake_.get(), &count, sizeof count);
  if (wanted[1].revents != 0) feed(exit_event());
  if (deadline_ && steady_clock::now() >= *deadline_) {
    deadline_.reset();
    feed(TimerFired{});
  }
}

void ManagedServer::Keeper::feed(ServerEvent event) {
  events_.push_back(std::move(event));
  while (!events_.empty()) {
    const ServerEvent next = std::move(events_.front());
    events_.pop_front();
    const auto before = machine_.state();
    for (const auto& action : machine_.advance(next, context_.clock.now())) perform(action);
    if (machine_.state() != before)
      context_.log.info("model_server_state", {{"endpoint", options_.name},
                                               {"from", core::text_of(before)},
                                               {"to", core::text_of(machine_.state())},
                                               {"error", machine_.last_error()}});
    publish();
  }
}

void ManagedServer::Keeper::perform(const ServerAction& action) {
  if (std::holds_alternative<StartProcess>(action)) return start_process();
  if (std::holds_alternative<KillProcess>(action)) return kill_process();
  if (std::holds_alternative<CheckHealth>(action)) return start_health_check();
  if (const auto* schedule = std::get_if<Schedule>(&action))
    deadline_ = steady_clock::now() + schedule->after;
  else
    deadline_.reset();  // CancelTimer
}

void ManagedServer::Keeper::start_process() {
  const auto launched = launch();
  if (!launched) kill_process();
  if (launched)
    events_.emplace_back(Started{});
  else if (may_pass(launched.error().code))
    events_.emplace_back(StartFailed{core::to_text(launched.error())});
  else
    events_.emplace_back(StartImpossible{core::to_text(launched.error())});
}

/// The file is checked before each start: it may have been replaced since.
Result<> ManagedServer::Keeper::check_model_file() {
  VOLAN_TRY(const auto file, check_gguf(settings_.model_file, settings_.kind));
  const auto limit = file.of_architecture("context_length").value_or(options_.settings.context_tokens);
  settings_.context_tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(limit, options_.settings.context_tokens));
  if (options_.model_sha256.empty()) return {};
  return identify(options_.model_sha256);
}

/// Hashes the whole file, which takes seconds for a large one; gives up when someone asks for something else meanwhile.
Result<> ManagedServer::Keeper::identify(std::string_view expected_sha256) {
  const auto is_cancelled = [this] {
    const std::lock_guard lock(mutex_);
    return is_ending_ || std::any_of(posted_.begin(), posted_.end(), [](const Posted& p) { return p.run == 0; });
  };
  VOLAN_TRY(const auto hash, verify_hash(settings_.model_file, expected_sha256, is_cancelled));
  identity_ = settings_.model_name + "@sha256:" + hash;
  return {};
}

Result<> ManagedServer::Keeper::launch() {
  VOLAN_TRY(const auto program, find_llama_server(options_.program));
  identity_.clear();
  VOLAN_TRY_VOID(check_model_file());
  VOLAN_TRY(const auto port, options_.choose_port());
  const std::string key = core::random_token();
  log_.start_run(
      fmt::format("--- volan starts {} for {} on port {} at {}", program, options_.name, port, core::to_rfc3339(context_.clock.now())));
  core::ProcessOptions options;
  options.program = program;
  options.arguments = server_arguments(settings_, port);
  options.env = {{"LLAMA_API_KEY", key}};
  options.on_line = [this](std::string_view line) { log_.add(line); };  // the reader ends with the process, which ends with this
  VOLAN_TRY(auto process, core::Process::start(std::move(options)));
  pid_fd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, process->pid(), 0)));
  ++run_;
  api_key_ = key;
  base_url_ = fmt::format("http://127.0.0.1:{}/v1", port);
  started_ = context_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    process_ = std::move(process);
  }
  if (pid_fd_.get() < 0) return core::fail(ErrorCode::internal, "the process ended at once");  // nothing left to watch
  if (!identity_.empty()) return {};
  return identify({});  // while the process loads the same file
}

/// Reaps the process, which has ended, and says why it did.
ServerEvent ManagedServer::Keeper::exit_event() {
  std::unique_ptr<core::Process> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(process_);
  }
  pid_fd_.reset();
  started_.reset();
  if (ended == nullptr) return Exited{"the process is gone"};
  const auto status = ended->terminate(stop_grace);  // it may have left children
  ended.reset();                                     // now all of its lines have arrived
  if (log_.has_seen(port_taken_text)) return PortTaken{};
  const std::string cause = log_.last_error();
  return Exited{describe_exit(status) + (cause.empty() ? "" : ": " + cause)};
}

void ManagedServer::Keeper::kill_process() {
  [[maybe_unused]] const auto event = exit_event();  // we know why
}

void ManagedServer::Keeper::start_health_check() {
  {
    const std::lock_guard lock(mutex_);
    if (is_checking_) {  // of a process that is gone: look again when it has ended
      deadline_ = steady_clock::now() + options_.policy.poll_max;
      return;
    }
    is_checking_ = true;
  }
  const std::string url = base_url_.substr(0, base_url_.size() - 3) + "/health";  // beside /v1
  // It owns a share of this and has a time limit; end() waits for it.
  boost::asio::co_spawn(context_.pools.next_io(), check_health(shared_from_this(), url, run_), boost::asio::detached);  // tidy: see above
}

core::Task<> ManagedServer::Keeper::check_health(std::shared_ptr<Keeper> self, std::string url, std::uint64_t run) {
  net::ClientRequest request;
  request.url = std::move(url);
  request.first_byte_timeout = health_timeout;
  request.total_timeout = health_timeout;
  const auto answer = co_await self->context_.client.send(std::move(request));
  ServerEvent event = HealthOk{};
  if (!answer)
    event = HealthFailed{core::to_text(answer.error())};
  else if (answer->status == 503)
    event = NotReadyYet{"loading the model"};
  else if (answer->status != 200)
    event = HealthFailed{fmt::format("answered the health check with status {}", answer->status)};
  self->finish_health_check(std::move(event), run);
  co_return Result<>{};
}

/// Runs on an io thread: hands the result over.
void ManagedServer::Keeper::finish_health_check(ServerEvent event, std::uint64_t run) {
  {
    const std::lock_guard lock(mutex_);
    is_checking_ = false;
    last_check_ = context_.clock.now();
    changed_.notify_all();
  }
  post(std::move(event), run);
}

void ManagedServer::Keeper::publish() {
  ServerStatus next;
  next.state = machine_.state();
  next.progress = machine_.progress();
  next.last_error = machine_.last_error();
  next.base_url = base_url_;
  next.api_key = api_key_;
  next.identity = identity_;
  next.context_tokens = settings_.context_tokens;
  next.restarts = machine_.restarts();
  next.started = started_;
  std::uint64_t restarts_before = 0;
  {
    const std::lock_guard lock(mutex_);
    next.pid = process_ == nullptr ? 0 : process_->pid();
    next.last_check = last_check_;
    restarts_before = status_.restarts;
  }
  if (next.restarts > restarts_before) restarts_.add(static_cast<double>(next.restarts - restarts_before));
  up_.set(next.state == ServerState::ready ? 1 : 0);
  if (options_.on_change) options_.on_change(next);
  const std::lock_guard lock(mutex_);  // last: whoever waits for the change finds everything else done
  status_ = std::move(next);
  changed_.notify_all();
}

}  // namespace volan::runtime
