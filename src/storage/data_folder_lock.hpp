/// One process per data folder.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"

namespace volan::storage {

/// Holds DIR/lock for the life of the process. The kernel drops the lock with the process, so a kill leaves nothing to clean up.
class DataFolderLock {
 public:
  /// Makes the folder (mode 0700) where it is missing. Errors: conflict naming the pid of the process that has the data folder.
  static core::Result<std::unique_ptr<DataFolderLock>> acquire(const std::string& folder);
  ~DataFolderLock();
  DataFolderLock(const DataFolderLock&) = delete;
  DataFolderLock& operator=(const DataFolderLock&) = delete;

 private:
  explicit DataFolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace volan::storage
