/// What `volan.yaml` says about features: sources, cleaning, cutting, embedding.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collect/collector.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::feature {

/// How texts are cleaned. `keep` loses nothing but blanks; `reference` is the rule of the LLM Engineer's Handbook, kept for comparison:
/// everything except letters, digits, '_', blanks and . , ! ? becomes a blank, in code too.
enum class Cleaning { keep, reference };
constexpr auto describe(const Cleaning*) {
  return core::names("Cleaning", core::name(Cleaning::keep, "keep"), core::name(Cleaning::reference, "reference"));
}

/// How the texts of one category are cut into chunks. Characters are Unicode code points, tokens those of the embedding model.
struct ChunkSettings {
  static constexpr bool lenient_defaults = true;
  std::int64_t characters_min = 1000;   ///< a section's last chunk takes from the one before to reach it, where the section has that much
  std::int64_t characters_max = 2000;   ///< never more
  std::int64_t overlap_characters = 0;  ///< whole sentences or lines at the end of a chunk that the next one repeats, at most this long
  std::int64_t tokens_max = 480;        ///< of the embedded text with its headings; the model's own limit minus a margin
};
constexpr auto describe(const ChunkSettings*) {
  return core::object(
      "ChunkSettings",
      core::field("characters_min", &ChunkSettings::characters_min, "Shortest chunk where the section is longer than that."),
      core::field("characters_max", &ChunkSettings::characters_max, "Longest chunk."),
      core::field("overlap_characters", &ChunkSettings::overlap_characters, "How much of a chunk's end the next one repeats, at most."),
      core::field("tokens_max", &ChunkSettings::tokens_max, "Most tokens of a chunk with its headings."));
}

/// Feature settings of a project.
struct FeatureConfig {
  static constexpr bool lenient_defaults = true;
  std::vector<collect::SourceConfig> sources;
  Cleaning cleaning = Cleaning::keep;
  ChunkSettings articles{};
  ChunkSettings posts{.characters_min = 0, .characters_max = 1200, .overlap_characters = 100, .tokens_max = 250};
  ChunkSettings repositories{.characters_min = 0, .characters_max = 1500, .overlap_characters = 100, .tokens_max = 480};
  bool embed_headings = true;              ///< the embedded text begins with the path of headings
  std::int64_t embed_batch = 16;           ///< texts per call of the embedding model
  std::int64_t exact_search_max = 50'000;  ///< up to this many chunks are compared one by one, beyond it a graph (HNSW) is built
  std::int64_t snapshots_kept = 3;

  const ChunkSettings& of(collect::Category category) const {
    return category == collect::Category::post ? posts : category == collect::Category::repository ? repositories : articles;
  }
};
constexpr auto describe(const FeatureConfig*) {
  return core::object("FeatureConfig", core::field("sources", &FeatureConfig::sources, "Where documents come from."),
                      core::field("cleaning", &FeatureConfig::cleaning, "keep: lose nothing but blanks; reference: the handbook's rule."),
                      core::field("articles", &FeatureConfig::articles, "How articles are cut."),
                      core::field("posts", &FeatureConfig::posts, "How posts are cut."),
                      core::field("repositories", &FeatureConfig::repositories, "How repositories are cut."),
                      core::field("embed_headings", &FeatureConfig::embed_headings, "Begin each embedded text with the path of headings."),
                      core::field("embed_batch", &FeatureConfig::embed_batch, "Texts per call of the embedding model."),
                      core::field("exact_search_max", &FeatureConfig::exact_search_max, "Beyond this many chunks a graph index is built."),
                      core::field("snapshots_kept", &FeatureConfig::snapshots_kept, "Older snapshots are deleted."));
}

/// Checks ranges and that source names are unique. `path` names the field. Errors: invalid_argument.
core::Result<> check(const FeatureConfig& config);

/// Hash of everything in the configuration (and of the rules' versions) that decides what chunks a document gives.
std::string settings_hash(const FeatureConfig& config, std::string_view embedder_identity);

}  // namespace volan::feature
