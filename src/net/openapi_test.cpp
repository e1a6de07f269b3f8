// Goal: the document describes the routes and does not depend on their order. Method: two small tables.
#include "net/openapi.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace volan::net {
namespace {

struct Ask {
  std::string question;
  std::optional<std::string> app;
};
constexpr auto describe(const Ask*) { return core::object("Ask", core::field("question", &Ask::question, "What to ask."), core::field("app", &Ask::app)); }

core::Task<Response> nothing(Request&) { co_return Response{}; }

Router make(bool is_reversed) {
  std::vector<Route> routes;
  routes.push_back({Verb::post, "/api/v1/ask", Access::member, nothing, {"Asks.", "chat", [](OpenApiOperation& op) { op.body<Ask>().answer<Ask>(201); }}});
  routes.push_back({Verb::get, "/api/v1/files/{name...}", Access::anyone, nothing, {"Reads a file.", "files", [](OpenApiOperation& op) {
                                                                                      op.query("limit", "integer", "How many.").answer_events("lines");
                                                                                    }}});
  routes.push_back({Verb::del, "/api/v1/ask", Access::admin, nothing, {"Forgets.", "chat", [](OpenApiOperation& op) { op.answer_empty(204, "gone"); }}});
  routes.push_back({Verb::get, "/hidden", Access::anyone, nothing, {}});
  if (is_reversed) std::reverse(routes.begin(), routes.end());
  Router router;
  router.add(std::move(routes));
  return router;
}

TEST(OpenApi, DoesNotDependOnTheOrderOfRoutes) { EXPECT_EQ(openapi_json(make(false), "1.0"), openapi_json(make(true), "1.0")); }

TEST(OpenApi, DescribesRoutes) {
  const auto document = boost::json::parse(openapi_json(make(false), "1.2")).as_object();
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  EXPECT_EQ(document.at("info").at("version"), "1.2");
  const auto& paths = document.at("paths").as_object();
  EXPECT_EQ(paths.size(), 2u);
  const auto& post = paths.at("/api/v1/ask").at("post");
  EXPECT_EQ(post.at("operationId"), "post_api_v1_ask");
  EXPECT_EQ(post.at("x-volan-access"), "member");
  EXPECT_EQ(post.at("requestBody").at("content").at("application/json").at("schema").at("$ref"), "#/components/schemas/Ask");
  EXPECT_TRUE(post.at("responses").as_object().contains("201"));
  EXPECT_TRUE(post.at("responses").as_object().contains("default"));
  EXPECT_TRUE(paths.at("/api/v1/ask").at("delete").at("responses").as_object().contains("204"));
  const auto& get = paths.at("/api/v1/files/{name}").at("get");
  EXPECT_EQ(get.at("security").as_array().size(), 0u);
  EXPECT_EQ(get.at("parameters").as_array().size(), 2u);
  EXPECT_TRUE(document.at("components").at("schemas").as_object().contains("Ask"));
  EXPECT_TRUE(document.at("components").at("schemas").as_object().contains("Error"));
}

}  // namespace
}  // namespace volan::net
