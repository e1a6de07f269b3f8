// Goal: paths reach the right route with the right parameters. Method: a table of routes, matched directly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http.hpp"
#include "net/target.hpp"

namespace volan::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

core::Task<Response> nothing(Request&) { co_return Response{}; }

Router make(std::vector<std::pair<Verb, std::string>> list) {
  Router router;
  for (auto& [verb, path] : list) router.add(Route{verb, path, Access::anyone, nothing, {}});
  return router;
}

std::string found(const Router& router, Verb verb, std::string_view path) {
  const auto match = router.match(verb, path);
  return match.route ? match.route->path : "none " + match.allow;
}

TEST(Router, PrefersLiteralsThenParametersThenTheRest) {
  const Router router = make({{Verb::get, "/a/{x}"}, {Verb::get, "/a/b"}, {Verb::get, "/a/{rest...}"}, {Verb::get, "/a/b/c"}, {Verb::get, "/"}});
  EXPECT_EQ(found(router, Verb::get, "/a/b"), "/a/b");
  EXPECT_EQ(found(router, Verb::get, "/a/z"), "/a/{x}");
  EXPECT_EQ(found(router, Verb::get, "/a/b/c"), "/a/b/c");
  EXPECT_EQ(found(router, Verb::get, "/a/b/d"), "/a/{rest...}");
  EXPECT_EQ(found(router, Verb::get, "/"), "/");
  EXPECT_EQ(found(router, Verb::get, "/z"), "none ");
}

TEST(Router, GoesBackWhenALiteralLeadsNowhere) {
  const Router router = make({{Verb::get, "/a/b/c"}, {Verb::get, "/a/{x}/d"}, {Verb::post, "/q/r"}, {Verb::get, "/q/{x}"}});
  EXPECT_EQ(found(router, Verb::get, "/a/b/d"), "/a/{x}/d");
  EXPECT_EQ(found(router, Verb::get, "/q/r"), "/q/{x}");
  EXPECT_EQ(found(router, Verb::post, "/q/r"), "/q/r");
}

TEST(Router, FillsParametersInOrder) {
  const Router router = make({{Verb::get, "/p/{project}/t/{trace}"}, {Verb::get, "/f/{name...}"}, {Verb::post, "/p/{other}/t/{id}"}});
  EXPECT_THAT(router.match(Verb::get, "/p/one/t/two").params, ElementsAre(Pair("project", "one"), Pair("trace", "two")));
  EXPECT_THAT(router.match(Verb::post, "/p/one/t/two").params, ElementsAre(Pair("id", "two"), Pair("other", "one")));
  EXPECT_THAT(router.match(Verb::get, "/f/a/b//c").params, ElementsAre(Pair("name", "a/b//c")));
}

TEST(Router, IgnoresATrailingSlashButNotAnEmptySegment) {
  const Router router = make({{Verb::get, "/a"}, {Verb::get, "/p/{x}"}, {Verb::get, "/f/{x...}"}});
  EXPECT_EQ(found(router, Verb::get, "/a/"), "/a");
  EXPECT_EQ(found(router, Verb::get, "//a"), "none ");
  EXPECT_EQ(found(router, Verb::get, "/p/"), "none ");
  EXPECT_EQ(found(router, Verb::get, "/p//"), "none ");
  EXPECT_EQ(found(router, Verb::get, "/f/"), "none ");
}

TEST(Router, ListsTheVerbsThatExist) {
  const Router router = make({{Verb::get, "/a"}, {Verb::del, "/a"}, {Verb::post, "/b"}});
  EXPECT_EQ(found(router, Verb::post, "/a"), "none GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(found(router, Verb::get, "/b"), "none POST, OPTIONS");
  EXPECT_EQ(found(router, Verb::head, "/a"), "/a");
  EXPECT_EQ(found(router, Verb::head, "/b"), "none POST, OPTIONS");
}

TEST(RouterDeathTest, AbortsOnTheSamePatternTwice) {
  EXPECT_DEATH(make({{Verb::get, "/a/{x}"}, {Verb::get, "/a/{y}"}}), "same verb and pattern");
  EXPECT_DEATH(make({{Verb::get, "/{a...}/b"}}), "last segment");
  EXPECT_DEATH(make({{Verb::get, "a"}}), "begins with a slash");
}

struct Target {
  std::string path;
  PathSegments segments;
  QueryPairs query;
  core::Result<> parse(std::string_view text) { return parse_target(text, path, segments, query); }
};

TEST(Target, DecodesPathAndQuery) {
  Target target;
  ASSERT_TRUE(target.parse("/v1/a%20b/c%2Fd?x=1&y=a+b%26&z&=q&&x=2"));
  EXPECT_EQ(target.path, "/v1/a b/c/d");
  EXPECT_THAT(target.segments, ElementsAre("v1", "a b", "c/d"));
  EXPECT_THAT(target.query, ElementsAre(Pair("x", "1"), Pair("y", "a b&"), Pair("z", ""), Pair("", "q"), Pair("x", "2")));
}

TEST(Target, TakesEveryFormOfATarget) {
  Target target;
  ASSERT_TRUE(target.parse("http://host:80/a?b"));
  EXPECT_THAT(target.segments, ElementsAre("a"));
  ASSERT_TRUE(target.parse("http://host?b=1"));
  EXPECT_EQ(target.path, "/");
  EXPECT_THAT(target.query, ElementsAre(Pair("b", "1")));
  ASSERT_TRUE(target.parse("/"));
  EXPECT_TRUE(target.segments.empty());
  ASSERT_TRUE(target.parse("/a/"));
  EXPECT_THAT(target.segments, ElementsAre("a"));
  EXPECT_EQ(target.path, "/a/");
  ASSERT_TRUE(target.parse("//"));
  EXPECT_THAT(target.segments, ElementsAre(""));
  ASSERT_TRUE(target.parse("*"));
  EXPECT_EQ(target.path, "*");
}

TEST(Target, RefusesWhatCannotBeDecoded) {
  Target target;
  for (const char* bad : {"/%", "/%1", "/%zz", "/a?b=%x1", "/a%00b", "ftp://host/", "a/b", "host:443"}) {
    const auto done = target.parse(bad);
    ASSERT_FALSE(done.has_value()) << bad;
    EXPECT_EQ(done.error().code, core::ErrorCode::invalid_argument);
  }
}

TEST(Headers, KeepOrderAndIgnoreCase) {
  Headers headers;
  headers.add("A", "1");
  headers.add("b", "2");
  headers.add("a", "3");
  EXPECT_EQ(headers.get("a"), "1");
  EXPECT_EQ(headers.get("B"), "2");
  EXPECT_FALSE(headers.has("c"));
  headers.set("A", "4");
  std::string all;
  for (const auto& [name, value] : headers.all()) all.append(name).append("=").append(value).append(";");
  EXPECT_EQ(all, "b=2;A=4;");
  headers.clear();
  EXPECT_EQ(headers.size(), 0u);
}

TEST(Headers, TakeViewsOfTheirOwnText) {
  Headers headers;
  headers.add("a", std::string(40, 'x'));
  for (int i = 0; i < 10; ++i) headers.add("b", headers.get("a"));
  EXPECT_EQ(headers.all()[10].second, std::string(40, 'x'));
}

}  // namespace
}  // namespace volan::net
