// Goal: UTF-8 is told from other bytes and never cut. Method: tables of sequences, the ill-formed ones of Unicode 15 section 3.9 among
// them.
#include "core/text.hpp"

#include <gtest/gtest.h>

namespace volan::core {
namespace {

TEST(Text, TellsValidFromInvalidUtf8) {
  for (const char* good : {"", "a", "é", "€", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "a\xC3", "\xE2\x82"})
    EXPECT_FALSE(is_valid_utf8(bad)) << testing::PrintToString(std::string(bad));
}

TEST(Text, ReplacesEachMaximalIllFormedPart) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(make_valid_utf8("a é"), "a é");
  EXPECT_EQ(make_valid_utf8("x\xE2\x82y"), "x" + r + "y");  // one cut sequence
  EXPECT_EQ(make_valid_utf8("\xE2\x82"), r);                // cut at the end
  EXPECT_EQ(make_valid_utf8("\xC0\xAF"), r + r);            // overlong
  EXPECT_EQ(make_valid_utf8("\xED\xA0\x80"), r + r + r);    // a surrogate
  EXPECT_EQ(make_valid_utf8("\xF0\x9F\x98\xFF😀"), r + r + "😀");
  EXPECT_EQ(make_valid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), r + r + r + r + r + "A" + r + r + "B");
}

TEST(Text, MakesEveryTwoAndThreeByteSequenceValid) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b)
      for (const char c : {'\x41', '\x80', '\xBF', '\xE2'}) {
        const char bytes[] = {static_cast<char>(a), static_cast<char>(b), c};
        EXPECT_TRUE(is_valid_utf8(make_valid_utf8({bytes, 3}))) << a << ' ' << b;
      }
}

TEST(Text, CutsBetweenCodePoints) {
  EXPECT_EQ(truncate_utf8("aé€😀", 100), "aé€😀");
  EXPECT_EQ(truncate_utf8("aé", 2), "a");
  EXPECT_EQ(truncate_utf8("aé", 3), "aé");
  for (std::size_t max : {0u, 1u, 2u, 3u}) EXPECT_EQ(truncate_utf8("😀", max), "");
  EXPECT_EQ(truncate_utf8("😀x", 4), "😀");
}

TEST(Text, FindsTheNearestWord) {
  const std::string_view words[] = {"model", "messages", "max_tokens", "mode"};
  EXPECT_EQ(nearest_of("modle", words), "model");  // a swap counts once
  EXPECT_EQ(nearest_of("mesages", words), "messages");
  EXPECT_EQ(nearest_of("max-tokens", words), "max_tokens");
  EXPECT_EQ(nearest_of("mode", words), "mode");
  EXPECT_EQ(nearest_of("zebra", words), std::nullopt);
  EXPECT_EQ(nearest_of("", words), std::nullopt);
  EXPECT_EQ(nearest_of(std::string(65, 'm'), words), std::nullopt);
  EXPECT_EQ(nearest_of("model", {}), std::nullopt);
}

}  // namespace
}  // namespace volan::core
