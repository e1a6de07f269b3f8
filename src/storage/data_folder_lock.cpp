#include "storage/data_folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "core/file.hpp"

namespace volan::storage {

core::Result<std::unique_ptr<DataFolderLock>> DataFolderLock::acquire(const std::string& folder) {
  VOLAN_TRY_VOID(core::create_folders(folder, 0700));
  const std::string file = folder + "/lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return core::fail(core::system_error("cannot open " + file, errno));
  auto lock = std::unique_ptr<DataFolderLock>(new DataFolderLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return core::fail(core::system_error("cannot lock " + file, errno));
    char holder[32] = {};
    const auto length = ::pread(fd, holder, sizeof holder - 1, 0);
    const std::string pid(holder, length > 0 ? static_cast<std::size_t>(length) : 0);
    return core::fail(core::ErrorCode::conflict, fmt::format("the data folder {} is in use by the process with the id {}", folder, pid.empty() ? "?" : pid), {},
                      "stop that process, or name another folder with --data");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return core::fail(core::system_error("cannot write " + file, errno));
  return lock;
}

DataFolderLock::~DataFolderLock() { ::close(fd_); }

}  // namespace volan::storage
