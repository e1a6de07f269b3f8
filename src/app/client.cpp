#include "app/client.hpp"

#include <cstdlib>

#include "app/blocking.hpp"
#include "core/json.hpp"
#include "core/json_text.hpp"
#include "net/http_client.hpp"

namespace volan::app {
namespace {

using core::ErrorCode;

struct WireError {
  std::string message;
  std::optional<std::string> param{};
};
constexpr auto describe(const WireError*) { return core::object("WireError", core::field("message", &WireError::message), core::field("param", &WireError::param)); }
struct WireFailure {
  WireError error;
};
constexpr auto describe(const WireFailure*) { return core::object("WireFailure", core::field("error", &WireFailure::error)); }

struct WireMessage {
  std::optional<std::string> content{};
};
constexpr auto describe(const WireMessage*) { return core::object("WireMessage", core::field("content", &WireMessage::content)); }
struct WireChoice {
  WireMessage message;
};
constexpr auto describe(const WireChoice*) { return core::object("WireChoice", core::field("message", &WireChoice::message)); }
struct WireVolan {
  std::string trace_id;
  std::vector<rag::Source> sources;
  Timings timings{};
};
constexpr auto describe(const WireVolan*) {
  return core::object("WireVolan", core::field("trace_id", &WireVolan::trace_id), core::field("sources", &WireVolan::sources), core::field("timings", &WireVolan::timings));
}
struct WireAnswer {
  std::vector<WireChoice> choices;
  WireVolan volan{};
};
constexpr auto describe(const WireAnswer*) { return core::object("WireAnswer", core::field("choices", &WireAnswer::choices), core::field("volan", &WireAnswer::volan)); }

}  // namespace

core::Result<Address> server_address() {
  const char* url = std::getenv("VOLAN_URL");
  const char* key = std::getenv("VOLAN_API_KEY");
  if (key == nullptr || *key == '\0')
    return core::fail(ErrorCode::invalid_argument, "no key", "VOLAN_API_KEY", "set it to the key in DATA/admin.key or one made under Settings");
  return Address{url != nullptr && *url != '\0' ? url : "http://127.0.0.1:8400", key};
}

core::Result<Answer> ask(core::Pools& pools, const Address& address, const std::string& app, const std::string& question) {
  net::HttpClient client(pools);
  net::ClientRequest request;
  request.verb = net::Verb::post;
  request.url = address.url + "/v1/chat/completions";
  request.headers.set("content-type", "application/json");
  request.headers.set("authorization", "Bearer " + address.key);
  request.body = "{\"model\":";
  core::append_json_string(request.body, app);
  request.body += ",\"messages\":[{\"role\":\"user\",\"content\":";
  core::append_json_string(request.body, question);
  request.body += "}]}";
  request.first_byte_timeout = std::chrono::minutes(5);
  VOLAN_TRY(auto response, run_blocking(pools, client.send(std::move(request))));
  const core::DecodeOptions lenient{.unknown = core::UnknownFields::ignore};
  if (response.status != 200) {
    auto failure = core::decode_json<WireFailure>(std::string_view(response.body), lenient);
    return core::fail(ErrorCode::upstream, "the server answered " + std::to_string(response.status) + ": " + (failure ? failure->error.message : response.body));
  }
  VOLAN_TRY(auto wire, core::decode_json<WireAnswer>(std::string_view(response.body), lenient));
  if (wire.choices.empty()) return core::fail(ErrorCode::upstream, "the server answered without choices");
  return Answer{question, wire.choices[0].message.content.value_or(""), wire.volan.trace_id, std::move(wire.volan.sources), wire.volan.timings};
}

}  // namespace volan::app
