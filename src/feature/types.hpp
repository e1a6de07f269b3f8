/// Records of the feature store and what a build reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collect/collector.hpp"
#include "core/fields.hpp"
#include "core/time.hpp"

namespace volan::feature {

/// One chunk as it is stored.
struct Chunk {
  std::string id;  ///< hash of document id, position, text and settings
  std::string document_id;
  std::int64_t position = 0;
  std::int64_t section = 0;
  std::string heading;  ///< path: "Classes › Constructors"
  std::string leaf;     ///< innermost heading
  std::string anchor;
  std::string text;
  std::string text_hash;  ///< SHA-256 of the embedded text
  std::int64_t characters = 0;
  std::int64_t tokens = 0;
};
constexpr auto describe(const Chunk*) {
  return core::object("Chunk", core::field("id", &Chunk::id, "Hash of document, position, text and settings."),
                      core::field("document_id", &Chunk::document_id, "Its document."),
                      core::field("position", &Chunk::position, "Place in the document, from 0."),
                      core::field("section", &Chunk::section, "Section of the document, from 0."),
                      core::field("heading", &Chunk::heading, "Path of headings."), core::field("leaf", &Chunk::leaf, "Innermost heading."),
                      core::field("anchor", &Chunk::anchor, "End of a link to the section."),
                      core::field("text", &Chunk::text, "The text, without headings."),
                      core::field("text_hash", &Chunk::text_hash, "SHA-256 of the text that was embedded."),
                      core::field("characters", &Chunk::characters, "Unicode code points of the text."),
                      core::field("tokens", &Chunk::tokens, "Tokens of the embedded text, headings included."));
}

/// A cleaned document, as far as an answer and an index need it.
struct FeatureDocument {
  std::string document_id;
  std::string source;
  std::string locator;
  std::string author;
  std::string category;
  std::string title;
  std::string url;
  std::string language;
  std::int64_t sections = 0;
  std::int64_t characters_in = 0;
  std::int64_t characters_out = 0;
  std::int64_t chunks = 0;
};

struct SnapshotInfo {
  std::string id;
  std::string settings_hash;
  std::string embedder;
  std::int64_t dimension = 0;
  std::int64_t documents = 0;
  std::int64_t chunks = 0;
  std::int64_t tokens = 0;
  core::Time created;
  core::Time used;
  bool is_current = false;
};
constexpr auto describe(const SnapshotInfo*) {
  return core::object("FeatureSnapshot", core::field("id", &SnapshotInfo::id, "Hash of its chunks, settings and embedding model."),
                      core::field("settings_hash", &SnapshotInfo::settings_hash, "Hash of the cleaning and cutting settings."),
                      core::field("embedder", &SnapshotInfo::embedder, "Embedding model."),
                      core::field("dimension", &SnapshotInfo::dimension, "Of its vectors."),
                      core::field("documents", &SnapshotInfo::documents, "Number of documents."),
                      core::field("chunks", &SnapshotInfo::chunks, "Number of chunks."),
                      core::field("tokens", &SnapshotInfo::tokens, "Tokens of all chunks."),
                      core::field("created", &SnapshotInfo::created, "When it was built."),
                      core::field("used", &SnapshotInfo::used, "When it last became current."),
                      core::field("is_current", &SnapshotInfo::is_current, "Whether searches use it."));
}

enum class BuildStage { collect, cut, embed, index, publish, done };
constexpr auto describe(const BuildStage*) {
  using enum BuildStage;
  return core::names("BuildStage", core::name(collect, "collect"), core::name(cut, "cut"), core::name(embed, "embed"),
                     core::name(index, "index"), core::name(publish, "publish"), core::name(done, "done"));
}

/// Where a running build is. The unit of done and total depends on the stage: files, documents, chunks.
struct BuildProgress {
  BuildStage stage = BuildStage::collect;
  std::int64_t done = 0;
  std::int64_t total = 0;
  double per_second = 0;         ///< of this stage so far
  double remaining_seconds = 0;  ///< of this stage, estimated
  std::string note;              ///< source or model, for a person
};
constexpr auto describe(const BuildProgress*) {
  return core::object("BuildProgress", core::field("stage", &BuildProgress::stage, "Which stage is running."),
                      core::field("done", &BuildProgress::done, "Files, documents or chunks done in this stage."),
                      core::field("total", &BuildProgress::total, "Of how many."),
                      core::field("per_second", &BuildProgress::per_second, "Rate of this stage."),
                      core::field("remaining_seconds", &BuildProgress::remaining_seconds, "Estimate for this stage."),
                      core::field("note", &BuildProgress::note, "Source or model at work."));
}

/// What a build did. Characters are Unicode code points; sums are over the whole snapshot unless they say "new".
struct BuildReport {
  static constexpr bool lenient_defaults = true;
  std::string snapshot_id;
  bool is_new_snapshot = false;  ///< false: nothing changed, the current one stays
  std::vector<collect::CollectReport> sources;
  std::int64_t documents = 0;
  std::int64_t new_documents = 0;  ///< cleaned and cut in this build
  std::int64_t sections = 0;
  std::int64_t chunks = 0;
  std::int64_t characters_in = 0;   ///< before cleaning
  std::int64_t characters_out = 0;  ///< after cleaning
  std::int64_t tokens = 0;
  std::int64_t embedded = 0;  ///< texts sent to the model
  std::int64_t embedded_tokens = 0;
  std::int64_t reused = 0;  ///< chunks whose vector was there already
  std::string embedder;
  double collect_seconds = 0;
  double cut_seconds = 0;
  double embed_seconds = 0;
  double index_seconds = 0;
  double publish_seconds = 0;
  double embedded_tokens_per_second = 0;
};
constexpr auto describe(const BuildReport*) {
  return core::object("BuildReport", core::field("snapshot_id", &BuildReport::snapshot_id, "The snapshot that is current now."),
                      core::field("is_new_snapshot", &BuildReport::is_new_snapshot, "False when nothing had changed."),
                      core::field("sources", &BuildReport::sources, "What was read."),
                      core::field("documents", &BuildReport::documents, "Documents in the snapshot."),
                      core::field("new_documents", &BuildReport::new_documents, "Documents cleaned and cut now."),
                      core::field("sections", &BuildReport::sections, "Sections in the snapshot."),
                      core::field("chunks", &BuildReport::chunks, "Chunks in the snapshot."),
                      core::field("characters_in", &BuildReport::characters_in, "Characters before cleaning."),
                      core::field("characters_out", &BuildReport::characters_out, "Characters after cleaning."),
                      core::field("tokens", &BuildReport::tokens, "Tokens of all embedded texts of the snapshot."),
                      core::field("embedded", &BuildReport::embedded, "Texts embedded now."),
                      core::field("embedded_tokens", &BuildReport::embedded_tokens, "Tokens embedded now."),
                      core::field("reused", &BuildReport::reused, "Chunks whose vector was there."),
                      core::field("embedder", &BuildReport::embedder, "Embedding model."),
                      core::field("collect_seconds", &BuildReport::collect_seconds, "Reading the sources."),
                      core::field("cut_seconds", &BuildReport::cut_seconds, "Cleaning and cutting, counting tokens included."),
                      core::field("embed_seconds", &BuildReport::embed_seconds, "Embedding."),
                      core::field("index_seconds", &BuildReport::index_seconds, "Writing both indexes."),
                      core::field("publish_seconds", &BuildReport::publish_seconds, "Commit, switch and removal of old snapshots."),
                      core::field("embedded_tokens_per_second", &BuildReport::embedded_tokens_per_second, "Rate of the embedding stage."));
}

/// One build, running or ended.
struct BuildInfo {
  std::string id;
  std::string state;  ///< running, done, failed, cancelled
  core::Time started;
  std::optional<core::Time> ended;
  std::optional<BuildProgress> progress;  ///< while it runs in this process
  std::optional<BuildReport> report;      ///< when done
  std::string error;
};
constexpr auto describe(const BuildInfo*) {
  return core::object(
      "FeatureBuild", core::field("id", &BuildInfo::id, "Id of the build."),
      core::field("state", &BuildInfo::state, "running, done, failed or cancelled."),
      core::field("started", &BuildInfo::started, "When it began."), core::field("ended", &BuildInfo::ended, "When it ended."),
      core::field("progress", &BuildInfo::progress, "Where it is, while it runs."),
      core::field("report", &BuildInfo::report, "What it did, when done."), core::field("error", &BuildInfo::error, "Why it failed."));
}

}  // namespace volan::feature
