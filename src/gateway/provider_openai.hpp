/// Calls to an OpenAI-compatible endpoint: our request types to its JSON, its answers and events back.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.hpp"
#include "llm/models.hpp"
#include "llm/types.hpp"
#include "net/http_client.hpp"
#include "runtime/endpoints.hpp"

namespace volan::gateway::provider_openai {

/// The body of POST {base}/chat/completions. Pure.
std::string chat_body(const llm::ChatRequest& request, std::string_view upstream_model, bool is_stream);

/// Errors: upstream (with the provider's own message), invalid_argument when the provider refused the request (4xx), deadline_exceeded, unavailable.
core::Task<llm::ChatAnswer> complete(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint, llm::ChatRequest request);
core::Task<std::unique_ptr<llm::ChatStream>> stream(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint,
                                                    llm::ChatRequest request);
core::Task<llm::Embeddings> embed(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint, std::vector<std::string> texts);
/// By llama-server's POST /tokenize, which lies beside /v1. Errors: unavailable when the endpoint has no tokeniser.
core::Task<std::vector<std::int64_t>> count_tokens(net::HttpClient& client, std::shared_ptr<const runtime::Endpoint> endpoint,
                                                   std::vector<std::string> texts);

/// Reads one `data:` event of a chat stream. Pure. Errors: upstream for malformed JSON or an error event.
core::Result<llm::ChatChunk> parse_chunk(std::string_view data);
/// Reads a whole chat answer. Pure. Errors: upstream.
core::Result<llm::ChatAnswer> parse_answer(std::string_view body);

}  // namespace volan::gateway::provider_openai
