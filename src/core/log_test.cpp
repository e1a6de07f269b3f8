// Goal: one valid line per event whatever the values hold. Method: standard error is captured and read back.
#include "core/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/json.hpp"

namespace volan::core {
namespace {

template <class F>
std::string captured(F write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesJsonLinesWithEscapedFields) {
  const std::string text = captured([] {
    Log().warn(
        "provider_retry",
        {{"provider", "a\"b\n\xff"}, {"attempt", 3}, {"ratio", 0.5}, {"is_last", true}, {"bytes", std::uint64_t{18446744073709551615u}}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto line = parse_json(text);
  ASSERT_TRUE(line) << text;
  EXPECT_EQ(line->at("level"), "warn");
  EXPECT_EQ(line->at("event"), "provider_retry");
  EXPECT_EQ(line->at("provider"), "a\"b\n\xEF\xBF\xBD");
  EXPECT_EQ(line->at("attempt"), 3);
  EXPECT_EQ(line->at("is_last"), true);
  EXPECT_TRUE(line->at("bytes").is_uint64());
  EXPECT_TRUE(decode_json<Time>(encode_json(std::string(line->at("time").as_string()))));
}

TEST(Log, WritesReadableLines) {
  const std::string text = captured(
      [] { Log(LogLevel::debug, Log::Format::text).debug("start", {{"a", "plain"}, {"b", "two words"}, {"c", ""}, {"d", "x\ny"}}); });
  EXPECT_THAT(text, testing::MatchesRegex("[0-9:.]+ debug start a=plain b=\"two words\" c=\"\" d=\"x\\\\ny\"\n"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(captured([] { Log(LogLevel::warn).info("quiet"); }), "");
  EXPECT_NE(captured([] { Log(LogLevel::warn).error("loud"); }), "");
  EXPECT_EQ(captured([] { Log(LogLevel::off).error("off"); }), "");
}

}  // namespace
}  // namespace volan::core
