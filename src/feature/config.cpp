#include "feature/config.hpp"

#include <fmt/format.h>

#include <set>

#include "core/ids.hpp"
#include "feature/chunk.hpp"
#include "feature/clean.hpp"

namespace volan::feature {
namespace {

core::Result<> in_range(std::string path, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return core::fail(core::ErrorCode::invalid_argument, fmt::format("must be {} to {}, is {}", low, high, value), std::move(path));
}

core::Result<> check(const ChunkSettings& settings, const std::string& path) {
  VOLAN_TRY_VOID(in_range(path + ".characters_max", settings.characters_max, 50, 1'000'000));
  VOLAN_TRY_VOID(in_range(path + ".characters_min", settings.characters_min, 0, settings.characters_max / 2));
  VOLAN_TRY_VOID(in_range(path + ".overlap_characters", settings.overlap_characters, 0, settings.characters_max / 2));
  return in_range(path + ".tokens_max", settings.tokens_max, 32, 1'000'000);
}

}  // namespace

core::Result<> check(const FeatureConfig& config) {
  VOLAN_TRY_VOID(check(config.articles, "articles"));
  VOLAN_TRY_VOID(check(config.posts, "posts"));
  VOLAN_TRY_VOID(check(config.repositories, "repositories"));
  VOLAN_TRY_VOID(in_range("embed_batch", config.embed_batch, 1, 1024));
  VOLAN_TRY_VOID(in_range("exact_search_max", config.exact_search_max, 0, 10'000'000));
  VOLAN_TRY_VOID(in_range("snapshots_kept", config.snapshots_kept, 1, 100));
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.sources.size(); ++i) {
    const std::string path = fmt::format("sources[{}]", i);
    if (auto checked = collect::check(config.sources[i]); !checked) {
      checked.error().path = path + "." + checked.error().path;
      return checked;
    }
    if (!names.insert(config.sources[i].name).second)
      return core::fail(core::ErrorCode::invalid_argument, "two sources are called " + config.sources[i].name, path + ".name",
                        "give each source its own name");
  }
  return {};
}

std::string settings_hash(const FeatureConfig& config, std::string_view embedder_identity) {
  core::Sha256 hash;
  hash.add_part(clean_rules_version).add_part(chunk_rules_version).add_part(embedder_identity);
  hash.add_part(core::text_of(config.cleaning)).add_part(config.embed_headings ? "headings" : "text");
  for (const ChunkSettings* settings : {&config.articles, &config.posts, &config.repositories})
    hash.add_part(
        fmt::format("{} {} {} {}", settings->characters_min, settings->characters_max, settings->overlap_characters, settings->tokens_max));
  return hash.hex();
}

}  // namespace volan::feature
