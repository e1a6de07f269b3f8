/// Tables of auth (migrations/0001_auth.sql). Blocking; every function is one transaction.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "auth/types.hpp"
#include "core/result.hpp"

namespace volan::storage {
class Database;
}

namespace volan::auth {

/// A row of auth_keys with what types.hpp does not show.
struct StoredKey {
  ApiKey info;
  std::string project;
  std::string hash;  ///< SHA-256 of the key, 64 hex digits
};

struct StoredSession {
  std::string hash;
  std::string key_id;
  std::int64_t created_ns = 0;
  std::int64_t expires_ns = 0;
};

/// Everything that a snapshot is made of: keys that are not revoked, sessions that have not ended, all projects.
struct Contents {
  std::vector<StoredKey> keys;
  std::vector<StoredSession> sessions;
  std::vector<Project> projects;
};

/// Thread-safe, like the database. Texts are well-formed; hashes are hex.
class Store {
 public:
  explicit Store(storage::Database& database) : database_(database) {}
  core::Result<> migrate();
  core::Result<Contents> load(core::Time now);

  /// True when the project has a key, valid or not.
  core::Result<bool> has_keys(const std::string& project);
  /// The project if it is missing, and its first key. Errors: conflict when another server was faster.
  core::Result<> insert_first_key(const Project& project, const StoredKey& key);
  /// Errors: conflict when the id exists.
  core::Result<> insert_project(const Project& project, const StoredKey& key);

  core::Result<std::vector<ApiKey>> keys_of(const std::string& project);
  core::Result<> insert_key(const StoredKey& key);
  /// Errors: not_found, conflict (see Auth::revoke_key).
  core::Result<> revoke_key(const std::string& project, const std::string& id, core::Time now);
  core::Result<> set_last_used(const std::vector<std::pair<std::string, std::int64_t>>& times);

  /// Keeps at most `sessions_max` sessions of the key; the oldest ones go.
  core::Result<> insert_session(const StoredSession& session, std::size_t sessions_max);
  core::Result<> remove_session(const std::string& hash);

  /// For the oldest admin key of the project that does not expire. Errors: not_found without such a key.
  core::Result<> insert_sign_in_token(const std::string& project, const std::string& hash, core::Time now, core::Time expires);
  /// Uses the token up and opens `session` for its key (key_id is filled in). Errors: unauthenticated when the token is unknown, used or
  /// expired.
  core::Result<std::string> redeem_sign_in_token(const std::string& hash, StoredSession session, core::Time now, std::size_t sessions_max);

  /// Sessions and tokens that have expired. Writes nothing when there are none.
  core::Result<> remove_expired(core::Time now);

 private:
  storage::Database& database_;
};

}  // namespace volan::auth
