#include "gateway/chat.hpp"

#include <algorithm>

#include "core/ids.hpp"
#include "core/json_text.hpp"
#include "rag/context.hpp"

namespace volan::gateway {

using core::ErrorCode;

ChatRun::ChatRun(const deploy::App* app, trace::OpenSpan span, trace::Recorder& recorder, ModelRouter& router, rag::Retriever& retriever,
                 const core::Clock& clock, ChatCall call)
    : app_(app), span_(std::move(span)), start_(span_.span().start), recorder_(recorder), router_(router), retriever_(retriever), clock_(clock), call_(std::move(call)) {}

ChatRun::~ChatRun() {
  // What was answered so far belongs to the record of a cancelled run.
  if (!text_.empty()) {
    span_.span().output.text.clear();
    core::append_json_string(span_.span().output.text, text_);
  }
}

double ChatRun::ms_since_start() const { return static_cast<double>(clock_.now().ns - start_.ns) / 1e6; }

/// Retrieval and prompt. Afterwards call_.request is what the endpoint gets.
core::Task<> ChatRun::prepare() {
  is_prepared_ = true;
  if (app_ == nullptr) co_return core::Result<>{};
  llm::ChatRequest& request = call_.request;
  std::string question;
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message)
    if (message->role == "user") {
      question = message->content;
      break;
    }
  std::string system = app_->system;
  if (app_->use_retrieval && !question.empty()) {
    rag::RetrieveRequest wanted;
    wanted.project = call_.principal.project;
    wanted.question = question;
    wanted.settings = app_->retrieval;
    wanted.trace_id = span_.trace_id();
    wanted.parent_span_id = span_.span_id();
    wanted.endpoint = app_->endpoint;
    auto found = co_await retriever_.retrieve(std::move(wanted));
    if (!found) co_return core::fail(std::move(found).error());
    sources_ = std::move(found->sources);
    span_.set_attribute("volan.snapshot", found->snapshot_id);
    timings_.retrieval_ms = ms_since_start();
    if (!system.empty()) system += "\n\n";
    system += "Sources:\n" + rag::numbered_context(sources_, app_->retrieval);
    if (app_->add_citations) citer_.emplace(sources_);
  }
  request.model = app_->endpoint;
  if (!request.temperature) request.temperature = app_->temperature;
  if (!request.tokens_max) request.tokens_max = app_->answer_tokens_max;
  if (!system.empty()) {
    llm::Message message;
    message.role = "system";
    message.content = std::move(system);
    request.messages.insert(request.messages.begin(), std::move(message));
  }
  co_return core::Result<>{};
}

core::Task<> ChatRun::fail_with(core::Error error) {
  const auto status = error.code == ErrorCode::cancelled ? trace::SpanStatus::cancelled : trace::SpanStatus::error;
  VOLAN_CO_TRY_VOID(span_.end(status, error.message));
  VOLAN_CO_TRY_VOID(co_await recorder_.flush());
  co_return core::fail(std::move(error));
}

core::Task<> ChatRun::finish(std::string finish_reason) {
  span_.span().prompt_tokens = usage_.prompt_tokens;
  span_.span().completion_tokens = usage_.completion_tokens;
  span_.span().output.text.clear();
  core::append_json_string(span_.span().output.text, text_);
  span_.set_attribute("gen_ai.response.finish_reason", finish_reason);
  VOLAN_CO_TRY_VOID(span_.end());
  VOLAN_CO_TRY_VOID(co_await recorder_.flush());
  timings_.total_ms = ms_since_start();
  co_return core::Result<>{};
}

core::Task<ChatEvent> ChatRun::next() {
  ChatEvent event;
  if (!is_prepared_) {
    auto ready = co_await prepare();
    if (!ready) {
      auto failed = co_await fail_with(std::move(ready).error());
      co_return core::fail(std::move(failed).error());
    }
    if (app_ != nullptr && app_->use_retrieval) {
      event.sources = sources_;
      co_return std::move(event);
    }
  }
  if (!stream_) {
    llm::CallContext context;
    context.project = call_.principal.project;
    context.trace_id = span_.trace_id();
    context.parent_span_id = span_.span_id();
    context.name = "answer";
    auto opened = co_await router_.stream(call_.request, std::move(context));
    if (!opened) {
      auto failed = co_await fail_with(std::move(opened).error());
      co_return core::fail(std::move(failed).error());
    }
    stream_ = std::move(*opened);
  }
  while (true) {
    auto chunk = co_await stream_->next();
    if (!chunk) {
      auto failed = co_await fail_with(std::move(chunk).error());
      co_return core::fail(std::move(failed).error());
    }
    if (timings_.first_token_ms == 0) {
      timings_.first_token_ms = ms_since_start();
      span_.first_token();
    }
    if (citer_) {
      chunk->text = citer_->feed(chunk->text);
      if (!chunk->finish_reason.empty()) chunk->text += citer_->finish();
    }
    text_ += chunk->text;
    if (chunk->usage) usage_ = *chunk->usage;
    if (chunk->finish_reason.empty() && chunk->text.empty() && chunk->delta.text.empty()) continue;
    if (!chunk->finish_reason.empty()) VOLAN_CO_TRY_VOID(co_await finish(chunk->finish_reason));
    event.chunk = std::move(*chunk);
    co_return std::move(event);
  }
}

core::Task<llm::ChatAnswer> ChatRun::complete() {
  auto ready = co_await prepare();
  if (!ready) {
    auto failed = co_await fail_with(std::move(ready).error());
    co_return core::fail(std::move(failed).error());
  }
  llm::CallContext context;
  context.project = call_.principal.project;
  context.trace_id = span_.trace_id();
  context.parent_span_id = span_.span_id();
  context.name = "answer";
  auto answer = co_await router_.complete(call_.request, std::move(context));
  if (!answer) {
    auto failed = co_await fail_with(std::move(answer).error());
    co_return core::fail(std::move(failed).error());
  }
  if (citer_) {
    answer->text = citer_->feed(answer->text);
    answer->text += citer_->finish();
  }
  text_ = answer->text;
  usage_ = answer->usage;
  VOLAN_CO_TRY_VOID(co_await finish(answer->finish_reason));
  co_return std::move(*answer);
}

Chat::Chat(const std::vector<deploy::App>& apps, const runtime::Endpoints& endpoints, ModelRouter& router, rag::Retriever& retriever,
           trace::Recorder& recorder, const core::Clock& clock)
    : apps_(apps), endpoints_(endpoints), router_(router), retriever_(retriever), recorder_(recorder), clock_(clock) {}

std::vector<std::string> Chat::models() const {
  std::vector<std::string> out;
  for (const auto& app : apps_) out.push_back(app.name);
  for (const auto& [name, kind] : endpoints_.names())
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  return out;
}

core::Result<std::unique_ptr<ChatRun>> Chat::begin(ChatCall call) {
  const deploy::App* app = nullptr;
  for (const auto& known : apps_)
    if (known.name == call.request.model) app = &known;
  if (app == nullptr) {
    const auto names = endpoints_.names();
    const auto endpoint = names.find(call.request.model);
    if (endpoint == names.end() || endpoint->second != runtime::EndpointKind::chat) {
      std::string known;
      for (const auto& one : apps_) known += (known.empty() ? "" : ", ") + one.name;
      for (const auto& [name, kind] : names)
        if (kind == runtime::EndpointKind::chat) known += (known.empty() ? "" : ", ") + name;
      return core::fail(ErrorCode::not_found, "there is no model called " + call.request.model, "model", "send one of: " + known);
    }
  }
  trace::Span span;
  span.project = call.principal.project;
  span.name = app != nullptr ? app->name : "chat";
  span.kind = trace::SpanKind::chain;
  span.app = app != nullptr ? app->name : "";
  span.model = app != nullptr ? app->endpoint : call.request.model;
  span.session_id = call.session_id;
  span.user_id = call.user_id;
  span.input.text = messages_json(call.request.messages);
  VOLAN_TRY(auto open, recorder_.start(std::move(span)));
  return std::make_unique<ChatRun>(app, std::move(open), recorder_, router_, retriever_, clock_, std::move(call));
}

}  // namespace volan::gateway
