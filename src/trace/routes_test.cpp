#include "trace/routes.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <future>
#include <mutex>

#include "trace/testing.hpp"

namespace volan::trace {
namespace {

using core::ErrorCode;
using net::Verb;
using testing::run;
using testing::second_ns;

/// Calls handlers as the server does, for a caller whose role was checked.
class TraceRoutes : public testing::TraceTest {
 protected:
  void SetUp() override {
    TraceTest::SetUp();
    table = routes(*store, *recorder, pools, clock);
  }
  net::Request request_of(Verb verb, std::string project = "p") {
    net::Request request;
    request.verb = verb;
    request.executor = pools.io(0).get_executor();
    request.principal = {.project = std::move(project), .actor = "k", .role = net::Access::admin};
    return request;
  }
  core::Result<net::Response> send(net::Request& request, std::string_view path) {
    for (const net::Route& route : table)
      if (route.verb == request.verb && route.path == path) return run(pools, route.handler(request));
    ADD_FAILURE() << "no route " << path;
    return core::fail(ErrorCode::not_found, "no route");
  }
  core::Result<net::Response> get(std::string_view path, std::vector<std::pair<std::string, std::string>> query = {},
                                  std::string project = "p") {
    net::Request request = request_of(Verb::get, std::move(project));
    request.query = std::move(query);
    return send(request, path);
  }
  core::Result<net::Response> one(Verb verb, std::string_view path, std::string id, std::string project = "p") {
    net::Request request = request_of(verb, std::move(project));
    request.params["id"] = std::move(id);
    request.params["span_id"] = "aaaaaaaaaaaaaaaa";
    return send(request, path);
  }
  core::Result<net::Response> post(std::string body, std::string project = "p") {
    net::Request request = request_of(Verb::post, std::move(project));
    request.body = std::move(body);
    return send(request, "/api/v1/spans");
  }
  static boost::json::object json_of(const core::Result<net::Response>& response) {
    EXPECT_TRUE(response.has_value()) << core::to_text(response.error());
    return response ? boost::json::parse(response->body).as_object() : boost::json::object();
  }
  std::vector<net::Route> table;
};

// What was answered is on disk and in the list of its project, and of no other.
TEST_F(TraceRoutes, TakeSpansAndShowThem) {
  const std::string id = "0190a1b2c3d4e5f60718293a4b5c6d7e";
  const auto answer =
      json_of(post(R"([{"trace_id":")" + id +
                   R"(","span_id":"aaaaaaaaaaaaaaaa","name":"chat","start":"2026-01-31T12:00:00Z","end":"2026-01-31T12:00:02.5Z",
      "input":"hello","attributes":{"a":1}},{"name":"bad"}])"));
  EXPECT_EQ(answer.at("accepted"), 1);
  EXPECT_EQ(answer.at("rejected"), 1);
  EXPECT_EQ(answer.at("errors").as_array().at(0).at("index"), 1);

  const auto list = json_of(get("/api/v1/traces"));
  ASSERT_EQ(list.at("traces").as_array().size(), 1u);
  const auto& trace = list.at("traces").as_array()[0].as_object();
  EXPECT_EQ(trace.at("id").as_string(), id);
  EXPECT_EQ(trace.at("start"), "2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(trace.at("duration_ms").to_number<double>(), 2500.0);
  EXPECT_EQ(trace.at("input_preview"), "hello");
  EXPECT_FALSE(trace.contains("error"));

  const auto tree = json_of(one(Verb::get, "/api/v1/traces/{id}", id));
  EXPECT_EQ(tree.at("spans").as_array().at(0).at("attributes").at("a"), 1);
  EXPECT_EQ(json_of(one(Verb::get, "/api/v1/traces/{id}/spans/{span_id}", id)).at("input"), "hello");

  EXPECT_EQ(json_of(get("/api/v1/traces", {}, "q")).at("traces").as_array().size(), 0u);
  for (const char* path : {"/api/v1/traces/{id}", "/api/v1/traces/{id}/spans/{span_id}"})
    EXPECT_EQ(one(Verb::get, path, id, "q").error().code, ErrorCode::not_found);
  EXPECT_EQ(one(Verb::del, "/api/v1/traces/{id}", id, "q").error().code, ErrorCode::not_found);
  EXPECT_EQ(one(Verb::del, "/api/v1/traces/{id}", id)->status, 204u);
  EXPECT_EQ(one(Verb::get, "/api/v1/traces/{id}", id).error().code, ErrorCode::not_found);
}

// A body that is read in the compute pool is answered like a small one.
TEST_F(TraceRoutes, TakeALargeBody) {
  std::string body = "[";
  for (int i = 0; i < 500; ++i)
    body += std::string(i ? "," : "") + R"({"trace_id":")" + core_id() +
            R"(","span_id":"aaaaaaaaaaaaaaaa","name":"chat","start":"2026-01-31T12:00:00Z","output":")" + std::string(200, 'x') + "\"}";
  EXPECT_EQ(json_of(post(body + "]")).at("accepted"), 500);
  EXPECT_EQ(post("[7]").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(json_of(post("[]")).at("accepted"), 0);
}

TEST_F(TraceRoutes, FilterAndPage) {
  for (int i = 0; i < 5; ++i) add({.name = "chat " + std::to_string(i), .app = i % 2 ? "twin" : "other"}, i * second_ns);
  flush();
  EXPECT_EQ(json_of(get("/api/v1/traces", {{"app", "twin"}})).at("traces").as_array().size(), 2u);
  EXPECT_EQ(
      json_of(get("/api/v1/traces", {{"name", "CHAT 3"}, {"status", "ok"}, {"duration_ms_min", "99.5"}})).at("traces").as_array().size(),
      1u);
  EXPECT_EQ(json_of(get("/api/v1/traces", {{"from", core::to_rfc3339({clock.now().ns - second_ns})}})).at("traces").as_array().size(), 2u);
  const auto page = json_of(get("/api/v1/traces", {{"limit", "3"}}));
  EXPECT_EQ(page.at("traces").as_array().size(), 3u);
  const auto rest = json_of(get("/api/v1/traces", {{"limit", "3"}, {"after", std::string(page.at("next").as_string())}}));
  EXPECT_EQ(rest.at("traces").as_array().size(), 2u);
  EXPECT_FALSE(rest.contains("next"));
}

TEST_F(TraceRoutes, NameTheParameterThatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {{"limit", "0"},
                                                       {"limit", "ten"},
                                                       {"after", "x"},
                                                       {"status", "fine"},
                                                       {"duration_ms_min", "1s"},
                                                       {"from", "today"},
                                                       {"to", "2026-13-01T00:00:00Z"},
                                                       {"colour", "red"}};
  for (const auto& [name, value] : cases) {
    const auto answer = get("/api/v1/traces", {{name, value}});
    ASSERT_FALSE(answer.has_value()) << name;
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(answer.error().path, name);
  }
  EXPECT_EQ(get("/api/v1/traces/stats", {{"hours", "0"}}).error().path, "hours");
  EXPECT_EQ(get("/api/v1/traces/stats", {{"hours", "9999"}}).error().path, "hours");
  EXPECT_EQ(get("/api/v1/traces/stats", {{"days", "1"}}).error().path, "days");
}

TEST_F(TraceRoutes, ShowCounters) {
  add({.name = "chat", .status = SpanStatus::error});
  add({.name = "chat"}, 30 * testing::hour_ns);
  flush();
  const auto day = json_of(get("/api/v1/traces/stats"));
  EXPECT_EQ(day.at("traces"), 1);
  EXPECT_EQ(day.at("errors"), 1);
  EXPECT_EQ(day.at("retention").at("days"), 0);
  EXPECT_EQ(json_of(get("/api/v1/traces/stats", {{"hours", "48"}})).at("traces"), 2);
}

/// Keeps what a stream wrote and wakes the test when a text has come.
class Recording final : public net::BodyWriter {
 public:
  core::Task<> write(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    text_ += bytes;
    if (!wanted_.empty() && text_.find(wanted_) != std::string::npos) {
      wanted_.clear();
      found_.set_value();
    }
    co_return core::Result<>();
  }
  /// Set before the text can come.
  std::future<void> expect(std::string text) {
    const std::lock_guard lock(mutex_);
    found_ = {};
    wanted_ = std::move(text);
    return found_.get_future();
  }

 private:
  std::mutex mutex_;
  std::string text_;
  std::string wanted_;
  std::promise<void> found_;
};

// A reader is woken by an event of its project from another thread, again after that, and its stream ends when the client leaves.
TEST_F(TraceRoutes, StreamEventsUntilTheClientLeaves) {
  const auto response = get("/api/v1/traces/live");
  ASSERT_TRUE(response.has_value());
  Recording writer;
  auto begun = writer.expect("following");
  boost::asio::cancellation_signal leave;
  auto ended = boost::asio::co_spawn(pools.io(0), response->stream(writer),
                                     boost::asio::bind_cancellation_slot(leave.slot(), boost::asio::use_future));
  begun.get();
  for (const char* name : {"first", "second"}) {
    auto seen = writer.expect(std::string("\"name\":\"") + name);
    add({.name = name});
    seen.get();
  }
  boost::asio::post(pools.io(0), [&leave] { leave.emit(boost::asio::cancellation_type::terminal); });
  const auto result = ended.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace volan::trace
