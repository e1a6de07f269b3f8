#include "feature/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/ids.hpp"
#include "feature/clean.hpp"
#include "feature/embedding_store.hpp"

namespace volan::feature {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t count_batch = 256;  // texts per call of the tokeniser

std::string snapshot_id(const SnapshotContent& content) {
  core::Sha256 hash;
  hash.add_part("snapshot")
      .add_part(content.info.settings_hash)
      .add_part(content.info.embedder)
      .add_part(std::to_string(content.info.dimension));
  for (const auto& chunks : content.chunks)
    for (const Chunk& chunk : chunks) hash.add_part(chunk.id);
  for (const FeatureDocument& document : content.documents) hash.add_part(document.document_id);
  return hash.hex();
}

}  // namespace

Builder::Builder(FeatureStore& store, std::string project, FeatureConfig config, llm::Embedder& embedder, ProgressCallback progress,
                 std::stop_token stop)
    : store_(store),
      project_(std::move(project)),
      config_(std::move(config)),
      embedder_(embedder),
      progress_(std::move(progress)),
      stop_(std::move(stop)),
      identity_(embedder.identity()),
      settings_(settings_hash(config_, identity_)) {
  report_.embedder = identity_;
}

core::Task<BuildReport> Builder::run() {
  begin_stage(BuildStage::collect);
  VOLAN_CO_TRY_VOID(co_await collect());
  report_.collect_seconds = stage_seconds();
  begin_stage(BuildStage::cut);
  VOLAN_CO_TRY_VOID(co_await cut());
  report_.cut_seconds = stage_seconds();
  begin_stage(BuildStage::embed);
  VOLAN_CO_TRY_VOID(co_await load());
  VOLAN_CO_TRY_VOID(co_await embed());
  report_.embed_seconds = stage_seconds();
  if (report_.embed_seconds > 0) report_.embedded_tokens_per_second = static_cast<double>(report_.embedded_tokens) / report_.embed_seconds;
  begin_stage(BuildStage::index);
  VOLAN_CO_TRY_VOID(co_await index());
  report_.index_seconds = stage_seconds();
  begin_stage(BuildStage::publish);
  VOLAN_CO_TRY_VOID(co_await publish());
  report_.publish_seconds = stage_seconds();
  begin_stage(BuildStage::done);
  tell(1, 1);
  co_return std::move(report_);
}

core::Task<> Builder::collect() {
  for (const collect::SourceConfig& source : config_.sources) {
    VOLAN_CO_TRY_VOID(check_stop());
    auto read = [this, &source] {
      return collect::collect_folder(project_, source, store_.documents_, store_.clock_,
                                     [&](std::int64_t done, std::int64_t found) { tell(done, found, source.name); });
    };
    VOLAN_CO_TRY(auto report, co_await store_.pools_.on_disk(std::move(read)));
    report_.sources.push_back(std::move(report));
  }
  auto forget = [this] { return forget_removed_sources(); };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(forget)));
  co_return core::Result<>{};
}

// Documents of sources that the configuration no longer names.
core::Result<> Builder::forget_removed_sources() {
  std::set<std::string> names;
  for (const collect::SourceConfig& source : config_.sources) names.insert(source.name);
  VOLAN_TRY(const auto heads, store_.documents_.in_use(project_));
  std::map<std::string, collect::DocumentStore::Changes> removed;
  for (const collect::DocumentHead& head : heads) {
    if (names.contains(head.source))
      document_ids_.push_back(head.id);
    else
      removed[head.source].gone.push_back(head.locator);
  }
  for (const auto& [source, changes] : removed) VOLAN_TRY_VOID(store_.documents_.apply(project_, source, changes, store_.clock_.now()));
  return {};
}

core::Task<> Builder::cut() {
  auto find_known = [this] { return store_.store_.known_documents(project_, settings_); };
  VOLAN_CO_TRY(const auto known, co_await store_.pools_.on_disk(std::move(find_known)));
  std::vector<std::string> unknown;
  for (const std::string& id : document_ids_)
    if (!known.contains(id)) unknown.push_back(id);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    VOLAN_CO_TRY_VOID(check_stop());
    VOLAN_CO_TRY_VOID(co_await cut_document(unknown[i]));
    tell(static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(unknown.size()));
  }
  report_.new_documents = static_cast<std::int64_t>(unknown.size());
  co_return core::Result<>{};
}

core::Task<> Builder::cut_document(std::string id) {
  auto read = [this, &id] { return store_.documents_.load(project_, id); };
  VOLAN_CO_TRY(const collect::Document document, co_await store_.pools_.on_disk(std::move(read)));
  const ChunkSettings& settings = config_.of(document.category);
  struct Cut {
    CleanedText cleaned;
    std::vector<ChunkDraft> drafts;
  };
  auto work = [&]() -> core::Result<Cut> {
    Cut cut_text{clean(document.sections, config_.cleaning), {}};
    cut_text.drafts = feature::cut(cut_text.cleaned.sections, settings);
    return cut_text;
  };
  VOLAN_CO_TRY(Cut cut_text, co_await store_.pools_.on_compute(std::move(work)));
  std::vector<Chunk> chunks;
  VOLAN_CO_TRY_VOID(co_await fit_to_tokens(std::move(cut_text.drafts), cut_text.cleaned.sections, document.title, settings, chunks));
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    Chunk& chunk = chunks[i];
    chunk.document_id = id;
    chunk.position = static_cast<std::int64_t>(i);
    chunk.id = core::Sha256().add_part("chunk").add_part(id).add_part(std::to_string(i)).add_part(chunk.text).add_part(settings_).hex();
    chunk.text_hash = core::sha256_hex(text_of(chunk));
  }
  const FeatureDocument row{.document_id = id,
                            .source = document.source,
                            .locator = document.locator,
                            .author = document.author,
                            .category = std::string(core::text_of(document.category)),
                            .title = document.title,
                            .url = document.url,
                            .language = document.language,
                            .sections = static_cast<std::int64_t>(cut_text.cleaned.sections.size()),
                            .characters_in = cut_text.cleaned.characters_in,
                            .characters_out = cut_text.cleaned.characters_out,
                            .chunks = static_cast<std::int64_t>(chunks.size())};
  auto write = [&] { return store_.store_.put_document(project_, settings_, row, cut_text.cleaned.sections, chunks); };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(write)));
  co_return core::Result<>{};
}

// Counts the tokens of every draft and halves those that are too long, until all fit.
core::Task<> Builder::fit_to_tokens(std::vector<ChunkDraft> drafts, const std::vector<collect::Section>& sections, const std::string& title,
                                    const ChunkSettings& settings, std::vector<Chunk>& chunks) {
  struct Fitted {
    ChunkDraft draft;
    std::string text;
    std::int64_t tokens = -1;
  };
  std::vector<Fitted> all;
  for (ChunkDraft& draft : drafts) {
    std::string text = draft.text();
    all.push_back({std::move(draft), std::move(text)});
  }
  for (bool has_open = true; has_open;) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].tokens < 0) open.push_back(i);
    for (std::size_t begin = 0; begin < open.size(); begin += count_batch) {
      const std::size_t end = std::min(open.size(), begin + count_batch);
      std::vector<std::string> texts;
      for (std::size_t i = begin; i < end; ++i) {
        const Fitted& each = all[open[i]];
        texts.push_back(embedded_text(heading_of(sections[each.draft.section], title), each.text, config_.embed_headings));
      }
      VOLAN_CO_TRY(const auto counts, co_await embedder_.count_tokens(std::move(texts)));
      if (counts.size() != end - begin) co_return fail(ErrorCode::upstream, "the tokeniser answered for another number of texts");
      for (std::size_t i = begin; i < end; ++i) all[open[i]].tokens = counts[i - begin];
    }
    has_open = false;
    std::vector<Fitted> next;
    for (Fitted& each : all) {
      if (each.tokens <= settings.tokens_max) {
        next.push_back(std::move(each));
        continue;
      }
      has_open = true;
      auto halves = halve(each.draft);
      for (ChunkDraft& half : halves) {
        std::string text = half.text();
        if (halves.size() == 1 && text == each.text)
          co_return fail(
              ErrorCode::invalid_argument,
              fmt::format("the headings of \"{}\" alone have {} tokens, more than tokens_max {}", title, each.tokens, settings.tokens_max),
              "tokens_max", "raise `tokens_max` or set `embed_headings: false`");
        next.push_back({std::move(half), std::move(text)});
      }
    }
    all = std::move(next);
  }
  for (Fitted& each : all) {
    const collect::Section& section = sections[each.draft.section];
    const std::int64_t characters = count_characters(each.text);
    chunks.push_back({.id = {},
                      .document_id = {},
                      .position = 0,
                      .section = static_cast<std::int64_t>(each.draft.section),
                      .heading = heading_of(section, title),
                      .leaf = section.heading_path.empty() ? std::string() : section.heading_path.back(),
                      .anchor = section.anchor,
                      .text = std::move(each.text),
                      .text_hash = {},
                      .characters = characters,
                      .tokens = each.tokens});
  }
  co_return core::Result<>{};
}

core::Task<> Builder::load() {
  auto read = [this]() -> core::Result<> {
    VOLAN_TRY(content_.documents, store_.store_.documents(project_, settings_, document_ids_));
    for (const FeatureDocument& document : content_.documents) {
      VOLAN_TRY(auto chunks, store_.store_.chunks_of(project_, settings_, document.document_id));
      report_.sections += document.sections;
      report_.characters_in += document.characters_in;
      report_.characters_out += document.characters_out;
      report_.chunks += static_cast<std::int64_t>(chunks.size());
      for (const Chunk& chunk : chunks) report_.tokens += chunk.tokens;
      content_.chunks.push_back(std::move(chunks));
    }
    report_.documents = static_cast<std::int64_t>(content_.documents.size());
    return {};
  };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(read)));
  co_return core::Result<>{};
}

core::Task<> Builder::embed() {
  auto open = [this] { return store_.embeddings(project_); };
  VOLAN_CO_TRY(EmbeddingStore* const vectors, co_await store_.pools_.on_disk(std::move(open)));
  std::unordered_map<std::string, const Chunk*> chunk_of;
  std::vector<std::string> hashes;
  for (const auto& chunks : content_.chunks)
    for (const Chunk& chunk : chunks) {
      chunk_of[chunk.text_hash] = &chunk;
      hashes.push_back(chunk.text_hash);
    }
  auto find = [&] { return vectors->missing(identity_, hashes); };
  VOLAN_CO_TRY(const auto missing, co_await store_.pools_.on_disk(std::move(find)));
  report_.reused = static_cast<std::int64_t>(hashes.size() - missing.size());
  const auto batch = static_cast<std::size_t>(config_.embed_batch);
  for (std::size_t begin = 0; begin < missing.size(); begin += batch) {
    VOLAN_CO_TRY_VOID(check_stop());
    const std::vector<std::string> part(missing.begin() + static_cast<std::ptrdiff_t>(begin),
                                        missing.begin() + static_cast<std::ptrdiff_t>(std::min(missing.size(), begin + batch)));
    std::vector<std::string> texts;
    for (const std::string& hash : part) {
      texts.push_back(text_of(*chunk_of[hash]));
      report_.embedded_tokens += chunk_of[hash]->tokens;
    }
    llm::CallContext context{.project = project_, .trace_id = {}, .parent_span_id = {}, .name = "embed_features"};
    VOLAN_CO_TRY(const llm::Embeddings answer, co_await embedder_.embed(std::move(texts), std::move(context)));
    auto put = [&] { return vectors->put(identity_, part, answer.dimension, answer.values); };
    VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(put)));
    report_.embedded += static_cast<std::int64_t>(part.size());
    store_.embedded_total_.add(static_cast<double>(part.size()));
    tell(report_.embedded, static_cast<std::int64_t>(missing.size()), identity_);
  }
  auto read = [&]() -> core::Result<> {
    VOLAN_TRY(const std::size_t dimension, vectors->dimension(identity_));
    content_.info.dimension = static_cast<std::int64_t>(hashes.empty() ? 0 : dimension);
    VOLAN_TRY(content_.vectors, vectors->load(identity_, hashes, hashes.empty() ? 0 : dimension));
    return {};
  };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(read)));
  co_return core::Result<>{};
}

core::Task<> Builder::index() {
  VOLAN_CO_TRY_VOID(check_stop());
  content_.info.settings_hash = settings_;
  content_.info.embedder = identity_;
  content_.info.documents = report_.documents;
  content_.info.chunks = report_.chunks;
  content_.info.tokens = report_.tokens;
  content_.info.used = content_.info.created = store_.clock_.now();
  content_.info.id = report_.snapshot_id = snapshot_id(content_);
  const auto now = store_.stored(project_);
  report_.is_new_snapshot = !now || now->id() != content_.info.id;
  if (!report_.is_new_snapshot) co_return core::Result<>{};
  tell(0, report_.chunks);
  auto write = [this] { return write_or_reuse(); };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_compute(std::move(write)));
  tell(report_.chunks, report_.chunks);
  co_return core::Result<>{};
}

core::Result<> Builder::write_or_reuse() {
  const std::string folder = store_.snapshot_folder(project_, content_.info.id);
  auto there = StoredSnapshot::open(folder, content_.info.id);  // a snapshot of the past that is whole
  if (!there) {
    VOLAN_TRY_VOID(StoredSnapshot::write(folder, content_, static_cast<std::size_t>(config_.exact_search_max)));
    there = StoredSnapshot::open(folder, content_.info.id);
  }
  if (!there) return fail(std::move(there).error());
  snapshot_ = std::move(*there);
  return {};
}

core::Task<> Builder::publish() {
  if (!report_.is_new_snapshot) co_return core::Result<>{};
  auto write = [this]() -> core::Result<> {
    VOLAN_TRY_VOID(store_.store_.publish(project_, content_.info, document_ids_));
    store_.set_current(project_, std::move(snapshot_));
    return {};
  };
  VOLAN_CO_TRY_VOID(co_await store_.pools_.on_disk(std::move(write)));
  // From here on nothing may fail the build: the new snapshot is in use. What is not removed now is removed next time.
  auto remove = [this]() -> core::Result<> {
    VOLAN_TRY_VOID(store_.store_.remove_old(project_, config_.snapshots_kept));
    store_.remove_old_folders(project_);
    VOLAN_TRY(const auto hashes, store_.store_.text_hashes(project_));
    VOLAN_TRY(EmbeddingStore* const vectors, store_.embeddings(project_));
    VOLAN_TRY([[maybe_unused]] const auto removed, vectors->keep_only(hashes));
    return {};
  };
  if (const auto removed = co_await store_.pools_.on_disk(std::move(remove)); !removed)
    store_.log_.warn("feature_removal_failed", {{"project", project_}, {"error", removed.error().message}});
  co_return core::Result<>{};
}

void Builder::begin_stage(BuildStage stage) {
  stage_ = stage;
  stage_begin_ = std::chrono::steady_clock::now();
  last_told_ = {};
}

double Builder::stage_seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - stage_begin_).count(); }

void Builder::tell(std::int64_t done, std::int64_t total, std::string note) {
  const auto now = std::chrono::steady_clock::now();
  if (!progress_ || (done != total && now - last_told_ < std::chrono::milliseconds(100))) return;
  last_told_ = now;
  BuildProgress progress{.stage = stage_, .done = done, .total = total, .note = std::move(note)};
  if (const double seconds = stage_seconds(); seconds > 0 && done > 0) {
    progress.per_second = static_cast<double>(done) / seconds;
    progress.remaining_seconds = static_cast<double>(total - done) / progress.per_second;
  }
  progress_(progress);
}

core::Result<> Builder::check_stop() const {
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "the build was stopped; the next one goes on where it was");
  return {};
}

std::string Builder::text_of(const Chunk& chunk) const { return embedded_text(chunk.heading, chunk.text, config_.embed_headings); }

}  // namespace volan::feature
