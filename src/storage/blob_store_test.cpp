// Tests of the blob folder.
#include "storage/blob_store.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "core/file.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

constexpr const char* hash_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-2, appendix B.1
constexpr const char* hash_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class BlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = core::TempFolder::create("volan-blobs");
    ASSERT_TRUE(folder);
    folder_ = std::move(*folder);
    root = folder_->file("blobs");
    open();
  }
  void open() {
    auto opened = open_folder_blob_store(root);
    ASSERT_TRUE(opened) << core::to_text(opened.error());
    store = std::move(*opened);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
  std::string root;
  std::unique_ptr<BlobStore> store;
  std::optional<core::TempFolder> folder_;
};

TEST_F(BlobStoreTest, NamesABlobByItsHashAndGivesItBack) {
  auto ref = store->put("abc");
  ASSERT_TRUE(ref) << core::to_text(ref.error());
  EXPECT_EQ(ref->sha256, hash_of_abc);
  EXPECT_EQ(ref->bytes, 3u);
  EXPECT_EQ(*store->get(hash_of_abc), "abc");
  EXPECT_EQ(*core::read_file(*store->local_path(hash_of_abc)), "abc");
  open();
  EXPECT_EQ(*store->get(hash_of_abc), "abc");
  EXPECT_EQ(store->put("")->sha256, hash_of_nothing);
  EXPECT_EQ(*store->get(hash_of_nothing), "");
}

TEST_F(BlobStoreTest, StoresTheSameBytesOnce) {
  ASSERT_TRUE(store->put("abc"));
  ASSERT_TRUE(store->put("abc"));
  EXPECT_EQ(files(), 1u);
}

TEST_F(BlobStoreTest, WritesInPieces) {
  auto writer = store->create();
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->write("a"));
  ASSERT_TRUE((*writer)->write("bc"));
  EXPECT_EQ((*writer)->commit()->sha256, hash_of_abc);
}

TEST_F(BlobStoreTest, LeavesNothingOfABlobThatWasNotCommitted) {
  {
    auto writer = store->create();
    ASSERT_TRUE((*writer)->write("abc"));
    EXPECT_EQ(files(), 1u);
  }
  EXPECT_EQ(files(), 0u);
  ASSERT_TRUE(core::write_file_durably(root + "/tmp/left-by-a-kill", "x"));
  open();
  EXPECT_EQ(files(), 0u);
}

TEST_F(BlobStoreTest, SaysWhatIsNotThere) {
  EXPECT_FALSE(*store->exists(hash_of_abc));
  EXPECT_EQ(store->get(hash_of_abc).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->local_path(hash_of_abc).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->remove(hash_of_abc).error().code, ErrorCode::not_found);
}

TEST_F(BlobStoreTest, Removes) {
  ASSERT_TRUE(store->put("abc"));
  ASSERT_TRUE(store->remove(hash_of_abc));
  EXPECT_FALSE(*store->exists(hash_of_abc));
}

TEST_F(BlobStoreTest, RefusesNamesThatAreNoHashes) {
  for (const std::string name : {"", "abc", "../../../../../../../../../../../../../../../../../../../etc/passwd", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}) {
    EXPECT_EQ(store->get(name).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(store->exists(name).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(store->remove(name).error().code, ErrorCode::invalid_argument);
  }
}

TEST_F(BlobStoreTest, NoticesDamagedBytesAndTakesACutBlobAgain) {
  ASSERT_TRUE(store->put("abc"));
  const std::string file = *store->local_path(hash_of_abc);
  ASSERT_TRUE(core::write_file_durably(file, "abd"));
  auto damaged = store->get(hash_of_abc);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::data_loss);
  ASSERT_TRUE(core::write_file_durably(file, "ab"));
  ASSERT_TRUE(store->put("abc"));
  EXPECT_EQ(*store->get(hash_of_abc), "abc");
}

TEST_F(BlobStoreTest, TakesOneBlobFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([this] { EXPECT_TRUE(store->put(std::string(100'000, 'x'))); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace volan::storage
