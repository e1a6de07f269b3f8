/// Random access to the bytes of a file that may be hostile: every read is checked against the length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace volan::runtime {

/// Bytes with a known length. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// What the source is called in errors: a path.
  virtual const std::string& name() const = 0;
  /// Fills `out` from `offset`. Errors: invalid_argument when the bytes are not all there, internal when the file cannot be read.
  virtual core::Result<> read(std::uint64_t offset, std::span<char> out) = 0;
};

/// Opens a regular file. Blocking. Errors: not_found; invalid_argument for a folder or device; permission_denied.
core::Result<std::unique_ptr<ByteSource>> open_byte_source(const std::string& path);

/// Wraps bytes in memory, which must outlive the source. For tests and fuzzers.
std::unique_ptr<ByteSource> memory_byte_source(std::string_view bytes, std::string name = "memory");

/// SHA-256 of all bytes, 64 hex digits. Reads 1 MiB at a time. Blocking. Cost: about 0.1 s per 100 MB with the processor's SHA
/// instructions.
/// `is_cancelled` is asked between the pieces; once it says yes the error is `cancelled`.
core::Result<std::string> sha256_of(ByteSource& source, const std::function<bool()>& is_cancelled = {});

}  // namespace volan::runtime
