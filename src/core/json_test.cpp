// Goal: every rule of the decoder and encoder. Method: one struct with every kind of member, texts in and errors out.
#include "core/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <limits>

namespace volan::core {
namespace {

enum class Colour { red, dark_green };
constexpr auto describe(const Colour*) { return names("Colour", name(Colour::red, "red"), name(Colour::dark_green, "dark_green")); }

struct Part {
  std::string kind;
  std::optional<std::int32_t> width;
  bool operator==(const Part&) const = default;
};
constexpr auto describe(const Part*) { return object("Part", field("kind", &Part::kind, "What it is."), field("width", &Part::width)); }

struct CarTag;
struct Car {
  Id<CarTag> id;
  std::string model;
  bool is_new = false;
  std::int64_t price = 0;
  std::uint64_t serial = 0;
  double weight = 0;
  Colour colour = Colour::red;
  Time built;
  std::vector<Part> parts;
  std::map<std::string, std::int32_t> stock;
  RawJson extra;
  bool operator==(const Car&) const = default;
};
constexpr auto describe(const Car*) {
  return object("Car", field("id", &Car::id), field("model", &Car::model, "Its name."), field("is_new", &Car::is_new),
                field("price", &Car::price), field("serial", &Car::serial), field("weight", &Car::weight), field("colour", &Car::colour),
                field("built", &Car::built), field("parts", &Car::parts), field("stock", &Car::stock), field("extra", &Car::extra));
}

struct Limits {
  static constexpr bool lenient_defaults = true;
  std::uint32_t calls = 7;
  std::vector<std::string> words = {"a"};
  Colour colour = Colour::dark_green;
};
constexpr auto describe(const Limits*) {
  return object("Limits", field("calls", &Limits::calls), field("words", &Limits::words), field("colour", &Limits::colour));
}

struct Tree {
  std::vector<Tree> children;
};
constexpr auto describe(const Tree*) { return object("Tree", field("children", &Tree::children)); }

struct Ask {
  std::string model;
  std::vector<Part> messages;
};
constexpr auto describe(const Ask*) { return object("Ask", field("model", &Ask::model), field("messages", &Ask::messages)); }

const char* const car_text =
    R"({"id":"c1","model":"T","is_new":true,"price":-5,"serial":18446744073709551615,"weight":1.5,"colour":"dark_green",)"
    R"("built":"1970-01-01T00:00:01.000000Z","parts":[{"kind":"wheel","width":3},{"kind":"door"}],"stock":{"a":1,"b":-2},"extra":{"x":[1,2.5,null,"é\n"]}})";

/// "path: message (fix)" of the error that decoding gives, or "decoded".
template <class T>
std::string error_of(std::string_view text, DecodeOptions options = {}) {
  const Result<T> result = decode_json<T>(text, options);
  return result ? "decoded" : std::string(name_of(result.error().code)) + " " + to_text(result.error());
}

TEST(Json, DecodesAndEncodesEveryKindOfMember) {
  const auto car = decode_json<Car>(car_text);
  ASSERT_TRUE(car) << to_text(car.error());
  EXPECT_EQ(car->serial, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(car->built.ns, 1'000'000'000);
  EXPECT_EQ(car->parts[1].width, std::nullopt);
  EXPECT_EQ(car->extra.text, R"({"x":[1,2.5,null,"é\n"]})");
  EXPECT_EQ(encode_json(*car), car_text);
}

TEST(Json, DecodesABoostValueLikeTheText) {
  const auto from_text = decode_json<Car>(car_text);
  const auto from_value = decode_json<Car>(boost::json::parse(car_text));
  ASSERT_TRUE(from_text && from_value);
  EXPECT_EQ(encode_json(*from_text).substr(0, 200), encode_json(*from_value).substr(0, 200));
  EXPECT_EQ(decode_json<Ask>(boost::json::parse(R"({"model":"m","messages":[{"kind":1}]})")).error().path, "messages[0].kind");
  EXPECT_FALSE(decode_json<Tree>(boost::json::parse(R"({"children":[{"children":[]}]})"), {.depth_max = 2}));
}

TEST(Json, NamesPathExpectationAndFindingOfAWrongType) {
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","messages":[{"kind":"a"},{"kind":"b"},{"kind":3}]})"),
            "invalid_argument messages[2].kind: expected string, found number (send a string)");
  EXPECT_EQ(error_of<Ask>(R"({"model":null})"), "invalid_argument model: expected string, found null (send a string)");
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","messages":{}})"), "invalid_argument messages: expected array, found object (send an array)");
  EXPECT_EQ(error_of<Ask>("[]"), "invalid_argument expected object, found array (send an object)");
  EXPECT_EQ(error_of<Part>(R"({"kind":"a","width":true})"), "invalid_argument width: expected integer, found boolean (send an integer)");
  EXPECT_EQ(error_of<Part>(R"({"kind":"a","width":1.5})"), "invalid_argument width: expected integer, found number (send an integer)");
  EXPECT_EQ(error_of<std::vector<bool>>(R"([true,"x"])"), "invalid_argument [1]: expected boolean, found string (send a boolean)");
  EXPECT_EQ(error_of<double>(R"("x")"), "invalid_argument expected number, found string (send a number)");
  EXPECT_EQ((error_of<std::map<std::string, bool>>(R"({"a":{}})")), "invalid_argument a: expected boolean, found object (send a boolean)");
}

TEST(Json, SaysWhichRequiredFieldIsMissing) {
  EXPECT_EQ(error_of<Ask>("{}"), "invalid_argument model: required field is missing");
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","messages":[{}]})"), "invalid_argument messages[0].kind: required field is missing");
}

TEST(Json, NamesTheNearestFieldForAnUnknownOne) {
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","mesages":[]})"), R"(invalid_argument mesages: unknown field (did you mean "messages"?))");
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","zzz":[]})"), "invalid_argument zzz: unknown field (valid fields: model, messages)");
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","zzz":[]})", {.unknown = UnknownFields::ignore}), "decoded");
}

TEST(Json, RefusesIntegersOutOfRange) {
  EXPECT_EQ(error_of<std::int32_t>("2147483648"),
            "invalid_argument the number is out of range (send an integer from -2147483648 to 2147483647)");
  EXPECT_EQ(error_of<std::uint64_t>("-1"), "invalid_argument the number is out of range (send an integer from 0 to 18446744073709551615)");
  EXPECT_EQ(error_of<std::int64_t>("9223372036854775808"),
            "invalid_argument the number is out of range (send an integer from -9223372036854775808 to 9223372036854775807)");
  EXPECT_EQ(decode_json<std::int64_t>("-9223372036854775808").value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(decode_json<std::int32_t>("100.0").value(), 100);
  EXPECT_EQ(error_of<std::int64_t>("1e300"), "invalid_argument expected integer, found number (send an integer)");
}

TEST(Json, ListsTheNamesOfAnEnum) {
  EXPECT_EQ(error_of<Colour>(R"("dark_gren")"),
            R"(invalid_argument expected one of red, dark_green, found "dark_gren" (did you mean "dark_green"?))");
  EXPECT_EQ(error_of<Colour>("3"), "invalid_argument expected one of red, dark_green, found number");
}

TEST(Json, RefusesATimeThatIsNotRfc3339) {
  EXPECT_THAT(error_of<Time>(R"("yesterday")"), testing::StartsWith("invalid_argument expected an RFC 3339 time"));
  EXPECT_EQ(error_of<Time>("5"), "invalid_argument expected time, found number (send a time)");
}

TEST(Json, KeepsDefaultsOfALenientStruct) {
  const auto limits = decode_json<Limits>(R"({"words":["x","y"],"colour":null})");
  ASSERT_TRUE(limits) << to_text(limits.error());
  EXPECT_EQ(limits->calls, 7u);
  EXPECT_THAT(limits->words, testing::ElementsAre("x", "y"));
  EXPECT_EQ(limits->colour, Colour::dark_green);
  EXPECT_TRUE(decode_json<Limits>("null"));
}

TEST(Json, TreatsNullAsAbsentWhereAbsenceIsAllowed) {
  const auto part = decode_json<Part>(R"({"kind":"a","width":null})");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->width, std::nullopt);
  EXPECT_TRUE(decode_json<Ask>(R"({"model":"m","messages":null})"));
}

TEST(Json, TellsWhereTheSyntaxIsWrong) {
  EXPECT_THAT(error_of<Ask>("{\"model\":\n  tru}"), testing::StartsWith("invalid_argument invalid JSON at line 2, column "));
  EXPECT_EQ(error_of<Ask>(R"({"model":"m")"), "invalid_argument invalid JSON at the end: the text is incomplete");
  EXPECT_THAT(error_of<Ask>(R"({"model":"m"} x)"), testing::StartsWith("invalid_argument invalid JSON at line 1, column 15"));
  EXPECT_EQ(error_of<Ask>(" \n"), "invalid_argument expected JSON, found nothing");
  EXPECT_EQ(error_of<Ask>(""), "invalid_argument expected JSON, found nothing");
  EXPECT_THAT(error_of<double>("1e999"), testing::StartsWith("invalid_argument invalid JSON"));
}

TEST(Json, RefusesInvalidUtf8) {
  EXPECT_THAT(error_of<Ask>("{\"model\":\"\xff\"}"), testing::HasSubstr("not valid UTF-8"));
  EXPECT_THAT(error_of<Ask>("{\"model\":\"\\ud800\"}"), testing::StartsWith("invalid_argument invalid JSON"));
}

TEST(Json, RefusesAKeyThatAppearsTwiceAtAnyDepth) {
  EXPECT_EQ(error_of<Ask>(R"({"model":"m","model":"n"})"), "invalid_argument model: the field appears twice (send it once)");
  EXPECT_EQ(error_of<RawJson>(R"({"a":[1,{"b":1,"b":2}]})"), "invalid_argument a[1].b: the field appears twice (send it once)");
  EXPECT_FALSE(parse_json(R"({"a":1,"\u0061":2})"));
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(error_of<RawJson>(many + "\"k7\":1}"), "invalid_argument k7: the field appears twice (send it once)");
  EXPECT_EQ(error_of<RawJson>(many + "\"last\":1}"), "decoded");
}

TEST(Json, RefusesDeepNestingAndSurvivesVeryDeepNesting) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(error_of<RawJson>(nested(64)), "decoded");
  EXPECT_EQ(error_of<RawJson>(nested(65)), "invalid_argument the JSON is nested deeper than 64 levels");
  EXPECT_EQ(error_of<RawJson>(nested(5), {.depth_max = 4}), "invalid_argument the JSON is nested deeper than 4 levels");
  EXPECT_THAT(error_of<RawJson>(nested(2'000'000)), testing::HasSubstr("nested deeper than"));
}

TEST(Json, EncodesHostileStringsAndNumbersAsValidJson) {
  EXPECT_EQ(encode_json(std::string("a\"\\\b\f\n\r\t\x01/\x7f")), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\x7f\"");
  EXPECT_EQ(encode_json(std::string("plain text of more than eight bytes \" and on")),
            "\"plain text of more than eight bytes \\\" and on\"");
  EXPECT_EQ(encode_json(std::string("x\xffy")), "\"x\xEF\xBF\xBDy\"");
  EXPECT_EQ(encode_json(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(encode_json(std::nan("")), "null");
  EXPECT_EQ(encode_json(0.1), "0.1");
  EXPECT_EQ(encode_json(1e300), "1e+300");
  EXPECT_EQ(encode_json(88888888888888888889.0), "88888888888888885248.0");  // without a fraction it would be an integer beyond 64 bits
  EXPECT_EQ(decode_json<double>(encode_json(-88888888888888888889.0)).value(), -88888888888888888889.0);
  EXPECT_EQ(encode_json(RawJson{}), "null");
  EXPECT_EQ(encode_json(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ((encode_json(std::map<std::string, std::optional<int>>{{"a", std::nullopt}, {"b", 1}})), R"({"b":1})");
}

TEST(Json, ReadsBackWhatItWroteForEveryByte) {
  for (int byte = 0; byte < 128; ++byte)
    for (const std::size_t before : {0u, 3u, 7u, 8u}) {
      const std::string text = std::string(before, 'x') + static_cast<char>(byte) + "yy";
      EXPECT_EQ(decode_json<std::string>(encode_json(text)).value(), text);
    }
}

TEST(Json, ParsesIntoABoostValue) {
  const std::string text = R"({"a":[1,-2,18446744073709551615,0.5,true,null,"x"],"b":{}})";
  EXPECT_EQ(boost::json::serialize(parse_json(text).value()), R"({"a":[1,-2,18446744073709551615,5E-1,true,null,"x"],"b":{}})");
  EXPECT_EQ(boost::json::serialize(to_json(Part{"k", 3})), R"({"kind":"k","width":3})");
  EXPECT_FALSE(parse_json("{\"a\":}"));
}

TEST(Json, DescribesTypesAsJsonSchema) {
  boost::json::object components;
  EXPECT_EQ(boost::json::serialize(json_schema<Car>(components)), R"({"$ref":"#/components/schemas/Car"})");
  const auto& car = components.at("Car").as_object();
  EXPECT_EQ(car.at("additionalProperties"), false);
  EXPECT_EQ(boost::json::serialize(car.at("required")), R"(["id","model","is_new","price","serial","weight","colour","built","extra"])");
  const auto& properties = car.at("properties").as_object();
  EXPECT_EQ(boost::json::serialize(properties.at("model")), R"({"type":"string","description":"Its name."})");
  EXPECT_EQ(boost::json::serialize(properties.at("built")), R"({"type":"string","format":"date-time"})");
  EXPECT_EQ(boost::json::serialize(properties.at("serial")), R"({"type":"integer","minimum":0})");
  EXPECT_EQ(boost::json::serialize(properties.at("parts")),
            R"({"type":"array","items":{"$ref":"#/components/schemas/Part"},"default":[]})");
  EXPECT_EQ(boost::json::serialize(components.at("Colour")), R"({"type":"string","enum":["red","dark_green"]})");
  EXPECT_EQ(boost::json::serialize(components.at("Part").as_object().at("required")), R"(["kind"])");
}

TEST(Json, DescribesDefaultsOfLenientStructsAndTypesThatContainThemselves) {
  boost::json::object components;
  json_schema<Limits>(components);
  json_schema<Tree>(components);
  const auto& limits = components.at("Limits").as_object();
  EXPECT_FALSE(limits.contains("required"));
  EXPECT_EQ(boost::json::serialize(limits.at("properties").as_object().at("calls")),
            R"({"type":"integer","minimum":0,"maximum":4294967295,"default":7})");
  EXPECT_EQ(boost::json::serialize(components.at("Tree").as_object().at("properties")),
            R"({"children":{"type":"array","items":{"$ref":"#/components/schemas/Tree"},"default":[]}})");
}

}  // namespace
}  // namespace volan::core
