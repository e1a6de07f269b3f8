#include "auth/routes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "auth/testing.hpp"

namespace volan::auth {
namespace {

using core::ErrorCode;
using net::Access;
using net::Verb;
using testing::run;

/// Calls handlers as the server does: route, principal from the authenticator, role check, handler.
class AuthRoutes : public testing::AuthTest {
 protected:
  void SetUp() override {
    AuthTest::SetUp();
    table = routes(*auth);
  }
  core::Result<net::Response> send(Verb verb, const std::string& path, const std::string& key, std::string body = {},
                                   std::string cookie = {}, std::string id = {}) {
    for (const net::Route& route : table) {
      if (route.verb != verb || route.path != path) continue;
      net::Request request;
      request.verb = verb;
      request.path = path;
      request.body = std::move(body);
      request.client_address = "10.0.0.9";
      request.executor = pools.io(0).get_executor();
      if (!id.empty()) request.params["id"] = id;
      if (!key.empty()) request.headers.add("authorization", "Bearer " + key);
      if (!cookie.empty()) request.headers.add("cookie", cookie);
      if (route.access != Access::anyone) {
        auto principal = auth->authenticator()(request);
        if (!principal) return std::unexpected(std::move(principal).error());
        if (principal->role < route.access) return core::fail(ErrorCode::permission_denied, "role");
        request.principal = std::move(*principal);
      }
      return run(pools, route.handler(request));
    }
    ADD_FAILURE() << "no route " << path;
    return core::fail(ErrorCode::not_found, "no route");
  }
  static boost::json::object json_of(const core::Result<net::Response>& response) {
    EXPECT_TRUE(response.has_value());
    return response ? boost::json::parse(response->body).as_object() : boost::json::object();
  }
  std::vector<net::Route> table;
};
INSTANTIATE_TEST_SUITE_P(EachDatabase, AuthRoutes, storage::each_database(), storage::database_name);

// The whole way of a browser: link, session, who am I, sign out.
TEST_P(AuthRoutes, SignABrowserInAndOut) {
  const auto token = auth->create_sign_in_token();
  const auto opened = send(Verb::post, "/api/v1/session", "", R"({"token":")" + *token + R"("})");
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->status, 201u);
  const std::string cookie = cookie_of(std::string(opened->headers.get("set-cookie")));
  const auto viewer = json_of(send(Verb::get, "/api/v1/session", "", "", cookie));
  EXPECT_EQ(viewer.at("project"), "default");
  EXPECT_EQ(viewer.at("role"), "admin");
  EXPECT_EQ(viewer.at("is_session"), true);
  EXPECT_EQ(viewer.at("csrf_header"), "X-Volan-CSRF");
  const auto closed = send(Verb::del, "/api/v1/session", "", "", cookie);
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->status, 204u);
  EXPECT_EQ(send(Verb::get, "/api/v1/session", "", "", cookie).error().code, ErrorCode::unauthenticated);
}

TEST_P(AuthRoutes, SayWhatIsWrongWithASignIn) {
  EXPECT_EQ(send(Verb::post, "/api/v1/session", "", "{").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(send(Verb::post, "/api/v1/session", "", R"({"kye":"x"})").error().path, "kye");
  EXPECT_EQ(send(Verb::post, "/api/v1/session", "", R"({"key":1})").error().path, "key");
  EXPECT_EQ(send(Verb::post, "/api/v1/session", "", R"({"key":"x"})").error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(send(Verb::del, "/api/v1/session", admin_key()).error().code, ErrorCode::invalid_argument);
}

// A key is shown in the answer that made it and nowhere else.
TEST_P(AuthRoutes, CreateListAndRevokeKeys) {
  const auto created = json_of(send(Verb::post, "/api/v1/keys", admin_key(), R"({"name":"ci","role":"member"})"));
  const std::string key(created.at("key").as_string());
  const std::string id(created.at("info").at("id").as_string());
  EXPECT_EQ(created.at("info").at("role"), "member");
  EXPECT_FALSE(created.at("info").as_object().contains("expires"));
  const auto listed = send(Verb::get, "/api/v1/keys", admin_key());
  EXPECT_EQ(json_of(listed).at("keys").as_array().size(), 2u);
  EXPECT_EQ(listed->body.find(key), std::string::npos);
  EXPECT_EQ(send(Verb::get, "/api/v1/keys", key).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(send(Verb::post, "/api/v1/keys", admin_key(), R"({"name":"ci","role":"owner"})").error().path, "role");
  EXPECT_EQ(send(Verb::del, "/api/v1/keys/{id}", admin_key(), "", "", id)->status, 204u);
  EXPECT_EQ(send(Verb::get, "/api/v1/projects", key).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(send(Verb::del, "/api/v1/keys/{id}", admin_key(), "", "", "nope").error().code, ErrorCode::not_found);
}

TEST_P(AuthRoutes, CreateAndListProjects) {
  const auto created = json_of(send(Verb::post, "/api/v1/projects", admin_key(), R"({"id":"team-a"})"));
  const std::string key(created.at("admin_key").at("key").as_string());
  EXPECT_EQ(created.at("project").at("name"), "team-a");
  EXPECT_EQ(json_of(send(Verb::get, "/api/v1/projects", key)).at("projects").as_array().size(), 1u);
  EXPECT_EQ(json_of(send(Verb::get, "/api/v1/projects", admin_key())).at("projects").as_array().size(), 2u);
  EXPECT_EQ(send(Verb::post, "/api/v1/projects", key, R"({"id":"team-b"})").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(send(Verb::post, "/api/v1/projects", admin_key(), R"({"id":"team-a"})").error().code, ErrorCode::conflict);
}

}  // namespace
}  // namespace volan::auth
