/// How well a search finds the right section: questions from headings, recall and mean reciprocal rank.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.hpp"
#include "core/task.hpp"
#include "feature/snapshot.hpp"

namespace volan::feature {

class FeatureStore;

/// A question with the chunks that answer it.
struct RetrievalQuestion {
  std::string text;
  std::vector<std::string> right_chunk_ids;
};

/// One question per section of the project's current snapshot: the innermost heading without its number ("4.1.1: Defining namespaces" ->
/// "Defining namespaces"); right is every chunk of that section. Left out: headings of fewer than `words_min` words, and headings that
/// several sections share, because no search can know which one is meant. At most `limit` questions (0 = all), evenly over the documents;
/// the same for the same snapshot. What this measures: chunks are indexed together with their own headings, so a search that matches
/// headings finds many of them by the very words of the question. The figures compare searches over one index and show regressions; they
/// say nothing about questions in other words. For a harder measure pass StoredSnapshot::search_text_only (lexical), and build with
/// `embed_headings: false` (dense). Errors: not_found without a snapshot. Blocking.
core::Result<std::vector<RetrievalQuestion>> questions_from_headings(const FeatureStore& features, std::string_view project,
                                                                     std::size_t limit = 0, std::size_t words_min = 2);

/// The heading without number or "Chapter 4:".
std::string question_from_heading(std::string_view heading);

struct RetrievalQuality {
  std::string name;
  std::int64_t questions = 0;
  double recall_at_1 = 0;  ///< share of questions with a right chunk in the first place
  double recall_at_5 = 0;
  double recall_at_10 = 0;
  double mrr = 0;      ///< mean of 1 / rank of the first right chunk, 0 beyond rank 10
  double seconds = 0;  ///< of all searches, one after the other
};
constexpr auto describe(const RetrievalQuality*) {
  return core::object(
      "RetrievalQuality", core::field("name", &RetrievalQuality::name, "Which search."),
      core::field("questions", &RetrievalQuality::questions, "How many questions."),
      core::field("recall_at_1", &RetrievalQuality::recall_at_1, "Share of questions with a right chunk in the first place."),
      core::field("recall_at_5", &RetrievalQuality::recall_at_5, "Among the first 5."),
      core::field("recall_at_10", &RetrievalQuality::recall_at_10, "Among the first 10."),
      core::field("mrr", &RetrievalQuality::mrr, "Mean reciprocal rank of the first right chunk, among the first 10."),
      core::field("seconds", &RetrievalQuality::seconds, "Time of all searches."));
}

/// The search to measure: at most `limit` hits, best first.
using SearchFunction = std::function<core::Task<std::vector<Hit>>(std::string question, std::size_t limit)>;

/// Errors: invalid_argument without questions; the first error of the search.
core::Task<RetrievalQuality> measure_retrieval(std::string name, const std::vector<RetrievalQuestion>& questions, SearchFunction search);

}  // namespace volan::feature
