#include "storage/testing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace volan::storage {
namespace {

using core::ErrorCode;
using core::Result;

constexpr const char* server_folder = "/usr/lib/postgresql/15/bin";

// $0 = folder of the programs, $1 = folder of the cluster. Without fsync, because nobody needs this data after a crash.
constexpr const char* keep_cluster = R"(
cd /
"$0/initdb" -D "$1/data" -U volan --auth=trust --no-sync --encoding=UTF8 --locale=C > "$1/log" 2>&1 || exit 1
"$0/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=16MB \
  -c max_connections=200 -c autovacuum=off < /dev/null >> "$1/log" 2>&1 &
read -r forever
kill -QUIT $!
wait
rm -rf "$1"
)";

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

/// Runs in the forked child: becomes an unprivileged user if needed, then the shell.
[[noreturn]] void become_shell(int input, const std::string& folder, const passwd* user) {
  ::setsid();  // Ctrl-C is for the tests; the shell ends when its input does
  ::dup2(input, STDIN_FILENO);
  if (user != nullptr && (::initgroups(user->pw_name, user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(1);
  ::execl("/bin/sh", server_folder, "-c", keep_cluster, server_folder, folder.c_str(), nullptr);
  ::_exit(1);
}

}  // namespace

Result<TestPostgresql*> TestPostgresql::get() {
  static std::unique_ptr<TestPostgresql> cluster;
  if (!cluster) {
    auto starting = std::unique_ptr<TestPostgresql>(new TestPostgresql());
    VOLAN_TRY_VOID(starting->start());
    cluster = std::move(starting);
  }
  return cluster.get();
}

Result<> TestPostgresql::start() {
  if (::access((std::string(server_folder) + "/initdb").c_str(), X_OK) != 0)
    return core::fail(ErrorCode::unavailable, fmt::format("these tests need PostgreSQL 15 in {}", server_folder), {}, "run: make setup");
  const passwd* user = nullptr;
  if (::geteuid() == 0) {
    user = ::getpwnam("postgres");
    if (user == nullptr) return core::fail(ErrorCode::unavailable, "PostgreSQL refuses to run as root, and there is no user postgres", {}, "run: make setup");
  }
  std::string folder = "/tmp/volan-postgresql-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return core::fail(core::system_error("cannot make a folder for PostgreSQL", errno));
  folder_ = folder;
  if (user != nullptr && ::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) return core::fail(core::system_error("cannot give " + folder + " to postgres", errno));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return core::fail(core::system_error("pipe", errno));
  shell_ = ::fork();
  if (shell_ == 0) become_shell(ends[0], folder, user);
  ::close(ends[0]);
  life_ = ends[1];
  if (shell_ < 0) return core::fail(core::system_error("fork", errno));
  return wait_until_ready();
}

Result<> TestPostgresql::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  while (PQping(url_of("postgres").c_str()) != PQPING_OK) {
    const bool has_ended = ::waitpid(shell_, nullptr, WNOHANG) == shell_;
    if (has_ended) shell_ = -1;
    if (has_ended || std::chrono::steady_clock::now() > deadline) {
      const auto log = core::read_file(folder_ + "/log");
      return core::fail(ErrorCode::unavailable, fmt::format("PostgreSQL did not start: {}", log ? *log : core::to_text(log.error())));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // polls another process; nothing tells when a server is ready
  }
  return {};
}

TestPostgresql::~TestPostgresql() {
  if (life_ >= 0) ::close(life_);
  if (shell_ > 0) ::waitpid(shell_, nullptr, 0);
}

std::string TestPostgresql::url_of(const std::string& name) const { return fmt::format("postgresql://volan@/{}?host={}", name, folder_); }

Result<> TestPostgresql::execute(const std::string& url, const std::string& sql) {
  std::unique_ptr<PGconn, CloseConnection> connection(PQconnectdb(url.c_str()));
  PGresult* result = PQexec(connection.get(), sql.c_str());
  const auto status = PQresultStatus(result);
  PQclear(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  return core::fail(ErrorCode::internal, fmt::format("{}: {}", sql, PQerrorMessage(connection.get())));
}

Result<std::string> TestPostgresql::create_database() {
  const std::string name = fmt::format("test_{}", ++databases_);
  VOLAN_TRY_VOID(execute(url_of("postgres"), "CREATE DATABASE " + name));
  return url_of(name);
}

void TestPostgresql::drop_database(const std::string& url) {
  const auto begin = url.rfind('/', url.find('?')) + 1;
  (void)execute(url_of("postgres"), fmt::format("DROP DATABASE {} WITH (FORCE)", url.substr(begin, url.find('?') - begin)));
}

void EachDatabase::SetUp() {
  if (GetParam() == DatabaseKind::sqlite) {
    auto folder = core::TempFolder::create("volan-database");
    ASSERT_TRUE(folder) << core::to_text(folder.error());
    folder_ = std::move(*folder);
    url = "sqlite://" + folder_->file("test.db");
  } else {
    auto cluster = TestPostgresql::get();
    ASSERT_TRUE(cluster) << core::to_text(cluster.error());
    auto fresh = (*cluster)->create_database();
    ASSERT_TRUE(fresh) << core::to_text(fresh.error());
    url = *fresh;
  }
  auto opened = Database::open(url);
  ASSERT_TRUE(opened) << core::to_text(opened.error());
  database = std::move(*opened);
}

void EachDatabase::TearDown() {
  database.reset();
  if (GetParam() == DatabaseKind::postgresql && !url.empty()) (*TestPostgresql::get())->drop_database(url);
}

}  // namespace volan::storage
