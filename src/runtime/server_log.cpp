#include "runtime/server_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/text.hpp"

namespace volan::runtime {
namespace {

/// llama-server's lines are "0.00.002.710 E srv         start: couldn't bind …": time, level, area, text.
bool is_error_line(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const bool has_time = space > 0 && std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(space),
                                                 [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (has_time) return line.substr(space + 1).starts_with("E ");
  return line.starts_with("error") || line.starts_with("terminate called") || line.find("GGML_ASSERT") != std::string_view::npos;
}

std::string_view without_time(std::string_view line) {
  const auto mark = line.find(" E ");
  return mark == std::string_view::npos ? line : line.substr(mark + 3);
}

}  // namespace

ServerLog::ServerLog(ServerLogOptions options) : options_(std::move(options)) {
  if (!options_.file.empty()) open_file();
}

ServerLog::~ServerLog() {
  if (file_ != nullptr) std::fclose(file_);
}

void ServerLog::open_file() {
  file_ = std::fopen(options_.file.c_str(), "ae");
  if (file_ == nullptr) {
    file_error_ = std::strerror(errno);
    return;
  }
  std::error_code ignored;
  const auto size = std::filesystem::file_size(options_.file, ignored);
  file_bytes_ = ignored ? 0 : size;
}

void ServerLog::write(std::string_view line) {
  if (file_ == nullptr) return;
  if (file_bytes_ > 0 && file_bytes_ + line.size() + 1 > options_.file_bytes_max) {
    std::fclose(std::exchange(file_, nullptr));
    if (std::rename(options_.file.c_str(), (options_.file + ".1").c_str()) != 0) {
      file_error_ = std::strerror(errno);
      return;
    }
    open_file();
    if (file_ == nullptr) return;
  }
  const bool is_written =
      std::fwrite(line.data(), 1, line.size(), file_) == line.size() && std::fputc('\n', file_) != EOF && std::fflush(file_) == 0;
  if (!is_written) {
    file_error_ = std::strerror(errno);
    std::fclose(std::exchange(file_, nullptr));
    return;
  }
  file_bytes_ += line.size() + 1;
}

void ServerLog::add(std::string_view line) {
  std::string text = core::make_valid_utf8(line.substr(0, options_.line_bytes_max));
  const std::lock_guard lock(mutex_);
  write(text);
  lines_.push_back(std::move(text));
  ++run_lines_;
  if (lines_.size() > options_.lines_max) lines_.pop_front();
  run_lines_ = std::min(run_lines_, lines_.size());
}

void ServerLog::start_run(std::string_view title) {
  add(title);
  const std::lock_guard lock(mutex_);
  run_lines_ = 0;
}

std::vector<std::string> ServerLog::lines() const {
  const std::lock_guard lock(mutex_);
  return {lines_.begin(), lines_.end()};
}

std::string ServerLog::last_error() const {
  const std::lock_guard lock(mutex_);
  const auto end = lines_.rbegin() + static_cast<std::ptrdiff_t>(run_lines_);
  const auto found = std::find_if(lines_.rbegin(), end, [](const std::string& line) {
    return is_error_line(line) && line.find("exiting due to") == std::string::npos &&
           line.find("cleaning up") == std::string::npos;  // consequences, not causes
  });
  return found == end ? std::string() : std::string(without_time(*found));
}

bool ServerLog::has_seen(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(lines_.rbegin(), lines_.rbegin() + static_cast<std::ptrdiff_t>(run_lines_),
                     [text](const std::string& line) { return line.find(text) != std::string::npos; });
}

std::string ServerLog::file_error() const {
  const std::lock_guard lock(mutex_);
  return file_error_;
}

}  // namespace volan::runtime
