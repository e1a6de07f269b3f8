// Goal: hashes and ids have the standard values and shapes. Method: the test vectors of the standards, and many ids.
#include "core/ids.hpp"

#include <gtest/gtest.h>

#include <set>

namespace volan::core {
namespace {

TEST(Ids, HashesAsTheStandardSays) {
  // FIPS 180-4, example "abc".
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc")[0], 0xba);
  EXPECT_EQ(Sha256().add("a").add("bc").hex(), sha256_hex("abc"));
}

TEST(Ids, HashesPartsSoThatTheirBoundariesCount) {
  EXPECT_NE(Sha256().add_part("ab").add_part("c").hex(), Sha256().add_part("a").add_part("bc").hex());
  Sha256 first;
  first.add("abc");
  Sha256 moved = std::move(first);
  EXPECT_EQ(moved.hex(), sha256_hex("abc"));
}

TEST(Ids, ComputesCrc32cWithAndWithoutTheInstruction) {
  // RFC 3720, appendix B.4, and the customary check value of "123456789".
  for (const auto crc : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(crc("123456789", 0), 0xE3069283u);
    EXPECT_EQ(crc(std::string(32, '\0'), 0), 0x8A9136AAu);
    EXPECT_EQ(crc(std::string(32, '\xff'), 0), 0x62A8AB43u);
    EXPECT_EQ(crc("56789", crc("1234", 0)), 0xE3069283u);
    EXPECT_EQ(crc("", 0), 0u);
  }
}

TEST(Ids, MakesIdsThatAreUniqueAndOrderedByTime) {
  std::set<std::string> ids;
  std::string before;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = new_id();
    ASSERT_EQ(id.size(), 32u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(id[12], '7');
    EXPECT_NE(std::string("89ab").find(id[16]), std::string::npos);
    EXPECT_LE(before.substr(0, 12), id.substr(0, 12));
    before = id;
    EXPECT_TRUE(ids.insert(id).second);
    EXPECT_TRUE(ids.insert(new_span_id()).second);
  }
}

TEST(Ids, MakesTokensOfTheAskedSize) {
  EXPECT_EQ(random_token(32).size(), 43u);
  EXPECT_EQ(random_token(0), "");
  EXPECT_NE(random_token(), random_token());
  EXPECT_EQ(random_token(300).find_first_of("+/="), std::string::npos);
}

TEST(Ids, EncodesBase64) {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> cases[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                       {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(base64(bytes), text);
  EXPECT_EQ(base64("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64_url("\xfb\xff"), "-_8");
}

TEST(Ids, ComparesInConstantTime) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
  EXPECT_TRUE(equal_constant_time("", ""));
}

}  // namespace
}  // namespace volan::core
