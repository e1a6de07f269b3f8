#include "storage/column_store.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/pools.hpp"
#include "core/time.hpp"
#include "storage/column_schema.hpp"
#include "storage/duck.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;
using Steady = std::chrono::steady_clock;

// The mover turns waiting entries into rows once there are this many, so that a query after a busy time need not do it all.
constexpr std::size_t entries_per_flush = 8'192;

/// A look at the first bytes, so that a file that is no column store stops the start and not the first query. A file is created with its
/// head complete, so a short one is damaged too.
Result<> check_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  char head[12] = {};
  if (in.read(head, sizeof head) && std::string_view(head + 8, 4) == "DUCK") return {};
  return core::fail(ErrorCode::data_loss, fmt::format("{} is no column store or is damaged", file), {},
                    "restore it from a backup, or move it away to start an empty one; entries that are still in the journal are kept");
}

/// An entry that waits to become rows.
struct PendingEntry {
  std::uint64_t position = 0;
  JournalEntry entry;
};

/// One half of the tail: filled while the other one moves.
struct Half {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;          // of the entries' bodies
  std::uint64_t last_position = 0;  // of the entries in it; 0 = empty
};

/// An opened DuckDB with its tail.
struct Instance {
  std::unique_ptr<Duck> duck;
  Half halves[2];
  int filling = 0;
  std::uint64_t moved_position = 0;
};

}  // namespace

/// Locks, in the order in which they may be taken: move_mutex, flush_mutex, mutex. None is held while a query runs.
struct ColumnStore::State {
  ColumnStoreOptions options;
  std::vector<TableSpec> tables;
  Journal& journal;
  RowMapper mapper;
  core::Log log;
  core::Counter *refused_total, *moved_total;
  core::Gauge* tail_gauge;
  core::Histogram* move_seconds;

  std::mutex move_mutex;   // one move, removal or closing at a time
  std::mutex flush_mutex;  // entries become rows in order; guards instance->halves and instance->filling
  mutable std::mutex mutex;  // everything below
  std::condition_variable mover_work, queries_done;
  std::vector<PendingEntry> pending;
  std::uint64_t newest_position = 0;   // the last one that was put into `pending`
  std::uint64_t tail_bytes = 0;        // bodies of the entries that are not on disk
  std::shared_ptr<Instance> instance;  // owners: this and the queries that run on it
  std::uint64_t queries[2] = {0, 0};   // running, by the epoch in which they started
  std::uint64_t epoch = 0;
  std::optional<Steady::time_point> move_due;  // the tail's first row plus the interval; none while the tail is empty
  Steady::time_point last_use;
  bool is_held = false;
  bool is_stopping = false;
  Stats stats;
  std::thread mover;

  State(ColumnStoreOptions o, std::vector<TableSpec> t, Journal& j, RowMapper m, const core::Log& l, core::Metrics& metrics)
      : options(std::move(o)), tables(std::move(t)), journal(j), mapper(std::move(m)), log(l) {
    refused_total = &metrics.counter("volan_column_store_refused_entries_total", "Journal entries that gave no rows because they could not be read.");
    moved_total = &metrics.counter("volan_column_store_moved_rows_total", "Rows moved from the tail to disk.");
    tail_gauge = &metrics.gauge("volan_column_store_tail_rows", "Rows that are not yet on disk.");
    move_seconds = &metrics.histogram("volan_column_store_move_seconds", "Time of a move of the tail to disk.");
  }

  /// Under the mutex: the tail is due to move.
  bool is_full() const { return stats.tail_rows >= options.rows_per_move || tail_bytes >= options.bytes_per_move; }
  void take(std::uint64_t position, JournalEntry&& entry);
  void add_pending(std::uint64_t position, JournalEntry&& entry);
  Result<> load_pending();
  Result<std::shared_ptr<Instance>> ensure_instance();
  Result<std::shared_ptr<Instance>> open_instance();
  Result<std::shared_ptr<Instance>> flush();
  Result<> append_rows(Instance& opened, std::vector<PendingEntry> entries);
  Result<> move_half();
  Result<> move_through(std::uint64_t position);
  void wait_for_older_queries();
  void after_move(const Instance& opened, std::uint64_t rows, std::uint64_t bytes);
  void start_again(const core::Error& why);
  void close_if_idle();
  void run_mover();
};

// --- from the journal into the tail ------------------------------------------------------------------------------------------------

/// The journal's sink, on its writer thread: only stores the entry.
void ColumnStore::State::take(std::uint64_t position, JournalEntry&& entry) {
  bool is_too_far_behind = false;
  {
    std::lock_guard lock(mutex);
    add_pending(position, std::move(entry));
    is_too_far_behind = !is_held && stats.tail_rows > options.tail_rows_max;
    is_held = is_held || is_too_far_behind;
  }
  if (is_too_far_behind) journal.hold_intake(fmt::format("more than {} rows wait for the column store's disk", options.tail_rows_max));
}

/// Under the mutex. An entry that a reload of the journal has already brought is not taken twice.
void ColumnStore::State::add_pending(std::uint64_t position, JournalEntry&& entry) {
  if (position <= newest_position) return;
  newest_position = position;
  const bool was_full = is_full();
  tail_bytes += entry.body.size();
  ++stats.tail_rows;
  pending.push_back({position, std::move(entry)});
  const bool is_first = !move_due.has_value();
  if (is_first) move_due = Steady::now() + std::chrono::milliseconds(options.move_interval_ms);
  if (is_first || pending.size() % entries_per_flush == 0 || is_full() != was_full) mover_work.notify_one();
}

/// Fills `pending` with all that the journal holds. The mutex keeps the sink out meanwhile, so that the order is kept.
Result<> ColumnStore::State::load_pending() {
  std::lock_guard lock(mutex);
  pending.clear();
  newest_position = tail_bytes = stats.tail_rows = 0;
  move_due.reset();
  return journal.replay(0, [this](std::uint64_t position, JournalEntry&& entry) -> Result<> {
    add_pending(position, std::move(entry));
    return {};
  });
}

/// Under the flush mutex.
Result<std::shared_ptr<Instance>> ColumnStore::State::ensure_instance() {
  {
    std::lock_guard lock(mutex);
    last_use = Steady::now();
    if (instance) return instance;
  }
  VOLAN_TRY(auto opened, open_instance());
  std::lock_guard lock(mutex);
  // What a crash left between the move and the trim is on disk already.
  std::erase_if(pending, [&](const PendingEntry& entry) {
    if (entry.position > opened->moved_position) return false;
    tail_bytes -= entry.entry.body.size();
    --stats.tail_rows;
    return true;
  });
  if (pending.empty()) move_due.reset();
  stats.moved_position = opened->moved_position;
  stats.is_open = true;
  instance = opened;
  mover_work.notify_one();  // it closes the instance some time after its last use
  return opened;
}

Result<std::shared_ptr<Instance>> ColumnStore::State::open_instance() {
  auto opened = std::make_shared<Instance>();
  VOLAN_TRY(opened->duck, Duck::open({.file = options.file, .temporary_folder = options.file + ".tmp", .memory_limit_bytes = options.memory_limit_bytes}));
  VOLAN_TRY_VOID(create_schema(*opened->duck, tables));
  VOLAN_TRY(opened->moved_position, read_moved_position(*opened->duck, journal.id()));
  const auto trimmed = journal.trimmed_position();
  if (trimmed > opened->moved_position)
    log.error("column_store_gap", {{"file", options.file}, {"first_missing", opened->moved_position + 1}, {"last_missing", trimmed}});
  return opened;
}

/// Turns every pending entry into rows of the tail. Returns the instance that now has them.
Result<std::shared_ptr<Instance>> ColumnStore::State::flush() {
  std::lock_guard flush_lock(flush_mutex);
  VOLAN_TRY(auto opened, ensure_instance());
  std::vector<PendingEntry> entries;
  {
    std::lock_guard lock(mutex);
    if (pending.empty()) return opened;
    entries.swap(pending);
  }
  if (auto done = append_rows(*opened, std::move(entries)); !done) {
    start_again(done.error());
    return std::unexpected(std::move(done).error());
  }
  return opened;
}

/// Under the flush mutex.
Result<> ColumnStore::State::append_rows(Instance& opened, std::vector<PendingEntry> entries) {
  VOLAN_TRY(auto connection, opened.duck->connect());
  const std::string schema = tail_schema(opened.filling);
  std::vector<std::unique_ptr<DuckAppender>> appenders(tables.size());
  std::uint64_t rows = 0;
  const auto append = [&](std::uint64_t position, std::size_t table, const ColumnRow& row) -> Result<> {
    VOLAN_CHECK(table < tables.size() && row.size() == tables[table].columns.size(), "a mapper emits rows of the tables that it was registered with");
    if (!appenders[table]) {
      VOLAN_TRY(appenders[table], DuckAppender::open(*connection, schema, tables[table].name));
    }
    VOLAN_TRY_VOID(appenders[table]->begin_row(static_cast<std::int64_t>(position)));
    for (const Value& value : row) VOLAN_TRY_VOID(appenders[table]->add(value));
    ++rows;
    return appenders[table]->end_row();
  };
  std::uint64_t bytes = 0;
  for (const PendingEntry& entry : entries) {
    bytes += entry.entry.body.size();
    std::vector<std::pair<std::size_t, ColumnRow>> emitted;  // an entry's rows are added together or, if it is refused, not at all
    auto mapped = mapper(entry.position, entry.entry, [&](std::size_t table, ColumnRow row) { emitted.emplace_back(table, std::move(row)); });
    if (!mapped) {
      refused_total->add();
      log.error("column_store_entry_refused", {{"position", entry.position}, {"kind", entry.entry.kind}, {"error", core::to_text(mapped.error())}});
      continue;
    }
    for (const auto& [table, row] : emitted) VOLAN_TRY_VOID(append(entry.position, table, row));
  }
  for (auto& appender : appenders)
    if (appender) VOLAN_TRY_VOID(appender->finish());
  Half& half = opened.halves[opened.filling];
  half.rows += rows;
  half.bytes += bytes;
  half.last_position = entries.back().position;
  std::lock_guard lock(mutex);
  stats.tail_rows = stats.tail_rows + rows - entries.size();
  tail_gauge->set(static_cast<double>(stats.tail_rows));
  return {};
}

/// After a failure that may have lost rows of the tail: everything that is not on disk comes from the journal once more.
/// Under the flush mutex.
void ColumnStore::State::start_again(const core::Error& why) {
  log.error("column_store_restart", {{"error", core::to_text(why)}});
  {
    std::lock_guard lock(mutex);
    instance.reset();
    stats.is_open = false;
  }
  if (auto loaded = load_pending(); !loaded) log.error("column_store_reload_failed", {{"error", core::to_text(loaded.error())}});
}

// --- from the tail to disk ---------------------------------------------------------------------------------------------------------

/// Moves the half that no flush fills (after a failure), or else what the tail holds now. Under the move mutex.
Result<> ColumnStore::State::move_half() {
  VOLAN_TRY(auto opened, flush());
  int half = 0;
  {
    std::lock_guard flush_lock(flush_mutex);
    half = 1 - opened->filling;
    if (opened->halves[half].last_position == 0) {
      if (opened->halves[opened->filling].last_position == 0) return {};
      std::swap(half, opened->filling);
    }
  }
  const auto started = Steady::now();
  const std::uint64_t position = opened->halves[half].last_position;
  auto moved = move_tail(*opened->duck, tables, half, journal.id(), position);
  if (!moved) {
    if (is_fatal(moved.error())) {
      std::lock_guard flush_lock(flush_mutex);
      start_again(moved.error());
    }
    return std::unexpected(std::move(moved).error());
  }
  opened->moved_position = position;
  // A query takes its snapshots of disk and tail one after the other: those that began before the commit may still need the tail's rows.
  wait_for_older_queries();
  auto emptied = empty_tail(*opened->duck, tables, half);
  {
    std::lock_guard flush_lock(flush_mutex);
    if (!emptied) {
      start_again(emptied.error());
      return emptied;
    }
    after_move(*opened, *moved, std::exchange(opened->halves[half], {}).bytes);
  }
  move_seconds->observe(std::chrono::duration<double>(Steady::now() - started).count());
  moved_total->add(static_cast<double>(*moved));
  return journal.trim(position);
}

void ColumnStore::State::wait_for_older_queries() {
  std::unique_lock lock(mutex);
  const std::uint64_t older = epoch++ & 1;
  queries_done.wait(lock, [&] { return queries[older] == 0; });
}

/// Under the flush mutex.
void ColumnStore::State::after_move(const Instance& opened, std::uint64_t rows, std::uint64_t bytes) {
  bool may_release = false;
  {
    std::lock_guard lock(mutex);
    stats.tail_rows -= std::min(stats.tail_rows, rows);
    stats.moved_rows += rows;
    stats.moved_position = opened.moved_position;
    stats.last_move_ns = core::SystemClock().now().ns;
    stats.last_error.clear();
    tail_bytes -= std::min(tail_bytes, bytes);
    tail_gauge->set(static_cast<double>(stats.tail_rows));
    move_due.reset();
    if (stats.tail_rows > 0 || !pending.empty()) move_due = Steady::now() + std::chrono::milliseconds(options.move_interval_ms);
    last_use = Steady::now();
    may_release = is_held && stats.tail_rows <= options.tail_rows_max / 10 * 9;
    if (may_release) is_held = false;
    mover_work.notify_one();  // its next waking may be later than it thought, or earlier: closing what is idle
  }
  if (may_release) journal.release_intake();
}

/// Moves until everything up to `position` is on disk. Under the move mutex.
Result<> ColumnStore::State::move_through(std::uint64_t position) {
  for (;;) {
    VOLAN_TRY_VOID(move_half());
    std::lock_guard flush_lock(flush_mutex);
    std::lock_guard lock(mutex);
    if (instance && instance->moved_position >= position) return {};
    const bool has_rest = instance && (instance->halves[0].last_position != 0 || instance->halves[1].last_position != 0);
    if (!has_rest && pending.empty()) return {};
  }
}

/// DuckDB keeps memory that it once used; closing it is what gives that back.
void ColumnStore::State::close_if_idle() {
  std::unique_lock move_lock(move_mutex, std::try_to_lock);
  if (!move_lock) return;
  std::lock_guard flush_lock(flush_mutex);
  std::shared_ptr<Instance> closing;  // destroyed after the mutex is free: closing writes to disk
  std::lock_guard lock(mutex);
  const bool is_idle = instance && pending.empty() && instance->halves[0].last_position == 0 && instance->halves[1].last_position == 0;
  if (!is_idle || instance.use_count() > 1 || Steady::now() - last_use < std::chrono::milliseconds(options.idle_close_ms)) return;
  closing = std::move(instance);
  instance.reset();
  stats.is_open = false;
}

void ColumnStore::State::run_mover() {
  std::unique_lock lock(mutex);
  while (!is_stopping) {
    const auto now = Steady::now();
    if (move_due && ((is_full() && stats.last_error.empty()) || *move_due <= now)) {
      lock.unlock();
      Result<> moved;
      {
        std::lock_guard move_lock(move_mutex);
        moved = move_half();
      }
      lock.lock();
      if (!moved) {
        stats.last_error = core::to_text(moved.error());
        move_due = Steady::now() + std::chrono::milliseconds(options.move_interval_ms);
        log.error("column_store_move_failed", {{"error", stats.last_error}, {"tail_rows", stats.tail_rows}});
      }
    } else if (stats.last_error.empty() && pending.size() >= entries_per_flush) {
      lock.unlock();
      auto flushed = flush();
      lock.lock();
      if (!flushed) stats.last_error = core::to_text(flushed.error());  // the next move, which is due by time, tries again
    } else if (instance && !move_due && now - last_use >= std::chrono::milliseconds(options.idle_close_ms)) {
      lock.unlock();
      close_if_idle();
      lock.lock();
      if (instance) last_use = Steady::now();  // a query holds it; look again later
    } else {
      std::optional<Steady::time_point> wake = move_due;
      if (instance && !wake) wake = last_use + std::chrono::milliseconds(options.idle_close_ms);
      if (wake) mover_work.wait_until(lock, *wake);
      else mover_work.wait(lock);
    }
  }
}

// --- the callers' side -------------------------------------------------------------------------------------------------------------

ColumnStore::ColumnStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ColumnStore>> ColumnStore::open(ColumnStoreOptions options, std::vector<TableSpec> tables, Journal& journal, RowMapper mapper,
                                                       const core::Log& log, core::Metrics& metrics) {
  core::assert_may_block();
  VOLAN_TRY_VOID(check_file(options.file));
  auto state = std::make_unique<State>(std::move(options), std::move(tables), journal, std::move(mapper), log, metrics);
  State& running = *state;
  journal.set_committed_sink([&running](std::uint64_t position, JournalEntry&& entry) { running.take(position, std::move(entry)); });
  auto store = std::unique_ptr<ColumnStore>(new ColumnStore(std::move(state)));
  VOLAN_TRY_VOID(running.load_pending());
  running.mover = std::thread([&running] {
    pthread_setname_np(pthread_self(), "column-mover");
    running.run_mover();
  });
  return store;
}

ColumnStore::~ColumnStore() {
  state_->journal.set_committed_sink(nullptr);
  {
    std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->mover_work.notify_all();
  if (state_->mover.joinable()) state_->mover.join();
}

Result<std::vector<Row>> ColumnStore::query(std::string_view sql, std::vector<Value> params) {
  core::assert_may_block();
  State& state = *state_;
  VOLAN_TRY(auto opened, state.flush());
  std::uint64_t epoch = 0;
  {
    std::lock_guard lock(state.mutex);
    epoch = state.epoch & 1;
    ++state.queries[epoch];
  }
  auto rows = opened->duck->run(std::string(sql), params);
  bool is_failed = !rows && is_fatal(rows.error());
  {
    std::lock_guard lock(state.mutex);
    --state.queries[epoch];
    state.queries_done.notify_all();
    state.last_use = Steady::now();
    is_failed = is_failed && state.instance == opened;
  }
  if (is_failed) {
    std::lock_guard flush_lock(state.flush_mutex);
    state.start_again(rows.error());
  }
  return rows;
}

Result<> ColumnStore::move_now() {
  core::assert_may_block();
  std::lock_guard move_lock(state_->move_mutex);
  return state_->move_through(state_->journal.last_position());
}

Result<std::int64_t> ColumnStore::remove(std::string_view table, std::string_view where, std::vector<Value> params) {
  core::assert_may_block();
  std::lock_guard move_lock(state_->move_mutex);
  VOLAN_TRY_VOID(state_->move_through(state_->journal.last_position()));
  VOLAN_TRY(auto opened, state_->flush());
  VOLAN_TRY(auto rows, opened->duck->run(fmt::format("DELETE FROM disk.main.{} WHERE {}", quoted(table), where), params));
  return rows.empty() ? 0 : rows[0].integer(0);
}

ColumnStore::Stats ColumnStore::stats() const {
  std::lock_guard lock(state_->mutex);
  return state_->stats;
}

}  // namespace volan::storage
