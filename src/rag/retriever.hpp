/// From a question to numbered sources: filter, more wordings, two searches, fusion, reranking.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/pools.hpp"
#include "core/task.hpp"
#include "feature/snapshot.hpp"
#include "llm/models.hpp"
#include "rag/types.hpp"
#include "trace/recorder.hpp"

namespace volan::rag {

struct RetrieveRequest {
  std::string project;
  std::string question;
  RetrievalSettings settings{};
  std::string trace_id{};
  std::string parent_span_id{};
  std::string endpoint{};  ///< chat endpoint for self-query by model and for expansion
};

struct Retrieved {
  std::vector<Source> sources;  ///< best first, numbered from 1; may be empty
  std::string author_filter;    ///< empty = all authors
  std::string snapshot_id;
};

/// Thread-safe: holds no state of a request. What it is given outlives it. Searches run in the compute pool, texts are read in the disk
/// pool. Self-query and expansion by model are helps: when the model fails, the span says so and retrieval goes on without.
class Retriever {
 public:
  /// `reranker` may be null; then settings that ask for one are refused.
  Retriever(core::Pools& pools, const feature::SnapshotSource& snapshots, llm::Embedder& embedder, llm::ChatModel& chat,
            llm::Reranker* reranker, trace::Recorder& recorder);

  /// Records the spans self_query, expand, search.dense, search.lexical, fuse, rerank and context below the request's parent.
  /// Errors: unavailable without a snapshot, invalid_argument for settings out of range, those of the embedder and the reranker,
  /// data_loss of the snapshot, cancelled.
  core::Task<Retrieved> retrieve(RetrieveRequest request);
  /// Fused hits, at most max(candidates, k), best first, without spans of its own and without self-query, expansion or reranking: for
  /// evaluation and POST /api/v1/search. Errors: as retrieve().
  core::Task<std::vector<feature::Hit>> search(std::string project, std::string question, RetrievalSettings settings,
                                               feature::Filter filter);

 private:
  struct Run;
  core::Task<> find_author(Run& run);
  core::Task<> expand(Run& run);
  core::Task<> search_all(Run& run);
  core::Task<> load_sources(Run& run);
  core::Task<> rerank(Run& run);

  core::Pools& pools_;
  const feature::SnapshotSource& snapshots_;
  llm::Embedder& embedder_;
  llm::ChatModel& chat_;
  llm::Reranker* reranker_;
  trace::Recorder& recorder_;
};

/// The author that the question names: by full name in any case, or by the last name as it is written; empty when none or several do.
/// Pure.
std::string author_in(std::string_view question, const std::vector<std::string>& authors);

}  // namespace volan::rag
