/// Files named by their SHA-256: written aside, fsynced, renamed; the same bytes are never stored twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace volan::storage {

struct BlobRef {
  std::string sha256;  ///< 64 hex digits
  std::uint64_t bytes = 0;
};

/// Streams into a blob. Not thread-safe. Dropped without commit() = nothing remains.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual core::Result<> write(std::string_view bytes) = 0;
  /// Durable when it returns.
  virtual core::Result<BlobRef> commit() = 0;
};

/// Thread-safe. Blocking.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual core::Result<std::unique_ptr<BlobWriter>> create() = 0;
  core::Result<BlobRef> put(std::string_view bytes);
  /// Whole content, verified against its name. Errors: not_found, data_loss.
  virtual core::Result<std::string> get(const std::string& sha256) = 0;
  virtual core::Result<bool> exists(const std::string& sha256) = 0;
  virtual core::Result<> remove(const std::string& sha256) = 0;
  /// Path of the file on this machine, for programs that map it (a model server).
  virtual core::Result<std::string> local_path(const std::string& sha256) = 0;
};

/// Folder layout: blobs/ab/cdef…; temporary files lie in blobs/tmp and are removed at open.
core::Result<std::unique_ptr<BlobStore>> open_folder_blob_store(const std::string& folder);

}  // namespace volan::storage
