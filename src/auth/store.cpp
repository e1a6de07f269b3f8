#include "auth/store.hpp"

#include <fmt/format.h>

#include <span>

#include "core/embedded_file.hpp"
#include "storage/database.hpp"

namespace volan::auth {

std::span<const core::EmbeddedFile> migrations();  // generated from migrations/

namespace {

using storage::Row;
using storage::Transaction;
using Rows = std::vector<Row>;

constexpr std::string_view key_columns = "id, name, role, prefix, created_ns, last_used_ns, expires_ns, revoked_ns, project, hash";

std::optional<core::Time> time_or_never(std::int64_t ns) { return ns == 0 ? std::nullopt : std::optional(core::Time{ns}); }
std::int64_t ns_or_zero(const std::optional<core::Time>& time) { return time ? time->ns : 0; }

core::Result<StoredKey> key_of(const Row& row) {
  const auto role = core::enum_of<Role>(row.text(2));
  if (!role) return core::fail(core::ErrorCode::data_loss, fmt::format("key {} has the unknown role '{}'", row.text(0), row.text(2)));
  StoredKey key;
  key.info = {.id = row.text(0),
              .name = row.text(1),
              .role = *role,
              .prefix = row.text(3),
              .created = {row.integer(4)},
              .last_used = time_or_never(row.integer(5)),
              .expires = time_or_never(row.integer(6)),
              .revoked = time_or_never(row.integer(7))};
  key.project = row.text(8);
  key.hash = row.text(9);
  return key;
}

Project project_of(const Row& row) { return {.id = row.text(0), .name = row.text(1), .created = {row.integer(2)}}; }

core::Result<> add_project(Transaction& transaction, const Project& project) {
  VOLAN_TRY([[maybe_unused]] auto changed, transaction.execute("INSERT INTO auth_projects (id, name, created_ns) VALUES (:p1, :p2, :p3)",
                                                               {project.id, project.name, project.created.ns}));
  return {};
}

core::Result<> add_key(Transaction& transaction, const StoredKey& key) {
  const ApiKey& info = key.info;
  VOLAN_TRY(
      [[maybe_unused]] auto changed,
      transaction.execute("INSERT INTO auth_keys (id, project, name, role, hash, prefix, created_ns, last_used_ns, expires_ns, revoked_ns) "
                          "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, 0, :p8, 0)",
                          {info.id, key.project, info.name, std::string(core::text_of(info.role)), key.hash, info.prefix, info.created.ns,
                           ns_or_zero(info.expires)}));
  return {};
}

core::Result<> add_session(Transaction& transaction, const StoredSession& session, std::size_t sessions_max) {
  VOLAN_TRY([[maybe_unused]] auto changed,
            transaction.execute("INSERT INTO auth_sessions (hash, key_id, created_ns, expires_ns) VALUES (:p1, :p2, :p3, :p4)",
                                {session.hash, session.key_id, session.created_ns, session.expires_ns}));
  VOLAN_TRY(auto newest_first,
            transaction.query("SELECT hash FROM auth_sessions WHERE key_id = :p1 ORDER BY created_ns DESC, hash DESC", {session.key_id}));
  for (std::size_t i = sessions_max; i < newest_first.size(); ++i) {
    VOLAN_TRY([[maybe_unused]] auto removed, transaction.execute("DELETE FROM auth_sessions WHERE hash = :p1", {newest_first[i].text(0)}));
  }
  return {};
}

core::Result<bool> any(Transaction& transaction, std::string_view sql, std::vector<storage::Value> params) {
  VOLAN_TRY(auto rows, transaction.query(sql, std::move(params)));
  return !rows.empty();
}

}  // namespace

core::Result<> Store::migrate() { return database_.migrate("auth", migrations()); }

core::Result<Contents> Store::load(core::Time now) {
  Contents contents;
  VOLAN_TRY_VOID(database_.transaction([&](Transaction& transaction) -> core::Result<> {
    contents = {};
    VOLAN_TRY(auto keys, transaction.query(fmt::format("SELECT {} FROM auth_keys WHERE revoked_ns = 0", key_columns)));
    for (const Row& row : keys) {
      VOLAN_TRY(auto key, key_of(row));
      contents.keys.push_back(std::move(key));
    }
    VOLAN_TRY(auto sessions,
              transaction.query("SELECT hash, key_id, created_ns, expires_ns FROM auth_sessions WHERE expires_ns > :p1", {now.ns}));
    for (const Row& row : sessions)
      contents.sessions.push_back({.hash = row.text(0), .key_id = row.text(1), .created_ns = row.integer(2), .expires_ns = row.integer(3)});
    VOLAN_TRY(auto projects, transaction.query("SELECT id, name, created_ns FROM auth_projects ORDER BY id"));
    for (const Row& row : projects) contents.projects.push_back(project_of(row));
    return {};
  }));
  return contents;
}

core::Result<bool> Store::has_keys(const std::string& project) {
  VOLAN_TRY(auto rows, database_.query("SELECT id FROM auth_keys WHERE project = :p1 LIMIT 1", {project}));
  return !rows.empty();
}

core::Result<> Store::insert_first_key(const Project& project, const StoredKey& key) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY([[maybe_unused]] auto changed,
              transaction.execute("INSERT INTO auth_projects (id, name, created_ns) VALUES (:p1, :p2, :p3) ON CONFLICT (id) DO NOTHING",
                                  {project.id, project.name, project.created.ns}));
    VOLAN_TRY(auto exists, any(transaction, "SELECT id FROM auth_keys WHERE project = :p1 LIMIT 1", {project.id}));
    if (exists) return core::fail(core::ErrorCode::conflict, fmt::format("the project {} has keys already", project.id));
    return add_key(transaction, key);
  });
}

core::Result<> Store::insert_project(const Project& project, const StoredKey& key) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY(auto exists, any(transaction, "SELECT id FROM auth_projects WHERE id = :p1", {project.id}));
    if (exists)
      return core::fail(core::ErrorCode::conflict, fmt::format("a project '{}' exists already", project.id), "id", "choose another id");
    VOLAN_TRY_VOID(add_project(transaction, project));
    return add_key(transaction, key);
  });
}

core::Result<std::vector<ApiKey>> Store::keys_of(const std::string& project) {
  VOLAN_TRY(auto rows,
            database_.query(fmt::format("SELECT {} FROM auth_keys WHERE project = :p1 ORDER BY created_ns DESC, id DESC", key_columns),
                            {project}));
  std::vector<ApiKey> keys;
  for (const Row& row : rows) {
    VOLAN_TRY(auto key, key_of(row));
    keys.push_back(std::move(key.info));
  }
  return keys;
}

core::Result<> Store::insert_key(const StoredKey& key) {
  return database_.transaction([&](Transaction& transaction) { return add_key(transaction, key); });
}

core::Result<> Store::revoke_key(const std::string& project, const std::string& id, core::Time now) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    // A write on the project's row first: two revocations at the same time wait for each other, so that they cannot both see the other's
    // key.
    VOLAN_TRY([[maybe_unused]] auto locked, transaction.execute("UPDATE auth_projects SET name = name WHERE id = :p1", {project}));
    VOLAN_TRY(auto found, transaction.query("SELECT role, expires_ns FROM auth_keys WHERE project = :p1 AND id = :p2 AND revoked_ns = 0",
                                            {project, id}));
    if (found.empty()) return core::fail(core::ErrorCode::not_found, fmt::format("no valid key with id {} in this project", id), "id");
    if (found[0].text(0) == core::text_of(Role::admin) && found[0].integer(1) == 0) {
      VOLAN_TRY(
          auto others,
          any(transaction,
              "SELECT id FROM auth_keys WHERE project = :p1 AND id <> :p2 AND role = 'admin' AND revoked_ns = 0 AND expires_ns = 0 LIMIT 1",
              {project, id}));
      if (!others)
        return core::fail(core::ErrorCode::conflict, "this is the last admin key of the project that does not expire", "id",
                          "create another admin key first");
    }
    VOLAN_TRY([[maybe_unused]] auto revoked, transaction.execute("UPDATE auth_keys SET revoked_ns = :p1 WHERE id = :p2", {now.ns, id}));
    VOLAN_TRY([[maybe_unused]] auto sessions, transaction.execute("DELETE FROM auth_sessions WHERE key_id = :p1", {id}));
    VOLAN_TRY([[maybe_unused]] auto tokens, transaction.execute("DELETE FROM auth_sign_in_tokens WHERE key_id = :p1", {id}));
    return {};
  });
}

core::Result<> Store::set_last_used(const std::vector<std::pair<std::string, std::int64_t>>& times) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    for (const auto& [id, ns] : times) {
      VOLAN_TRY([[maybe_unused]] auto changed,
                transaction.execute("UPDATE auth_keys SET last_used_ns = :p1 WHERE id = :p2 AND last_used_ns < :p3", {ns, id, ns}));
    }
    return {};
  });
}

core::Result<> Store::insert_session(const StoredSession& session, std::size_t sessions_max) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    // The key may have been revoked since it was checked.
    VOLAN_TRY(auto is_valid, any(transaction, "SELECT id FROM auth_keys WHERE id = :p1 AND revoked_ns = 0", {session.key_id}));
    if (!is_valid) return core::fail(core::ErrorCode::unauthenticated, "the key is not valid");
    return add_session(transaction, session, sessions_max);
  });
}

core::Result<> Store::remove_session(const std::string& hash) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY([[maybe_unused]] auto removed, transaction.execute("DELETE FROM auth_sessions WHERE hash = :p1", {hash}));
    return {};
  });
}

core::Result<> Store::insert_sign_in_token(const std::string& project, const std::string& hash, core::Time now, core::Time expires) {
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY(auto keys,
              transaction.query("SELECT id FROM auth_keys WHERE project = :p1 AND role = 'admin' AND revoked_ns = 0 AND expires_ns = 0 "
                                "ORDER BY created_ns, id LIMIT 1",
                                {project}));
    if (keys.empty())
      return core::fail(core::ErrorCode::not_found, fmt::format("the project {} has no admin key that does not expire", project));
    VOLAN_TRY([[maybe_unused]] auto added,
              transaction.execute(
                  "INSERT INTO auth_sign_in_tokens (hash, key_id, created_ns, expires_ns, used_ns) VALUES (:p1, :p2, :p3, :p4, 0)",
                  {hash, keys[0].text(0), now.ns, expires.ns}));
    return {};
  });
}

core::Result<std::string> Store::redeem_sign_in_token(const std::string& hash, StoredSession session, core::Time now,
                                                      std::size_t sessions_max) {
  VOLAN_TRY_VOID(database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY(auto used,
              transaction.execute("UPDATE auth_sign_in_tokens SET used_ns = :p1 WHERE hash = :p2 AND used_ns = 0 AND expires_ns > :p3",
                                  {now.ns, hash, now.ns}));
    if (used != 1)
      return core::fail(core::ErrorCode::unauthenticated, "this sign-in link is unknown, was used already, or is too old", "token",
                        "start `volan up` again for a fresh link, or sign in with a key");
    VOLAN_TRY(auto rows, transaction.query("SELECT key_id FROM auth_sign_in_tokens WHERE hash = :p1", {hash}));
    session.key_id = rows.at(0).text(0);
    return add_session(transaction, session, sessions_max);
  }));
  return session.key_id;
}

core::Result<> Store::remove_expired(core::Time now) {
  VOLAN_TRY(auto expired, database_.query("SELECT (SELECT COUNT(*) FROM auth_sessions WHERE expires_ns <= :p1) + "
                                          "(SELECT COUNT(*) FROM auth_sign_in_tokens WHERE expires_ns <= :p2)",
                                          {now.ns, now.ns}));
  if (expired.at(0).integer(0) == 0) return {};
  return database_.transaction([&](Transaction& transaction) -> core::Result<> {
    VOLAN_TRY([[maybe_unused]] auto sessions, transaction.execute("DELETE FROM auth_sessions WHERE expires_ns <= :p1", {now.ns}));
    VOLAN_TRY([[maybe_unused]] auto tokens, transaction.execute("DELETE FROM auth_sign_in_tokens WHERE expires_ns <= :p1", {now.ns}));
    return {};
  });
}

}  // namespace volan::auth
