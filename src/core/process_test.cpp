// Goal: children start exactly as asked, are watched, and never outlive their parent. Method: real shells, awaited by events.
#include "core/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "core/file.hpp"

namespace volan::core {
namespace {

using std::chrono::seconds;

/// Lines of a child, with a way to wait for one.
class Lines {
 public:
  std::function<void(std::string_view)> sink() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
      has_line_.notify_all();
    };
  }
  /// The line of that number, or "(none)" after 20 s.
  std::string at(std::size_t index) {
    std::unique_lock lock(mutex_);
    const bool is_there = has_line_.wait_for(lock, seconds(20), [&] { return lines_.size() > index; });
    return is_there ? lines_[index] : "(none)";
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_line_;
  std::vector<std::string> lines_;
};

Result<std::unique_ptr<Process>> shell(const std::string& script, Lines& lines) {
  return Process::start(
      {.program = "sh", .arguments = {"-c", script}, .env = {{"VOLAN_TEST", "a b"}}, .working_directory = "/", .on_line = lines.sink()});
}

/// Waits up to 20 s for the end of a process that is not our child.
bool has_ended(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  pollfd end{fd, POLLIN, 0};
  const bool is_over = ::poll(&end, 1, 20'000) == 1;
  ::close(fd);
  return is_over;
}

TEST(Process, StartsWithArgumentsEnvironmentAndFolder) {
  Lines lines;
  auto child = shell("echo \"$VOLAN_TEST\"; pwd; echo to stderr >&2; printf rest; exit 3", lines);
  ASSERT_TRUE(child) << to_text(child.error());
  const auto status = (*child)->wait(seconds(20));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 3);
  EXPECT_FALSE(status->is_success());
  EXPECT_EQ(lines.at(0), "a b");
  EXPECT_EQ(lines.at(1), "/");
  EXPECT_EQ(lines.at(2), "to stderr");
  EXPECT_EQ(lines.at(3), "rest");
  EXPECT_EQ((*child)->resident_bytes(), 0u);
}

TEST(Process, ReportsAProgramOrFolderThatDoesNotExist) {
  EXPECT_EQ(Process::start({.program = "/nowhere/x"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(Process::start({.program = "volan-no-such-program"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(Process::start({.program = ""}).error().code, ErrorCode::not_found);
  const auto folder = Process::start({.program = "sh", .working_directory = "/nowhere"});
  EXPECT_EQ(folder.error().code, ErrorCode::not_found);
  EXPECT_THAT(folder.error().message, testing::HasSubstr("cannot enter the folder /nowhere"));
}

TEST(Process, ReportsAFileThatCannotBeExecuted) {
  const auto folder = TempFolder::create().value();
  ASSERT_TRUE(write_file_durably(folder.file("x"), "no program"));
  const auto child = Process::start({.program = folder.file("x")});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::internal);
  EXPECT_THAT(child.error().message, testing::HasSubstr("Permission denied"));
}

TEST(Process, TerminatesTheWholeGroupAndReportsTheSignal) {
  Lines lines;
  auto child = shell("sleep 1000 & echo $!; wait", lines);
  ASSERT_TRUE(child) << to_text(child.error());
  const pid_t grandchild = std::stoi(lines.at(0));
  EXPECT_EQ((*child)->poll(), std::nullopt);
  EXPECT_GT((*child)->resident_bytes(), 0u);
  EXPECT_EQ((*child)->terminate(seconds(20)).signal, SIGTERM);
  EXPECT_TRUE(has_ended(grandchild));
}

TEST(Process, KillsAChildThatIgnoresTheRequestToEnd) {
  Lines lines;
  auto child = shell("trap '' TERM; echo ready; while :; do sleep 1000; done", lines);
  ASSERT_TRUE(child);
  ASSERT_EQ(lines.at(0), "ready");
  EXPECT_EQ((*child)->terminate(std::chrono::milliseconds(10)).signal, SIGKILL);
  EXPECT_EQ((*child)->terminate().signal, SIGKILL);  // idempotent
}

TEST(Process, EndsTheGroupWhenItsLeaderEndsAndWhenItIsDropped) {
  Lines lines;
  auto leader = shell("sleep 1000 & echo $!", lines);
  ASSERT_TRUE(leader);
  ASSERT_TRUE((*leader)->wait(seconds(20)));
  EXPECT_TRUE(has_ended(std::stoi(lines.at(0))));

  Lines more;
  auto dropped = shell("echo $$; sleep 1000", more);
  ASSERT_TRUE(dropped);
  const pid_t pid = std::stoi(more.at(0));
  dropped->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(Process, ReturnsFromWaitWhenTheTimeIsOver) {
  Lines lines;
  auto child = shell("sleep 1000", lines);
  ASSERT_TRUE(child);
  EXPECT_EQ((*child)->wait(std::chrono::milliseconds(5)), std::nullopt);
}

TEST(Process, InheritsNoDescriptorsAndCutsLongLines) {
  Lines lines;
  const int open_file = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, on purpose
  auto child = shell("ls /proc/self/fd | tr '\\n' ' '; echo; head -c 100000 /dev/zero | tr '\\0' x; echo; echo end", lines);
  ASSERT_TRUE(child);
  ASSERT_TRUE((*child)->wait(seconds(20)));
  EXPECT_EQ(lines.at(0), "0 1 2 3 ");  // 3 is the folder that ls reads
  EXPECT_EQ(lines.at(1).size(), 65'536u);
  EXPECT_EQ(lines.at(2), "end");
  ::close(open_file);
}

// The middle process is this test program again: it starts a sleeper, prints its number and waits to be killed with SIGKILL.
TEST(Process, DiesWithItsParentEvenWhenThatIsKilled) {
  if (const char* role = std::getenv("VOLAN_TEST_ROLE"); role != nullptr && std::string_view(role) == "middle") {
    auto sleeper = Process::start({.program = "sleep", .arguments = {"1000"}});
    std::printf("sleeper %d\n", sleeper ? static_cast<int>((*sleeper)->pid()) : -1);
    std::fflush(stdout);
    while (true) ::pause();
  }
  Lines lines;
  auto middle = Process::start({.program = "/proc/self/exe",
                                .arguments = {"--gtest_brief=1", "--gtest_filter=Process.DiesWithItsParentEvenWhenThatIsKilled"},
                                .env = {{"VOLAN_TEST_ROLE", "middle"}},
                                .working_directory = {},
                                .on_line = lines.sink()});
  ASSERT_TRUE(middle) << to_text(middle.error());
  std::string line;
  for (std::size_t i = 0; line != "(none)" && !line.starts_with("sleeper "); ++i) line = lines.at(i);
  ASSERT_TRUE(line.starts_with("sleeper ")) << line;
  const pid_t sleeper = std::stoi(line.substr(8));
  ASSERT_GT(sleeper, 0);
  ASSERT_EQ(::kill(sleeper, 0), 0);
  ::kill((*middle)->pid(), SIGKILL);
  EXPECT_TRUE(has_ended(sleeper));
}

TEST(Process, ReportsItsOwnMemory) { EXPECT_GT(own_resident_bytes(), 1u << 20); }

}  // namespace
}  // namespace volan::core
