/// One chat completion: find the app or endpoint, retrieve, build the prompt, call the model, cite, record.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/types.hpp"
#include "gateway/model_router.hpp"
#include "llm/types.hpp"
#include "net/http.hpp"
#include "rag/citation.hpp"
#include "rag/retriever.hpp"
#include "trace/recorder.hpp"

namespace volan::gateway {

struct ChatCall {
  llm::ChatRequest request;   ///< model = app or endpoint
  net::Principal principal;
  std::string session_id;
  std::string user_id;
};

struct Timings {
  double retrieval_ms = 0;
  double first_token_ms = 0;
  double total_ms = 0;
};

/// What comes next in an answer: first the sources (apps with retrieval only), then pieces of text, last a piece with a finish_reason.
/// When that last one is returned, every span of the call is on disk.
struct ChatEvent {
  std::optional<std::vector<rag::Source>> sources;
  llm::ChatChunk chunk;
};

/// One running completion. Confined to the io loop that began it. Dropping it cancels the model call and records the trace as cancelled.
class ChatRun {
 public:
  ChatRun(const deploy::App* app, trace::OpenSpan span, trace::Recorder& recorder, ModelRouter& router, rag::Retriever& retriever,
          const core::Clock& clock, ChatCall call);
  ~ChatRun();
  const std::string& trace_id() const { return span_.trace_id(); }
  const Timings& timings() const { return timings_; }
  const std::vector<rag::Source>& sources() const { return sources_; }
  const llm::Usage& usage() const { return usage_; }
  core::Task<ChatEvent> next();
  /// The whole answer at once. Same durability.
  core::Task<llm::ChatAnswer> complete();

 private:
  core::Task<> prepare();
  core::Task<> fail_with(core::Error error);
  core::Task<> finish(std::string finish_reason);
  double ms_since_start() const;

  const deploy::App* app_;  // null: the request named an endpoint
  trace::OpenSpan span_;
  core::Time start_;
  trace::Recorder& recorder_;
  ModelRouter& router_;
  rag::Retriever& retriever_;
  const core::Clock& clock_;
  ChatCall call_;
  std::unique_ptr<llm::ChatStream> stream_;
  std::optional<rag::Citer> citer_;
  std::vector<rag::Source> sources_;
  Timings timings_;
  llm::Usage usage_;
  std::string text_;
  bool is_prepared_ = false;
};

/// Thread-safe; its parts outlive it. `apps` must not change.
class Chat {
 public:
  Chat(const std::vector<deploy::App>& apps, const runtime::Endpoints& endpoints, ModelRouter& router, rag::Retriever& retriever,
       trace::Recorder& recorder, const core::Clock& clock);
  /// Records the start of the trace. Errors: not_found for an unknown model (names the known ones), unavailable when the journal cannot be written.
  core::Result<std::unique_ptr<ChatRun>> begin(ChatCall call);
  /// Names that clients may send as model: apps first, then chat and embedding endpoints.
  std::vector<std::string> models() const;
  const std::vector<deploy::App>& apps() const { return apps_; }

 private:
  const std::vector<deploy::App>& apps_;
  const runtime::Endpoints& endpoints_;
  ModelRouter& router_;
  rag::Retriever& retriever_;
  trace::Recorder& recorder_;
  const core::Clock& clock_;
};

}  // namespace volan::gateway
