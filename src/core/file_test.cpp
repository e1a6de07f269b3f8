// Goal: files are read within limits and replaced as a whole. Method: a temporary folder, and the errors of a real file system.
#include "core/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/pools.hpp"

namespace volan::core {
namespace {

class FileTest : public testing::Test {
 protected:
  TempFolder folder_ = TempFolder::create().value();
};

TEST_F(FileTest, WritesAndReadsBackWithTheMode) {
  const std::string path = folder_.file("secret");
  ASSERT_TRUE(write_file_durably(path, std::string("a\0b", 3), 0600));
  EXPECT_EQ(read_file(path).value(), std::string("a\0b", 3));
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  ASSERT_TRUE(write_file_durably(path, "", 0644));
  EXPECT_EQ(read_file(path).value(), "");
}

TEST_F(FileTest, LeavesNoFileAsideAndKeepsTheOldOneOnFailure) {
  ASSERT_TRUE(create_folders(folder_.file("taken/inner")));
  EXPECT_FALSE(write_file_durably(folder_.file("taken"), "x"));  // a folder that is not empty cannot be replaced
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::ElementsAre("taken"));
  EXPECT_EQ(write_file_durably(folder_.file("none/x"), "x").error().code, ErrorCode::not_found);
}

TEST_F(FileTest, ReportsAFullDisk) {
  EXPECT_EQ(system_error("cannot write", ENOSPC).code, ErrorCode::resource_exhausted);
  EXPECT_EQ(to_text(system_error("cannot write x", ENOSPC)), "cannot write x: No space left on device (free space on that disk)");
}

TEST_F(FileTest, ReadsUpToTheLimitAndNamesWhatIsWrong) {
  ASSERT_TRUE(write_file_durably(folder_.file("ten"), "0123456789"));
  EXPECT_EQ(read_file(folder_.file("ten"), 10).value(), "0123456789");
  EXPECT_EQ(read_file(folder_.file("ten"), 9).error().code, ErrorCode::too_large);
  EXPECT_EQ(read_file("/dev/zero", 100'000).error().code, ErrorCode::too_large);
  EXPECT_EQ(read_file(folder_.file("none")).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(folder_.path()).error().code, ErrorCode::invalid_argument);
  EXPECT_GT(read_file("/proc/self/status").value().size(), 100u);  // a file whose size is unknown
}

TEST_F(FileTest, CreatesFoldersAndRefusesAFileInTheWay) {
  ASSERT_TRUE(create_folders(folder_.file("a/b/c")));
  ASSERT_TRUE(create_folders(folder_.file("a/b/c")));
  EXPECT_TRUE(std::filesystem::is_directory(folder_.file("a/b/c")));
  ASSERT_TRUE(write_file_durably(folder_.file("file"), "x"));
  EXPECT_EQ(create_folders(folder_.file("file/d")).error().code, ErrorCode::conflict);
  EXPECT_EQ(sync_folder(folder_.file("none")).error().code, ErrorCode::not_found);
}

TEST_F(FileTest, RemovesATemporaryFolderWithItsContent) {
  std::string path;
  {
    auto folder = TempFolder::create("x").value();
    const TempFolder moved = std::move(folder);
    path = moved.path();
    ASSERT_TRUE(write_file_durably(moved.file("y"), "z"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FileDeathTest, RefusesToBlockAnIoThread) {
  EXPECT_DEATH(
      {
        mark_io_thread();
        static_cast<void>(read_file("/etc/hostname"));
      },
      "broken invariant");
}

}  // namespace
}  // namespace volan::core
