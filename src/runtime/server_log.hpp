/// What a model server prints: the last lines in memory, all of it in a file that cannot grow without end.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace volan::runtime {

struct ServerLogOptions {
  std::string file{};  ///< empty = memory only; a full one is renamed to `file`.1, replacing the one before
  std::uint64_t file_bytes_max = 4u << 20;
  std::size_t lines_max = 500;         ///< kept in memory
  std::size_t line_bytes_max = 4'096;  ///< longer lines are cut
};

/// Thread-safe. A file that cannot be written is given up on: the lines in memory remain, and file_error() says why.
class ServerLog {
 public:
  explicit ServerLog(ServerLogOptions options = {});
  ~ServerLog();
  ServerLog(const ServerLog&) = delete;
  ServerLog& operator=(const ServerLog&) = delete;

  void add(std::string_view line);
  /// The last lines, oldest first.
  std::vector<std::string> lines() const;
  /// The last line that tells of an error since the last call of start_run(), without its time stamp; "" when there is none.
  std::string last_error() const;
  /// True when a line since start_run() contains `text`.
  bool has_seen(std::string_view text) const;
  /// Separates the lines of one process from those of the next.
  void start_run(std::string_view title);
  std::string file_error() const;

 private:
  void write(std::string_view line);
  void open_file();

  ServerLogOptions options_;
  mutable std::mutex mutex_;  // guards everything below
  std::deque<std::string> lines_;
  std::size_t run_lines_ = 0;  // lines at the end of lines_ that belong to this run
  std::FILE* file_ = nullptr;
  std::uint64_t file_bytes_ = 0;
  std::string file_error_;
};

}  // namespace volan::runtime
