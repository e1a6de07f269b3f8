#include "runtime/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/pools.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;

core::Error past_the_end(const ByteSource& source, std::uint64_t offset, std::size_t wanted) {
  return {ErrorCode::invalid_argument,
          fmt::format("the file ends at byte {} but {} bytes are needed from byte {}: it is cut short or damaged", source.size(), wanted,
                      offset),
          source.name(), "copy or download the file again"};
}

bool is_inside(const ByteSource& source, std::uint64_t offset, std::size_t wanted) {
  return offset <= source.size() && wanted <= source.size() - offset;
}

class FileSource final : public ByteSource {
 public:
  FileSource(int fd, std::uint64_t size, std::string name) : fd_(fd), size_(size), name_(std::move(name)) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }

  core::Result<> read(std::uint64_t offset, std::span<char> out) override {
    if (!is_inside(*this, offset, out.size())) return fail(past_the_end(*this, offset, out.size()));
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(ErrorCode::internal, fmt::format("cannot read: {}", std::strerror(errno)), name_);
      if (got == 0) return fail(past_the_end(*this, offset, out.size()));  // cut while we read
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  int fd_;
  std::uint64_t size_;
  std::string name_;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  const std::string& name() const override { return name_; }
  core::Result<> read(std::uint64_t offset, std::span<char> out) override {
    if (!is_inside(*this, offset, out.size())) return fail(past_the_end(*this, offset, out.size()));
    std::copy_n(bytes_.data() + offset, out.size(), out.data());
    return {};
  }

 private:
  std::string_view bytes_;
  std::string name_;
};

}  // namespace

core::Result<std::unique_ptr<ByteSource>> open_byte_source(const std::string& path) {
  core::assert_may_block();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR)
      return fail(ErrorCode::not_found, "the file does not exist", path, "check the path, or run: make setup");
    const auto code = reason == EACCES ? ErrorCode::permission_denied : ErrorCode::internal;
    return fail(code, fmt::format("cannot open: {}", std::strerror(reason)), path);
  }
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(ErrorCode::invalid_argument, "is not a file", path, "name the model file itself");
  }
  return std::make_unique<FileSource>(fd, static_cast<std::uint64_t>(info.st_size), path);
}

std::unique_ptr<ByteSource> memory_byte_source(std::string_view bytes, std::string name) {
  return std::make_unique<MemorySource>(bytes, std::move(name));
}

core::Result<std::string> sha256_of(ByteSource& source, const std::function<bool()>& is_cancelled) {
  core::Sha256 hash;
  std::vector<char> buffer(1u << 20);
  for (std::uint64_t offset = 0; offset < source.size();) {
    if (is_cancelled && is_cancelled()) return fail(ErrorCode::cancelled, "the hash is not needed any more", source.name());
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), source.size() - offset));
    VOLAN_TRY_VOID(source.read(offset, std::span(buffer.data(), length)));
    hash.add({buffer.data(), length});
    offset += length;
  }
  return hash.hex();
}

}  // namespace volan::runtime
