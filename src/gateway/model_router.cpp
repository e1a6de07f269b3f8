#include "gateway/model_router.hpp"

#include "core/json_text.hpp"
#include "gateway/provider_openai.hpp"

namespace volan::gateway {
namespace {

trace::Span span_of(const llm::ChatRequest& request, const llm::CallContext& context, const runtime::Endpoint& endpoint) {
  trace::Span span;
  span.trace_id = context.trace_id;
  span.parent_id = context.parent_span_id;
  span.project = context.project;
  span.name = context.name.empty() ? "chat" : context.name;
  span.kind = trace::SpanKind::llm;
  span.model = endpoint.name;
  span.input.text = messages_json(request.messages);
  return span;
}

void add_settings(trace::OpenSpan& span, const llm::ChatRequest& request, const runtime::Endpoint& endpoint) {
  span.set_attribute("gen_ai.operation.name", "chat");
  span.set_attribute("gen_ai.request.model", endpoint.model);
  if (request.temperature) span.set_attribute("gen_ai.request.temperature", *request.temperature);
  if (request.top_p) span.set_attribute("gen_ai.request.top_p", *request.top_p);
  if (request.tokens_max) span.set_attribute("gen_ai.request.max_tokens", *request.tokens_max);
}

void add_usage(trace::OpenSpan& span, const llm::Usage& usage) {
  span.span().prompt_tokens = usage.prompt_tokens;
  span.span().completion_tokens = usage.completion_tokens;
  if (usage.cached_tokens > 0) span.set_attribute("gen_ai.usage.cached_tokens", usage.cached_tokens);
}

void end_failed(trace::OpenSpan& span, const core::Error& error) {
  (void)span.end(error.code == core::ErrorCode::cancelled ? trace::SpanStatus::cancelled : trace::SpanStatus::error, error.message);
}

/// Passes the pieces on and closes the span with the last one.
class TracedStream final : public llm::ChatStream {
 public:
  TracedStream(std::unique_ptr<llm::ChatStream> inner, trace::OpenSpan span) : inner_(std::move(inner)), span_(std::move(span)) {}

  core::Task<llm::ChatChunk> next() override {
    auto chunk = co_await inner_->next();
    if (!chunk) {
      keep_text();
      end_failed(span_, chunk.error());
      co_return core::fail(std::move(chunk).error());
    }
    if (!is_started_ && (!chunk->text.empty() || !chunk->delta.text.empty())) {
      is_started_ = true;
      span_.first_token();
    }
    text_ += chunk->text;
    if (!chunk->finish_reason.empty()) {
      if (chunk->usage) add_usage(span_, *chunk->usage);
      span_.set_attribute("gen_ai.response.finish_reason", chunk->finish_reason);
      keep_text();
      VOLAN_CO_TRY_VOID(span_.end());
    }
    co_return std::move(*chunk);
  }

  ~TracedStream() override { keep_text(); }

 private:
  void keep_text() {
    span_.span().output.text.clear();
    core::append_json_string(span_.span().output.text, text_);
  }
  std::unique_ptr<llm::ChatStream> inner_;
  trace::OpenSpan span_;
  std::string text_;
  bool is_started_ = false;
};

}  // namespace

std::string messages_json(const std::vector<llm::Message>& messages) {
  std::string out = "[";
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i) out += ',';
    if (!messages[i].raw.text.empty()) {
      out += messages[i].raw.text;
      continue;
    }
    out += "{\"role\":";
    core::append_json_string(out, messages[i].role);
    out += ",\"content\":";
    core::append_json_string(out, messages[i].content);
    out += '}';
  }
  out += ']';
  return out;
}

core::Task<llm::ChatAnswer> ModelRouter::complete(llm::ChatRequest request, llm::CallContext context) {
  VOLAN_CO_TRY(auto endpoint, endpoints_.find_ready(request.model));
  trace::OpenSpan span = recorder_.start_inner(span_of(request, context, *endpoint));
  add_settings(span, request, *endpoint);
  auto answer = co_await provider_openai::complete(client_, endpoint, std::move(request));
  if (!answer) {
    end_failed(span, answer.error());
    co_return core::fail(std::move(answer).error());
  }
  add_usage(span, answer->usage);
  span.set_attribute("gen_ai.response.finish_reason", answer->finish_reason);
  if (answer->message.text.empty()) core::append_json_string(span.span().output.text, answer->text);
  else span.span().output = answer->message;
  VOLAN_CO_TRY_VOID(span.end());
  co_return std::move(*answer);
}

core::Task<std::unique_ptr<llm::ChatStream>> ModelRouter::stream(llm::ChatRequest request, llm::CallContext context) {
  VOLAN_CO_TRY(auto endpoint, endpoints_.find_ready(request.model));
  trace::OpenSpan span = recorder_.start_inner(span_of(request, context, *endpoint));
  add_settings(span, request, *endpoint);
  auto opened = co_await provider_openai::stream(client_, endpoint, std::move(request));
  if (!opened) {
    end_failed(span, opened.error());
    co_return core::fail(std::move(opened).error());
  }
  std::unique_ptr<llm::ChatStream> traced = std::make_unique<TracedStream>(std::move(*opened), std::move(span));
  co_return std::move(traced);
}

std::string EndpointEmbedder::identity() const {
  const auto endpoint = endpoints_.find_ready(name_);
  return endpoint ? (*endpoint)->identity : name_;
}

core::Task<llm::Embeddings> EndpointEmbedder::embed(std::vector<std::string> texts, llm::CallContext context) {
  VOLAN_CO_TRY(auto endpoint, endpoints_.find_ready(name_));
  if (context.trace_id.empty()) co_return co_await provider_openai::embed(client_, endpoint, std::move(texts));
  trace::Span described;
  described.trace_id = context.trace_id;
  described.parent_id = context.parent_span_id;
  described.project = context.project;
  described.name = context.name.empty() ? "embed" : context.name;
  described.kind = trace::SpanKind::embedding;
  described.model = endpoint->name;
  described.input.text = "[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i) described.input.text += ',';
    core::append_json_string(described.input.text, texts[i]);
  }
  described.input.text += ']';
  trace::OpenSpan span = recorder_.start_inner(std::move(described));
  auto vectors = co_await provider_openai::embed(client_, endpoint, std::move(texts));
  if (!vectors) {
    end_failed(span, vectors.error());
    co_return core::fail(std::move(vectors).error());
  }
  span.span().prompt_tokens = vectors->tokens;
  span.set_attribute("gen_ai.operation.name", "embeddings");
  span.set_attribute("gen_ai.embeddings.dimension.count", static_cast<std::int64_t>(vectors->dimension));
  VOLAN_CO_TRY_VOID(span.end());
  co_return std::move(*vectors);
}

core::Task<std::vector<std::int64_t>> EndpointEmbedder::count_tokens(std::vector<std::string> texts) {
  VOLAN_CO_TRY(auto endpoint, endpoints_.find_ready(name_));
  co_return co_await provider_openai::count_tokens(client_, endpoint, std::move(texts));
}

}  // namespace volan::gateway
