/// The models that a module may be given. Implemented by gateway::ModelRouter, faked in tests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.hpp"
#include "llm/types.hpp"

namespace volan::llm {

/// Where a call belongs: for traces, budgets and limits.
struct CallContext {
  std::string project;
  std::string trace_id;        ///< empty = a trace of its own
  std::string parent_span_id;
  std::string name;            ///< span name: "answer", "self_query", "expand"
};

/// The pieces of an answer, one at a time. Destroying it early cancels the call. Confined to the io loop that opened it.
class ChatStream {
 public:
  virtual ~ChatStream() = default;
  /// The next piece; the one with a finish_reason is the last. Errors: upstream, deadline_exceeded, cancelled.
  virtual core::Task<ChatChunk> next() = 0;
};

class ChatModel {
 public:
  virtual ~ChatModel() = default;
  virtual core::Task<ChatAnswer> complete(ChatRequest request, CallContext context) = 0;
  virtual core::Task<std::unique_ptr<ChatStream>> stream(ChatRequest request, CallContext context) = 0;
};

struct Embeddings {
  std::size_t dimension = 0;
  std::vector<float> values;   ///< row-major (N, dimension), in the order of the inputs
  std::int64_t tokens = 0;
};

class Embedder {
 public:
  virtual ~Embedder() = default;
  /// Name and content hash of the model: part of an embedding's id.
  virtual std::string identity() const = 0;
  /// Errors: invalid_argument when a text is beyond the model's token limit (path names it: `texts[3]`), unavailable, upstream.
  virtual core::Task<Embeddings> embed(std::vector<std::string> texts, CallContext context) = 0;
  /// Number of tokens of each text by the model's tokeniser.
  virtual core::Task<std::vector<std::int64_t>> count_tokens(std::vector<std::string> texts) = 0;
};

class Reranker {
 public:
  virtual ~Reranker() = default;
  /// A relevance score per document, higher is better.
  virtual core::Task<std::vector<double>> score(std::string query, std::vector<std::string> documents, CallContext context) = 0;
};

}  // namespace volan::llm
