// Goal: streams arrive as written, a client that leaves ends the work behind it, and stopping is orderly. Method: real sockets, and
// handlers that report their begin and end.
#include <gmock/gmock.h>

#include "net/server_testing.hpp"

namespace volan::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

core::Task<> write_three(BodyWriter& writer) {
  for (const std::string_view piece : {"one", "", "two", "three"}) VOLAN_CO_TRY_VOID(co_await writer.write(piece));
  co_return core::Result<>{};
}
core::Task<> write_large(BodyWriter& writer) {
  const std::string piece(300'000, 'x');
  for (int i = 0; i < 10; ++i) VOLAN_CO_TRY_VOID(co_await writer.write(piece));
  co_return core::Result<>{};
}
core::Task<> write_nothing(BodyWriter&) { co_return core::Result<>{}; }
core::Task<> fail_at_once(BodyWriter&) { co_return core::fail(core::ErrorCode::unavailable, "no model"); }
core::Task<> fail_later(BodyWriter& writer) {
  VOLAN_CO_TRY_VOID(co_await writer.write("begun"));
  co_return core::fail(core::ErrorCode::upstream, "the model went away");
}
core::Task<> throw_later(BodyWriter& writer) {
  VOLAN_CO_TRY_VOID(co_await writer.write("begun"));
  throw std::runtime_error("a library's surprise");
}
core::Task<> write_and_wait(BodyWriter& writer, Watched& watched) {
  VOLAN_CO_TRY_VOID(co_await writer.write("begun"));
  const auto ended = co_await wait_for_cancel(watched);
  co_return core::fail(ended.error());
}
/// Writes until that fails; the wait keeps other connections alive in between.
core::Task<> write_forever(BodyWriter& writer, Watched& watched) {
  const std::string piece(100'000, 'x');
  core::Result<> done;
  watched.begun.release();
  while (done) done = co_await writer.write(piece);
  watched.was_cancelled = done.error().code == core::ErrorCode::cancelled;
  watched.ended.release();
  co_return done;
}
core::Task<Response> stream(BodyProducer producer) { co_return Response::events(std::move(producer)); }
core::Task<Response> sized_stream(std::string length) {
  Response response = Response::events(write_three);
  response.headers.set("content-length", length);
  co_return response;
}

struct HttpServerStreamTest : ::testing::Test, TestServer {
  Watched watched;
  void add_stream(std::string path, BodyProducer producer) {
    get(std::move(path), [producer](Request&) { return stream(producer); });
  }
  void SetUp() override {
    add_stream("/three", write_three);
    add_stream("/large", write_large);
    add_stream("/nothing", write_nothing);
    add_stream("/fails", fail_at_once);
    add_stream("/fails-later", fail_later);
    add_stream("/throws-later", throw_later);
    add_stream("/waits", [this](BodyWriter& writer) { return write_and_wait(writer, watched); });
    add_stream("/forever", [this](BodyWriter& writer) { return write_forever(writer, watched); });
    get("/sized", [](Request&) { return sized_stream("11"); });
    get("/too-short", [](Request&) { return sized_stream("20"); });
    get("/too-long", [](Request&) { return sized_stream("5"); });
    get("/handler-waits", [this](Request&) { return wait_for_cancel(watched); });
    options.idle_timeout = options.header_timeout = options.body_timeout = options.write_timeout = 10s;
  }
  core::Task<Response> gated(std::shared_future<void> gate) {
    watched.begun.release();
    const auto waited = [gate] { return core::Result<bool>(gate.wait_for(patience) == std::future_status::ready); };
    VOLAN_CO_TRY(const bool is_open, co_await pools.on_disk(waited));
    co_return Response::text(is_open ? "done" : "never");
  }
  /// Whether the server still takes connections.
  bool probe() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_open = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(socket);
    return is_open;
  }
  static std::string request(std::string_view path, std::string_view version = "1.1") {
    return "GET " + std::string(path) + " HTTP/" + std::string(version) + "\r\nHost: x\r\n\r\n";
  }
};

TEST_F(HttpServerStreamTest, SendsEachWriteAsAChunk) {
  start();
  RawClient client(port());
  client.send(request("/three") + request("/three"));
  ASSERT_TRUE(client.read_until("0\r\n\r\nHTTP/1.1"));
  client.shut_write();
  const auto answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"));
}

TEST_F(HttpServerStreamTest, SendsLargeChunksWhole) {
  start();
  RawClient client(port());
  client.send(request("/large"));
  ASSERT_TRUE(client.read_until("\r\n0\r\n\r\n"));
  client.shut_write();
  EXPECT_GT(client.read_all().size(), 3'000'000u);
}

TEST_F(HttpServerStreamTest, EndsAnEmptyStream) {
  start();
  RawClient client(port());
  client.send(request("/nothing"));
  EXPECT_TRUE(client.read_until("transfer-encoding: chunked\r\n\r\n0\r\n\r\n"));
}

TEST_F(HttpServerStreamTest, StreamsToHttp10UntilTheEndOfTheConnection) {
  start();
  RawClient client(port());
  client.send(request("/three", "1.0"));
  const auto answer = client.read_all();
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nonetwothree"));
}

TEST_F(HttpServerStreamTest, SendsAStreamOfKnownLengthWithoutChunks) {
  start();
  RawClient client(port());
  EXPECT_THAT(client.exchange(request("/sized")), EndsWith("content-length: 11\r\n\r\nonetwothree"));
  EXPECT_THAT(client.exchange(request("/sized")), EndsWith("\r\n\r\nonetwothree"));
  client.send(request("/too-short"));
  EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\nonetwothree"));
  RawClient other(port());
  other.send(request("/too-long"));
  EXPECT_THAT(other.read_all(), EndsWith("\r\n\r\none"));
}

TEST_F(HttpServerStreamTest, TurnsAnEarlyFailureIntoAnErrorAnswer) {
  start();
  RawClient client(port());
  EXPECT_THAT(client.exchange(request("/fails")), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(client.exchange(request("/sized")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerStreamTest, ClosesWithoutTheLastChunkAfterALateFailure) {
  start();
  for (const char* path : {"/fails-later", "/throws-later"}) {
    RawClient client(port());
    client.send(request(path));
    EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\n5\r\nbegun\r\n")) << path;
  }
}

TEST_F(HttpServerStreamTest, CancelsTheHandlerOfAClientThatLeaves) {
  start();
  for (const bool is_reset : {false, true}) {
    RawClient client(port());
    client.send(request("/handler-waits"));
    ASSERT_TRUE(watched.wait(watched.begun));
    if (is_reset) client.reset();
    else client.close();
    ASSERT_TRUE(watched.wait(watched.ended));
    EXPECT_TRUE(watched.was_cancelled);
  }
}

TEST_F(HttpServerStreamTest, NoticesALeavingClientBehindAPipelinedRequest) {
  start();
  RawClient client(port());
  client.send(request("/handler-waits") + request("/three"));
  ASSERT_TRUE(watched.wait(watched.begun));
  client.close();
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
}

TEST_F(HttpServerStreamTest, CancelsTheProducerOfAClientThatLeaves) {
  start();
  RawClient client(port());
  client.send(request("/waits"));
  ASSERT_TRUE(client.read_until("begun"));
  ASSERT_TRUE(watched.wait(watched.begun));
  client.close();
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
}

TEST_F(HttpServerStreamTest, SlowsAProducerDownAndEndsItWhenTheClientLeaves) {
  start();
  RawClient client(port());
  client.send(request("/forever"));
  ASSERT_TRUE(watched.wait(watched.begun));
  ASSERT_TRUE(client.read_until("xxx"));
  client.close();
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
}

TEST_F(HttpServerStreamTest, EndsAProducerWhoseClientDoesNotRead) {
  options.write_timeout = 100ms;
  start();
  RawClient client(port());
  client.send(request("/forever"));
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_FALSE(watched.was_cancelled);  // deadline_exceeded
}

TEST_F(HttpServerStreamTest, StopsAtOnceWhenNothingRuns) {
  start();
  RawClient idle(port());
  EXPECT_THAT(idle.exchange(request("/sized")), StartsWith("HTTP/1.1 200 "));
  server->stop(patience);
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(HttpServerStreamTest, LetsARunningRequestFinishWithinTheGrace) {
  std::promise<void> released;
  auto gate = released.get_future().share();
  get("/gated", [this, gate](Request&) { return gated(gate); });
  start();
  RawClient client(port());
  client.send(request("/gated"));
  ASSERT_TRUE(watched.wait(watched.begun));
  auto stopped = std::async(std::launch::async, [&] { server->stop(patience); });
  // The listening socket goes first, so a refused connection says that the stop has begun.
  while (probe()) std::this_thread::yield();
  released.set_value();
  const auto answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("connection: close\r\n"));
  stopped.get();
}

TEST_F(HttpServerStreamTest, CancelsWhatRunsAfterTheGrace) {
  start();
  RawClient handler(port()), producer(port());
  handler.send(request("/handler-waits"));
  ASSERT_TRUE(watched.wait(watched.begun));
  server->stop(0ms);
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
  EXPECT_THAT(handler.read_all(), StartsWith("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace volan::net::testing
