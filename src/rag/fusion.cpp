#include "rag/fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace volan::rag {

std::vector<FusedHit> fuse_ranks(std::span<const std::vector<std::string>> lists, std::int64_t rrf_k) {
  std::vector<FusedHit> hits;
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t list = 0; list < lists.size(); ++list) {
    std::int64_t rank = 0;
    for (const std::string& id : lists[list]) {
      ++rank;
      const auto [at, is_new] = index.try_emplace(id, hits.size());
      if (is_new) hits.push_back({.id = id, .score = 0, .ranks = std::vector<std::optional<std::int64_t>>(lists.size())});
      FusedHit& hit = hits[at->second];
      if (hit.ranks[list]) continue;
      hit.ranks[list] = rank;
      hit.score += 1.0 / static_cast<double>(rrf_k + rank);
    }
  }
  std::stable_sort(hits.begin(), hits.end(), [](const FusedHit& a, const FusedHit& b) { return a.score > b.score; });
  return hits;
}

}  // namespace volan::rag
