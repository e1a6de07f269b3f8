// Goal: endpoints are found by name, or the caller learns why not; the configuration is checked; the routes show and restart them.
#include "runtime/directory.hpp"

#include <gmock/gmock.h>

#include <boost/json/object.hpp>

#include "net/openapi.hpp"
#include "runtime/doctor.hpp"
#include "runtime/routes.hpp"
#include "runtime/server_fixture.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

EndpointSpec remote(const std::string& name = "big") {
  EndpointSpec spec;
  spec.name = name;
  spec.url = "https://api.example.com/v1/";
  spec.api_key = "very-secret";
  spec.model = "large-1";
  return spec;
}

EndpointSpec managed(const std::string& file, const std::string& name = "chat") {
  EndpointSpec spec;
  spec.name = name;
  spec.file = file;
  spec.context_tokens = 512;
  spec.parallel = 1;
  spec.threads = 1;
  return spec;
}

class DirectoryTest : public ServerTest {
 protected:
  std::unique_ptr<EndpointDirectory> open(std::vector<EndpointSpec> specs) {
    auto opened = EndpointDirectory::open(std::move(specs), {.log_folder = folder->file("logs")}, context());
    EXPECT_TRUE(opened) << core::to_text(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  std::string refusal(std::vector<EndpointSpec> specs) {
    const auto opened = EndpointDirectory::open(std::move(specs), {}, context());
    if (opened) return "accepted";
    EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
    return core::to_text(opened.error());
  }
  /// Calls a route as the server would.
  core::Result<net::Response> call(EndpointDirectory& directory, net::Verb verb, const std::string& path) {
    net::Router router;
    router.add(routes(directory, pools));
    const auto match = router.match(verb, path);
    if (match.route == nullptr) return core::fail(ErrorCode::not_found, "no route " + path);
    net::Request request;
    request.verb = verb;
    request.path = path;
    request.params = match.params;
    return boost::asio::co_spawn(pools.io(0), match.route->handler(request), boost::asio::use_future).get();
  }
};

TEST_F(DirectoryTest, FindsARemoteEndpointAtOnce) {
  const auto directory = open({remote()});
  const auto found = directory->find_ready("big");
  ASSERT_TRUE(found) << core::to_text(found.error());
  EXPECT_EQ((*found)->base_url, "https://api.example.com/v1");
  EXPECT_EQ((*found)->api_key, "very-secret");
  EXPECT_EQ((*found)->model, "large-1");
  EXPECT_EQ((*found)->identity, "large-1@https://api.example.com/v1");
  EXPECT_FALSE((*found)->is_managed);
  EXPECT_TRUE(directory->wait_ready("big", std::chrono::milliseconds(0)));
}

TEST_F(DirectoryTest, NamesTheKnownEndpointsWhenOneIsUnknown) {
  const auto directory = open({remote("a"), remote("b")});
  const auto found = directory->find_ready("c");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::not_found);
  EXPECT_THAT(found.error().message, HasSubstr("there are: a, b"));
  EXPECT_THAT(directory->names(), ElementsAre(Pair("a", EndpointKind::chat), Pair("b", EndpointKind::chat)));
  EXPECT_EQ(directory->wait_ready("c", std::chrono::milliseconds(0)).error().code, ErrorCode::not_found);
}

TEST_F(DirectoryTest, SaysThatAManagedServerHasFailedAndWhatToDo) {
  const auto directory = open({managed("/nowhere/model.gguf")});
  EXPECT_EQ(directory->wait_ready("chat", start_patience).error().code, ErrorCode::unavailable);
  const auto found = directory->find_ready("chat");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::unavailable);
  EXPECT_THAT(found.error().message, HasSubstr("/nowhere/model.gguf: the file does not exist"));
  EXPECT_THAT(found.error().fix, HasSubstr("POST /api/v1/endpoints/chat/restart"));
}

TEST_F(DirectoryTest, RefusesAWrongConfigurationWithThePathOfTheField) {
  EXPECT_THAT(refusal({remote("no spaces")}), HasSubstr("endpoints[0].name"));
  EXPECT_THAT(refusal({remote("../up")}), HasSubstr("endpoints[0].name"));
  EXPECT_THAT(refusal({remote(), remote()}), HasSubstr("is used by 2 endpoints"));
  EndpointSpec spec = remote();
  spec.file = "model.gguf";
  EXPECT_THAT(refusal({spec}), HasSubstr("either a file or a url"));
  spec = remote();
  spec.url = "ftp://example.com";
  EXPECT_THAT(refusal({spec}), HasSubstr("endpoints[0].url"));
  spec = remote();
  spec.parallel = 0;
  EXPECT_THAT(refusal({remote("a"), spec}), HasSubstr("endpoints[1].parallel"));
  spec = remote();
  spec.context_tokens = 1;
  EXPECT_THAT(refusal({spec}), HasSubstr("endpoints[0].context_tokens"));
  spec = remote();
  spec.threads = 5'000;
  EXPECT_THAT(refusal({spec}), HasSubstr("endpoints[0].threads"));
}

TEST_F(DirectoryTest, ReadsASpecFromYaml) {
  const auto spec = core::decode_yaml<EndpointSpec>("name: chat\nfile: models/chat.gguf\nparallel: 2\n", "volan.yaml");
  ASSERT_TRUE(spec) << core::to_text(spec.error());
  EXPECT_EQ(spec->file, "models/chat.gguf");
  EXPECT_EQ(spec->parallel, 2u);
  EXPECT_EQ(spec->context_tokens, 2'048u);
}

TEST_F(DirectoryTest, ShowsRestartsAndLogsAManagedServerOverHttp) {
  const auto directory = open({managed(demo_chat_model()), remote()});
  ASSERT_TRUE(directory->wait_ready("chat", start_patience));
  const auto first = directory->find_ready("chat");
  ASSERT_TRUE(first) << core::to_text(first.error());  // published before wait_ready returns
  EXPECT_TRUE((*first)->is_managed);
  const auto list = call(*directory, net::Verb::get, "/api/v1/endpoints");
  ASSERT_TRUE(list);
  const auto text = list->body;
  for (const char* part :
       {R"("name":"chat")", R"("kind":"chat")", R"("managed":true)", R"("state":"ready")", R"("pid":)", R"("resident_memory_bytes":)",
        R"("started":")", R"("restarts":0)", R"("last_check":")", R"("name":"big")", R"("managed":false)"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("very-secret")));
  EXPECT_THAT(text, Not(HasSubstr((*first)->api_key)));
  const auto log = call(*directory, net::Verb::get, "/api/v1/endpoints/chat/logs");
  ASSERT_TRUE(log);
  EXPECT_THAT(log->body, HasSubstr("listening on"));
  const auto restarted = call(*directory, net::Verb::post, "/api/v1/endpoints/chat/restart");
  ASSERT_TRUE(restarted);
  EXPECT_EQ(restarted->status, 202u);
  EXPECT_EQ(call(*directory, net::Verb::get, "/api/v1/endpoints/nobody/logs").error().code, ErrorCode::not_found);
  EXPECT_EQ(call(*directory, net::Verb::post, "/api/v1/endpoints/big/restart").error().code, ErrorCode::invalid_argument);
}

TEST_F(DirectoryTest, DocumentsItsRoutesAndGuardsThem) {
  const auto directory = open({remote()});
  net::Router router;
  router.add(routes(*directory, pools));
  for (const auto& route : router.routes())
    EXPECT_EQ(route.access, route.path == "/api/v1/endpoints" ? net::Access::viewer : net::Access::admin) << route.path;
  const std::string document = net::openapi_json(router, "1");
  for (const char* part : {"/api/v1/endpoints/{name}/logs", "/api/v1/endpoints/{name}/restart", "resident_memory_bytes", "EndpointLog"})
    EXPECT_THAT(document, HasSubstr(part));
}

TEST_F(DirectoryTest, DoctorFindsTheProgramTheModelsAndWhatIsWrong) {
  auto broken = managed("/nowhere/model.gguf", "gone");
  auto strange = managed(demo_chat_model(), "strange");
  strange.kind = EndpointKind::embedding;
  auto large = managed(demo_chat_model(), "large");
  large.context_tokens = 100'000;
  const auto findings = doctor({managed(demo_chat_model()), broken, strange, large, remote()});
  const auto of = [&](const std::string& what) {
    for (const auto& f : findings)
      if (f.what == what) return f;
    ADD_FAILURE() << "nothing was said about " << what;
    return Finding{};
  };
  EXPECT_EQ(of("llama-server").level, FindingLevel::ok) << of("llama-server").text;
  EXPECT_THAT(of("llama-server").text, HasSubstr("version"));
  EXPECT_EQ(of("endpoint chat").level, FindingLevel::ok);
  EXPECT_THAT(of("endpoint chat").text, HasSubstr("sha256 b179c952"));
  EXPECT_EQ(of("endpoint gone").level, FindingLevel::error);
  EXPECT_EQ(of("endpoint strange").level, FindingLevel::error);
  EXPECT_NE(of("endpoint strange").fix, "");
  EXPECT_EQ(of("endpoint large").level, FindingLevel::warning);
  EXPECT_EQ(of("endpoint big").level, FindingLevel::ok);
  EXPECT_THAT(of("memory").text, HasSubstr("are available"));
  EXPECT_EQ(of("loopback ports").level, FindingLevel::ok);
  EXPECT_EQ(doctor({}, "/nowhere/llama-server").front().level, FindingLevel::error);
}

}  // namespace
}  // namespace volan::runtime
