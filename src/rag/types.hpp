/// Settings of retrieval and the sources that an answer is built on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::rag {

/// How a question is searched for the author it asks about. `names`: a known author's name stands in it; `model`: the chat model says.
enum class SelfQuery { off, names, model };
constexpr auto describe(const SelfQuery*) {
  return core::names("SelfQuery", core::name(SelfQuery::off, "off"), core::name(SelfQuery::names, "names"),
                     core::name(SelfQuery::model, "model"));
}

/// How sources are found. Characters of limits are bytes of UTF-8; nothing is cut inside a code point.
struct RetrievalSettings {
  static constexpr bool lenient_defaults = true;
  std::int64_t k = 3;            ///< sources of an answer, 1 to 100
  std::int64_t candidates = 24;  ///< hits per search before fusion, 1 to 1000; at least k are taken
  std::int64_t rrf_k = 60;       ///< constant of reciprocal rank fusion, 1 to 100000
  bool dense = true;
  bool lexical = true;
  SelfQuery self_query = SelfQuery::names;
  std::int64_t expand_to_n_queries = 1;  ///< 1 to 8; 1 = the question alone
  std::string reranker{};                ///< endpoint; empty = none
  std::int64_t source_characters_max = 700;
  std::int64_t context_characters_max = 2400;
};
constexpr auto describe(const RetrievalSettings*) {
  using S = RetrievalSettings;
  return core::object(
      "RetrievalSettings", core::field("k", &S::k, "Sources given to the model, 1 to 100."),
      core::field("candidates", &S::candidates, "Hits of each search before they are fused, 1 to 1000."),
      core::field("rrf_k", &S::rrf_k, "Constant of reciprocal rank fusion: larger flattens the weight of high ranks."),
      core::field("dense", &S::dense, "Search by the meaning of the question (embeddings)."),
      core::field("lexical", &S::lexical, "Search by the words of the question (BM25)."),
      core::field("self_query", &S::self_query, "How an author in the question becomes a filter."),
      core::field("expand_to_n_queries", &S::expand_to_n_queries, "Search with this many wordings of the question, 1 to 8."),
      core::field("reranker", &S::reranker, "Endpoint that scores the candidates again; empty: none."),
      core::field("source_characters_max", &S::source_characters_max, "Longest part of one source that the model sees, in bytes."),
      core::field("context_characters_max", &S::context_characters_max, "Longest text of all sources together, in bytes."));
}

/// Checks the ranges; `path` names the field. Errors: invalid_argument.
core::Result<> check(const RetrievalSettings& settings);

/// A chunk that an answer may cite as [number].
struct Source {
  std::int64_t number = 0;  ///< from 1
  std::string chunk_id;
  std::string document_id;
  std::string title;
  std::string heading;
  std::string author;
  std::string url;
  std::string text;
  double score = 0;                          ///< of the fusion, or of the reranker; comparable within one answer only
  std::optional<std::int64_t> rank_dense;    ///< best rank by meaning, from 1; absent when not among the candidates
  std::optional<std::int64_t> rank_lexical;  ///< best rank by words
};
constexpr auto describe(const Source*) {
  return core::object("Source", core::field("number", &Source::number, "What the answer cites as [number]."),
                      core::field("chunk_id", &Source::chunk_id, "The chunk."),
                      core::field("document_id", &Source::document_id, "Its document."),
                      core::field("title", &Source::title, "Title of the document."),
                      core::field("heading", &Source::heading, "Path of headings to the chunk."),
                      core::field("author", &Source::author, "Author of the document."),
                      core::field("url", &Source::url, "Where to read it."), core::field("text", &Source::text, "Text of the chunk."),
                      core::field("score", &Source::score, "Higher is better, comparable within one answer."),
                      core::field("rank_dense", &Source::rank_dense, "Best rank in the search by meaning, from 1."),
                      core::field("rank_lexical", &Source::rank_lexical, "Best rank in the search by words, from 1."));
}

}  // namespace volan::rag
