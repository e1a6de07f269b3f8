#include "feature/quality.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "feature/feature_store.hpp"
#include "feature/stored_snapshot.hpp"

namespace volan::feature {
namespace {

constexpr std::size_t depth = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_words(std::string_view text) {
  std::size_t words = 0;
  bool is_inside = false;
  for (const char c : text) {
    if (c != ' ' && !is_inside) ++words;
    is_inside = c != ' ';
  }
  return words;
}

std::string folded(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

std::string question_from_heading(std::string_view heading) {
  for (const std::string_view word : {"Chapter ", "Section ", "Part ", "Appendix "})
    if (heading.starts_with(word) && heading.find(':') != std::string_view::npos) heading.remove_prefix(word.size());
  std::size_t end = 0;
  while (end < heading.size() && (is_digit(heading[end]) || heading[end] == '.')) ++end;
  if (end > 0 && (end == heading.size() || heading[end] == ':' || heading[end] == ' ' || heading[end] == ')'))
    heading.remove_prefix(std::min(heading.size(), end + 1));
  while (heading.starts_with(' ')) heading.remove_prefix(1);
  while (heading.ends_with(' ') || heading.ends_with(':')) heading.remove_suffix(1);
  return std::string(heading);
}

core::Result<std::vector<RetrievalQuestion>> questions_from_headings(const FeatureStore& features, std::string_view project,
                                                                     std::size_t limit, std::size_t words_min) {
  const auto snapshot = features.stored(project);
  if (!snapshot)
    return core::fail(core::ErrorCode::not_found, "the project has no features yet", {}, "build them: POST /api/v1/features/build");
  VOLAN_TRY(const auto sections, snapshot->sections());
  std::map<std::string, std::size_t> uses;
  for (const auto& section : sections) ++uses[folded(question_from_heading(section.leaf))];
  std::vector<RetrievalQuestion> questions;
  for (const auto& section : sections) {
    std::string question = question_from_heading(section.leaf);
    if (count_words(question) < words_min || uses[folded(question)] > 1) continue;
    questions.push_back({std::move(question), section.chunk_ids});
  }
  if (limit == 0 || questions.size() <= limit) return questions;
  std::vector<RetrievalQuestion> sample;
  for (std::size_t i = 0; i < limit; ++i) sample.push_back(questions[i * questions.size() / limit]);
  return sample;
}

core::Task<RetrievalQuality> measure_retrieval(std::string name, const std::vector<RetrievalQuestion>& questions, SearchFunction search) {
  if (questions.empty())
    co_return core::fail(core::ErrorCode::invalid_argument, "there are no questions", "questions",
                         "the documents need headings of their own");
  RetrievalQuality quality{.name = std::move(name), .questions = static_cast<std::int64_t>(questions.size())};
  const auto begin = std::chrono::steady_clock::now();
  for (const RetrievalQuestion& question : questions) {
    VOLAN_CO_TRY(const auto hits, co_await search(question.text, depth));
    for (std::size_t i = 0; i < std::min(hits.size(), depth); ++i) {
      if (std::find(question.right_chunk_ids.begin(), question.right_chunk_ids.end(), hits[i].chunk_id) == question.right_chunk_ids.end())
        continue;
      quality.mrr += 1.0 / static_cast<double>(i + 1);
      quality.recall_at_1 += i < 1;
      quality.recall_at_5 += i < 5;
      quality.recall_at_10 += 1;
      break;
    }
  }
  quality.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto count = static_cast<double>(questions.size());
  for (double* sum : {&quality.recall_at_1, &quality.recall_at_5, &quality.recall_at_10, &quality.mrr}) *sum /= count;
  co_return quality;
}

}  // namespace volan::feature
