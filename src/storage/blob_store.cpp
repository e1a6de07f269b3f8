#include "storage/blob_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "core/file.hpp"
#include "core/pools.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

Result<> check_name(const std::string& sha256) {
  const bool is_hex = std::ranges::all_of(sha256, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (sha256.size() != 64 || !is_hex) return core::fail(ErrorCode::invalid_argument, "a blob is named by 64 lower-case hex digits", "sha256");
  return {};
}

Result<> write_all(int fd, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return core::fail(core::system_error("cannot write " + file, errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Writes into blobs/tmp; commit() gives the file its name.
class FolderBlobWriter final : public BlobWriter {
 public:
  FolderBlobWriter(std::string folder, std::string temporary, int fd) : folder_(std::move(folder)), temporary_(std::move(temporary)), fd_(fd) {}
  ~FolderBlobWriter() override {
    if (fd_ >= 0) ::close(fd_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  Result<> write(std::string_view bytes) override {
    VOLAN_CHECK(fd_ >= 0, "nothing is written after commit()");
    VOLAN_TRY_VOID(write_all(fd_, bytes, temporary_));
    hash_.add(bytes);
    bytes_ += bytes.size();
    return {};
  }

  Result<BlobRef> commit() override {
    VOLAN_CHECK(fd_ >= 0, "a blob is committed once");
    BlobRef ref{.sha256 = hash_.hex(), .bytes = bytes_};
    const std::string parent = folder_ + "/" + ref.sha256.substr(0, 2);
    const std::string file = parent + "/" + ref.sha256.substr(2);
    struct stat known {};
    const bool is_known = ::stat(file.c_str(), &known) == 0 && static_cast<std::uint64_t>(known.st_size) == bytes_;
    if (!is_known && ::fsync(fd_) != 0) return core::fail(core::system_error("cannot write " + temporary_, errno));
    ::close(std::exchange(fd_, -1));
    if (!is_known) {
      VOLAN_TRY_VOID(core::create_folders(parent, 0700));
      if (::rename(temporary_.c_str(), file.c_str()) != 0) return core::fail(core::system_error("cannot rename to " + file, errno));
      temporary_.clear();
    }
    // Also for a known blob: whoever stored it may not have come this far yet.
    VOLAN_TRY_VOID(core::sync_folder(parent));
    VOLAN_TRY_VOID(core::sync_folder(folder_));
    return ref;
  }

 private:
  std::string folder_, temporary_;
  int fd_;
  core::Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

class FolderBlobStore final : public BlobStore {
 public:
  explicit FolderBlobStore(std::string folder) : folder_(std::move(folder)) {}

  Result<std::unique_ptr<BlobWriter>> create() override {
    core::assert_may_block();
    const std::string temporary = fmt::format("{}/tmp/{}", folder_, next_.fetch_add(1));
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return core::fail(core::system_error("cannot create " + temporary, errno));
    return std::make_unique<FolderBlobWriter>(folder_, temporary, fd);
  }

  Result<std::string> get(const std::string& sha256) override {
    core::assert_may_block();
    VOLAN_TRY(const auto file, local_path(sha256));
    VOLAN_TRY(auto bytes, core::read_file(file, UINT64_MAX));
    if (core::sha256_hex(bytes) != sha256)
      return core::fail(ErrorCode::data_loss, fmt::format("the blob {} does not have the bytes that its name promises", sha256), {},
                        "check the disk; put the file back from a backup or store it again");
    return bytes;
  }

  Result<bool> exists(const std::string& sha256) override {
    core::assert_may_block();
    VOLAN_TRY_VOID(check_name(sha256));
    if (::access(path_of(sha256).c_str(), F_OK) == 0) return true;
    if (errno == ENOENT) return false;
    return core::fail(core::system_error("cannot look for " + path_of(sha256), errno));
  }

  Result<> remove(const std::string& sha256) override {
    core::assert_may_block();
    VOLAN_TRY_VOID(check_name(sha256));
    const std::string file = path_of(sha256);
    if (::unlink(file.c_str()) != 0) {
      if (errno == ENOENT) return core::fail(ErrorCode::not_found, fmt::format("no blob {}", sha256));
      return core::fail(core::system_error("cannot remove " + file, errno));
    }
    return core::sync_folder(file.substr(0, file.rfind('/')));
  }

  Result<std::string> local_path(const std::string& sha256) override {
    VOLAN_TRY(const bool is_there, exists(sha256));
    if (!is_there) return core::fail(ErrorCode::not_found, fmt::format("no blob {}", sha256));
    return path_of(sha256);
  }

 private:
  std::string path_of(const std::string& sha256) const { return folder_ + "/" + sha256.substr(0, 2) + "/" + sha256.substr(2); }

  std::string folder_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace

Result<BlobRef> BlobStore::put(std::string_view bytes) {
  VOLAN_TRY(auto writer, create());
  VOLAN_TRY_VOID(writer->write(bytes));
  return writer->commit();
}

Result<std::unique_ptr<BlobStore>> open_folder_blob_store(const std::string& folder) {
  core::assert_may_block();
  const std::string temporary = folder + "/tmp";
  std::error_code error;
  std::filesystem::remove_all(temporary, error);
  if (error) return core::fail(core::system_error("cannot empty " + temporary, error.value()));
  VOLAN_TRY_VOID(core::create_folders(temporary, 0700));
  return std::make_unique<FolderBlobStore>(folder);
}

}  // namespace volan::storage
