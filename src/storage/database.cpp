#include "storage/database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "core/pools.hpp"
#include "storage/connection.hpp"
#include "storage/migrations.hpp"

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

constexpr int attempts_max = 5;
constexpr auto lease_timeout = std::chrono::seconds(30);

/// A transaction ends as a whole: after a failed statement nothing more runs and nothing is committed, which is what PostgreSQL does by
/// itself and SQLite does not.
class OpenTransaction final : public Transaction {
 public:
  explicit OpenTransaction(Connection& connection) : connection_(connection) {}

  Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> params) override {
    auto outcome = run(sql, params);
    if (!outcome) return std::unexpected(std::move(outcome).error());
    return std::move(outcome->rows);
  }
  Result<std::int64_t> execute(std::string_view sql, std::vector<Value> params) override {
    auto outcome = run(sql, params);
    if (!outcome) return std::unexpected(std::move(outcome).error());
    return outcome->changed;
  }
  const std::optional<SqlError>& failure() const { return failure_; }

 private:
  Result<SqlOutcome> run(std::string_view sql, const std::vector<Value>& params) {
    if (failure_) return std::unexpected(failure_->error);
    auto outcome = connection_.run(sql, params);
    if (!outcome) {
      failure_ = std::move(outcome).error();
      return std::unexpected(failure_->error);
    }
    return std::move(*outcome);
  }

  Connection& connection_;
  std::optional<SqlError> failure_;
};

void back_off(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int most_ms = 4 << attempt;
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(500, most_ms * 1000)(random)));
}

}  // namespace

std::int64_t Row::integer(std::size_t i) const {
  VOLAN_CHECK(i < values.size(), "a query names the columns that its caller reads");
  if (const auto* integer = std::get_if<std::int64_t>(&values[i])) return *integer;
  if (const auto* real = std::get_if<double>(&values[i])) return static_cast<std::int64_t>(*real);
  return 0;
}

double Row::real(std::size_t i) const {
  VOLAN_CHECK(i < values.size(), "a query names the columns that its caller reads");
  if (const auto* real = std::get_if<double>(&values[i])) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&values[i])) return static_cast<double>(*integer);
  return 0;
}

const std::string& Row::text(std::size_t i) const {
  static const std::string none;
  VOLAN_CHECK(i < values.size(), "a query names the columns that its caller reads");
  const auto* text = std::get_if<std::string>(&values[i]);
  return text ? *text : none;
}

bool Row::is_null(std::size_t i) const {
  VOLAN_CHECK(i < values.size(), "a query names the columns that its caller reads");
  return std::holds_alternative<std::monostate>(values[i]);
}

/// The pool. Connections are opened when first needed, and the most recently used one is lent first, so that quiet times need one.
struct Database::State {
  std::string url;
  bool is_sqlite = false;
  std::size_t connections_max = 0;

  std::mutex mutex;
  std::condition_variable returned;
  std::vector<std::unique_ptr<Connection>> idle;
  std::size_t lent = 0;

  // SQLite has one writer at a time: waiting in line here is fair and immediate, waiting for its busy lock polls.
  std::mutex writer_mutex;
  std::atomic<std::thread::id> writer;

  /// A connection on loan. Without keep() it is closed at the end, so that a broken one never returns.
  class Lease {
   public:
    Lease(State& state, std::unique_ptr<Connection> connection) : state_(&state), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept : state_(std::exchange(other.state_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (!state_) return;
      std::lock_guard lock(state_->mutex);
      if (keep_) state_->idle.push_back(std::move(connection_));
      --state_->lent;
      state_->returned.notify_one();
    }
    Connection& operator*() { return *connection_; }
    void set(std::unique_ptr<Connection> connection) { connection_ = std::move(connection); }
    void keep() { keep_ = true; }

   private:
    State* state_;
    std::unique_ptr<Connection> connection_;
    bool keep_ = false;
  };

  SqlResult<Lease> lease() {
    std::unique_lock lock(mutex);
    if (!returned.wait_for(lock, lease_timeout, [&] { return lent < connections_max; }))
      return std::unexpected(SqlError{.error = {ErrorCode::unavailable, "every connection to the database is in use", {}, "try again later"}});
    ++lent;
    if (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      return Lease(*this, std::move(connection));
    }
    lock.unlock();
    Lease lease(*this, nullptr);
    auto connection = is_sqlite ? connect_sqlite(url) : connect_postgresql(url);
    if (!connection) return std::unexpected(std::move(connection).error());
    lease.set(std::move(*connection));
    return lease;
  }

  /// After a lost connection the other idle ones are lost too, most likely.
  void drop_idle() {
    std::lock_guard lock(mutex);
    idle.clear();
  }

  SqlResult<SqlOutcome> transact_once(const std::function<Result<>(Transaction&)>& body) {
    auto lease = this->lease();
    if (!lease) return std::unexpected(std::move(lease).error());
    Connection& connection = **lease;
    auto begun = connection.begin();
    if (!begun) {
      if (begun.error().remedy != Remedy::reconnect) lease->keep();
      return begun;
    }
    OpenTransaction transaction(connection);
    auto done = body(transaction);
    if (done && !transaction.failure()) {
      auto committed = connection.commit();
      if (committed) {
        lease->keep();
        return committed;
      }
      if (committed.error().remedy == Remedy::reconnect) {  // it may or may not have been committed, so it must not run again
        committed.error().remedy = Remedy::none;
        committed.error().error.message += "; whether the last change was kept is unknown";
        return committed;
      }
      if (connection.rollback()) lease->keep();
      return committed;
    }
    const bool is_usable = connection.rollback();
    if (is_usable) lease->keep();
    SqlError error = transaction.failure() ? *transaction.failure() : SqlError{};
    if (!done) error.error = std::move(done).error();
    return std::unexpected(std::move(error));
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(std::string url, std::size_t connections) {
  core::assert_may_block();
  auto state = std::make_unique<State>();
  constexpr std::string_view sqlite = "sqlite://";
  state->is_sqlite = url.starts_with(sqlite);
  if (!state->is_sqlite && !url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    return core::fail(ErrorCode::invalid_argument, "not the address of a database that volan knows", "database.url",
                      "write sqlite:///path/to/file.db or postgresql://user@host:5432/name");
  state->url = state->is_sqlite ? url.substr(sqlite.size()) : std::move(url);
  state->connections_max = std::max<std::size_t>(connections, 1);
  auto lease = state->lease();
  if (!lease) return std::unexpected(std::move(lease).error().error);
  lease->keep();
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

Result<> Database::transaction(const std::function<Result<>(Transaction&)>& body) {
  core::assert_may_block();
  std::unique_lock writer_lock(state_->writer_mutex, std::defer_lock);
  if (state_->is_sqlite) {
    VOLAN_CHECK(state_->writer.load() != std::this_thread::get_id(), "transactions do not nest: use the one that is open");
    writer_lock.lock();
    state_->writer = std::this_thread::get_id();
  }
  Result<> result;
  for (int attempt = 0;; ++attempt) {
    auto outcome = state_->transact_once(body);
    if (outcome) break;
    SqlError& error = outcome.error();
    const bool may_repeat = attempt + 1 < attempts_max && error.remedy != Remedy::none;
    if (error.remedy == Remedy::reconnect) state_->drop_idle();
    if (!may_repeat || (error.remedy == Remedy::reconnect && attempt > 0)) {
      result = std::unexpected(std::move(error.error));
      break;
    }
    if (error.remedy == Remedy::try_again) back_off(attempt);
  }
  if (state_->is_sqlite) state_->writer = std::thread::id();
  return result;
}

Result<std::vector<Row>> Database::query(std::string_view sql, std::vector<Value> params) {
  core::assert_may_block();
  for (int attempt = 0;; ++attempt) {
    auto lease = state_->lease();
    if (!lease) return std::unexpected(std::move(lease).error().error);
    auto outcome = (**lease).run(sql, params);
    if (outcome) {
      lease->keep();
      return std::move(outcome->rows);
    }
    const Remedy remedy = outcome.error().remedy;
    if (remedy != Remedy::reconnect) lease->keep();
    else state_->drop_idle();
    const int attempts = remedy == Remedy::try_again ? attempts_max : remedy == Remedy::reconnect ? 2 : 1;
    if (attempt + 1 >= attempts) return std::unexpected(std::move(outcome).error().error);
    if (remedy == Remedy::try_again) back_off(attempt);
  }
}

Result<> Database::migrate(std::string_view module, std::span<const core::EmbeddedFile> migrations) {
  core::assert_may_block();
  auto lease = state_->lease();
  if (!lease) return std::unexpected(std::move(lease).error().error);
  std::unique_lock writer_lock(state_->writer_mutex, std::defer_lock);
  if (state_->is_sqlite) writer_lock.lock();
  auto done = apply_migrations(**lease, module, migrations);
  if (!done) return std::unexpected(std::move(done).error().error);
  lease->keep();
  return {};
}

}  // namespace volan::storage
