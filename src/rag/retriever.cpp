#include "rag/retriever.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/json_text.hpp"
#include "rag/context.hpp"
#include "rag/fusion.hpp"

namespace volan::rag {
namespace {

using core::ErrorCode;

constexpr std::size_t questions_bytes_max = 4096;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}
bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}

// As whole words.
bool contains_words(std::string_view text, std::string_view words) {
  if (words.empty()) return false;
  for (std::size_t at = text.find(words); at != std::string_view::npos; at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    if ((at == 0 || !is_word_byte(text[at - 1])) && (end == text.size() || !is_word_byte(text[end]))) return true;
  }
  return false;
}

std::string_view trim(std::string_view text) {
  const std::string_view around = " \t\r\n\"'.*`";
  const std::size_t first = text.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(around) - first + 1);
}

// "1. How …", "- How …" -> "How …"
std::string_view without_list_mark(std::string_view line) {
  line = trim(line);
  std::size_t at = 0;
  while (at < line.size() && line[at] >= '0' && line[at] <= '9') ++at;
  if (at > 0 && at < line.size() && (line[at] == '.' || line[at] == ')')) return trim(line.substr(at + 1));
  if (line.starts_with("- ")) return trim(line.substr(2));
  return line;
}

std::string json_of(std::string_view text) {
  std::string out;
  core::append_json_string(out, text);
  return out;
}

std::string json_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    core::append_json_string(out, text);
  }
  return out + "]";
}

std::string filter_json(const feature::Filter& filter) {
  return "{\"author\":" + json_of(filter.author) + ",\"category\":" + json_of(filter.category) + "}";
}

// What a search span shows: [{chunk_id, score, title}].
std::string hits_json(const std::vector<feature::Hit>& hits, const std::unordered_map<std::string, std::string>& titles) {
  std::string out = "[";
  for (const feature::Hit& hit : hits) {
    if (out.size() > 1) out += ',';
    out += "{\"chunk_id\":" + json_of(hit.chunk_id) + ",\"score\":";
    core::append_json_number(out, hit.score);
    const auto title = titles.find(hit.chunk_id);
    out += ",\"title\":" + json_of(title == titles.end() ? std::string_view() : std::string_view(title->second)) + "}";
  }
  return out + "]";
}

std::vector<std::string> ids_of(const std::vector<feature::Hit>& hits) {
  std::vector<std::string> ids;
  ids.reserve(hits.size());
  for (const feature::Hit& hit : hits) ids.push_back(hit.chunk_id);
  return ids;
}

// At least k candidates.
std::size_t candidates_of(const RetrievalSettings& settings) { return static_cast<std::size_t>(std::max(settings.candidates, settings.k)); }

struct Found {
  std::vector<feature::Hit> hits;
  std::unordered_map<std::string, std::string> titles;  // by chunk id, for the span
};

core::Result<> add_titles(const feature::Snapshot& snapshot, Found& found) {
  VOLAN_TRY(const auto views, snapshot.chunks(ids_of(found.hits)));
  for (const feature::ChunkView& view : views) found.titles.emplace(view.id, view.title);
  return {};
}

core::Result<std::shared_ptr<const feature::Snapshot>> snapshot_of(const feature::SnapshotSource& source, const std::string& project) {
  auto snapshot = source.current(project);
  if (!snapshot)
    return core::fail(ErrorCode::unavailable, "project " + project + " has no documents to search yet", {},
                      "build the feature store first: volan features build");
  return snapshot;
}

}  // namespace

struct Retriever::Run {
  RetrieveRequest request{};
  bool is_traced = true;
  std::shared_ptr<const feature::Snapshot> snapshot{};
  feature::Filter filter{};
  std::vector<std::string> queries{};
  std::vector<std::vector<std::string>> lists{};  // ranked chunk ids
  std::vector<bool> is_dense{};                   // of each list
  std::vector<FusedHit> fused{};
  std::vector<Source> sources{};

  trace::Span span(std::string name, trace::SpanKind kind) const {
    return {.trace_id = request.trace_id,
            .parent_id = request.parent_span_id,
            .project = request.project,
            .name = std::move(name),
            .kind = kind};
  }
  llm::CallContext context(const trace::OpenSpan& parent, std::string name) const {
    return {.project = request.project, .trace_id = parent.trace_id(), .parent_span_id = parent.span_id(), .name = std::move(name)};
  }
};

std::string author_in(std::string_view question, const std::vector<std::string>& authors) {
  const std::string lower = to_lower(question);
  std::string found;
  int count = 0;
  for (const std::string& author : authors)
    if (contains_words(lower, to_lower(author))) {
      found = author;
      ++count;
    }
  if (count > 0) return count == 1 ? found : std::string();
  for (const std::string& author : authors) {
    const std::size_t space = author.rfind(' ');
    if (space == std::string::npos || author.size() - space < 4) continue;  // last names of three letters or more
    if (contains_words(question, std::string_view(author).substr(space + 1))) {
      found = author;
      ++count;
    }
  }
  return count == 1 ? found : std::string();
}

Retriever::Retriever(core::Pools& pools, const feature::SnapshotSource& snapshots, llm::Embedder& embedder, llm::ChatModel& chat,
                     llm::Reranker* reranker, trace::Recorder& recorder)
    : pools_(pools), snapshots_(snapshots), embedder_(embedder), chat_(chat), reranker_(reranker), recorder_(recorder) {}

core::Task<> Retriever::find_author(Run& run) {
  const SelfQuery mode = run.request.settings.self_query;
  if (mode == SelfQuery::off) co_return core::Result<>{};
  trace::OpenSpan span = recorder_.start_inner(run.span("self_query", trace::SpanKind::step));
  span.span().input.text = json_of(run.request.question);
  span.set_attribute("volan.self_query.mode", core::text_of(mode));
  const auto& authors = run.snapshot->authors();
  if (mode == SelfQuery::names) {
    run.filter.author = author_in(run.request.question, authors);
  } else {
    llm::ChatRequest ask;
    ask.model = run.request.endpoint;
    ask.temperature = 0;
    ask.tokens_max = 32;
    ask.messages.push_back({.role = "system",
                            .content = "Name the person whose writing the question asks about. Answer with the name alone, or with "
                                       "the word none."});
    ask.messages.push_back({.role = "user", .content = run.request.question});
    llm::CallContext context = run.context(span, "self_query");
    auto answer = co_await chat_.complete(std::move(ask), std::move(context));
    if (!answer) {
      span.end(trace::SpanStatus::error, answer.error().message);
      if (answer.error().code == ErrorCode::cancelled) co_return core::fail(std::move(answer).error());
      co_return core::Result<>{};
    }
    const std::string name = to_lower(trim(answer->text));
    const auto known = std::find_if(authors.begin(), authors.end(), [&](const std::string& author) { return to_lower(author) == name; });
    if (known != authors.end()) {
      run.filter.author = *known;
    } else if (name != "none") {
      span.set_attribute("volan.self_query.note", "the model named no known author, so all authors are searched");
    }
    span.set_attribute("volan.self_query.answer", std::string_view(answer->text));
  }
  span.span().output.text = filter_json(run.filter);
  span.end();
  co_return core::Result<>{};
}

core::Task<> Retriever::expand(Run& run) {
  run.queries = {run.request.question};
  const std::int64_t count = run.request.settings.expand_to_n_queries;
  if (count <= 1) co_return core::Result<>{};
  trace::OpenSpan span = recorder_.start_inner(run.span("expand", trace::SpanKind::step));
  span.span().input.text = json_of(run.request.question);
  llm::ChatRequest ask;
  ask.model = run.request.endpoint;
  ask.temperature = 0;
  ask.tokens_max = 96 * (count - 1);
  ask.messages.push_back({.role = "system",
                          .content = "Write " + std::to_string(count - 1) +
                                     " other wordings of the question for a search in documents, one per line and nothing else."});
  ask.messages.push_back({.role = "user", .content = run.request.question});
  llm::CallContext context = run.context(span, "expand");
  auto answer = co_await chat_.complete(std::move(ask), std::move(context));
  if (!answer) {
    span.end(trace::SpanStatus::error, answer.error().message);
    if (answer.error().code == ErrorCode::cancelled) co_return core::fail(std::move(answer).error());
    co_return core::Result<>{};
  }
  const std::string_view text = answer->text;
  for (std::size_t at = 0; at < text.size() && std::ssize(run.queries) < count;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line(without_list_mark(text.substr(at, end - at)));
    if (!line.empty() && line.size() <= questions_bytes_max && std::find(run.queries.begin(), run.queries.end(), line) == run.queries.end())
      run.queries.push_back(line);
    at = end + 1;
  }
  span.span().output.text = json_of(run.queries);
  span.end();
  co_return core::Result<>{};
}

core::Task<> Retriever::search_all(Run& run) {
  const RetrievalSettings& settings = run.request.settings;
  const std::size_t limit = candidates_of(settings);
  const bool is_traced = run.is_traced;
  llm::Embeddings embeddings;
  if (settings.dense) {
    llm::CallContext context{
        .project = run.request.project, .trace_id = run.request.trace_id, .parent_span_id = run.request.parent_span_id, .name = "embed"};
    std::vector<std::string> texts = run.queries;
    auto embedded = co_await embedder_.embed(std::move(texts), std::move(context));
    if (!embedded) co_return core::fail(std::move(embedded).error());
    embeddings = std::move(*embedded);
    if (embeddings.values.size() != embeddings.dimension * run.queries.size())
      co_return core::fail(ErrorCode::upstream, "the embedding model answered with the wrong number of values");
  }
  for (std::size_t i = 0; i < run.queries.size(); ++i) {
    for (const bool is_dense : {true, false}) {
      if (is_dense ? !settings.dense : !settings.lexical) continue;
      std::optional<trace::OpenSpan> span;
      if (is_traced) {
        span.emplace(recorder_.start_inner(run.span(is_dense ? "search.dense" : "search.lexical", trace::SpanKind::retriever)));
        span->span().input.text = json_of(run.queries[i]);
        span->set_attribute("volan.filter.author", std::string_view(run.filter.author));
        span->set_attribute("volan.limit", static_cast<std::int64_t>(limit));
      }
      // Everything that the search uses lives in this coroutine, which waits for it.
      auto work = [&run, &embeddings, i, is_dense, limit, is_traced]() -> core::Result<Found> {
        const std::span<const float> values(embeddings.values);
        auto hits = is_dense ? run.snapshot->search_dense(values.subspan(i * embeddings.dimension, embeddings.dimension), limit, run.filter)
                             : run.snapshot->search_lexical(run.queries[i], limit, run.filter);
        if (!hits) return core::fail(std::move(hits).error());
        Found result;
        result.hits = std::move(*hits);
        if (is_traced) VOLAN_TRY_VOID(add_titles(*run.snapshot, result));
        return result;
      };
      auto found = co_await pools_.on_compute(std::move(work));
      if (!found) {
        if (span) span->end(trace::SpanStatus::error, found.error().message);
        co_return core::fail(std::move(found).error());
      }
      if (span) {
        span->span().output.text = hits_json(found->hits, found->titles);
        span->end();
      }
      run.lists.push_back(ids_of(found->hits));
      run.is_dense.push_back(is_dense);
    }
  }
  std::optional<trace::OpenSpan> span;
  if (is_traced) span.emplace(recorder_.start_inner(run.span("fuse", trace::SpanKind::step)));
  run.fused = fuse_ranks(run.lists, settings.rrf_k);
  if (run.fused.size() > limit) run.fused.resize(limit);
  if (span) {
    span->set_attribute("volan.fuse.lists", static_cast<std::int64_t>(run.lists.size()));
    span->set_attribute("volan.fuse.hits", static_cast<std::int64_t>(run.fused.size()));
    span->end();
  }
  co_return core::Result<>{};
}

core::Task<> Retriever::load_sources(Run& run) {
  std::size_t count = run.fused.size();
  if (run.request.settings.reranker.empty()) count = std::min(count, static_cast<std::size_t>(run.request.settings.k));
  auto work = [&run, count] {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(run.fused[i].id);
    return run.snapshot->chunks(ids);
  };
  auto views = co_await pools_.on_disk(std::move(work));
  if (!views) co_return core::fail(std::move(views).error());
  std::unordered_map<std::string_view, const FusedHit*> hits;
  for (const FusedHit& hit : run.fused) hits.emplace(hit.id, &hit);
  for (feature::ChunkView& view : *views) {
    const FusedHit& hit = *hits.at(view.id);
    Source source;
    source.chunk_id = view.id;
    source.document_id = std::move(view.document_id);
    source.title = std::move(view.title);
    source.heading = std::move(view.heading);
    source.author = std::move(view.author);
    source.url = std::move(view.url);
    source.text = std::move(view.text);
    source.score = hit.score;
    for (std::size_t list = 0; list < hit.ranks.size(); ++list) {
      auto& best = run.is_dense[list] ? source.rank_dense : source.rank_lexical;
      if (hit.ranks[list] && (!best || *hit.ranks[list] < *best)) best = hit.ranks[list];
    }
    run.sources.push_back(std::move(source));
  }
  co_return core::Result<>{};
}

core::Task<> Retriever::rerank(Run& run) {
  if (run.request.settings.reranker.empty() || run.sources.empty()) co_return core::Result<>{};
  trace::OpenSpan span = recorder_.start_inner(run.span("rerank", trace::SpanKind::reranker));
  span.span().input.text = json_of(run.request.question);
  std::vector<std::string> texts;
  for (const Source& source : run.sources) texts.push_back(source.heading + "\n" + source.text);
  llm::CallContext context = run.context(span, "rerank");
  auto scores = co_await reranker_->score(run.request.question, std::move(texts), std::move(context));
  if (!scores) {
    span.end(trace::SpanStatus::error, scores.error().message);
    co_return core::fail(std::move(scores).error());
  }
  if (scores->size() != run.sources.size()) {
    span.end(trace::SpanStatus::error, "wrong number of scores");
    co_return core::fail(ErrorCode::upstream, "the reranker answered with the wrong number of scores");
  }
  for (std::size_t i = 0; i < scores->size(); ++i) run.sources[i].score = (*scores)[i];
  std::stable_sort(run.sources.begin(), run.sources.end(), [](const Source& a, const Source& b) { return a.score > b.score; });
  span.end();
  co_return core::Result<>{};
}

core::Task<Retrieved> Retriever::retrieve(RetrieveRequest request) {
  VOLAN_CO_TRY_VOID(check(request.settings));
  if (!request.settings.reranker.empty() && reranker_ == nullptr)
    co_return core::fail(ErrorCode::invalid_argument, "there is no reranker", "reranker", "leave it empty");
  Run run{.request = std::move(request)};
  VOLAN_CO_TRY(run.snapshot, snapshot_of(snapshots_, run.request.project));
  VOLAN_CO_TRY_VOID(co_await find_author(run));
  VOLAN_CO_TRY_VOID(co_await expand(run));
  VOLAN_CO_TRY_VOID(co_await search_all(run));
  VOLAN_CO_TRY_VOID(co_await load_sources(run));
  VOLAN_CO_TRY_VOID(co_await rerank(run));
  trace::OpenSpan span = recorder_.start_inner(run.span("context", trace::SpanKind::step));
  const auto k = static_cast<std::size_t>(run.request.settings.k);
  if (run.sources.size() > k) run.sources.resize(k);
  std::int64_t number = 0;
  for (Source& source : run.sources) source.number = ++number;
  span.span().output.text = json_of(numbered_context(run.sources, run.request.settings));
  span.set_attribute("volan.context.sources", number);
  span.end();
  Retrieved retrieved;
  retrieved.sources = std::move(run.sources);
  retrieved.author_filter = run.filter.author;
  retrieved.snapshot_id = run.snapshot->id();
  co_return retrieved;
}

core::Task<std::vector<feature::Hit>> Retriever::search(std::string project, std::string question, RetrievalSettings settings,
                                                        feature::Filter filter) {
  VOLAN_CO_TRY_VOID(check(settings));
  Run run;
  run.is_traced = false;
  run.request.project = std::move(project);
  run.request.settings = std::move(settings);
  run.filter = std::move(filter);
  run.queries.push_back(std::move(question));
  VOLAN_CO_TRY(run.snapshot, snapshot_of(snapshots_, run.request.project));
  VOLAN_CO_TRY_VOID(co_await search_all(run));
  std::vector<feature::Hit> hits;
  for (FusedHit& hit : run.fused) hits.push_back({.chunk_id = std::move(hit.id), .score = hit.score});
  co_return hits;
}

}  // namespace volan::rag
