#include "gateway/dialect_openai.hpp"

#include <simdjson.h>

#include <chrono>
#include <cstring>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/json_text.hpp"
#include "core/text.hpp"
#include "gateway/provider_openai.hpp"

namespace volan::gateway {
namespace {

using core::ErrorCode;
namespace dom = simdjson::dom;

constexpr std::size_t messages_max = 4'096;
constexpr std::size_t inputs_max = 2'048;

std::string_view kind_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::ARRAY: return "array";
    case dom::element_type::OBJECT: return "object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: return "number";
    case dom::element_type::STRING: return "string";
    case dom::element_type::BOOL: return "boolean";
    case dom::element_type::NULL_VALUE: return "null";
  }
  return "something else";
}

core::Error wrong(const std::string& path, std::string_view expected, const dom::element& found) {
  return {ErrorCode::invalid_argument, "expected " + std::string(expected) + ", found " + std::string(kind_of(found)), path, {}};
}

core::Result<dom::element> parse(std::string_view body) {
  thread_local dom::parser parser;
  dom::element root;
  const auto problem = parser.parse(body.data(), body.size(), true).get(root);
  if (problem != simdjson::SUCCESS)
    return core::fail(ErrorCode::invalid_argument, std::string("the body is not valid JSON: ") + simdjson::error_message(problem), "",
                      "send a JSON object in UTF-8");
  if (!root.is_object()) return core::fail(wrong("", "an object", root));
  return root;
}

core::Result<llm::Message> read_message(const dom::element& value, const std::string& path) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return core::fail(wrong(path, "an object", value));
  llm::Message message;
  bool has_role = false;
  bool has_content = false;
  bool is_plain = true;
  for (const auto [key, field] : object) {
    if (key == "role") {
      std::string_view role;
      if (field.get(role) != simdjson::SUCCESS) return core::fail(wrong(path + ".role", "string", field));
      if (role != "system" && role != "developer" && role != "user" && role != "assistant" && role != "tool" && role != "function")
        return core::fail(ErrorCode::invalid_argument, "unknown role", path + ".role", "use system, developer, user, assistant or tool");
      message.role = role;
      has_role = true;
    } else if (key == "content") {
      has_content = true;
      std::string_view text;
      dom::array parts;
      if (field.get(text) == simdjson::SUCCESS) {
        message.content = text;
      } else if (field.get(parts) == simdjson::SUCCESS) {
        is_plain = false;
        std::size_t i = 0;
        for (const dom::element part : parts) {
          const std::string at = path + ".content[" + std::to_string(i++) + "]";
          if (!part.is_object()) return core::fail(wrong(at, "an object", part));
          std::string_view type;
          if (part["type"].get(type) != simdjson::SUCCESS) return core::fail(ErrorCode::invalid_argument, "required field is missing", at + ".type");
          if (type != "text") continue;
          if (part["text"].get(text) != simdjson::SUCCESS) return core::fail(ErrorCode::invalid_argument, "expected string", at + ".text");
          if (!message.content.empty()) message.content += '\n';
          message.content += text;
        }
      } else if (field.is_null()) {
        is_plain = false;
      } else {
        return core::fail(wrong(path + ".content", "string", field));
      }
    } else if (!field.is_null()) {
      is_plain = false;
    }
  }
  if (!has_role) return core::fail(ErrorCode::invalid_argument, "required field is missing", path + ".role");
  if (!has_content && is_plain) return core::fail(ErrorCode::invalid_argument, "required field is missing", path + ".content");
  if (!is_plain) message.raw.text = simdjson::minify(value);
  return message;
}

core::Result<double> read_number(const dom::element& value, const std::string& path, double low, double high) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) return core::fail(wrong(path, "number", value));
  if (number < low || number > high)
    return core::fail(ErrorCode::invalid_argument, "must lie between " + std::to_string(low) + " and " + std::to_string(high), path);
  return number;
}

core::Result<std::int64_t> read_integer(const dom::element& value, const std::string& path) {
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS) return core::fail(wrong(path, "an integer", value));
  return number;
}

void append_extra(std::string& extra, std::string_view key, const dom::element& value) {
  extra += extra.size() > 1 ? "," : "";
  core::append_json_string(extra, key);
  extra += ':';
  extra += simdjson::minify(value);
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void append_usage(std::string& out, const llm::Usage& usage) {
  out += "{\"prompt_tokens\":" + std::to_string(usage.prompt_tokens) + ",\"completion_tokens\":" + std::to_string(usage.completion_tokens) +
         ",\"total_tokens\":" + std::to_string(usage.prompt_tokens + usage.completion_tokens) +
         ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(usage.cached_tokens) + ",\"audio_tokens\":0}" +
         ",\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
}

void append_timings(std::string& out, const Timings& timings) {
  out += "{\"retrieval_ms\":";
  core::append_json_number(out, timings.retrieval_ms);
  out += ",\"first_token_ms\":";
  core::append_json_number(out, timings.first_token_ms);
  out += ",\"total_ms\":";
  core::append_json_number(out, timings.total_ms);
  out += '}';
}

/// The fields that every chunk of one stream repeats.
struct ChunkHead {
  std::string text;
  bool include_usage;

  ChunkHead(const std::string& trace_id, std::string_view model, bool usage) : include_usage(usage) {
    text = "data: {\"id\":\"chatcmpl-" + trace_id + "\",\"object\":\"chat.completion.chunk\",\"created\":" + std::to_string(seconds_now()) + ",\"model\":";
    core::append_json_string(text, model);
    text += ",\"system_fingerprint\":\"volan\",\"choices\":";
  }
  /// One event. `delta` is a JSON object; `finish` empty = null.
  std::string chunk(std::string_view delta, std::string_view finish, std::string_view extra = {}) const {
    std::string out;
    out.reserve(text.size() + delta.size() + extra.size() + 96);
    out += text;
    out += "[{\"index\":0,\"delta\":";
    out += delta;
    out += ",\"logprobs\":null,\"finish_reason\":";
    if (finish.empty()) out += "null";
    else core::append_json_string(out, finish);
    out += "}]";
    if (include_usage) out += ",\"usage\":null";
    out += extra;
    out += "}\n\n";
    return out;
  }
};

std::string_view type_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::permission_denied: return "permission";
    case ErrorCode::resource_exhausted: return "requests";
    case ErrorCode::unavailable:
    case ErrorCode::upstream:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::data_loss:
    case ErrorCode::cancelled:
    case ErrorCode::internal: return "server_error";
    default: return "invalid_request_error";
  }
}

std::string error_json(const core::Error& error) {
  std::string_view code = core::name_of(error.code);
  if (error.code == ErrorCode::unauthenticated) code = "invalid_api_key";
  if (error.code == ErrorCode::not_found && error.path == "model") code = "model_not_found";
  if (error.code == ErrorCode::resource_exhausted) code = "rate_limit_exceeded";
  std::string message = error.code == ErrorCode::internal ? "internal error" : error.message;
  if (!error.path.empty() && error.code == ErrorCode::invalid_argument) message = error.path + ": " + message;
  if (!error.fix.empty()) message += " (" + error.fix + ")";
  std::string out = "{\"error\":{\"message\":";
  core::append_json_string(out, message);
  out += ",\"type\":";
  core::append_json_string(out, type_of(error.code));
  out += ",\"param\":";
  if (error.path.empty()) out += "null";
  else core::append_json_string(out, error.path);
  out += ",\"code\":";
  core::append_json_string(out, code);
  out += "}}";
  return out;
}

/// Writes the stream of one run. The client's leaving cancels it; an error becomes an error event.
core::Task<> write_stream(std::shared_ptr<ChatRun> run, std::string model, bool include_usage, net::BodyWriter& writer) {
  const ChunkHead head(run->trace_id(), model, include_usage);
  std::string frame = head.chunk("{\"role\":\"assistant\",\"content\":\"\"}", "", ",\"volan\":{\"trace_id\":\"" + run->trace_id() + "\"}");
  bool is_begun = false;
  while (true) {
    auto event = co_await run->next();
    if (!event) {
      // Before the first frame the ordinary error answer with its status is still possible.
      if (!is_begun) co_return core::fail(std::move(event).error());
      const std::string failed = "data: " + error_json(event.error()) + "\n\n";
      co_return co_await writer.write(failed);
    }
    if (!is_begun) {
      is_begun = true;
    } else {
      frame.clear();
    }
    if (event->sources) {
      frame += head.chunk("{}", "", ",\"volan\":{\"sources\":" + core::encode_json(*event->sources) + "}");
    } else {
      const llm::ChatChunk& chunk = event->chunk;
      if (!chunk.delta.text.empty()) {
        frame += head.chunk(chunk.delta.text, "");
      } else if (!chunk.text.empty()) {
        std::string delta = "{\"content\":";
        core::append_json_string(delta, chunk.text);
        delta += '}';
        frame += head.chunk(delta, "");
      }
      if (!chunk.finish_reason.empty()) {
        std::string extra = ",\"volan\":{\"trace_id\":\"" + run->trace_id() + "\",\"timings\":";
        append_timings(extra, run->timings());
        extra += ",\"usage\":";
        append_usage(extra, run->usage());
        extra += '}';
        frame += head.chunk("{}", chunk.finish_reason, extra);
        if (include_usage) {
          frame += head.text + "[],\"usage\":";
          append_usage(frame, run->usage());
          frame += "}\n\n";
        }
        frame += "data: [DONE]\n\n";
        co_return co_await writer.write(frame);
      }
    }
    VOLAN_CO_TRY_VOID(co_await writer.write(frame));
  }
}

core::Task<net::Response> post_chat(Chat& chat, net::Request& request) {
  VOLAN_CO_TRY(auto parsed, parse_openai_chat(request.body));
  ChatCall call;
  const std::string model = parsed.request.model;
  call.request = std::move(parsed.request);
  call.principal = request.principal;
  call.session_id = std::move(parsed.session_id);
  call.user_id = std::move(parsed.user_id);
  VOLAN_CO_TRY(auto begun, chat.begin(std::move(call)));
  if (parsed.is_stream) {
    std::shared_ptr<ChatRun> run = std::move(begun);  // owned by the producer, which may be copied
    const bool include_usage = parsed.include_usage;
    net::Response response = net::Response::events([run, model, include_usage](net::BodyWriter& writer) { return write_stream(run, model, include_usage, writer); });
    co_return std::move(response);
  }
  auto answer = co_await begun->complete();
  if (!answer) co_return core::fail(std::move(answer).error());
  std::string body = "{\"id\":\"chatcmpl-" + begun->trace_id() + "\",\"object\":\"chat.completion\",\"created\":" + std::to_string(seconds_now()) + ",\"model\":";
  core::append_json_string(body, model);
  body += ",\"choices\":[{\"index\":0,\"message\":";
  if (!answer->message.text.empty()) {
    body += answer->message.text;
  } else {
    body += "{\"role\":\"assistant\",\"content\":";
    core::append_json_string(body, answer->text);
    body += ",\"refusal\":null,\"annotations\":[]}";
  }
  body += ",\"logprobs\":null,\"finish_reason\":";
  core::append_json_string(body, answer->finish_reason.empty() ? "stop" : answer->finish_reason);
  body += "}],\"usage\":";
  append_usage(body, answer->usage);
  body += ",\"service_tier\":\"default\",\"system_fingerprint\":\"volan\",\"volan\":{\"trace_id\":\"" + begun->trace_id() + "\",\"sources\":" +
          core::encode_json(begun->sources()) + ",\"timings\":";
  append_timings(body, begun->timings());
  body += "}}";
  net::Response response = net::Response::json(std::move(body));
  co_return std::move(response);
}

core::Task<net::Response> post_embeddings(const runtime::Endpoints& endpoints, net::HttpClient& client, trace::Recorder& recorder, net::Request& request) {
  std::string model;
  bool is_base64 = false;
  std::vector<std::string> texts;
  {
    VOLAN_CO_TRY(auto root, parse(request.body));
    std::string_view text;
    dom::element field;
    if (root["model"].get(field) != simdjson::SUCCESS) co_return core::fail(ErrorCode::invalid_argument, "required field is missing", "model");
    if (field.get(text) != simdjson::SUCCESS) co_return core::fail(wrong("model", "string", field));
    model = text;
    if (root["encoding_format"].get(field) == simdjson::SUCCESS && !field.is_null()) {
      if (field.get(text) != simdjson::SUCCESS || (text != "float" && text != "base64"))
        co_return core::fail(ErrorCode::invalid_argument, "must be float or base64", "encoding_format");
      is_base64 = text == "base64";
    }
    if (root["input"].get(field) != simdjson::SUCCESS) co_return core::fail(ErrorCode::invalid_argument, "required field is missing", "input");
    dom::array list;
    if (field.get(text) == simdjson::SUCCESS) {
      texts.emplace_back(text);
    } else if (field.get(list) == simdjson::SUCCESS) {
      for (const dom::element one : list) {
        const std::string at = "input[" + std::to_string(texts.size()) + "]";
        if (one.get(text) != simdjson::SUCCESS) co_return core::fail(wrong(at, "string", one));
        texts.emplace_back(text);
      }
    } else {
      co_return core::fail(wrong("input", "string or array of strings", field));
    }
    if (texts.empty() || texts.size() > inputs_max)
      co_return core::fail(ErrorCode::invalid_argument, "must hold between 1 and " + std::to_string(inputs_max) + " texts", "input");
  }
  const auto names = endpoints.names();
  const auto known = names.find(model);
  if (known == names.end() || known->second != runtime::EndpointKind::embedding) {
    std::string fix;
    for (const auto& [name, kind] : names)
      if (kind == runtime::EndpointKind::embedding) fix += (fix.empty() ? "send one of: " : ", ") + name;
    co_return core::fail(ErrorCode::not_found, "there is no embedding model called " + model, "model", fix);
  }
  VOLAN_CO_TRY(auto endpoint, endpoints.find_ready(model));
  trace::Span described;
  described.project = request.principal.project;
  described.name = "embeddings";
  described.kind = trace::SpanKind::embedding;
  described.model = model;
  described.input.text = core::encode_json(texts);
  VOLAN_CO_TRY(auto span, recorder.start(std::move(described)));
  auto vectors = co_await provider_openai::embed(client, endpoint, std::move(texts));
  if (!vectors) {
    VOLAN_CO_TRY_VOID(span.end(trace::SpanStatus::error, vectors.error().message));
    VOLAN_CO_TRY_VOID(co_await recorder.flush());
    co_return core::fail(std::move(vectors).error());
  }
  span.span().prompt_tokens = vectors->tokens;
  VOLAN_CO_TRY_VOID(span.end());
  VOLAN_CO_TRY_VOID(co_await recorder.flush());
  std::string body = "{\"object\":\"list\",\"model\":";
  core::append_json_string(body, model);
  body += ",\"data\":[";
  const std::size_t count = vectors->dimension == 0 ? 0 : vectors->values.size() / vectors->dimension;
  for (std::size_t i = 0; i < count; ++i) {
    if (i) body += ',';
    body += "{\"object\":\"embedding\",\"index\":" + std::to_string(i) + ",\"embedding\":";
    const float* row = vectors->values.data() + i * vectors->dimension;
    if (is_base64) {
      // Little-endian float32, as both official clients decode it.
      std::string bytes(vectors->dimension * sizeof(float), '\0');
      std::memcpy(bytes.data(), row, bytes.size());
      body += '"' + core::base64(bytes) + '"';
    } else {
      body += '[';
      for (std::size_t j = 0; j < vectors->dimension; ++j) {
        if (j) body += ',';
        core::append_json_number(body, row[j]);
      }
      body += ']';
    }
    body += '}';
  }
  body += "],\"usage\":{\"prompt_tokens\":" + std::to_string(vectors->tokens) + ",\"total_tokens\":" + std::to_string(vectors->tokens) + "}}";
  net::Response response = net::Response::json(std::move(body));
  co_return std::move(response);
}

std::string model_json(std::string_view name, std::int64_t created) {
  std::string out = "{\"id\":";
  core::append_json_string(out, name);
  out += ",\"object\":\"model\",\"created\":" + std::to_string(created) + ",\"owned_by\":\"volan\"}";
  return out;
}

core::Task<net::Response> get_models(Chat& chat, std::int64_t created) {
  std::string body = "{\"object\":\"list\",\"data\":[";
  bool is_first = true;
  const std::vector<std::string> names = chat.models();
  for (const auto& name : names) {
    if (!is_first) body += ',';
    is_first = false;
    body += model_json(name, created);
  }
  body += "]}";
  net::Response response = net::Response::json(std::move(body));
  co_return std::move(response);
}

core::Task<net::Response> get_model(Chat& chat, std::int64_t created, net::Request& request) {
  const std::string id(request.param("id"));
  const std::vector<std::string> names = chat.models();
  for (const auto& name : names)
    if (name == id) {
      net::Response response = net::Response::json(model_json(name, created));
      co_return std::move(response);
    }
  co_return core::fail(ErrorCode::not_found, "there is no model called " + core::make_valid_utf8(id), "model");
}

}  // namespace

core::Result<OpenAiChat> parse_openai_chat(std::string_view body) {
  VOLAN_TRY(auto root, parse(body));
  OpenAiChat out;
  llm::ChatRequest& request = out.request;
  std::string extra = "{";
  bool has_model = false;
  bool has_messages = false;
  dom::object object = root.get_object().value_unsafe();
  for (const auto [key, value] : object) {
    const std::string path(key);
    std::string_view text;
    if (key == "model") {
      if (value.get(text) != simdjson::SUCCESS) return core::fail(wrong(path, "string", value));
      request.model = text;
      has_model = true;
    } else if (key == "messages") {
      dom::array list;
      if (value.get(list) != simdjson::SUCCESS) return core::fail(wrong(path, "an array", value));
      for (const dom::element one : list) {
        if (request.messages.size() == messages_max)
          return core::fail(ErrorCode::invalid_argument, "holds more than " + std::to_string(messages_max) + " messages", path);
        VOLAN_TRY(auto message, read_message(one, "messages[" + std::to_string(request.messages.size()) + "]"));
        request.messages.push_back(std::move(message));
      }
      has_messages = true;
    } else if (value.is_null()) {
      continue;
    } else if (key == "stream") {
      if (value.get(out.is_stream) != simdjson::SUCCESS) return core::fail(wrong(path, "boolean", value));
    } else if (key == "stream_options") {
      if (!value.is_object()) return core::fail(wrong(path, "an object", value));
      bool include = false;
      if (value["include_usage"].get(include) == simdjson::SUCCESS) out.include_usage = include;
    } else if (key == "temperature") {
      VOLAN_TRY(request.temperature, read_number(value, path, 0, 2));
    } else if (key == "top_p") {
      VOLAN_TRY(request.top_p, read_number(value, path, 0, 1));
    } else if (key == "max_tokens" || key == "max_completion_tokens") {
      VOLAN_TRY(auto tokens, read_integer(value, path));
      if (tokens < 1) return core::fail(ErrorCode::invalid_argument, "must be at least 1", path);
      request.tokens_max = tokens;
    } else if (key == "seed") {
      VOLAN_TRY(request.seed, read_integer(value, path));
    } else if (key == "stop") {
      dom::array list;
      if (value.get(text) == simdjson::SUCCESS) {
        request.stop.emplace_back(text);
      } else if (value.get(list) == simdjson::SUCCESS) {
        for (const dom::element one : list) {
          if (one.get(text) != simdjson::SUCCESS) return core::fail(wrong("stop[" + std::to_string(request.stop.size()) + "]", "string", one));
          request.stop.emplace_back(text);
        }
      } else {
        return core::fail(wrong(path, "string or array of strings", value));
      }
    } else if (key == "n") {
      std::int64_t n = 0;
      if (value.get(n) != simdjson::SUCCESS) return core::fail(wrong(path, "an integer", value));
      if (n != 1) return core::fail(ErrorCode::invalid_argument, "only one choice per request is supported", path, "send n=1 or several requests");
    } else if (key == "user") {
      if (value.get(text) == simdjson::SUCCESS) out.user_id = text;
    } else if (key == "metadata") {
      if (value.is_object() && value["session_id"].get(text) == simdjson::SUCCESS) out.session_id = text;
    } else if (key == "store" || key == "service_tier" || key == "safety_identifier") {
      continue;  // about OpenAI's own service
    } else {
      append_extra(extra, key, value);
    }
  }
  if (!has_model) return core::fail(ErrorCode::invalid_argument, "required field is missing", "model");
  if (!has_messages) return core::fail(ErrorCode::invalid_argument, "required field is missing", "messages");
  if (request.messages.empty()) return core::fail(ErrorCode::invalid_argument, "must hold at least one message", "messages");
  if (extra.size() > 1) request.extra.text = extra + "}";
  return out;
}

net::Response openai_error(const core::Error& error, const net::Request&) {
  net::Response response = net::Response::json(error_json(error), net::status_of(error.code));
  if (error.code == ErrorCode::unavailable || error.code == ErrorCode::resource_exhausted) response.headers.set("retry-after", "1");
  return response;
}

std::vector<net::Route> openai_routes(Chat& chat, const runtime::Endpoints& endpoints, net::HttpClient& client, trace::Recorder& recorder) {
  std::vector<net::Route> out;
  const std::int64_t created = seconds_now();
  for (const std::string prefix : {"/v1", ""}) {
    const bool is_documented = !prefix.empty();
    const auto add = [&](net::Verb verb, std::string path, net::Access access, net::Handler handler, std::string summary) {
      net::Route route{.verb = verb, .path = prefix + path, .access = access, .handler = std::move(handler), .doc = {}};
      if (is_documented) {
        route.doc.summary = std::move(summary);
        route.doc.tag = "OpenAI";
      }
      route.error_writer = openai_error;
      out.push_back(std::move(route));
    };
    add(net::Verb::post, "/chat/completions", net::Access::member, [&chat](net::Request& r) { return post_chat(chat, r); },
        "Answers a conversation; `model` names an app or a chat endpoint.");
    add(net::Verb::post, "/embeddings", net::Access::member,
        [&endpoints, &client, &recorder](net::Request& r) { return post_embeddings(endpoints, client, recorder, r); }, "Turns texts into vectors.");
    add(net::Verb::get, "/models", net::Access::viewer, [&chat, created](net::Request&) { return get_models(chat, created); }, "Apps and endpoints that can be named as model.");
    add(net::Verb::get, "/models/{id...}", net::Access::viewer, [&chat, created](net::Request& r) { return get_model(chat, created, r); }, "One app or endpoint.");
  }
  return out;
}

}  // namespace volan::gateway
