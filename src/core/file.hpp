/// Small files: read whole, written durably, folders, temporary folders for tests. Everything here blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace volan::core {

/// The whole content. Errors: not_found, too_large beyond `bytes_max`, invalid_argument for a folder, internal with errno's text.
Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max = 64u << 20);

/// Writes aside, fsyncs, renames over `path`, fsyncs the folder: afterwards `path` holds either the old or the new bytes, also after a
/// power cut. `mode` are the permission bits (0600 for secrets) and do not depend on the umask. Errors: not_found when the folder does
/// not exist, resource_exhausted on a full disk or quota, internal otherwise; the old file is then untouched.
Result<> write_file_durably(const std::string& path, std::string_view bytes, mode_t mode = 0644);

/// Makes the folder and its parents where missing. Errors: conflict when a part of the path is a file, internal otherwise.
Result<> create_folders(const std::string& path, mode_t mode = 0755);

/// fsyncs a folder, so that names created or removed in it are durable.
Result<> sync_folder(const std::string& path);

/// A new folder below the system's temporary folder, removed with everything in it at the end of the scope. Movable.
class TempFolder {
 public:
  static Result<TempFolder> create(std::string_view prefix = "volan");
  ~TempFolder();
  TempFolder(TempFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempFolder& operator=(TempFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Error of a failed system call: `what` names the call and its object, errno's text is added. ENOENT is not_found, ENOSPC and EDQUOT
/// are resource_exhausted, anything else internal.
Error system_error(std::string_view what, int error_number);

}  // namespace volan::core
