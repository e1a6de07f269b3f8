#include "mock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <random>

#include "core/ids.hpp"

namespace volan::mock {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using net::Request;
using net::Response;

constexpr std::string_view identity = R"("id":"chatcmpl-mock","created":1735689600,"model":"mock")";
constexpr std::size_t slow_piece_bytes = 16;

struct Knob {
  std::string_view name;
  std::string_view header;
  std::int64_t Knobs::*member;
};
constexpr std::array<Knob, 7> knob_list{{{"ttft_ms", "x-mock-ttft-ms", &Knobs::ttft_ms},
                                         {"gap_ms", "x-mock-gap-ms", &Knobs::gap_ms},
                                         {"frames", "x-mock-frames", &Knobs::frames},
                                         {"frame_bytes", "x-mock-frame-bytes", &Knobs::frame_bytes},
                                         {"status", "x-mock-status", &Knobs::status},
                                         {"cut_after_frames", "x-mock-cut-after-frames", &Knobs::cut_after_frames},
                                         {"slow_body", "x-mock-slow-body", &Knobs::slow_body}}};

core::Task<> pause(std::int64_t ms) {
  if (ms <= 0) co_return core::Result<>{};
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(ms));
  const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable_t<>{}));
  if (error) co_return core::fail(core::ErrorCode::cancelled, "the client has left");
  co_return core::Result<>{};
}

Response openai_error(unsigned status, std::string_view message) {
  Response response = Response::json(fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":null}}}})", message,
                                                 status == 429 ? "rate_limit_exceeded" : status < 500 ? "invalid_request_error" : "server_error"),
                                     status);
  if (status == 429) response.headers.add("retry-after-ms", "10");
  return response;
}

/// The frames' texts: "w0 ", "w1 " ... filled with dots to `bytes`.
std::string frame_text(std::int64_t index, std::int64_t bytes) {
  std::string text = fmt::format("w{}", index);
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  text.resize(size, '.');
  text.back() = ' ';
  return text;
}

std::string usage_of(const Knobs& knobs) {
  return fmt::format(R"({{"prompt_tokens":10,"completion_tokens":{},"total_tokens":{}}})", knobs.frames, knobs.frames + 10);
}

std::string plain_body(const Knobs& knobs) {
  std::string content;
  for (std::int64_t i = 0; i < knobs.frames; ++i) content += frame_text(i, knobs.frame_bytes);
  return fmt::format(R"({{{},"object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}","refusal":null}},)"
                     R"("logprobs":null,"finish_reason":"stop"}}],"usage":{}}})",
                     identity, content, usage_of(knobs));
}

std::string chunk(std::string_view delta, std::string_view finish, bool has_usage) {
  return fmt::format("data: {{{},\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":{}}}]{}}}\n\n",
                     identity, delta, finish, has_usage ? ",\"usage\":null" : "");
}

/// Whether the body has `"name": true`, without parsing it: the mock must cost next to nothing.
bool is_true(std::string_view body, std::string_view quoted_name) {
  const std::size_t at = body.find(quoted_name);
  if (at == std::string_view::npos) return false;
  const std::size_t value = body.find_first_not_of(" \t\r\n:", at + quoted_name.size());
  return value != std::string_view::npos && body.substr(value).starts_with("true");
}

core::Result<json::object> parse_object(std::string_view body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return core::fail(core::ErrorCode::invalid_argument, "the body is not a JSON object");
  return std::move(value.as_object());
}

/// Components of a unit vector that depends on the text alone.
std::vector<float> vector_of(std::string_view text, std::int64_t dimensions) {
  const auto hash = core::sha256(text);
  std::seed_seq seed(hash.begin(), hash.end());
  std::mt19937 random(seed);
  std::vector<float> vector(static_cast<std::size_t>(dimensions));
  double sum = 0;
  for (float& x : vector) {
    x = static_cast<float>(static_cast<double>(random()) / 2147483648.0 - 1.0);
    sum += static_cast<double>(x) * static_cast<double>(x);
  }
  for (float& x : vector) x /= static_cast<float>(std::sqrt(std::max(sum, 1e-12)));
  return vector;
}

core::Task<Response> models(Request&) {
  co_return Response::json(R"({"object":"list","data":[{"id":"mock","object":"model","created":1735689600,"owned_by":"volan"}]})");
}
core::Task<Response> health(Request&) { co_return Response::json(R"({"status":"ok"})"); }

/// One token for each started group of four bytes.
core::Task<Response> tokenize(Request& request) {
  auto body = parse_object(request.body);
  if (!body || !body->contains("content") || !body->at("content").is_string()) co_return openai_error(400, "content: expected a string");
  json::array tokens;
  for (std::size_t i = 0; i < body->at("content").as_string().size(); i += 4) tokens.push_back(i / 4);
  json::object answer{{"tokens", std::move(tokens)}};
  co_return Response::json(json::serialize(answer));
}

}  // namespace

Mock::Mock(Knobs knobs, double error_rate, std::int64_t dimensions)
    : knobs_(knobs), error_rate_(error_rate), dimensions_(dimensions), plain_answer_(plain_body(knobs)) {}

std::vector<net::Route> Mock::routes() {
  std::vector<net::Route> list;
  const auto add = [&](net::Verb verb, std::string path, net::Handler handler) {
    list.push_back({verb, std::move(path), net::Access::anyone, std::move(handler), {}});
  };
  for (const std::string prefix : {"", "/v1"}) {
    add(net::Verb::post, prefix + "/chat/completions", [this](Request& request) { return chat(request); });
    add(net::Verb::post, prefix + "/embeddings", [this](Request& request) { return embeddings(request); });
    add(net::Verb::get, prefix + "/models", models);
  }
  add(net::Verb::post, "/tokenize", tokenize);
  add(net::Verb::get, "/health", health);
  return list;
}

core::Result<Knobs> Mock::knobs_of(const Request& request) const {
  Knobs knobs = knobs_;
  for (const auto& [name, value] : request.headers.all()) {
    if (!name.starts_with("x-mock-") && !name.starts_with("X-Mock-")) continue;
    for (const Knob& knob : knob_list)
      if (std::equal(name.begin(), name.end(), knob.header.begin(), knob.header.end(), [](char a, char b) { return (a | 0x20) == (b | 0x20); }))
        std::from_chars(value.data(), value.data() + value.size(), knobs.*knob.member);
  }
  if (request.body.find("\"mock\"") == std::string::npos) return knobs;
  VOLAN_TRY(const auto body, parse_object(request.body));
  const json::value* fields = body.if_contains("mock");
  if (!fields || !fields->is_object()) return knobs;
  for (const Knob& knob : knob_list)
    if (const json::value* value = fields->as_object().if_contains(knob.name); value && value->is_int64()) knobs.*knob.member = value->as_int64();
  return knobs;
}

/// True for the share error_rate_ of the calls, evenly spread: call n fails when n * rate passes a whole number.
bool Mock::is_failure() {
  if (error_rate_ <= 0) return false;
  const auto n = static_cast<double>(calls_.fetch_add(1, std::memory_order_relaxed));
  return std::floor((n + 1) * error_rate_) > std::floor(n * error_rate_);
}

core::Task<Response> Mock::chat(Request& request) {
  const auto knobs = knobs_of(request);
  if (!knobs) co_return openai_error(400, "the body is not a JSON object");
  VOLAN_CO_TRY_VOID(co_await pause(knobs->ttft_ms));
  if (is_failure()) co_return openai_error(500, "the mock was told to fail");
  if (knobs->status >= 400 && knobs->status <= 599) co_return openai_error(static_cast<unsigned>(knobs->status), "the mock was told to answer so");
  if (!is_true(request.body, "\"stream\"")) co_return co_await plain(*knobs);
  const bool has_usage = is_true(request.body, "\"include_usage\"");
  co_return Response::events([this, knobs = *knobs, has_usage](net::BodyWriter& writer) { return stream(writer, knobs, has_usage); });
}

namespace {

core::Task<> write_slowly(net::BodyWriter& writer, std::string body, std::int64_t gap_ms) {
  for (std::size_t at = 0; at < body.size(); at += slow_piece_bytes) {
    VOLAN_CO_TRY_VOID(co_await writer.write(std::string_view(body).substr(at, slow_piece_bytes)));
    VOLAN_CO_TRY_VOID(co_await pause(gap_ms));
  }
  co_return core::Result<>{};
}

}  // namespace

core::Task<Response> Mock::plain(Knobs knobs) {
  const bool is_usual = knobs.frames == knobs_.frames && knobs.frame_bytes == knobs_.frame_bytes;
  Response response = Response::json(is_usual ? plain_answer_ : plain_body(knobs));
  if (knobs.slow_body) {
    response.headers.add("content-length", std::to_string(response.body.size()));
    response.stream = [body = response.body, gap = knobs.gap_ms](net::BodyWriter& writer) { return write_slowly(writer, body, gap); };
  }
  co_return response;
}

core::Task<> Mock::stream(net::BodyWriter& writer, Knobs knobs, bool has_usage) {
  const std::string first = chunk(R"({"role":"assistant","content":""})", "null", has_usage);
  VOLAN_CO_TRY_VOID(co_await writer.write(first));
  for (std::int64_t i = 0; i < knobs.frames; ++i) {
    if (i > 0) VOLAN_CO_TRY_VOID(co_await pause(knobs.gap_ms));
    if (knobs.cut_after_frames > 0 && i >= knobs.cut_after_frames) co_return core::fail(core::ErrorCode::unavailable, "the mock was told to cut");
    const std::string delta = R"({"content":")" + frame_text(i, knobs.frame_bytes) + R"("})";
    const std::string frame = chunk(delta, "null", has_usage);
    VOLAN_CO_TRY_VOID(co_await writer.write(frame));
  }
  std::string last = chunk("{}", "\"stop\"", has_usage);
  if (has_usage) last += fmt::format("data: {{{},\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{}}}\n\n", identity, usage_of(knobs));
  last += "data: [DONE]\n\n";
  co_return co_await writer.write(last);
}

core::Task<Response> Mock::embeddings(Request& request) {
  auto body = parse_object(request.body);
  const json::value* input = body ? body->if_contains("input") : nullptr;
  if (!input) co_return openai_error(400, "input: expected a string or an array of strings");
  std::vector<std::string> texts;
  if (input->is_string()) texts.emplace_back(input->as_string());
  else if (input->is_array())
    for (const auto& item : input->as_array()) texts.push_back(item.is_string() ? std::string(item.as_string()) : json::serialize(item));
  const json::value* format = body->if_contains("encoding_format");
  const bool is_base64 = format && format->is_string() && format->as_string() == "base64";
  json::array data;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto vector = vector_of(texts[i], dimensions_);
    json::object item{{"object", "embedding"}, {"index", i}};
    static_assert(std::endian::native == std::endian::little, "the wire format is little-endian");
    if (is_base64) item["embedding"] = core::base64({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
    else item["embedding"] = json::array(vector.begin(), vector.end());
    data.push_back(std::move(item));
  }
  json::object usage{{"prompt_tokens", texts.size()}, {"total_tokens", texts.size()}};
  json::object answer{{"object", "list"}, {"model", "mock"}, {"data", std::move(data)}, {"usage", std::move(usage)}};
  co_return Response::json(json::serialize(answer));
}

}  // namespace volan::mock
