/// Reciprocal rank fusion: one ranking from several, by ranks alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace volan::rag {

/// An id with its fused score; `ranks` has one entry per list, from 1, absent where the list lacks it.
struct FusedHit {
  std::string id;
  double score = 0;
  std::vector<std::optional<std::int64_t>> ranks;
};

/// score(id) = sum over the lists that hold it of 1 / (rrf_k + rank), rank from 1 (Cormack, Clarke, Büttcher, SIGIR 2009).
/// Best first; ties keep the order of first appearance. An id that a list repeats counts at its best rank. Precondition: rrf_k >= 0.
/// Pure. Cost: O(n log n) for n entries.
std::vector<FusedHit> fuse_ranks(std::span<const std::vector<std::string>> lists, std::int64_t rrf_k);

}  // namespace volan::rag
