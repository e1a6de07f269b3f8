#include "feature/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>
#include <optional>

#include "core/json.hpp"
#include "feature/feature_testing.hpp"
#include "net/openapi.hpp"

namespace volan::feature {
namespace {

using ::testing::HasSubstr;

// Keeps what a streamed answer sends.
class Collected final : public net::BodyWriter {
 public:
  core::Task<> write(std::string_view bytes) override {
    text += bytes;
    co_return core::Result<>{};
  }
  std::string text;
};

// A model that waits until the test lets it answer.
class GatedEmbedder final : public llm::Embedder {
 public:
  std::string identity() const override { return inner.identity(); }
  core::Task<llm::Embeddings> embed(std::vector<std::string> texts, llm::CallContext context) override {
    was_asked.set_value();
    auto wait = [this]() -> core::Result<> {
      may_answer.get_future().wait();
      return {};
    };
    VOLAN_CO_TRY_VOID(co_await pools->on_disk(std::move(wait)));
    co_return co_await inner.embed(std::move(texts), std::move(context));
  }
  core::Task<std::vector<std::int64_t>> count_tokens(std::vector<std::string> texts) override {
    return inner.count_tokens(std::move(texts));
  }
  testing::FakeEmbedder inner;
  core::Pools* pools = nullptr;
  std::promise<void> was_asked, may_answer;
};

class FeatureRoutes : public ::testing::Test {
 protected:
  void SetUp() override {
    work_.write("a.html", "<h1>Casts</h1>A static cast.");
    work_.write("b.html", "<h1>Strings</h1>A string.");
    embedder_.pools = &work_.pools;
    builds_.emplace(
        *work_.features, embedder_,
        [this](std::string_view project) -> core::Result<FeatureConfig> {
          if (project != "p1") return core::fail(core::ErrorCode::not_found, "no features are configured");
          return work_.config;
        },
        work_.log);
    router_.add(routes(*work_.features, *builds_));
  }

  core::Result<net::Response> send(net::Verb verb, const std::string& path, std::vector<std::pair<std::string, std::string>> query = {},
                                   const std::string& project = "p1") {
    const auto match = router_.match(verb, path);
    EXPECT_NE(match.route, nullptr) << path;
    net::Request request;
    request.verb = verb;
    request.path = path;
    request.params = match.params;
    request.query = std::move(query);
    request.principal.project = project;
    return testing::run(work_.pools, match.route->handler(request));
  }
  boost::json::object json(net::Verb verb, const std::string& path, std::vector<std::pair<std::string, std::string>> query = {}) {
    auto response = send(verb, path, std::move(query));
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response ? boost::json::parse(response->body).as_object() : boost::json::object{};
  }
  std::string follow(const std::string& id) {
    auto response = send(net::Verb::get, "/api/v1/features/builds/" + id + "/events");
    Collected collected;
    EXPECT_TRUE(testing::run(work_.pools, response->stream(collected)));
    return collected.text;
  }
  std::string start() { return std::string(json(net::Verb::post, "/api/v1/features/build").at("id").as_string()); }

  core::TempFolder folder_ = core::TempFolder::create().value();
  testing::Workspace work_{folder_.path()};
  GatedEmbedder embedder_;
  net::Router router_;
  std::optional<BuildService> builds_;
};

TEST_F(FeatureRoutes, ABuildRunsInTheBackgroundAndCanBeFollowed) {
  EXPECT_FALSE(json(net::Verb::get, "/api/v1/features").contains("current"));
  const std::string id = start();
  embedder_.was_asked.get_future().wait();
  EXPECT_EQ(json(net::Verb::get, "/api/v1/features/builds/" + id).at("state"), "running");
  EXPECT_EQ(json(net::Verb::get, "/api/v1/features").at("last_build").at("id"), id.c_str());
  const auto second = send(net::Verb::post, "/api/v1/features/build");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::ErrorCode::conflict);

  embedder_.may_answer.set_value();
  const std::string events = follow(id);
  EXPECT_THAT(events, HasSubstr("event: end\ndata: {"));
  EXPECT_THAT(events, HasSubstr("\"state\":\"done\""));
  const auto build = json(net::Verb::get, "/api/v1/features/builds/" + id);
  EXPECT_EQ(build.at("report").at("chunks").to_number<int>(), 2);
  const auto overview = json(net::Verb::get, "/api/v1/features");
  EXPECT_EQ(overview.at("current").at("chunks").to_number<int>(), 2);
  EXPECT_EQ(overview.at("authors").as_array().at(0), "Ann");
  EXPECT_EQ(json(net::Verb::get, "/api/v1/features/snapshots").at("items").as_array().size(), 1u);
  EXPECT_EQ(json(net::Verb::get, "/api/v1/features/builds").at("items").as_array().size(), 1u);
}

TEST_F(FeatureRoutes, AFailedBuildSaysWhy) {
  embedder_.inner.error = "the model is gone";
  embedder_.may_answer.set_value();
  const std::string id = start();
  EXPECT_THAT(follow(id), HasSubstr("the model is gone"));
  EXPECT_EQ(json(net::Verb::get, "/api/v1/features/builds/" + id).at("state"), "failed");
}

TEST_F(FeatureRoutes, StoppingEndsARunningBuild) {
  const std::string id = start();
  embedder_.was_asked.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { builds_->stop(); });
  embedder_.may_answer.set_value();
  stopped.get();
  EXPECT_NE(work_.features->store().build("p1", id).value().state, "running");
  EXPECT_EQ(send(net::Verb::post, "/api/v1/features/build").error().code, core::ErrorCode::cancelled);
}

TEST_F(FeatureRoutes, ListsDocumentsInPagesAndShowsTheirChunks) {
  embedder_.may_answer.set_value();
  follow(start());
  const auto first = json(net::Verb::get, "/api/v1/documents", {{"limit", "1"}});
  EXPECT_EQ(first.at("items").as_array().at(0).at("locator"), "a.html");
  const auto second = json(net::Verb::get, "/api/v1/documents", {{"limit", "1"}, {"after", std::string(first.at("next").as_string())}});
  EXPECT_EQ(second.at("items").as_array().at(0).at("locator"), "b.html");
  EXPECT_FALSE(second.contains("next"));
  EXPECT_TRUE(json(net::Verb::get, "/api/v1/documents", {{"author", "Bob"}}).at("items").as_array().empty());
  const std::string id(first.at("items").as_array().at(0).at("id").as_string());
  const auto detail = json(net::Verb::get, "/api/v1/documents/" + id);
  EXPECT_EQ(detail.at("document").at("title"), "Casts");
  EXPECT_EQ(detail.at("chunks").as_array().at(0).at("text"), "A static cast.");
}

TEST_F(FeatureRoutes, NamesWhatIsWrong) {
  embedder_.may_answer.set_value();
  for (const char* limit : {"0", "501", "-1", "x", "1x", ""})
    EXPECT_EQ(send(net::Verb::get, "/api/v1/documents", {{"limit", limit}}).error().path, "limit") << limit;
  EXPECT_EQ(send(net::Verb::get, "/api/v1/documents", {{"after", "nothing"}}).error().path, "after");
  EXPECT_EQ(send(net::Verb::get, "/api/v1/documents/none").error().code, core::ErrorCode::not_found);
  EXPECT_EQ(send(net::Verb::get, "/api/v1/features/builds/none").error().code, core::ErrorCode::not_found);
  EXPECT_EQ(send(net::Verb::get, "/api/v1/features/builds/none/events").error().code, core::ErrorCode::not_found);
  EXPECT_EQ(send(net::Verb::post, "/api/v1/features/build", {}, "p2").error().code, core::ErrorCode::not_found);
}

TEST_F(FeatureRoutes, OtherProjectsSeeNothing) {
  embedder_.may_answer.set_value();
  const std::string id = start();
  follow(id);
  EXPECT_EQ(send(net::Verb::get, "/api/v1/features/builds/" + id, {}, "p2").error().code, core::ErrorCode::not_found);
  const auto documents = send(net::Verb::get, "/api/v1/documents", {}, "p2");
  EXPECT_EQ(documents->body, "{\"items\":[]}");
}

TEST_F(FeatureRoutes, AreDescribed) {
  embedder_.may_answer.set_value();
  const std::string document = net::openapi_json(router_, "1");
  for (const char* name : {"FeatureOverview", "FeatureBuild", "DocumentDetail", "/api/v1/features/builds/{id}/events"})
    EXPECT_THAT(document, HasSubstr(name));
}

}  // namespace
}  // namespace volan::feature
