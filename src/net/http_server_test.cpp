// Goal: every shape of request gets the right answer. Method: exact bytes over a real socket.
#include <gmock/gmock.h>

#include <thread>

#include "net/server_testing.hpp"

namespace volan::net::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

core::Task<Response> echo(Request& request) {
  std::string text(name_of(request.verb));
  text.append(" ").append(request.path).append(" ").append(request.body).append(" ").append(request.principal.actor);
  co_return Response::text(std::move(text));
}
core::Task<Response> name(Request& request) { co_return Response::text(std::string(request.param("name"))); }
core::Task<Response> fail_internal(Request&) { co_return core::fail(core::ErrorCode::internal, "secret detail"); }
core::Task<Response> fail_field(Request&) {
  core::Error error{core::ErrorCode::invalid_argument, "expected string", "messages[2]", "send text"};
  co_return core::fail(std::move(error));
}
core::Task<Response> throws(Request&) {
  throw std::runtime_error("a library's surprise");
  co_return Response{};
}
core::Task<Response> splits(Request&) {
  Response response = Response::text("x");
  response.headers.add("location", "/a\r\nset-cookie: b");
  response.headers.add("bad name", "1");
  response.headers.add("content-length", "99");
  co_return response;
}
core::Task<Response> no_content(Request&) {
  Response response;
  response.status = 204;
  co_return response;
}

struct HttpServerTest : ::testing::Test, TestServer {
  void SetUp() override {
    get("/echo", echo);
    add(Verb::post, "/echo", echo);
    get("/name/{name}", name);
    get("/member", echo, Access::member);
    add(Verb::post, "/member", echo, Access::member);
    get("/admin", echo, Access::admin);
    get("/internal", fail_internal);
    get("/field", fail_field);
    get("/throws", throws);
    get("/splits", splits);
    get("/empty", no_content);
    router.add(Route{Verb::post, "/small", Access::anyone, echo, {}, native_error, 4});
    options.body_bytes_max = 1000;
    start();
  }
  std::string ask(std::string_view request) { return RawClient(port()).exchange(request); }
};

TEST_F(HttpServerTest, AnswersWithLengthDateAndRequestId) {
  const auto answer = ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nserver: volan\r\ndate: "));
  EXPECT_THAT(answer, ::testing::ContainsRegex("x-request-id: [0-9a-f]{32}\r\n"));
  EXPECT_THAT(answer, HasSubstr("content-length: 11\r\n\r\nGET /echo  "));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  RawClient client(port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(std::to_string(i).size()) + "\r\n\r\n" + std::to_string(i);
  client.send(requests);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(client.read_answer(), HasSubstr("POST /echo " + std::to_string(i) + " "));
}

TEST_F(HttpServerTest, ReadsARequestThatArrivesByteByByte) {
  RawClient client(port());
  for (const char c : std::string_view("\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")) client.send({&c, 1});
  EXPECT_THAT(client.read_answer(), HasSubstr("POST /echo abc "));
}

TEST_F(HttpServerTest, ReadsChunkedBodiesWithExtensionsAndTrailers) {
  const auto answer = ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("POST /echo abcde "));
}

TEST_F(HttpServerTest, ReadsAnEmptyChunkedBodyByteByByte) {
  RawClient client(port());
  for (const char c : std::string_view("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
    client.send({&c, 1});
    std::this_thread::yield();
  }
  EXPECT_THAT(client.read_answer(), HasSubstr("POST /echo  "));
}

TEST_F(HttpServerTest, AsksForTheBodyOfAClientThatWaits) {
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.exchange("abc"), HasSubstr("POST /echo abc "));
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  RawClient client(port());
  EXPECT_THAT(client.exchange("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HasSubstr("connection: keep-alive\r\n"));
  client.send("GET /echo HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("connection: close\r\n"));
}

TEST_F(HttpServerTest, ClosesWhenAsked) {
  RawClient client(port());
  client.send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("connection: close\r\n"));
}

TEST_F(HttpServerTest, SendsNoBodyForHead) {
  RawClient client(port());
  client.send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /name/next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(true), HasSubstr("content-length: 12\r\n\r\n"));
  EXPECT_THAT(client.read_answer(), HasSubstr("\r\n\r\nnext"));
}

TEST_F(HttpServerTest, SendsNeitherLengthNorBodyFor204) {
  const auto answer = ask("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("content-length")));
}

TEST_F(HttpServerTest, ListsTheVerbsOfAPath) {
  const auto wrong = ask("PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(wrong, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(wrong, HasSubstr("allow: GET, HEAD, POST, OPTIONS\r\n"));
  const auto options = ask("OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(options, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(options, HasSubstr("allow: GET, HEAD, POST, OPTIONS\r\n"));
  EXPECT_THAT(ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 204 "));
}

TEST_F(HttpServerTest, SaysWhatIsNotThereAsJson) {
  const auto answer = ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer, HasSubstr("content-type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("{\"error\":{\"code\":\"not_found\",\"message\":\"there is nothing at /nothing\",\"request_id\":\""));
}

TEST_F(HttpServerTest, KeepsAnEncodedSlashInsideItsSegment) {
  EXPECT_THAT(ask("GET /name/org%2Fmodel HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("\r\n\r\norg/model"));
}

TEST_F(HttpServerTest, WritesErrorsWithPathAndFixButNothingInternal) {
  const auto field = ask("GET /field HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(field, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(field, HasSubstr("\"message\":\"expected string\",\"path\":\"messages[2]\",\"fix\":\"send text\""));
  for (const char* path : {"/internal", "/throws"}) {
    const auto answer = ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(answer, Not(HasSubstr("secret")));
    EXPECT_THAT(answer, Not(HasSubstr("surprise")));
  }
}

TEST_F(HttpServerTest, LetsNoHeaderValueStartAnotherHeader) {
  const auto answer = ask("GET /splits HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("location: /a  set-cookie: b\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("bad name")));
  EXPECT_THAT(answer, HasSubstr("content-length: 1\r\n"));
}

TEST_F(HttpServerTest, ChecksKeyRoleAndSession) {
  const auto with = [&](std::string request, std::string field) { return ask(request + " HTTP/1.1\r\nHost: x\r\n" + field + "\r\n"); };
  EXPECT_THAT(with("GET /member", ""), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(with("GET /member", ""), HasSubstr("www-authenticate: Bearer\r\n"));
  EXPECT_THAT(with("GET /member", "Authorization: Bearer wrong\r\n"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(with("GET /member", "Authorization: Bearer member\r\n"), HasSubstr("GET /member  k1"));
  EXPECT_THAT(with("GET /admin", "Authorization: Bearer member\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(with("GET /admin", "Authorization: Bearer admin\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with("GET /echo", "Authorization: Bearer wrong\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with("GET /echo", "Authorization: Bearer member\r\n"), HasSubstr("k1"));
  EXPECT_THAT(with("GET /member", "Cookie: session\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with("POST /member", "Cookie: session\r\nContent-Length: 0\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(with("POST /member", "Cookie: session\r\nX-Volan-CSRF: 1\r\nContent-Length: 0\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, DropsTheKeyOfTheRequestBefore) {
  RawClient client(port());
  EXPECT_THAT(client.exchange("GET /member HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer member\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.exchange("GET /member HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 401 "));
}

struct Refused {
  const char* what;
  std::string request;
  int status;
};

TEST_F(HttpServerTest, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string start = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  const std::vector<Refused> list{
      {"both lengths", start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"both lengths, other order", start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
      {"unknown coding with length", start + "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"unknown coding", start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"coding after chunked", start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
      {"coding twice", start + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
      {"conflicting lengths", start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"signed length", start + "Content-Length: +3\r\n\r\nabc", 400},
      {"negative length", start + "Content-Length: -3\r\n\r\nabc", 400},
      {"huge length", start + "Content-Length: 99999999999999999999\r\n\r\nabc", 400},
      {"chunk size that is no number", start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", 400},
      {"chunk size that overflows", start + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", 400},
      {"chunk longer than announced", start + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400},
      {"space before the colon", start + "Content-Length : 3\r\n\r\nabc", 400},
      {"bare line feed", "GET /echo HTTP/1.1\nHost: x\n\n", 400},
      {"bad escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"zero byte in path", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no host", "GET /echo HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"coding in 1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"garbage", "\x16\x03\x01\x02\r\n\r\n", 400},
      {"unknown method", "BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"other expectation", start + "Expect: 200-ok\r\nContent-Length: 0\r\n\r\n", 417},
  };
  for (const auto& [what, request, status] : list) {
    RawClient client(port());
    client.send(request);
    client.shut_write();
    const auto answer = client.read_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + " ")) << what;
    EXPECT_THAT(answer, HasSubstr("{\"error\":{\"code\":\"")) << what;
    EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos) << what;
  }
}

TEST_F(HttpServerTest, RefusesLongBodiesByTheirRoute) {
  EXPECT_THAT(ask("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, KeepsTheConnectionAfterARefusalThatItCouldRead) {
  RawClient client(port());
  EXPECT_THAT(client.exchange("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(client.exchange("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(client.exchange("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, CountsByRouteAndStatus) {
  ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  server->stop(patience);
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("volan_http_requests_total{method=\"GET\",route=\"/echo\",status=\"2xx\"} 1"));
  EXPECT_THAT(text, HasSubstr("volan_http_requests_total{method=\"other\",route=\"none\",status=\"4xx\"} 1"));
  EXPECT_THAT(text, HasSubstr("volan_http_request_seconds_count 2"));
  EXPECT_THAT(text, HasSubstr("volan_http_connections 0"));
}

TEST_F(HttpServerTest, SaysWhenThePortIsTaken) {
  ServerOptions same{.port = port()};
  const auto second = HttpServer::start(pools, router, test_principal, same, log, metrics);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, core::ErrorCode::conflict);
  EXPECT_THAT(second.error().fix, HasSubstr("--listen"));
}

TEST_F(HttpServerTest, SaysWhenAnAddressOrCertificateIsWrong) {
  const auto code = [&](ServerOptions wrong) {
    const auto started = HttpServer::start(pools, router, test_principal, wrong, log, metrics);
    return started ? core::ErrorCode::internal : started.error().code;
  };
  EXPECT_EQ(code({.host = "192.0.2.1", .port = 0}), core::ErrorCode::invalid_argument);
  EXPECT_EQ(code({.port = 0, .tls_certificate_file = "/nowhere.pem"}), core::ErrorCode::invalid_argument);
  EXPECT_EQ(code({.port = 0, .tls_certificate_file = "/nowhere.pem", .tls_key_file = "/nowhere.key"}), core::ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace volan::net::testing
