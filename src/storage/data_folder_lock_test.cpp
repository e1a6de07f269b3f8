// Tests of the lock on the data folder.
#include "storage/data_folder_lock.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/file.hpp"

namespace volan::storage {
namespace {

TEST(DataFolderLock, RefusesASecondHolderAndNamesTheFirst) {
  auto folder = core::TempFolder::create("volan-lock");
  const std::string data = folder->file("data");
  auto first = DataFolderLock::acquire(data);
  ASSERT_TRUE(first) << core::to_text(first.error());
  auto second = DataFolderLock::acquire(data);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::ErrorCode::conflict);
  EXPECT_THAT(second.error().message, ::testing::HasSubstr(std::to_string(::getpid())));
  EXPECT_FALSE(second.error().fix.empty());
  first->reset();
  EXPECT_TRUE(DataFolderLock::acquire(data));
}

// Another process holds the lock and is killed: nothing is left to clean up.
TEST(DataFolderLock, IsFreeAfterItsHolderWasKilled) {
  auto folder = core::TempFolder::create("volan-lock");
  const std::string data = folder->file("data");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = DataFolderLock::acquire(data);
    const char held = lock ? 1 : 0;
    if (::write(ends[1], &held, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char held = 0;
  ASSERT_EQ(::read(ends[0], &held, 1), 1);
  EXPECT_EQ(held, 1);
  auto second = DataFolderLock::acquire(data);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, ::testing::HasSubstr(std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DataFolderLock::acquire(data));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DataFolderLock, SaysWhyAFolderCannotBeMade) {
  auto folder = core::TempFolder::create("volan-lock");
  ASSERT_TRUE(core::write_file_durably(folder->file("data"), "a file"));
  EXPECT_FALSE(DataFolderLock::acquire(folder->file("data")));
}

}  // namespace
}  // namespace volan::storage
