#include "auth/auth.hpp"

#include <sys/stat.h>

#include "auth/testing.hpp"
#include "core/ids.hpp"

namespace volan::auth {
namespace {

using core::ErrorCode;
using testing::run;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t minute_ns = 60 * second_ns;
constexpr std::int64_t day_ns = 24 * 60 * minute_ns;

class AuthStore : public testing::AuthTest {};
INSTANTIATE_TEST_SUITE_P(EachDatabase, AuthStore, storage::each_database(), storage::database_name);

// The first start leaves a private file with a key that works; the second start neither changes the key nor makes another.
TEST_P(AuthStore, MakesAnAdminKeyAtTheFirstStartOnly) {
  const std::string key = admin_key();
  EXPECT_TRUE(key.starts_with("vk_"));
  EXPECT_EQ(key.size(), 3 + 43u);
  struct stat status{};
  ASSERT_EQ(::stat(folder->file("admin.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto principal = with_key(key);
  ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->project, "default");
  EXPECT_EQ(principal->role, net::Access::admin);
  EXPECT_FALSE(principal->is_session);

  open();
  EXPECT_EQ(admin_key(), key);
  EXPECT_TRUE(with_key(key).has_value());
  EXPECT_EQ(run(pools, auth->keys("default"))->keys.size(), 1u);
}

// A kill between the file and the database leaves a file without a key: the next start must leave a key that works.
TEST_P(AuthStore, ReplacesAnAdminKeyFileThatNoDatabaseKnows) {
  auth.reset();
  ASSERT_TRUE(database
                  ->transaction([](storage::Transaction& transaction) -> core::Result<> {
                    VOLAN_TRY([[maybe_unused]] auto keys, transaction.execute("DELETE FROM auth_keys"));
                    return {};
                  })
                  .has_value());
  const std::string orphan = admin_key();
  open();
  EXPECT_NE(admin_key(), orphan);
  EXPECT_TRUE(with_key(admin_key()).has_value());
  EXPECT_FALSE(with_key(orphan).has_value());
}

TEST_P(AuthStore, RefusesWhatIsNotAKey) {
  net::Request nothing;
  EXPECT_EQ(auth->authenticator()(nothing).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(with_key("vk_wrong").error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(call("authorization", "Bearer ").error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(call("cookie", "volan_session=" + admin_key()).error().code, ErrorCode::unauthenticated);  // a key is no session
  EXPECT_EQ(with_key(core::sha256_hex(admin_key())).error().code, ErrorCode::unauthenticated);         // a stored hash opens nothing
}

// A created key works at once and after a restart; only its hash is stored.
TEST_P(AuthStore, KeepsACreatedKeyAndNeverShowsItAgain) {
  const CreatedKey created = create_key(Role::member);
  EXPECT_TRUE(created.key.starts_with(created.info.prefix));
  EXPECT_EQ(with_key(created.key)->role, net::Access::member);
  EXPECT_EQ(with_key(created.key)->actor, created.info.id);
  open();
  EXPECT_EQ(with_key(created.key)->actor, created.info.id);
  const auto rows = database->query("SELECT * FROM auth_keys");
  ASSERT_TRUE(rows.has_value());
  for (const auto& row : *rows)
    for (const auto& value : row.values)
      if (const auto* text = std::get_if<std::string>(&value)) {
        EXPECT_EQ(text->find(created.key.substr(9)), std::string::npos);
      }
}

TEST_P(AuthStore, RefusesBadKeys) {
  const auto named = [&](std::string name, std::optional<core::Time> expires) {
    return run(pools, auth->create_key("default", {.name = std::move(name), .role = Role::viewer, .expires = expires}));
  };
  EXPECT_EQ(named("", {}).error().path, "name");
  EXPECT_EQ(named(std::string(101, 'x'), {}).error().path, "name");
  EXPECT_EQ(named("x", clock.now()).error().path, "expires");
}

TEST_P(AuthStore, EndsAKeyWhenItExpires) {
  const CreatedKey created = create_key(Role::viewer, core::Time{clock.now().ns + minute_ns});
  EXPECT_TRUE(with_key(created.key).has_value());
  clock.advance_ns(minute_ns);
  EXPECT_EQ(with_key(created.key).error().code, ErrorCode::unauthenticated);
}

// Revoking is felt at once, by the key and by the sessions that it opened, and lasts.
TEST_P(AuthStore, EndsAKeyAndItsSessionsWhenItIsRevoked) {
  const CreatedKey created = create_key(Role::member);
  const auto opened = run(pools, auth->sign_in({.key = created.key, .token = {}}, "10.0.0.1"));
  ASSERT_TRUE(opened.has_value());
  const std::string cookie = cookie_of(opened->cookie);
  EXPECT_TRUE(call("cookie", cookie).has_value());
  ASSERT_TRUE(run(pools, auth->revoke_key("default", created.info.id)).has_value());
  EXPECT_FALSE(with_key(created.key).has_value());
  EXPECT_FALSE(call("cookie", cookie).has_value());
  EXPECT_EQ(run(pools, auth->revoke_key("default", created.info.id)).error().code, ErrorCode::not_found);
  open();
  EXPECT_FALSE(with_key(created.key).has_value());
  const auto keys = run(pools, auth->keys("default"));
  EXPECT_TRUE(keys->keys.at(0).revoked.has_value() || keys->keys.at(1).revoked.has_value());
}

// An admin key that expires does not count: after it, nobody could get in.
TEST_P(AuthStore, KeepsTheLastAdminKey) {
  const std::string first = run(pools, auth->keys("default"))->keys.at(0).id;
  create_key(Role::member);
  create_key(Role::admin, core::Time{clock.now().ns + day_ns});
  const auto refused = run(pools, auth->revoke_key("default", first));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_TRUE(with_key(admin_key()).has_value());
  create_key(Role::admin);
  EXPECT_TRUE(run(pools, auth->revoke_key("default", first)).has_value());
}

TEST_P(AuthStore, SignsInOnceByLink) {
  const auto token = auth->create_sign_in_token();
  ASSERT_TRUE(token.has_value());
  const auto opened = run(pools, auth->sign_in({.key = {}, .token = *token}, "10.0.0.1"));
  ASSERT_TRUE(opened.has_value()) << core::to_text(opened.error());
  EXPECT_EQ(opened->viewer.role, Role::admin);
  EXPECT_TRUE(opened->viewer.is_session);
  EXPECT_EQ(opened->viewer.csrf_header, "X-Volan-CSRF");
  EXPECT_NE(opened->cookie.find("; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000"), std::string::npos);
  EXPECT_EQ(opened->cookie.find("Secure"), std::string::npos);
  const auto principal = call("cookie", cookie_of(opened->cookie));
  ASSERT_TRUE(principal.has_value());
  EXPECT_TRUE(principal->is_session);
  const auto again = run(pools, auth->sign_in({.key = {}, .token = *token}, "10.0.0.1"));
  EXPECT_EQ(again.error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(again.error().path, "token");
}

TEST_P(AuthStore, RefusesALinkThatIsTooOld) {
  const auto token = auth->create_sign_in_token();
  clock.advance_ns(15 * minute_ns);
  EXPECT_EQ(run(pools, auth->sign_in({.key = {}, .token = *token}, "10.0.0.1")).error().code, ErrorCode::unauthenticated);
}

TEST_P(AuthStore, WantsEitherAKeyOrALink) {
  EXPECT_EQ(run(pools, auth->sign_in({}, "10.0.0.1")).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(run(pools, auth->sign_in({.key = "a", .token = "b"}, "10.0.0.1")).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(run(pools, auth->sign_in({.key = "a", .token = {}}, "10.0.0.1")).error().code, ErrorCode::unauthenticated);
}

// A session outlives a restart, ends after its lifetime, and leaves the tables then.
TEST_P(AuthStore, KeepsASessionForItsLifetime) {
  const auto opened = run(pools, auth->sign_in({.key = admin_key(), .token = {}}, "10.0.0.1"));
  const std::string cookie = cookie_of(opened->cookie);
  open();
  clock.advance_ns(30 * day_ns - second_ns);
  EXPECT_TRUE(call("cookie", cookie).has_value());
  clock.advance_ns(second_ns);
  EXPECT_EQ(call("cookie", cookie).error().code, ErrorCode::unauthenticated);
  ASSERT_TRUE(auth->refresh().has_value());
  EXPECT_EQ(database->query("SELECT hash FROM auth_sessions")->size(), 0u);
}

TEST_P(AuthStore, SignsOut) {
  const auto opened = run(pools, auth->sign_in({.key = admin_key(), .token = {}}, "10.0.0.1"));
  const std::string cookie = cookie_of(opened->cookie);
  const auto cleared = run(pools, auth->sign_out("theme=dark; " + cookie));
  ASSERT_TRUE(cleared.has_value());
  EXPECT_TRUE(cleared->starts_with("volan_session=; "));
  EXPECT_NE(cleared->find("Max-Age=0"), std::string::npos);
  EXPECT_FALSE(call("cookie", cookie).has_value());
  EXPECT_EQ(run(pools, auth->sign_out("theme=dark")).error().code, ErrorCode::invalid_argument);
}

TEST_P(AuthStore, EndsTheOldestSessionBeyondTheLimit) {
  options.sessions_per_key_max = 2;
  options.secure_cookies = true;
  open();
  std::vector<std::string> cookies;
  for (int i = 0; i < 3; ++i) {
    clock.advance_ns(second_ns);
    const auto opened = run(pools, auth->sign_in({.key = admin_key(), .token = {}}, "10.0.0.1"));
    EXPECT_TRUE(opened->cookie.ends_with("; Secure"));
    cookies.push_back(cookie_of(opened->cookie));
  }
  EXPECT_FALSE(call("cookie", cookies[0]).has_value());
  EXPECT_TRUE(call("cookie", cookies[1]).has_value());
  EXPECT_TRUE(call("cookie", cookies[2]).has_value());
}

// Guessing is slowed down per address, while a valid key passes from the same address.
TEST_P(AuthStore, SlowsGuessingButNeverAValidKey) {
  options.failures_per_minute_max = 3;
  open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(with_key("vk_guess").error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(with_key("vk_guess").error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(run(pools, auth->sign_in({.key = {}, .token = "guess"}, "10.0.0.1")).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(with_key(admin_key()).has_value());
  EXPECT_EQ(call("authorization", "Bearer vk_guess", "10.0.0.2").error().code, ErrorCode::unauthenticated);
  clock.advance_ns(minute_ns);
  EXPECT_EQ(with_key("vk_guess").error().code, ErrorCode::unauthenticated);
}

// Requests only note the time; one write per used key follows, and none without use.
TEST_P(AuthStore, WritesLastUsedInTheBackgroundAndOnlyWhenUsed) {
  const CreatedKey created = create_key(Role::member);
  EXPECT_EQ(*auth->refresh(), 0u);
  clock.advance_ns(minute_ns);
  const core::Time used = clock.now();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(with_key(created.key).has_value());
  const auto last_used = [&](const std::string& id) {
    const auto listed = run(pools, auth->keys("default"));
    for (const ApiKey& key : listed->keys)
      if (key.id == id) return key.last_used;
    return std::optional<core::Time>();
  };
  EXPECT_EQ(last_used(created.info.id), used);  // known before it is written
  EXPECT_EQ(*auth->refresh(), 1u);
  EXPECT_EQ(*auth->refresh(), 0u);
  open();
  EXPECT_EQ(last_used(created.info.id), used);
}

// Two servers on one database: what the other one revoked ends here with the next refresh.
TEST_P(AuthStore, LearnsWhatAnotherServerRevoked) {
  const CreatedKey created = create_key(Role::member);
  auto other = Auth::open(*database, pools, clock, options, log, metrics);
  ASSERT_TRUE(other.has_value());
  ASSERT_TRUE(run(pools, (*other)->revoke_key("default", created.info.id)).has_value());
  EXPECT_TRUE(with_key(created.key).has_value());
  ASSERT_TRUE(auth->refresh().has_value());
  EXPECT_FALSE(with_key(created.key).has_value());
}

// Projects do not see each other's keys, and only an admin of `default` makes projects.
TEST_P(AuthStore, SeparatesProjects) {
  const auto admin = with_key(admin_key());
  const auto created = run(pools, auth->create_project(*admin, {.id = "team-a", .name = "Team A"}));
  ASSERT_TRUE(created.has_value()) << core::to_text(created.error());
  const auto stranger = with_key(created->admin_key.key);
  ASSERT_TRUE(stranger.has_value());
  EXPECT_EQ(stranger->project, "team-a");
  EXPECT_EQ(auth->viewer(*stranger)->project_name, "Team A");

  const std::string first = run(pools, auth->keys("default"))->keys.at(0).id;
  EXPECT_EQ(run(pools, auth->keys("team-a"))->keys.size(), 1u);
  EXPECT_EQ(run(pools, auth->revoke_key("team-a", first)).error().code, ErrorCode::not_found);
  EXPECT_EQ(run(pools, auth->projects(*stranger))->projects.size(), 1u);
  EXPECT_EQ(run(pools, auth->projects(*admin))->projects.size(), 2u);
  EXPECT_EQ(run(pools, auth->create_project(*stranger, {.id = "team-b", .name = {}})).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(run(pools, auth->create_project(*admin, {.id = "team-a", .name = {}})).error().code, ErrorCode::conflict);
  for (const char* id : {"", "A", "1a", "a_b", "-a"})
    EXPECT_EQ(run(pools, auth->create_project(*admin, {.id = id, .name = {}})).error().code, ErrorCode::invalid_argument) << id;
}

}  // namespace
}  // namespace volan::auth
