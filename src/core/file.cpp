#include "core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/ids.hpp"
#include "core/pools.hpp"

namespace volan::core {
namespace {

/// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int fd = -1;
  do fd = ::open(path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

Result<> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(system_error("cannot write " + path, errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<> write_aside_and_rename(const std::string& aside, const std::string& path, std::string_view bytes, mode_t mode) {
  Fd file(open_retrying(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (!file.is_open()) return fail(system_error("cannot create " + aside, errno));
  VOLAN_TRY_VOID(write_all(file.get(), bytes, aside));
  if (::fchmod(file.get(), mode) != 0) return fail(system_error("cannot set the mode of " + aside, errno));
  if (::fsync(file.get()) != 0) return fail(system_error("cannot fsync " + aside, errno));
  if (::rename(aside.c_str(), path.c_str()) != 0) return fail(system_error("cannot rename " + aside + " to " + path, errno));
  return sync_folder(folder_of(path));
}

}  // namespace

Error system_error(std::string_view what, int error_number) {
  ErrorCode code = ErrorCode::internal;
  std::string fix;
  if (error_number == ENOENT) code = ErrorCode::not_found;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    code = ErrorCode::resource_exhausted;
    fix = "free space on that disk";
  }
  if (error_number == EACCES || error_number == EPERM) fix = "check the owner and mode of the file and its folders";
  return Error{code, std::string(what) + ": " + std::system_category().message(error_number), {}, std::move(fix)};
}

Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
  assert_may_block();
  const Fd file(open_retrying(path.c_str(), O_RDONLY));
  if (!file.is_open()) return fail(system_error("cannot open " + path, errno));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(system_error("cannot stat " + path, errno));
  if (S_ISDIR(info.st_mode)) return fail(ErrorCode::invalid_argument, path + " is a folder, expected a file");
  const auto too_large = [&] {
    return fail(ErrorCode::too_large, path + " is larger than the limit of " + std::to_string(bytes_max) + " bytes");
  };
  if (info.st_size > 0 && static_cast<std::uint64_t>(info.st_size) > bytes_max) return too_large();
  std::string bytes;
  std::size_t used = 0;
  // The size is only a hint: files of /proc report 0, and a file may grow while it is read.
  bytes.resize(static_cast<std::size_t>(info.st_size) + 1);
  while (true) {
    const ssize_t n = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(system_error("cannot read " + path, errno));
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > bytes_max) return too_large();
    if (used == bytes.size()) bytes.resize(bytes.size() * 2 + 4096);
  }
  bytes.resize(used);
  return bytes;
}

Result<> write_file_durably(const std::string& path, std::string_view bytes, mode_t mode) {
  assert_may_block();
  const std::string aside = path + "." + new_span_id() + ".tmp";
  Result<> written = write_aside_and_rename(aside, path, bytes, mode);
  if (!written) ::unlink(aside.c_str());
  return written;
}

Result<> sync_folder(const std::string& path) {
  assert_may_block();
  const Fd folder(open_retrying(path.c_str(), O_RDONLY | O_DIRECTORY));
  if (!folder.is_open()) return fail(system_error("cannot open folder " + path, errno));
  if (::fsync(folder.get()) != 0) return fail(system_error("cannot fsync folder " + path, errno));
  return {};
}

Result<> create_folders(const std::string& path, mode_t mode) {
  assert_may_block();
  std::filesystem::path done;
  for (const auto& part : std::filesystem::path(path)) {
    done /= part;
    const std::string folder = done.string();
    if (folder.empty() || ::mkdir(folder.c_str(), mode) == 0) continue;
    const int error_number = errno;
    struct stat info{};
    if (::stat(folder.c_str(), &info) != 0) return fail(system_error("cannot create folder " + folder, error_number));
    if (!S_ISDIR(info.st_mode)) return fail(ErrorCode::conflict, folder + " is a file, expected a folder", {}, "move the file away");
  }
  return {};
}

Result<TempFolder> TempFolder::create(std::string_view prefix) {
  assert_may_block();
  std::error_code ignored;
  std::string path = std::filesystem::temp_directory_path(ignored).string();
  if (path.empty()) path = "/tmp";
  path += "/" + std::string(prefix) + "-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return fail(system_error("cannot create a temporary folder " + path, errno));
  return TempFolder(std::move(path));
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace volan::core
