/// Keys, sessions and projects: answers who is calling without touching the database, and keeps what was created.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/types.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "net/http.hpp"

namespace volan::storage {
class Database;
}

namespace volan::auth {

/// Header that a browser session sends with every request that changes something: another site cannot set it. Any value will do.
inline constexpr std::string_view csrf_header = "X-Volan-CSRF";
inline constexpr std::string_view session_cookie = "volan_session";
/// Every key starts with it, so that secret scanners and people know one.
inline constexpr std::string_view key_prefix = "vk_";

struct AuthOptions {
  std::string data_folder;      ///< where admin.key is written at the first start
  bool secure_cookies = false;  ///< true when the server speaks TLS
  std::chrono::minutes sign_in_lifetime{15};
  std::chrono::hours session_lifetime{24 * 30};
  std::uint32_t failures_per_minute_max = 30;          ///< per client address; then resource_exhausted instead of unauthenticated
  std::size_t addresses_max = 10'000;                  ///< addresses with failures that are remembered within one minute
  std::size_t sessions_per_key_max = 100;              ///< the oldest one ends when another begins
  std::chrono::milliseconds refresh_interval{60'000};  ///< writes "last used" (only what changed), reads what other servers changed
};

/// A session that was just opened.
struct OpenedSession {
  std::string cookie;  ///< value of the Set-Cookie header
  Viewer viewer;
};

/// Thread-safe. Outlives the server that uses its authenticator. Who calls is answered from an immutable snapshot; everything that
/// creates or ends something is durable in the database before it is acknowledged and then published in a new snapshot.
/// Example: `auto auth = Auth::open(database, pools, clock, {.data_folder = dir}, log, metrics);  server = HttpServer::start(…,
/// (*auth)->authenticator(), …);`
class Auth {
 public:
  /// Applies the migrations; at the first start creates the project `default` and its admin key, written to DATA/admin.key (mode 0600).
  /// Blocks. All references outlive it. Errors: those of the database and of the file.
  static core::Result<std::unique_ptr<Auth>> open(storage::Database& database, core::Pools& pools, const core::Clock& clock,
                                                  AuthOptions options, const core::Log& log, core::Metrics& metrics);
  ~Auth();

  /// Finds the caller from, in this order: `Authorization: Bearer KEY`, `x-api-key`, `api-key`, Basic authentication (the password is the
  /// key; the name as well when the password is empty), the session cookie. Never blocks, takes no lock unless it refuses. The server
  /// itself demands the CSRF header of sessions (net/http_server.hpp). Errors:  unauthenticated without a valid key; resource_exhausted
  /// when the address has failed too often within a minute. A valid key
  ///          always passes: its 256 bits cannot be guessed, and an address is often shared.
  /// Cost:    one SHA-256 of some 50 bytes and one hash look-up, about 0.5 µs.
  net::Authenticator authenticator() const;

  /// The token of a one-time link for the first admin of the default project, valid for `sign_in_lifetime`. Blocks.
  core::Result<std::string> create_sign_in_token();

  /// Opens a session from a key or a sign-in token. Errors: invalid_argument unless exactly one is given; unauthenticated;
  /// resource_exhausted as above.
  core::Task<OpenedSession> sign_in(SignIn sign_in, std::string client_address);
  /// Ends the session of the cookie; returns the Set-Cookie value that clears it. Errors: invalid_argument without a session.
  core::Task<std::string> sign_out(std::string cookie_header);
  /// Errors: unauthenticated when the key was revoked in the meantime.
  core::Result<Viewer> viewer(const net::Principal& principal) const;

  /// Keys of one project, newest first, revoked ones included.
  core::Task<KeyList> keys(std::string project);
  /// Errors: invalid_argument (name, expiry in the past).
  core::Task<CreatedKey> create_key(std::string project, NewKey key);
  /// Ends its sessions too. Errors: not_found; conflict for the last admin key of the project without an expiry.
  core::Task<> revoke_key(std::string project, std::string id);

  /// The caller's own project; all of them for an admin of `default`.
  core::Task<ProjectList> projects(net::Principal principal);
  /// Errors: permission_denied unless the caller is an admin of `default`; invalid_argument; conflict when it exists.
  core::Task<CreatedProject> create_project(net::Principal principal, NewProject project);

  /// Writes the pending "last used" times, removes what has expired, reads what other servers changed. The background thread calls it every
  /// `refresh_interval`; without use nothing is written. Blocks. Returns the number of keys written.
  core::Result<std::size_t> refresh();

 private:
  struct State;
  explicit Auth(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the authenticators that were handed out
};

}  // namespace volan::auth
