#include "gateway/provider_openai.hpp"

#include <simdjson.h>

#include <deque>

#include "core/json.hpp"
#include "core/json_text.hpp"
#include "core/text.hpp"

namespace volan::gateway::provider_openai {
namespace {

using core::ErrorCode;
namespace dom = simdjson::dom;

dom::parser& parser() {
  thread_local dom::parser instance;
  return instance;
}

/// Parses and keeps nothing beyond the next call on this thread.
core::Result<dom::element> parse(std::string_view bytes) {
  dom::element root;
  if (parser().parse(bytes.data(), bytes.size(), true).get(root) != simdjson::SUCCESS)
    return core::fail(ErrorCode::upstream, "the model endpoint answered with something that is not JSON");
  return root;
}

std::string text_of(const dom::element& element, const char* key) {
  std::string_view text;
  return element[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::int64_t integer_of(const dom::element& element, const char* key) {
  std::int64_t value = 0;
  return element[key].get(value) == simdjson::SUCCESS ? value : 0;
}

std::optional<llm::Usage> usage_of(const dom::element& root) {
  dom::element usage;
  if (root["usage"].get(usage) != simdjson::SUCCESS || !usage.is_object()) return std::nullopt;
  llm::Usage out;
  out.prompt_tokens = integer_of(usage, "prompt_tokens");
  out.completion_tokens = integer_of(usage, "completion_tokens");
  dom::element details;
  if (usage["prompt_tokens_details"].get(details) == simdjson::SUCCESS && details.is_object()) out.cached_tokens = integer_of(details, "cached_tokens");
  return out;
}

/// True when the object holds something besides role and content.
bool has_more(const dom::element& message) {
  dom::object object;
  if (message.get(object) != simdjson::SUCCESS) return false;
  for (const auto [key, value] : object)
    if (key != "role" && key != "content" && !value.is_null()) return true;
  return false;
}

/// A provider's refusal as our error: its own words, and whether the caller or the provider is at fault.
core::Error refusal(unsigned status, std::string_view body) {
  std::string message;
  if (auto root = parse(body)) {
    dom::element error;
    if ((*root)["error"].get(error) == simdjson::SUCCESS) message = error.is_object() ? text_of(error, "message") : std::string();
  }
  if (message.empty()) message = core::truncate_utf8(core::make_valid_utf8(body), 300);
  ErrorCode code = ErrorCode::upstream;
  if (status == 400 || status == 404 || status == 413 || status == 422) code = ErrorCode::invalid_argument;
  if (status == 429) code = ErrorCode::resource_exhausted;
  if (status == 503) code = ErrorCode::unavailable;
  return {code, "the model endpoint answered " + std::to_string(status) + ": " + message, {}, {}};
}

net::ClientRequest request_to(const runtime::Endpoint& endpoint, std::string_view path, std::string body) {
  net::ClientRequest request;
  request.verb = net::Verb::post;
  request.url = endpoint.base_url + std::string(path);
  request.headers.set("content-type", "application/json");
  request.headers.set("accept", "application/json");
  if (!endpoint.api_key.empty()) request.headers.set("authorization", "Bearer " + endpoint.api_key);
  request.body = std::move(body);
  return request;
}

core::Error broken(core::Error error) {
  if (error.code == ErrorCode::too_large || error.code == ErrorCode::invalid_argument) error.code = ErrorCode::upstream;
  return error;
}

class Stream final : public llm::ChatStream {
 public:
  Stream(std::unique_ptr<net::ClientStream> stream, std::shared_ptr<const runtime::Endpoint> endpoint)
      : stream_(std::move(stream)), endpoint_(std::move(endpoint)) {}

  core::Task<llm::ChatChunk> next() override {
    while (true) {
      while (!events_.empty()) {
        net::SseParser::Event event = std::move(events_.front());
        events_.pop_front();
        if (event.data == "[DONE]") {
          is_done_ = true;
          continue;
        }
        if (event.data.empty()) continue;
        auto chunk = parse_chunk(event.data);
        if (!chunk) co_return core::fail(std::move(chunk).error());
        if (!chunk->finish_reason.empty()) {
          // Usage follows in a chunk of its own: hold the last piece until the stream ends, so that it carries both.
          last_ = std::move(*chunk);
          continue;
        }
        if (chunk->usage && last_) {
          last_->usage = chunk->usage;
          continue;
        }
        if (chunk->text.empty() && chunk->delta.text.empty()) continue;
        co_return std::move(*chunk);
      }
      if (is_done_) {
        if (!last_) co_return core::fail(ErrorCode::upstream, "the stream of the model endpoint ended without a finish_reason");
        llm::ChatChunk chunk = std::move(*last_);
        last_.reset();
        co_return std::move(chunk);
      }
      auto bytes = co_await stream_->read();
      if (!bytes) co_return core::fail(broken(std::move(bytes).error()));
      if (bytes->empty()) {
        if (!last_) co_return core::fail(ErrorCode::upstream, "the stream of the model endpoint broke off");
        is_done_ = true;
        continue;
      }
      std::vector<net::SseParser::Event> events;
      auto fed = sse_.feed(*bytes, events);
      if (!fed) co_return core::fail(broken(std::move(fed).error()));
      for (auto& event : events) events_.push_back(std::move(event));
    }
  }

 private:
  std::unique_ptr<net::ClientStream> stream_;
  std::shared_ptr<const runtime::Endpoint> endpoint_;  // shared with the directory that published it
  net::SseParser sse_;
  std::deque<net::SseParser::Event> events_;
  std::optional<llm::ChatChunk> last_;
  bool is_done_ = false;
};

}  // namespace

std::string chat_body(const llm::ChatRequest& request, std::string_view upstream_model, bool is_stream) {
  std::string out;
  out.reserve(256 + request.extra.text.size());
  out += "{\"model\":";
  core::append_json_string(out, upstream_model);
  out += ",\"messages\":[";
  bool is_first = true;
  for (const auto& message : request.messages) {
    if (!is_first) out += ',';
    is_first = false;
    if (!message.raw.text.empty()) {
      out += message.raw.text;
      continue;
    }
    out += "{\"role\":";
    core::append_json_string(out, message.role);
    out += ",\"content\":";
    core::append_json_string(out, message.content);
    out += '}';
  }
  out += ']';
  const auto number = [&out](std::string_view name, auto value) {
    out += ",\"";
    out += name;
    out += "\":";
    core::append_json_number(out, value);
  };
  if (request.temperature) number("temperature", *request.temperature);
  if (request.top_p) number("top_p", *request.top_p);
  if (request.tokens_max) number("max_tokens", *request.tokens_max);
  if (request.seed) number("seed", *request.seed);
  if (!request.stop.empty()) {
    out += ",\"stop\":[";
    for (std::size_t i = 0; i < request.stop.size(); ++i) {
      if (i) out += ',';
      core::append_json_string(out, request.stop[i]);
    }
    out += ']';
  }
  if (request.extra.text.size() > 2) {
    out += ',';
    out.append(request.extra.text, 1, request.extra.text.size() - 2);
  }
  if (is_stream) out += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
  out += '}';
  return out;
}

core::Result<llm::ChatChunk> parse_chunk(std::string_view data) {
  VOLAN_TRY(auto root, parse(data));
  dom::element error;
  if (root["error"].get(error) == simdjson::SUCCESS && !error.is_null())
    return core::fail(ErrorCode::upstream, "the model endpoint failed: " + (error.is_object() ? text_of(error, "message") : std::string("no reason given")));
  llm::ChatChunk chunk;
  chunk.usage = usage_of(root);
  dom::array choices;
  if (root["choices"].get(choices) != simdjson::SUCCESS) return chunk;
  for (const dom::element choice : choices) {
    chunk.finish_reason = text_of(choice, "finish_reason");
    dom::element delta;
    if (choice["delta"].get(delta) != simdjson::SUCCESS || !delta.is_object()) break;
    chunk.text = text_of(delta, "content");
    if (has_more(delta)) chunk.delta.text = simdjson::minify(delta);
    break;
  }
  return chunk;
}

core::Result<llm::ChatAnswer> parse_answer(std::string_view body) {
  VOLAN_TRY(auto root, parse(body));
  llm::ChatAnswer answer;
  answer.model = text_of(root, "model");
  if (const auto usage = usage_of(root)) answer.usage = *usage;
  dom::array choices;
  if (root["choices"].get(choices) != simdjson::SUCCESS || choices.size() == 0)
    return core::fail(ErrorCode::upstream, "the model endpoint answered without choices");
  const dom::element choice = choices.at(0);
  answer.finish_reason = text_of(choice, "finish_reason");
  dom::element message;
  if (choice["message"].get(message) != simdjson::SUCCESS || !message.is_object())
    return core::fail(ErrorCode::upstream, "the model endpoint answered without a message");
  answer.text = text_of(message, "content");
  if (has_more(message)) answer.message.text = simdjson::minify(message);
  return answer;
}

core::Task<llm::ChatAnswer> complete(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint, llm::ChatRequest request) {
  net::ClientRequest call = request_to(*endpoint, "/chat/completions", chat_body(request, endpoint->model, false));
  auto response = co_await client.send(std::move(call));
  if (!response) co_return core::fail(broken(std::move(response).error()));
  if (response->status != 200) co_return core::fail(refusal(response->status, response->body));
  co_return parse_answer(response->body);
}

core::Task<std::unique_ptr<llm::ChatStream>> stream(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint,
                                                    llm::ChatRequest request) {
  net::ClientRequest call = request_to(*endpoint, "/chat/completions", chat_body(request, endpoint->model, true));
  auto opened = co_await client.stream(std::move(call));
  if (!opened) co_return core::fail(broken(std::move(opened).error()));
  std::unique_ptr<net::ClientStream> body = std::move(*opened);
  if (body->status() != 200) {
    std::string text;
    while (text.size() < 64 * 1024) {
      auto bytes = co_await body->read();
      if (!bytes || bytes->empty()) break;
      text += *bytes;
    }
    co_return core::fail(refusal(body->status(), text));
  }
  std::unique_ptr<llm::ChatStream> out = std::make_unique<Stream>(std::move(body), std::move(endpoint));
  co_return std::move(out);
}

core::Task<llm::Embeddings> embed(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint, std::vector<std::string> texts) {
  std::string body = "{\"model\":";
  core::append_json_string(body, endpoint->model);
  body += ",\"encoding_format\":\"float\",\"input\":[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i) body += ',';
    core::append_json_string(body, texts[i]);
  }
  body += "]}";
  net::ClientRequest call = request_to(*endpoint, "/embeddings", std::move(body));
  auto response = co_await client.send(std::move(call));
  if (!response) co_return core::fail(broken(std::move(response).error()));
  if (response->status != 200) co_return core::fail(refusal(response->status, response->body));
  VOLAN_CO_TRY(auto root, parse(response->body));
  dom::array data;
  if (root["data"].get(data) != simdjson::SUCCESS || data.size() != texts.size())
    co_return core::fail(ErrorCode::upstream, "the embedding endpoint did not answer with one vector per text");
  llm::Embeddings out;
  if (const auto usage = usage_of(root)) out.tokens = usage->prompt_tokens;
  std::vector<bool> is_filled(texts.size());
  for (const dom::element item : data) {
    dom::array numbers;
    const auto index = static_cast<std::size_t>(integer_of(item, "index"));
    if (item["embedding"].get(numbers) != simdjson::SUCCESS || index >= texts.size() || is_filled[index])
      co_return core::fail(ErrorCode::upstream, "the embedding endpoint answered with a malformed vector");
    if (out.dimension == 0) {
      out.dimension = numbers.size();
      out.values.resize(out.dimension * texts.size());
    }
    if (numbers.size() != out.dimension || out.dimension == 0)
      co_return core::fail(ErrorCode::upstream, "the embedding endpoint answered with vectors of different lengths");
    std::size_t at = index * out.dimension;
    for (const dom::element number : numbers) {
      double value = 0;
      if (number.get(value) != simdjson::SUCCESS) co_return core::fail(ErrorCode::upstream, "the embedding endpoint answered with a malformed vector");
      out.values[at++] = static_cast<float>(value);
    }
    is_filled[index] = true;
  }
  co_return std::move(out);
}

core::Task<std::vector<std::int64_t>> count_tokens(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint,
                                                   std::vector<std::string> texts) {
  runtime::Endpoint root_endpoint = *endpoint;
  if (root_endpoint.base_url.ends_with("/v1")) root_endpoint.base_url.resize(root_endpoint.base_url.size() - 3);
  std::vector<std::int64_t> counts;
  counts.reserve(texts.size());
  for (const auto& text : texts) {
    std::string body = "{\"add_special\":true,\"content\":";
    core::append_json_string(body, text);
    body += '}';
    net::ClientRequest call = request_to(root_endpoint, "/tokenize", std::move(body));
    auto response = co_await client.send(std::move(call));
    if (!response) co_return core::fail(broken(std::move(response).error()));
    if (response->status != 200)
      co_return core::fail(ErrorCode::unavailable, "the endpoint " + endpoint->name + " cannot count tokens (POST /tokenize answered " + std::to_string(response->status) + ")");
    VOLAN_CO_TRY(auto root, parse(response->body));
    dom::array tokens;
    if (root["tokens"].get(tokens) != simdjson::SUCCESS) co_return core::fail(ErrorCode::upstream, "the endpoint " + endpoint->name + " answered /tokenize without tokens");
    // dom::array::size() saturates at 2^24 - 1, far above any context.
    counts.push_back(static_cast<std::int64_t>(tokens.size()));
  }
  co_return std::move(counts);
}

}  // namespace volan::gateway::provider_openai
