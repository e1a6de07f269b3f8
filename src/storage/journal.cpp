#include "storage/journal.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "storage/journal_file.hpp"
#include "storage/journal_waiters.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

// The log is copied into the file once it has this many pages, by the checkpoint thread. When nearly all is copied, the writer copies the
// rest between two commits, so that the log starts anew instead of growing for as long as entries keep coming.
constexpr int log_pages_wanted = 4'096;      // 16 MiB
constexpr int log_pages_rest = 1'024;        // what the writer copies itself: about 2 ms
constexpr int log_pages_max = 65'536;        // 256 MiB: the writer copies all of it, whatever that takes
constexpr std::uint64_t commit_bytes_max = 8u << 20;  // beyond it a group of waiting entries is split, so that the first ones need not wait for the last

/// What an entry costs while it waits.
std::uint64_t weight(const JournalEntry& entry) { return entry.body.size() + sizeof(JournalEntry); }

/// What waits for the writer.
struct Queue {
  struct Waiting {
    std::size_t end = 0;  ///< number of entries of this queue that must be committed before
    std::unique_ptr<JournalWaiter> waiter;
  };
  std::vector<JournalEntry> entries;
  std::vector<Waiting> waiting;
  std::vector<ThreadWaiter*> trims;
  std::uint64_t bytes = 0;
};

}  // namespace

struct Journal::State {
  JournalOptions options;
  std::string id;
  std::unique_ptr<JournalWriter> writer;              // writer thread only
  std::unique_ptr<JournalCheckpointer> checkpointer;  // checkpoint thread only
  std::mutex sink_mutex;  // held while the sink runs, so that it is never called once it was replaced; taken before `mutex`
  Sink sink;

  mutable std::mutex mutex;
  std::condition_variable work, checkpoint_work;
  Queue queue;
  bool is_writer_idle = false;
  bool is_stopping = false;
  bool is_checkpoint_wanted = false;
  int log_pages_copied = -1;  // by the checkpoint thread's last run; -1 = nothing for the writer to finish
  std::optional<core::Error> checkpoint_error;
  std::uint64_t trim_wanted = 0;
  std::uint64_t last_position = 0, trimmed = 0;
  std::string held;  // why the intake is held, or empty
  core::Error error;
  bool has_failed = false;
  Stats stats;

  core::Counter *entries_total, *commits_total, *bytes_total;
  core::Gauge* waiting_gauge;
  core::Histogram* commit_seconds;
  int log_pages_next = log_pages_wanted;  // writer thread only: no checkpoint before the log is this long
  std::thread writer_thread, checkpoint_thread;

  Result<> may_append(std::span<const JournalEntry> entries) const;
  void push(std::unique_lock<std::mutex>& lock, std::span<JournalEntry> entries, std::unique_ptr<JournalWaiter> waiter);
  AppendResult wait(std::vector<JournalEntry> entries);

  void run_writer();
  Result<> commit(Queue& batch, std::uint64_t trim);
  void settle(Queue& batch, std::size_t committed, std::size_t& next_waiting);
  void fail(core::Error why, Queue& batch);
  Result<> look_after_log();
  void run_checkpoints();
};

// --- the callers' side -------------------------------------------------------------------------------------------------------------

/// Under the mutex.
Result<> Journal::State::may_append(std::span<const JournalEntry> entries) const {
  if (has_failed) return std::unexpected(error);
  if (is_stopping) return core::fail(ErrorCode::unavailable, "the journal is closing", {}, "try again after the restart");
  std::uint64_t bytes = 0;
  for (const JournalEntry& entry : entries) {
    if (entry.body.size() > options.entry_bytes_max)
      return core::fail(ErrorCode::too_large, fmt::format("a journal entry has {} bytes, at most {} are allowed", entry.body.size(), options.entry_bytes_max));
    bytes += weight(entry);
  }
  if (bytes > options.waiting_bytes_max)
    return core::fail(ErrorCode::too_large, fmt::format("{} bytes for the journal at once, at most {} are allowed", bytes, options.waiting_bytes_max));
  if (entries.empty()) return {};
  if (!held.empty()) return core::fail(ErrorCode::resource_exhausted, held, {}, "try again later");
  if (stats.waiting_bytes + bytes > options.waiting_bytes_max)
    return core::fail(ErrorCode::resource_exhausted, fmt::format("{} bytes wait for the journal's disk", stats.waiting_bytes), {}, "try again later");
  return {};
}

/// Under the mutex, which it releases.
void Journal::State::push(std::unique_lock<std::mutex>& lock, std::span<JournalEntry> entries, std::unique_ptr<JournalWaiter> waiter) {
  for (JournalEntry& entry : entries) {
    queue.bytes += weight(entry);
    stats.waiting_bytes += weight(entry);
    queue.entries.push_back(std::move(entry));
  }
  if (waiter) queue.waiting.push_back({queue.entries.size(), std::move(waiter)});
  const bool wake = is_writer_idle;
  is_writer_idle = false;
  lock.unlock();
  if (wake) work.notify_one();
}

AppendResult Journal::State::wait(std::vector<JournalEntry> entries) {
  ThreadWaiter waiter;
  {
    std::unique_lock lock(mutex);
    VOLAN_TRY_VOID(may_append(entries));
    push(lock, entries, std::make_unique<ThreadWaiterLink>(waiter));
  }
  return waiter.wait();
}

Result<> Journal::append_later(JournalEntry entry) {
  std::unique_lock lock(state_->mutex);
  VOLAN_TRY_VOID(state_->may_append({&entry, 1}));
  state_->push(lock, {&entry, 1}, nullptr);
  return {};
}

core::Task<std::uint64_t> Journal::append(std::vector<JournalEntry> entries) {
  // The coroutine is suspended before the initiation runs, so the writer may resume it at any moment after push().
  auto initiate = [state = state_.get()](auto handler, std::vector<JournalEntry> list) {
    std::unique_ptr<JournalWaiter> waiter = std::make_unique<CoroutineWaiter<decltype(handler)>>(std::move(handler));
    std::unique_lock lock(state->mutex);
    if (auto may = state->may_append(list); !may) {
      lock.unlock();
      JournalResumer resumer;
      resumer.add(std::move(waiter), std::unexpected(std::move(may).error()));
      resumer.resume_all();
      return;
    }
    state->push(lock, list, std::move(waiter));
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(AppendResult)>(
      std::move(initiate), boost::asio::use_awaitable, std::move(entries));
}

core::Task<std::uint64_t> Journal::flush() {
  std::vector<JournalEntry> none;
  co_return co_await append(std::move(none));
}

Result<std::uint64_t> Journal::append_and_wait(std::vector<JournalEntry> entries) {
  core::assert_may_block();
  return state_->wait(std::move(entries));
}

Result<> Journal::replay(std::uint64_t after, const std::function<Result<>(std::uint64_t position, JournalEntry&& entry)>& visit) {
  core::assert_may_block();
  return read_journal(state_->options.file, after, visit);
}

Result<> Journal::trim(std::uint64_t position) {
  core::assert_may_block();
  ThreadWaiter waiter;
  {
    std::unique_lock lock(state_->mutex);
    if (state_->has_failed) return std::unexpected(state_->error);
    if (state_->is_stopping) return core::fail(ErrorCode::unavailable, "the journal is closing");
    state_->trim_wanted = std::max(state_->trim_wanted, std::min(position, state_->last_position));
    state_->queue.trims.push_back(&waiter);
    state_->is_writer_idle = false;
  }
  state_->work.notify_one();
  auto done = waiter.wait();
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

void Journal::hold_intake(std::string reason) {
  std::lock_guard lock(state_->mutex);
  state_->held = std::move(reason);
}

void Journal::release_intake() { hold_intake({}); }

void Journal::set_committed_sink(Sink sink) {
  std::lock_guard lock(state_->sink_mutex);
  state_->sink = std::move(sink);
}

const std::string& Journal::id() const { return state_->id; }

std::uint64_t Journal::last_position() const {
  std::lock_guard lock(state_->mutex);
  return state_->last_position;
}

std::uint64_t Journal::trimmed_position() const {
  std::lock_guard lock(state_->mutex);
  return state_->trimmed;
}

Journal::Stats Journal::stats() const {
  std::lock_guard lock(state_->mutex);
  return state_->stats;
}

// --- the writer thread -------------------------------------------------------------------------------------------------------------

void Journal::State::run_writer() {
  Queue batch;
  std::vector<ThreadWaiter*> trims;
  for (;;) {
    std::uint64_t trim = 0;
    {
      std::unique_lock lock(mutex);
      const auto has_work = [&] {
        return !queue.entries.empty() || !queue.waiting.empty() || !queue.trims.empty() || !trims.empty();
      };
      while (!has_work() && !is_stopping) {
        is_writer_idle = true;
        work.wait(lock);
      }
      is_writer_idle = false;
      if (!has_work()) return;
      std::swap(queue, batch);
      trim = trim_wanted;
    }
    trims.insert(trims.end(), batch.trims.begin(), batch.trims.end());
    batch.trims.clear();
    if (auto done = commit(batch, trim); !done) {
      fail(std::move(done).error(), batch);
      for (ThreadWaiter* waiter : trims) waiter->complete(std::unexpected(error));
      trims.clear();
    } else if (!writer->has_to_trim(trim)) {
      // A trim that came in meanwhile is in trim_wanted but not in `trim`: its waiter is still in the queue.
      for (ThreadWaiter* waiter : trims) waiter->complete(trim);
      trims.clear();
    }
    batch.entries.clear();
    batch.waiting.clear();
    batch.bytes = 0;
  }
}

/// Commits the batch, in slices if it is large, and resumes who waits for each slice.
Result<> Journal::State::commit(Queue& batch, std::uint64_t trim) {
  if (has_failed) return std::unexpected(error);  // only this thread sets it
  std::size_t begin = 0;
  std::size_t next_waiting = 0;
  do {
    std::size_t end = begin;
    for (std::uint64_t bytes = 0; end < batch.entries.size() && bytes < commit_bytes_max; ++end) bytes += weight(batch.entries[end]);
    if (end > begin || writer->has_to_trim(trim)) {
      const auto started = std::chrono::steady_clock::now();
      VOLAN_TRY_VOID(writer->commit(std::span(batch.entries).subspan(begin, end - begin), trim));
      commits_total->add();
      commit_seconds->observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
      VOLAN_TRY_VOID(writer->log_pages() < log_pages_max ? Result<>{} : writer->checkpoint());
    }
    begin = end;
    settle(batch, end, next_waiting);
    VOLAN_TRY_VOID(look_after_log());
  } while (begin < batch.entries.size());
  return {};
}

/// Hands the committed entries to the sink, then resumes their callers, so that a caller's next query sees its entries.
void Journal::State::settle(Queue& batch, std::size_t committed, std::size_t& next_waiting) {
  std::uint64_t bytes = 0, body_bytes = 0, count = 0;
  const std::uint64_t last = writer->head().last_position;
  {
    std::unique_lock lock(mutex);
    const std::uint64_t before = last_position;
    count = last - before;
    lock.unlock();
    {
      std::lock_guard sink_lock(sink_mutex);
      for (std::size_t i = committed - count; i < committed; ++i) {
        bytes += weight(batch.entries[i]);
        body_bytes += batch.entries[i].body.size();
        if (sink) sink(last - (committed - 1 - i), std::move(batch.entries[i]));
      }
    }
    lock.lock();
    last_position = last;
    trimmed = writer->head().trimmed;
    stats.entries += count;
    stats.commits += count > 0 ? 1 : 0;
    stats.bytes += body_bytes;
    stats.waiting_bytes -= bytes;
    waiting_gauge->set(static_cast<double>(stats.waiting_bytes));
  }
  entries_total->add(static_cast<double>(count));
  bytes_total->add(static_cast<double>(body_bytes));
  JournalResumer resumer;
  for (; next_waiting < batch.waiting.size() && batch.waiting[next_waiting].end <= committed; ++next_waiting)
    resumer.add(std::move(batch.waiting[next_waiting].waiter), last - (committed - batch.waiting[next_waiting].end));
  resumer.resume_all();
}

/// Final: nothing is written any more, and everybody who waits or comes later learns why.
void Journal::State::fail(core::Error why, Queue& batch) {
  if (!has_failed) writer->abandon();
  {
    std::lock_guard lock(mutex);
    if (!has_failed) {
      error = std::move(why);
      stats.error = core::to_text(error);
      has_failed = true;
    }
    stats.waiting_bytes = queue.bytes;
  }
  checkpoint_work.notify_one();
  JournalResumer resumer;
  for (auto& waiting : batch.waiting)
    if (waiting.waiter) resumer.add(std::move(waiting.waiter), std::unexpected(error));
  resumer.resume_all();
}

/// Wakes the checkpoint thread when the log is long, and finishes what it has left over. While a replay still reads the log it cannot
/// start anew, so the next try comes when it has grown by as much again.
Result<> Journal::State::look_after_log() {
  const int pages = writer->log_pages();
  if (pages < log_pages_wanted) log_pages_next = log_pages_wanted;
  if (pages < log_pages_next) return {};
  std::unique_lock lock(mutex);
  if (checkpoint_error) return std::unexpected(*checkpoint_error);
  if (is_checkpoint_wanted) return {};  // it is at work
  if (log_pages_copied >= 0 && pages - log_pages_copied <= log_pages_rest) {
    log_pages_copied = -1;
    log_pages_next = pages + log_pages_wanted;
    lock.unlock();
    return writer->checkpoint();
  }
  is_checkpoint_wanted = true;
  lock.unlock();
  checkpoint_work.notify_one();
  return {};
}

void Journal::State::run_checkpoints() {
  std::unique_lock lock(mutex);
  for (;;) {
    checkpoint_work.wait(lock, [this] { return is_stopping || has_failed || is_checkpoint_wanted; });
    if (has_failed) checkpointer->abandon();
    if (is_stopping || has_failed) return;
    lock.unlock();
    auto progress = checkpointer->run();
    lock.lock();
    is_checkpoint_wanted = false;
    if (progress) log_pages_copied = progress->copied_pages;
    else checkpoint_error = std::move(progress).error();
  }
}

// --- life --------------------------------------------------------------------------------------------------------------------------

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Journal>> Journal::open(JournalOptions options, core::Metrics& metrics) {
  core::assert_may_block();
  auto state = std::make_unique<State>();
  VOLAN_TRY(state->writer, JournalWriter::open(options.file));
  VOLAN_TRY(state->checkpointer, JournalCheckpointer::open(options.file));
  state->options = std::move(options);
  state->id = state->writer->head().id;
  state->last_position = state->writer->head().last_position;
  state->trimmed = state->trim_wanted = state->writer->head().trimmed;
  state->entries_total = &metrics.counter("volan_journal_entries_total", "Entries committed to the journal.");
  state->commits_total = &metrics.counter("volan_journal_commits_total", "Transactions of the journal, each fsynced.");
  state->bytes_total = &metrics.counter("volan_journal_bytes_total", "Bytes of the committed entries' bodies.");
  state->waiting_gauge = &metrics.gauge("volan_journal_waiting_bytes", "Bytes that wait for their commit.");
  state->commit_seconds = &metrics.histogram("volan_journal_commit_seconds", "Time of a commit, fsync included.", {},
                                             {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5});
  auto journal = std::unique_ptr<Journal>(new Journal(std::move(state)));
  State& running = *journal->state_;
  running.writer_thread = std::thread([&running] {
    pthread_setname_np(pthread_self(), "journal");
    running.run_writer();
  });
  running.checkpoint_thread = std::thread([&running] {
    pthread_setname_np(pthread_self(), "journal-copy");
    running.run_checkpoints();
  });
  return journal;
}

Journal::~Journal() {
  {
    std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->work.notify_all();
  state_->checkpoint_work.notify_all();
  if (state_->writer_thread.joinable()) state_->writer_thread.join();
  if (state_->checkpoint_thread.joinable()) state_->checkpoint_thread.join();
}

}  // namespace volan::storage
