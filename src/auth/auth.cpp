#include "auth/auth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "auth/credentials.hpp"
#include "auth/failures.hpp"
#include "auth/key_ring.hpp"
#include "auth/store.hpp"
#include "core/file.hpp"
#include "core/ids.hpp"
#include "core/periodic.hpp"
#include "core/text.hpp"
#include "storage/database.hpp"

namespace volan::auth {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t key_name_bytes_max = 100;
constexpr std::size_t shown_prefix_characters = 9;  // "vk_" and six characters: tells keys apart, leaves 220 unknown bits

struct MadeKey {
  StoredKey stored;
  std::string key;
};

MadeKey make_key(std::string project, std::string name, Role role, std::optional<core::Time> expires, core::Time now) {
  MadeKey made;
  made.key = std::string(key_prefix) + core::random_token(32);
  made.stored.info = {.id = core::new_id(),
                      .name = std::move(name),
                      .role = role,
                      .prefix = made.key.substr(0, shown_prefix_characters),
                      .created = now,
                      .last_used = std::nullopt,
                      .expires = expires,
                      .revoked = std::nullopt};
  made.stored.project = std::move(project);
  made.stored.hash = core::sha256_hex(made.key);
  return made;
}

core::Result<> check_name(std::string_view name) {
  if (name.empty() || name.size() > key_name_bytes_max)
    return fail(ErrorCode::invalid_argument, fmt::format("expected 1 to {} bytes, found {}", key_name_bytes_max, name.size()), "name");
  return {};
}

core::Result<> check_project_id(std::string_view id) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (id.empty() || id.size() > 63 || !(id[0] >= 'a' && id[0] <= 'z') || !std::ranges::all_of(id, is_good))
    return fail(ErrorCode::invalid_argument, "expected 1 to 63 lower-case letters, digits and hyphens, starting with a letter", "id");
  return {};
}

/// Audited actions say who did what, never a secret.
void log_change(const core::Log& log, std::string_view event, std::string_view project, std::string_view subject) {
  log.info(event, {{"project", project}, {"id", subject}});
}

}  // namespace

struct Auth::State {
  State(storage::Database& database, core::Pools& pools_in, const core::Clock& clock_in, AuthOptions options_in, const core::Log& log_in,
        core::Metrics& metrics)
      : store(database),
        pools(pools_in),
        clock(clock_in),
        options(std::move(options_in)),
        log(log_in),
        failures(options.failures_per_minute_max, options.addresses_max),
        refused(metrics.counter("volan_auth_refused_total", "Requests with a key that is not valid.")),
        limited(metrics.counter("volan_auth_limited_total", "Requests refused because their address failed too often.")) {}

  Store store;
  core::Pools& pools;
  const core::Clock& clock;
  const AuthOptions options;
  const core::Log& log;
  mutable Failures failures;
  core::Counter& refused;
  core::Counter& limited;
  std::mutex publishing;                             // held while a snapshot is read and published, so that an older one never wins
  std::atomic<std::shared_ptr<const KeyRing>> ring;  // shared with the requests that are reading it

  /// Reads the tables and publishes the snapshot. Blocks.
  core::Result<> publish() {
    const std::lock_guard lock(publishing);
    VOLAN_TRY(auto contents, store.load(clock.now()));
    const auto before = ring.load();
    ring.store(std::make_shared<const KeyRing>(contents, before.get()));
    return {};
  }

  core::Result<> bootstrap() {
    VOLAN_TRY(auto has_keys, store.has_keys(std::string(default_project)));
    if (has_keys) return {};
    const core::Time now = clock.now();
    const MadeKey made = make_key(std::string(default_project), "first admin key", Role::admin, std::nullopt, now);
    const std::string file = options.data_folder + "/admin.key";
    // The file first: a kill in between leaves a file without a key, which the next start replaces, and never a key that nobody can read.
    VOLAN_TRY_VOID(core::write_file_durably(file, made.key + "\n", 0600));
    VOLAN_TRY_VOID(
        store.insert_first_key({.id = std::string(default_project), .name = std::string(default_project), .created = now}, made.stored));
    log.info("admin_key_created", {{"file", file}, {"id", made.stored.info.id}});
    return {};
  }

  core::Result<net::Principal> authenticate(const net::Request& request) const {
    const Credential credential = credential_of(request.headers);
    if (credential.kind == Credential::Kind::none)
      return fail(ErrorCode::unauthenticated, "no key was sent", {}, "send `Authorization: Bearer KEY`, or sign in");
    const core::Time now = clock.now();
    const auto snapshot = ring.load();
    const bool is_session = credential.kind == Credential::Kind::session;
    const RingKey* key = is_session ? snapshot->find_session(credential.secret, now) : snapshot->find_key(credential.secret, now);
    if (!key) {
      if (is_session) return fail(ErrorCode::unauthenticated, "the session has ended", {}, "sign in again");
      return std::unexpected(refusal(request.client_address, now));
    }
    key->note_use(now);
    return net::Principal{.project = key->project, .actor = key->id, .role = access_of(key->role), .is_session = is_session};
  }

  /// The error for a key or token that is not valid; counts it against the address.
  core::Error refusal(const std::string& client_address, core::Time now) const {
    refused.add();
    if (failures.note(client_address, now))
      return {.code = ErrorCode::unauthenticated,
              .message = "the key is not valid: unknown, expired or revoked",
              .fix = "check the key, or ask an admin for one"};
    limited.add();
    return {.code = ErrorCode::resource_exhausted,
            .message = "too many attempts without a valid key from this address",
            .fix = "wait a minute"};
  }

  core::Result<Viewer> viewer_of(const std::string& key_id, bool is_session) const {
    const auto snapshot = ring.load();
    const RingKey* key = snapshot->find_by_id(key_id);
    if (!key) return fail(ErrorCode::unauthenticated, "the key has been revoked", {}, "sign in again");
    const auto project = snapshot->projects().find(key->project);
    return Viewer{.project = key->project,
                  .project_name = project == snapshot->projects().end() ? key->project : project->second.name,
                  .role = key->role,
                  .actor = key->id,
                  .actor_name = key->name,
                  .is_session = is_session,
                  .csrf_header = std::string(csrf_header)};
  }

  std::string cookie(std::string_view value, std::int64_t max_age_s) const {
    return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", session_cookie, value, max_age_s,
                       options.secure_cookies ? "; Secure" : "");
  }

  /// Opens the session in the tables and publishes it. Blocks.
  core::Result<OpenedSession> open_session(const SignIn& sign_in, const std::string& client_address) {
    const core::Time now = clock.now();
    const std::string secret = core::random_token(32);
    const auto lifetime = std::chrono::seconds(options.session_lifetime);
    StoredSession session{.hash = core::sha256_hex(secret),
                          .key_id = {},
                          .created_ns = now.ns,
                          .expires_ns = now.ns + std::chrono::nanoseconds(lifetime).count()};
    if (sign_in.key) {
      const auto snapshot = ring.load();
      const RingKey* key = snapshot->find_key(*sign_in.key, now);
      if (!key) return std::unexpected(refusal(client_address, now));
      session.key_id = key->id;
      VOLAN_TRY_VOID(store.insert_session(session, options.sessions_per_key_max));
    } else {
      auto redeemed = store.redeem_sign_in_token(core::sha256_hex(*sign_in.token), session, now, options.sessions_per_key_max);
      if (!redeemed) {
        if (redeemed.error().code != ErrorCode::unauthenticated) return std::unexpected(std::move(redeemed).error());
        core::Error refused_error = refusal(client_address, now);
        return std::unexpected(refused_error.code == ErrorCode::resource_exhausted ? std::move(refused_error)
                                                                                   : std::move(redeemed).error());
      }
      session.key_id = *std::move(redeemed);
    }
    VOLAN_TRY_VOID(publish());
    VOLAN_TRY(auto viewer, viewer_of(session.key_id, true));
    log_change(log, "session_opened", viewer.project, viewer.actor);
    return OpenedSession{.cookie = cookie(secret, lifetime.count()), .viewer = std::move(viewer)};
  }

  core::Result<> close_session(std::string_view secret) {
    VOLAN_TRY_VOID(store.remove_session(core::sha256_hex(secret)));
    return publish();
  }

  core::Result<CreatedKey> create_key(std::string project, NewKey wanted) {
    VOLAN_TRY_VOID(check_name(wanted.name));
    const core::Time now = clock.now();
    if (wanted.expires && *wanted.expires <= now)
      return fail(ErrorCode::invalid_argument, "this time has passed", "expires", "leave it out for a key that does not expire");
    MadeKey made = make_key(std::move(project), std::move(wanted.name), wanted.role, wanted.expires, now);
    VOLAN_TRY_VOID(store.insert_key(made.stored));
    VOLAN_TRY_VOID(publish());
    log_change(log, "key_created", made.stored.project, made.stored.info.id);
    return CreatedKey{.info = std::move(made.stored.info), .key = std::move(made.key)};
  }

  core::Result<> revoke_key(const std::string& project, const std::string& id) {
    VOLAN_TRY_VOID(store.revoke_key(project, id, clock.now()));
    log_change(log, "key_revoked", project, id);
    return publish();
  }

  core::Result<CreatedProject> create_project(const net::Principal& principal, NewProject wanted) {
    if (principal.project != default_project || principal.role != net::Access::admin)
      return fail(ErrorCode::permission_denied, "only an admin of the project `default` creates projects");
    VOLAN_TRY_VOID(check_project_id(wanted.id));
    std::string name = wanted.name.value_or(wanted.id);
    VOLAN_TRY_VOID(check_name(name));
    const core::Time now = clock.now();
    Project project{.id = wanted.id, .name = std::move(name), .created = now};
    MadeKey made = make_key(project.id, "first admin key", Role::admin, std::nullopt, now);
    VOLAN_TRY_VOID(store.insert_project(project, made.stored));
    VOLAN_TRY_VOID(publish());
    log_change(log, "project_created", project.id, made.stored.info.id);
    return CreatedProject{.project = std::move(project), .admin_key = {.info = std::move(made.stored.info), .key = std::move(made.key)}};
  }

  core::Result<std::size_t> refresh() {
    const auto snapshot = ring.load();
    std::vector<std::pair<std::string, std::int64_t>> uses;
    for (const auto& [id, key] : snapshot->keys()) {
      const std::int64_t used_ns = key.last_used_ns->load(std::memory_order_relaxed);
      if (used_ns > key.last_used_written_ns) uses.emplace_back(id, used_ns);
    }
    if (!uses.empty()) VOLAN_TRY_VOID(store.set_last_used(uses));
    VOLAN_TRY_VOID(store.remove_expired(clock.now()));
    VOLAN_TRY_VOID(publish());
    return uses.size();
  }

  std::unique_ptr<core::Periodic> refresher;  // last: stops first
};

Auth::Auth(std::shared_ptr<State> state) : state_(std::move(state)) {}

// The thread uses the database, which ends before an authenticator that somebody still holds.
Auth::~Auth() { state_->refresher.reset(); }

core::Result<std::unique_ptr<Auth>> Auth::open(storage::Database& database, core::Pools& pools, const core::Clock& clock,
                                               AuthOptions options, const core::Log& log, core::Metrics& metrics) {
  core::assert_may_block();
  auto state = std::make_shared<State>(database, pools, clock, std::move(options), log, metrics);
  VOLAN_TRY_VOID(state->store.migrate());
  VOLAN_TRY_VOID(state->bootstrap());
  VOLAN_TRY_VOID(state->publish());
  State* raw = state.get();
  state->refresher = std::make_unique<core::Periodic>(state->options.refresh_interval, [raw] {
    if (const auto done = raw->refresh(); !done) raw->log.warn("auth_refresh_failed", {{"error", core::to_text(done.error())}});
  });
  return std::unique_ptr<Auth>(new Auth(std::move(state)));
}

net::Authenticator Auth::authenticator() const {
  return [state = state_](const net::Request& request) { return state->authenticate(request); };
}

core::Result<std::string> Auth::create_sign_in_token() {
  core::assert_may_block();
  std::string token = core::random_token(32);
  const core::Time now = state_->clock.now();
  const core::Time expires{now.ns + std::chrono::nanoseconds(state_->options.sign_in_lifetime).count()};
  VOLAN_TRY_VOID(state_->store.insert_sign_in_token(std::string(default_project), core::sha256_hex(token), now, expires));
  return token;
}

core::Task<OpenedSession> Auth::sign_in(SignIn sign_in, std::string client_address) {
  if (sign_in.key.has_value() == sign_in.token.has_value())
    co_return fail(ErrorCode::invalid_argument, "expected either `key` or `token`", "key");
  co_return co_await state_->pools.on_disk([&] { return state_->open_session(sign_in, client_address); });
}

core::Task<std::string> Auth::sign_out(std::string cookie_header) {
  const auto secret = session_of(cookie_header);
  if (!secret) co_return fail(ErrorCode::invalid_argument, "this request has no session to end", {}, "a key is ended by revoking it");
  VOLAN_CO_TRY_VOID(co_await state_->pools.on_disk([&] { return state_->close_session(*secret); }));
  co_return state_->cookie("", 0);
}

core::Result<Viewer> Auth::viewer(const net::Principal& principal) const {
  return state_->viewer_of(principal.actor, principal.is_session);
}

core::Task<KeyList> Auth::keys(std::string project) {
  VOLAN_CO_TRY(auto keys, co_await state_->pools.on_disk([&] { return state_->store.keys_of(project); }));
  // What was used since the last write is known here already.
  const auto snapshot = state_->ring.load();
  for (ApiKey& key : keys) {
    const RingKey* known = snapshot->find_by_id(key.id);
    const std::int64_t used_ns = known ? known->last_used_ns->load(std::memory_order_relaxed) : 0;
    if (used_ns > 0 && (!key.last_used || key.last_used->ns < used_ns)) key.last_used = core::Time{used_ns};
  }
  co_return KeyList{std::move(keys)};
}

core::Task<CreatedKey> Auth::create_key(std::string project, NewKey key) {
  co_return co_await state_->pools.on_disk([&] { return state_->create_key(std::move(project), std::move(key)); });
}

core::Task<> Auth::revoke_key(std::string project, std::string id) {
  co_return co_await state_->pools.on_disk([&] { return state_->revoke_key(project, id); });
}

core::Task<ProjectList> Auth::projects(net::Principal principal) {
  const auto snapshot = state_->ring.load();
  const bool sees_all = principal.project == default_project && principal.role == net::Access::admin;
  ProjectList list;
  for (const auto& [id, project] : snapshot->projects())
    if (sees_all || id == principal.project) list.projects.push_back(project);
  co_return list;
}

core::Task<CreatedProject> Auth::create_project(net::Principal principal, NewProject project) {
  co_return co_await state_->pools.on_disk([&] { return state_->create_project(principal, std::move(project)); });
}

core::Result<std::size_t> Auth::refresh() {
  core::assert_may_block();
  return state_->refresh();
}

}  // namespace volan::auth
