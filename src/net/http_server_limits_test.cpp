// Goal: nobody holds the server's resources for longer than allowed. Method: short timeouts; each test waits for the server's own reaction.
#include <gmock/gmock.h>

#include "net/server_testing.hpp"

namespace volan::net::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

core::Task<Response> echo(Request& request) { co_return Response::text(std::move(request.body)); }
core::Task<Response> large(Watched& watched) {
  watched.begun.release();
  co_return Response::text(std::string(64u << 20, 'x'));
}

struct HttpServerLimitsTest : ::testing::Test, TestServer {
  Watched watched;
  void SetUp() override {
    add(Verb::post, "/echo", echo);
    get("/large", [this](Request&) { return large(watched); });
    options.header_timeout = options.body_timeout = options.write_timeout = 100ms;
    options.idle_timeout = 100ms;
    options.header_bytes_max = 2000;
    options.body_bytes_max = 1u << 20;
  }
};

TEST_F(HttpServerLimitsTest, CutsASlowHeader) {
  start();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost");
  const auto answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(answer, HasSubstr("connection: close"));
}

TEST_F(HttpServerLimitsTest, CutsASlowBody) {
  start();
  for (const char* field : {"Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
    RawClient client(port());
    client.send(std::string("POST /echo HTTP/1.1\r\nHost: x\r\n") + field);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
  }
}

TEST_F(HttpServerLimitsTest, ClosesAnIdleConnectionWithoutAWord) {
  options.idle_timeout = 1s;
  start();
  RawClient silent(port());
  EXPECT_EQ(silent.read_all(), "");
  RawClient used(port());
  EXPECT_THAT(used.exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(used.read_all(), "");
}

TEST_F(HttpServerLimitsTest, CutsAClientThatDoesNotRead) {
  options.idle_timeout = 1h;
  start();
  RawClient client(port());
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(watched.wait(watched.begun));
  server->stop(patience);  // returns once the connection is gone; a server that went on writing would need the whole patience
  const auto answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(answer.size(), 64u << 20);
}

TEST_F(HttpServerLimitsTest, RefusesAHundredMegabytesWithoutReadingThem) {
  options.body_timeout = 10s;
  start();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 413 "));
  const std::string megabyte(1u << 20, 'x');
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i) sent += client.send(megabyte);
  EXPECT_LT(sent, 100u << 20);
}

TEST_F(HttpServerLimitsTest, RefusesLongHeaders) {
  start();
  EXPECT_THAT(RawClient(port()).exchange("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(RawClient(port()).exchange("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(3000, 'a') + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  RawClient dripping(port());  // every piece is short, together they are too long
  dripping.send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 300; ++i) dripping.send("A: bcdefgh\r\n");
  EXPECT_THAT(dripping.read_answer(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerLimitsTest, RefusesTooManyFields) {
  options.header_bytes_max = 32u << 10;
  start();
  std::string request = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 201; ++i) request += "A: b\r\n";
  EXPECT_THAT(RawClient(port()).exchange(request + "\r\n"), HasSubstr("too many header fields"));
}

TEST_F(HttpServerLimitsTest, RefusesEndlessChunkExtensions) {
  start();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=" + std::string(100'000, 'b'));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerLimitsTest, TakesALargeBodyWithinTheLimit) {
  options.body_timeout = 10s;
  start();
  const std::string body(1u << 20, 'y');
  RawClient client(port());
  EXPECT_THAT(client.exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body), ::testing::EndsWith(body));
}

TEST_F(HttpServerLimitsTest, RefusesConnectionsBeyondTheMaximum) {
  options.connections_max = 2;
  options.idle_timeout = 10s;
  start();
  const std::string_view request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  RawClient first(port()), second(port());
  EXPECT_THAT(first.exchange(request), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.exchange(request), StartsWith("HTTP/1.1 200 "));
  RawClient third(port());
  third.send(request);
  const auto refused = third.read_all();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("retry-after: 1\r\n"));
  EXPECT_THAT(first.exchange(request), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace volan::net::testing
