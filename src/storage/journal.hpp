/// The durable journal: one SQLite file (WAL, synchronous=FULL), one writer thread, group commit.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace volan::storage {

/// One entry: kind and version name the body's format (docs/formats/), a checksum is added by the journal and verified on read.
struct JournalEntry {
  std::uint16_t kind = 0;
  std::uint16_t version = 1;
  std::string body;
};

struct JournalOptions {
  std::string file;
  std::uint64_t waiting_bytes_max = 256u << 20;  ///< resource_exhausted beyond it
  std::uint64_t entry_bytes_max = 64u << 20;     ///< too_large beyond it
};

/// Thread-safe. A failed fsync or write is final: the journal stops taking entries (unavailable), says so, and replays after a restart.
class Journal {
 public:
  /// Opens or creates the file; docs/formats/journal.md describes it. Blocking. Entries are checked by replay(), not here.
  /// Errors: data_loss when it is damaged or no journal, conflict when a newer volan wrote it, unavailable when it cannot be opened.
  static core::Result<std::unique_ptr<Journal>> open(JournalOptions options, core::Metrics& metrics);
  ~Journal();  // commits what waits, then stops
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  using Sink = std::function<void(std::uint64_t position, JournalEntry&& entry)>;
  /// Called on the writer thread for each entry after it was committed, in order of position. Set before the first append;
  /// an empty one ends it, and is not called any more when this returns. Must not block for long: commits wait for it.
  void set_committed_sink(Sink sink);

  /// Queues without waiting; never blocks. Order of positions = order of calls of one thread. Errors: unavailable after a failed write,
  /// resource_exhausted when too many bytes wait or the intake is held, too_large.
  core::Result<> append_later(JournalEntry entry);
  /// Queues and resumes on the caller's executor after the commit is on disk. Returns the last position.
  core::Task<std::uint64_t> append(std::vector<JournalEntry> entries);
  /// Waits until everything queued before this call is on disk.
  core::Task<std::uint64_t> flush();
  /// The blocking form of append, for pool threads and tests.
  core::Result<std::uint64_t> append_and_wait(std::vector<JournalEntry> entries);

  /// Reads committed entries with position > after, in order. Blocking. The visitor's error stops it.
  /// Errors: data_loss when an entry is missing or fails its checksum (names the position).
  core::Result<> replay(std::uint64_t after, const std::function<core::Result<>(std::uint64_t position, JournalEntry&& entry)>& visit);
  /// Deletes entries up to and including `position` (they are durable elsewhere). Blocking.
  core::Result<> trim(std::uint64_t position);

  /// Until release_intake(), appends answer resource_exhausted with this reason: the reader of the journal is too far behind.
  void hold_intake(std::string reason);
  void release_intake();

  /// Random name of this journal, kept in the file. Positions of two journals are not comparable.
  const std::string& id() const;
  /// Last committed position (0 = none yet) and the last trimmed one.
  std::uint64_t last_position() const;
  std::uint64_t trimmed_position() const;

  struct Stats {
    std::uint64_t entries = 0, commits = 0, bytes = 0, waiting_bytes = 0;
    std::string error;  ///< why it stopped, or empty
  };
  Stats stats() const;

 private:
  struct State;
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::storage
