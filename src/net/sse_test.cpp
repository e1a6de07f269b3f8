// Goal: events come out the same however the bytes are cut. Method: each stream is fed whole and byte by byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.hpp"

namespace volan::net {
namespace {

std::vector<std::string> events(std::string_view stream, std::size_t piece) {
  SseParser parser;
  std::vector<SseParser::Event> out;
  for (std::size_t at = 0; at < stream.size(); at += piece) EXPECT_TRUE(parser.feed(stream.substr(at, piece), out));
  std::vector<std::string> texts;
  for (const auto& event : out) texts.push_back(event.type + "|" + event.data + "|" + event.id);
  return texts;
}

void expect_events(std::string_view stream, const std::vector<std::string>& expected) {
  for (const std::size_t piece : {stream.size(), std::size_t{1}, std::size_t{3}}) EXPECT_EQ(events(stream, piece), expected) << stream << " in pieces of " << piece;
}

TEST(SseParser, EndsLinesInEveryWay) {
  expect_events("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\n", {"|a|", "|b|", "|c|", "|d|"});
}

TEST(SseParser, JoinsDataLinesAndDropsOneSpace) {
  expect_events("data:  a\ndata\ndata:b\n\n", {"| a\n\nb|"});
}

TEST(SseParser, KnowsTypesAndIds) {
  expect_events("event: x\nid: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n", {"x|1|7", "|2|7", "|3|"});
}

TEST(SseParser, IgnoresCommentsUnknownFieldsAndEventsWithoutData) {
  expect_events(": ping\n\nretry: 5\nfoo: bar\nevent: y\n\ndata: 1\n\n", {"|1|"});
}

TEST(SseParser, DropsAByteOrderMarkAndAnUnfinishedEvent) {
  expect_events("\xEF\xBB\xBF" "data: 1\n\ndata: 2\n", {"|1|"});
}

TEST(SseParser, RefusesAnEventBeyondItsLimit) {
  SseParser parser;
  parser.event_bytes_max = 10;
  std::vector<SseParser::Event> out;
  EXPECT_TRUE(parser.feed("data: 1234", out));
  const auto refused = parser.feed("5", out);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, core::ErrorCode::too_large);
}

}  // namespace
}  // namespace volan::net
