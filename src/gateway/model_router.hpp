/// Calls models by endpoint name, with a span for each call. What every other module gets as its ChatModel or Embedder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "llm/models.hpp"
#include "net/http_client.hpp"
#include "runtime/endpoints.hpp"
#include "trace/recorder.hpp"

namespace volan::gateway {

/// Thread-safe; call it on an io loop. `request.model` is the name of a chat endpoint. Each call is a span of kind llm inside
/// context.trace_id (or a trace of its own) with the messages, the answer, tokens and the time of the first token.
class ModelRouter final : public llm::ChatModel {
 public:
  ModelRouter(const runtime::Endpoints& endpoints, net::HttpClient& client, trace::Recorder& recorder)
      : endpoints_(endpoints), client_(client), recorder_(recorder) {}

  core::Task<llm::ChatAnswer> complete(llm::ChatRequest request, llm::CallContext context) override;
  core::Task<std::unique_ptr<llm::ChatStream>> stream(llm::ChatRequest request, llm::CallContext context) override;

 private:
  const runtime::Endpoints& endpoints_;
  net::HttpClient& client_;
  trace::Recorder& recorder_;
};

/// The embedding endpoint of one name. Thread-safe; call it on an io loop. embed() is a span when the context names a trace.
class EndpointEmbedder final : public llm::Embedder {
 public:
  EndpointEmbedder(std::string name, const runtime::Endpoints& endpoints, net::HttpClient& client, trace::Recorder& recorder)
      : name_(std::move(name)), endpoints_(endpoints), client_(client), recorder_(recorder) {}

  std::string identity() const override;
  core::Task<llm::Embeddings> embed(std::vector<std::string> texts, llm::CallContext context) override;
  core::Task<std::vector<std::int64_t>> count_tokens(std::vector<std::string> texts) override;

 private:
  std::string name_;
  const runtime::Endpoints& endpoints_;
  net::HttpClient& client_;
  trace::Recorder& recorder_;
};

/// Messages as a JSON array, for a span's input.
std::string messages_json(const std::vector<llm::Message>& messages);

}  // namespace volan::gateway
