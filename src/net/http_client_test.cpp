// Goal: the client keeps, renews and closes connections correctly, and every way an upstream can fail has its own error.
// Method: against our server, and against a listening socket that answers with exact bytes.
#include <gmock/gmock.h>

#include <thread>

#include "net/http_client.hpp"
#include "net/server_testing.hpp"

namespace volan::net::testing {
namespace {

using ::testing::HasSubstr;

core::Task<Response> echo(Request& request) {
  std::string text(name_of(request.verb));
  text.append(" ").append(request.target).append(" ").append(request.headers.get("host")).append(" ").append(request.body);
  Response response = Response::text(std::move(text), 201);
  response.headers.add("x-echo", request.headers.get("x-ask"));
  co_return response;
}
core::Task<> write_pieces(BodyWriter& writer) {
  for (int i = 0; i < 100; ++i) {
    const std::string piece(static_cast<std::size_t>(i) * 500 + 1, static_cast<char>('a' + i % 26));
    VOLAN_CO_TRY_VOID(co_await writer.write(piece));
  }
  co_return core::Result<>{};
}
core::Task<> wait_as_producer(BodyWriter& writer, Watched& watched) {
  VOLAN_CO_TRY_VOID(co_await writer.write("begun"));
  const auto ended = co_await wait_for_cancel(watched);
  co_return core::fail(ended.error());
}
core::Task<Response> stream(BodyProducer producer) { co_return Response::events(std::move(producer)); }

/// Answers each connection in turn with its script: for every text, reads one request (up to its empty line) and sends the text. Then closes.
class Upstream {
 public:
  using Scripts = std::vector<std::vector<std::string>>;
  explicit Upstream(Scripts scripts) : listener_(::socket(AF_INET, SOCK_STREAM, 0)), scripts_(std::move(scripts)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Upstream() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  int connections() const { return connections_; }

 private:
  void serve() {
    for (const auto& script : scripts_) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      ++connections_;
      for (const auto& answer : script) {
        std::string request;
        char byte;
        while (!request.ends_with("\r\n\r\n") && ::recv(socket, &byte, 1, 0) == 1) request.push_back(byte);
        ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      ::close(socket);
    }
  }
  int listener_;
  Scripts scripts_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

const std::string ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

struct HttpClientTest : ::testing::Test, TestServer {
  Watched watched;
  ClientOptions client_options;
  std::unique_ptr<HttpClient> client;

  void SetUp() override {
    get("/echo", echo);
    add(Verb::post, "/echo", echo);
    get("/pieces", [](Request&) { return stream(write_pieces); });
    get("/hangs", [this](Request&) { return wait_for_cancel(watched); });
    get("/hangs-later", [this](Request&) { return stream([this](BodyWriter& writer) { return wait_as_producer(writer, watched); }); });
    start();
    make_client();
  }
  void make_client() { client = std::make_unique<HttpClient>(pools, client_options); }
  std::string url(std::string_view path) const { return server->url() + std::string(path); }
  core::Result<ClientResponse> send(ClientRequest request) { return run(pools, client->send(std::move(request))); }
  core::Result<ClientResponse> get_url(std::string target) { return send({.url = std::move(target)}); }
  core::ErrorCode error_of(std::string target) {
    const auto response = get_url(std::move(target));
    EXPECT_FALSE(response.has_value());
    return response ? core::ErrorCode::internal : response.error().code;
  }
  static core::Task<std::string> read_all(HttpClient& from, ClientRequest request) {
    VOLAN_CO_TRY(auto stream, co_await from.stream(std::move(request)));
    std::string all;
    for (;;) {
      VOLAN_CO_TRY(const auto piece, co_await stream->read());
      if (piece.empty()) co_return all;
      all.append(piece);
    }
  }
};

TEST_F(HttpClientTest, SendsHeadersAndBody) {
  ClientRequest request{.verb = Verb::post, .url = url("/echo?a=b#part"), .body = "hello"};
  request.headers.add("x-ask", "42");
  const auto response = send(request);
  ASSERT_TRUE(response) << core::to_text(response.error());
  EXPECT_EQ(response->status, 201u);
  EXPECT_EQ(response->body, "POST /echo?a=b 127.0.0.1:" + std::to_string(port()) + " hello");
  EXPECT_EQ(response->headers.get("X-Echo"), "42");
}

TEST_F(HttpClientTest, SendsLargeBodies) {
  const std::string body(5u << 20, 'z');
  const auto response = send({.verb = Verb::post, .url = url("/echo"), .body = body});
  ASSERT_TRUE(response) << core::to_text(response.error());
  EXPECT_THAT(response->body, ::testing::EndsWith(body));
}

TEST_F(HttpClientTest, ResolvesNames) { EXPECT_TRUE(get_url("http://localhost:" + std::to_string(port()) + "/echo")); }

TEST_F(HttpClientTest, ReusesAConnection) {
  Upstream upstream({{ok, ok, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", ok}});
  for (const char* expected : {"ok", "ok", "a", "", "ok"}) {
    const auto response = get_url(upstream.url());
    ASSERT_TRUE(response) << core::to_text(response.error());
    EXPECT_EQ(response->body, expected);
  }
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(HttpClientTest, AsksOnceMoreWhenAKeptConnectionHasDied) {
  Upstream upstream({{ok}, {ok}});
  EXPECT_TRUE(get_url(upstream.url()));
  EXPECT_TRUE(get_url(upstream.url()));
  EXPECT_EQ(upstream.connections(), 2);
}

TEST_F(HttpClientTest, DoesNotAskAgainOnANewConnection) {
  Upstream upstream({{""}, {ok}});
  EXPECT_EQ(error_of(upstream.url()), core::ErrorCode::upstream);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(HttpClientTest, ReadsABodyThatEndsWithTheConnection) {
  Upstream upstream({{"HTTP/1.1 200 OK\r\n\r\nuntil the end"}, {"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"}, {ok}});
  EXPECT_EQ(get_url(upstream.url())->body, "until the end");
  EXPECT_EQ(get_url(upstream.url())->body, "ok");
  EXPECT_EQ(get_url(upstream.url())->body, "ok");
  EXPECT_EQ(upstream.connections(), 3);
}

TEST_F(HttpClientTest, SkipsInterimAnswers) {
  Upstream upstream({{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + ok}});
  const auto response = get_url(upstream.url());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200u);
  EXPECT_FALSE(response->headers.has("link"));
}

TEST_F(HttpClientTest, ExpectsNoBodyAfterHead) {
  Upstream upstream({{"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", ok}});
  EXPECT_EQ(send({.verb = Verb::head, .url = upstream.url()})->body, "");
  EXPECT_EQ(get_url(upstream.url())->body, "ok");
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(HttpClientTest, NamesWhatIsWrongWithAnAnswer) {
  for (const char* bad : {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "SSH-2.0-x\r\n\r\n",
                          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nxx", "HTTP/1.1 2"}) {
    Upstream upstream({{bad}});
    EXPECT_EQ(error_of(upstream.url()), core::ErrorCode::upstream) << bad;
  }
}

TEST_F(HttpClientTest, TrustsNoBytesAfterTheAnswer) {
  Upstream upstream({{ok + "HTTP/1.1 500 stray\r\ncontent-length: 0\r\n\r\n"}, {ok}});
  EXPECT_EQ(get_url(upstream.url())->status, 200u);
  EXPECT_EQ(get_url(upstream.url())->status, 200u);
  EXPECT_EQ(upstream.connections(), 2);
}

TEST_F(HttpClientTest, RefusesAnswersBeyondTheLimit) {
  client_options.body_bytes_max = 4;
  make_client();
  Upstream upstream({{"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde"}, {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"}});
  EXPECT_EQ(error_of(upstream.url()), core::ErrorCode::too_large);
  EXPECT_EQ(error_of(upstream.url()), core::ErrorCode::too_large);
}

TEST_F(HttpClientTest, SaysWhenNobodyListens) {
  server->stop(0ms);
  EXPECT_EQ(error_of(url("/echo")), core::ErrorCode::unavailable);
}

TEST_F(HttpClientTest, GivesUpAtItsDeadlines) {
  EXPECT_EQ(send({.url = url("/hangs"), .first_byte_timeout = 50ms}).error().code, core::ErrorCode::deadline_exceeded);
  ASSERT_TRUE(watched.wait(watched.ended));  // giving up has cancelled the work behind it
  EXPECT_EQ(send({.url = url("/hangs-later"), .total_timeout = 50ms}).error().code, core::ErrorCode::deadline_exceeded);
  ASSERT_TRUE(watched.wait(watched.ended));
}

TEST_F(HttpClientTest, LimitsTheConnectionsToAHost) {
  client_options.connections_per_host_max = 1;
  make_client();
  auto hanging = boost::asio::co_spawn(pools.io(0), client->send({.url = url("/hangs"), .total_timeout = 300ms}), boost::asio::use_future);
  ASSERT_TRUE(watched.wait(watched.begun));
  EXPECT_EQ(error_of(url("/echo")), core::ErrorCode::resource_exhausted);
  EXPECT_EQ(hanging.get().error().code, core::ErrorCode::deadline_exceeded);
  EXPECT_TRUE(get_url(url("/echo")));
}

TEST_F(HttpClientTest, RefusesBadUrlsAndHeaders) {
  for (const char* bad : {"ftp://x/", "http:///x", "http://user@x/", "http://x:0/", "http://x:99999999/", "http://x/a b", "http://x/a\r\nb", "http://[::1/", ""})
    EXPECT_EQ(error_of(bad), core::ErrorCode::invalid_argument) << bad;
  ClientRequest request{.url = url("/echo")};
  request.headers.add("x-ask", "a\r\nx-other: b");
  EXPECT_EQ(send(request).error().code, core::ErrorCode::invalid_argument);
}

TEST_F(HttpClientTest, StreamsTheBodyAsItArrives) {
  const auto all = run(pools, read_all(*client, {.url = url("/pieces")}));
  ASSERT_TRUE(all) << core::to_text(all.error());
  std::string expected;
  for (int i = 0; i < 100; ++i) expected.append(static_cast<std::size_t>(i) * 500 + 1, static_cast<char>('a' + i % 26));
  EXPECT_EQ(*all, expected);
}

TEST_F(HttpClientTest, ReportsACutStream) {
  Upstream upstream({{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n"}});
  const auto all = run(pools, read_all(*client, {.url = upstream.url()}));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, core::ErrorCode::upstream);
}

core::Task<bool> open_and_drop(HttpClient& client, std::string target) {
  ClientRequest request{.url = std::move(target)};
  VOLAN_CO_TRY(const auto stream, co_await client.stream(std::move(request)));
  VOLAN_CO_TRY(const auto piece, co_await stream->read());
  co_return piece == "begun";
}

TEST_F(HttpClientTest, CancelsTheWorkBehindAStreamThatIsDropped) {
  const auto dropped = run(pools, open_and_drop(*client, url("/hangs-later")));
  EXPECT_TRUE(dropped && *dropped);
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
}

/// A proxy handler: what the gateway does.
core::Task<Response> forward(HttpClient& client, std::string target, Watched& seen) {
  ClientRequest request{.url = std::move(target)};
  auto answer = co_await client.send(std::move(request));
  seen.was_cancelled = !answer && answer.error().code == core::ErrorCode::cancelled;
  seen.ended.release();
  if (!answer) co_return core::fail(answer.error());
  co_return Response::text(std::move(answer->body));
}

TEST_F(HttpClientTest, IsCancelledWithTheHandlerThatCallsIt) {
  TestServer proxy;
  Watched forwarded;
  HttpClient proxy_client(proxy.pools);
  const std::string target = url("/hangs");
  proxy.get("/", [&](Request&) { return forward(proxy_client, target, forwarded); });
  proxy.start();
  RawClient leaver(proxy.port());
  leaver.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(watched.wait(watched.begun));
  leaver.close();
  ASSERT_TRUE(forwarded.wait(forwarded.ended));
  EXPECT_TRUE(forwarded.was_cancelled);
  ASSERT_TRUE(watched.wait(watched.ended));
  EXPECT_TRUE(watched.was_cancelled);
}

}  // namespace
}  // namespace volan::net::testing
