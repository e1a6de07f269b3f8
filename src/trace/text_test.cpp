#include "trace/text.hpp"

#include <gtest/gtest.h>

#include "core/json.hpp"
#include "core/text.hpp"
#include "trace/bounds.hpp"

namespace volan::trace {
namespace {

TEST(Preview, ShowsTheTextOfAJsonString) {
  EXPECT_EQ(preview_of(R"("Hello\n\tworld")"), "Hello world");
  EXPECT_EQ(preview_of(R"("say \"hi\" \\ \/ \u00e9 \ud83d\ude00")"), "say \"hi\" \\ / \xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(preview_of(R"("lone \ud83d here")"), "lone \xEF\xBF\xBD here");
  EXPECT_EQ(preview_of(""), "");
  EXPECT_EQ(preview_of("42"), "42");
}

TEST(Preview, ShowsTheLastMessageOfAChat) {
  EXPECT_EQ(preview_of(R"([{"role":"system","content":"Be brief."},{"role":"user","content":"What is a \"stream\"?"}])"),
            "What is a \"stream\"?");
  EXPECT_EQ(preview_of(R"({"query":"stream buffers","k":5})"), R"({"query":"stream buffers","k":5})");
  // The word inside of an escaped text is no field.
  EXPECT_EQ(preview_of(R"(["a \"content\":\"b"])"), R"(["a \"content\":\"b"])");
}

// Cut at characters, never inside one, and never longer than asked, also for broken JSON.
TEST(Preview, IsBounded) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "\xC3\xA9 ";
  EXPECT_EQ(preview_of("\"" + many + "\"", 5), "\xC3\xA9 \xC3\xA9 \xC3\xA9");
  for (const std::string_view broken : {"\"", "\"\\", "\"\\u12", "\"\xFF\xFE", "[\"content\":\"", "\"\\ud800\\u"}) {
    const std::string preview = preview_of(broken, 3);
    EXPECT_TRUE(core::is_valid_utf8(preview));
    EXPECT_LE(preview.size(), 12u);
  }
}

TEST(JsonQuoted, MakesValidJsonOfAnyBytes) {
  for (const std::string_view text : {std::string_view("a\"b\\c\n\x01"), std::string_view("\xFF\xC3"), std::string_view("\0x", 2)})
    EXPECT_TRUE(core::parse_json(json_quoted(text)).has_value());
}

Span good_span() {
  Span span;
  span.name = "answer";
  span.input.text = "\"in\"";
  span.attributes["a"].text = "1";
  return span;
}

TEST(Bounds, LeaveAGoodSpanAlone) {
  Span span = good_span();
  EXPECT_TRUE(is_within_bounds(span));
  EXPECT_EQ(cut_to_bounds(span), 0u);
  EXPECT_EQ(span.input.text, "\"in\"");
  EXPECT_EQ(span.attributes.size(), 1u);
}

// A value that is too long becomes a JSON string of its beginning, and an attribute tells how long it was.
TEST(Bounds, CutLongValuesWithAMark) {
  Span span = good_span();
  span.input.text = "\"" + std::string(span_value_bytes_max, 'x') + "\"";
  span.attributes["big"].text = "[" + std::string(2 * span_value_bytes_max, ' ') + "]";
  EXPECT_FALSE(is_within_bounds(span));
  EXPECT_EQ(cut_to_bounds(span), 2u);
  EXPECT_EQ(span.attributes.at("volan.cut.input").text, std::to_string(span_value_bytes_max + 2));
  EXPECT_EQ(span.attributes.at("volan.cut.big").text, std::to_string(2 * span_value_bytes_max + 2));
  for (const std::string& json : {span.input.text, span.attributes.at("big").text}) {
    const auto parsed = core::parse_json(json);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->is_string());
  }
}

// Whatever a module records, the result can be stored: within the limits, well-formed.
TEST(Bounds, RepairNamesErrorsAndAttributes) {
  Span span = good_span();
  span.name = std::string(span_name_bytes_max + 1, 'n');
  span.error = "broken \xFF" + std::string(span_error_bytes_max, 'e');
  span.user_id = "\xC3";
  for (std::size_t i = 0; i < span_attributes_max + 10; ++i) span.attributes["k" + std::to_string(i)].text = "1";
  EXPECT_FALSE(is_within_bounds(span));
  EXPECT_GT(cut_to_bounds(span), 10u);
  EXPECT_EQ(span.user_id, "\xEF\xBF\xBD");
  EXPECT_EQ(span.attributes.at("volan.cut.attributes").text, std::to_string(span_attributes_max + 11));
  EXPECT_EQ(span.name.size(), span_name_bytes_max);
}

}  // namespace
}  // namespace volan::trace
