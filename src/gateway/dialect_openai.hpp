/// The OpenAI dialect: POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/chat.hpp"
#include "net/http.hpp"

namespace volan::gateway {

/// What a chat request of the dialect says.
struct OpenAiChat {
  llm::ChatRequest request;
  bool is_stream = false;
  bool include_usage = false;
  std::string session_id;  ///< metadata.session_id
  std::string user_id;     ///< user
};

/// Pure. Unknown fields are kept in request.extra and passed on. Errors: invalid_argument with the path of the field.
core::Result<OpenAiChat> parse_openai_chat(std::string_view body);

/// {"error":{"message","type","param","code"}} with the status of the code.
net::Response openai_error(const core::Error& error, const net::Request& request);

/// The routes, each also without the /v1 prefix. What they are given outlives them.
std::vector<net::Route> openai_routes(Chat& chat, const runtime::Endpoints& endpoints, net::HttpClient& client, trace::Recorder& recorder);

}  // namespace volan::gateway
