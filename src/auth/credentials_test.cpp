#include "auth/credentials.hpp"

#include <gtest/gtest.h>

#include "auth/failures.hpp"
#include "core/ids.hpp"

namespace volan::auth {
namespace {

Credential of(std::initializer_list<std::pair<std::string, std::string>> fields) {
  net::Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return credential_of(headers);
}

std::string key_of(std::initializer_list<std::pair<std::string, std::string>> fields) {
  const Credential credential = of(fields);
  return credential.kind == Credential::Kind::key ? credential.secret : "no key";
}

// Each place where existing clients put a key.
TEST(Credentials, AreFoundWhereClientsPutThem) {
  EXPECT_EQ(key_of({{"Authorization", "Bearer vk_a"}}), "vk_a");
  EXPECT_EQ(key_of({{"authorization", "bearer  vk_a "}}), "vk_a");
  EXPECT_EQ(key_of({{"X-Api-Key", "vk_b"}}), "vk_b");
  EXPECT_EQ(key_of({{"api-key", "vk_c"}}), "vk_c");
  EXPECT_EQ(key_of({{"authorization", "Basic " + core::base64("public:vk_d")}}), "vk_d");
  EXPECT_EQ(key_of({{"authorization", "Basic " + core::base64("vk_e:")}}), "vk_e");
  EXPECT_EQ(of({{"cookie", "a=b; volan_session=s1; c=d"}}).kind, Credential::Kind::session);
  EXPECT_EQ(of({{"cookie", "a=b; volan_session=s1; c=d"}}).secret, "s1");
  EXPECT_EQ(of({}).kind, Credential::Kind::none);
}

// A header that names a key wins over the cookie even when it is unusable, so that a request is never answered with other rights than it
// asked for.
TEST(Credentials, NeverFallBackFromABadHeaderToTheCookie) {
  for (const char* header : {"Digest x", "Bearer", "Basic !!!!", "Basic", "", "Basic bm9jb2xvbg=="}) {
    const Credential credential = of({{"authorization", header}, {"cookie", "volan_session=s1"}});
    EXPECT_EQ(credential.kind, Credential::Kind::key) << header;
    EXPECT_EQ(credential.secret, "") << header;
  }
  EXPECT_EQ(key_of({{"authorization", "Bearer vk_a"}, {"x-api-key", "vk_b"}, {"cookie", "volan_session=s"}}), "vk_a");
}

TEST(Credentials, ReadTheSessionCookieByItsWholeName) {
  EXPECT_EQ(session_of("xvolan_session=a"), std::nullopt);
  EXPECT_EQ(session_of("volan_session2=a"), std::nullopt);
  EXPECT_EQ(session_of("volan_session"), std::nullopt);
  EXPECT_EQ(session_of("volan_session="), "");
  EXPECT_EQ(session_of(";;  ;volan_session=a=b"), "a=b");
}

// Against the encoder of core, for every length around the padding.
TEST(Credentials, DecodeBase64) {
  std::string bytes;
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(base64_decoded(core::base64(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  EXPECT_EQ(base64_decoded("YQ"), "a");
  EXPECT_EQ(base64_decoded("Y"), std::nullopt);
  EXPECT_EQ(base64_decoded("YQ==="), std::nullopt);
  EXPECT_EQ(base64_decoded("Y Q="), std::nullopt);
}

// A window of one minute per address; another address is not concerned; time frees the address again.
TEST(Failures, AreCountedPerAddressAndMinute) {
  Failures failures(3, 100);
  const core::Time start{60'000'000'000 * 100};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(failures.note("10.0.0.1", start));
  EXPECT_FALSE(failures.note("10.0.0.1", start));
  EXPECT_TRUE(failures.note("10.0.0.2", start));
  EXPECT_TRUE(failures.note("10.0.0.1", {start.ns + 60'000'000'000}));
}

// The table never grows beyond its bound; who does not fit in is over the limit.
TEST(Failures, KeepABoundedTable) {
  Failures failures(3, 2);
  const core::Time now{60'000'000'000};
  EXPECT_TRUE(failures.note("a", now));
  EXPECT_TRUE(failures.note("b", now));
  EXPECT_FALSE(failures.note("c", now));
  EXPECT_TRUE(failures.note("b", now));
}

}  // namespace
}  // namespace volan::auth
