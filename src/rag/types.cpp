#include "rag/types.hpp"

#include <string_view>

namespace volan::rag {
namespace {

core::Result<> check_range(std::string_view path, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return core::fail(core::ErrorCode::invalid_argument, std::to_string(value) + " is out of range", std::string(path),
                    "use " + std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace

core::Result<> check(const RetrievalSettings& settings) {
  VOLAN_TRY_VOID(check_range("k", settings.k, 1, 100));
  VOLAN_TRY_VOID(check_range("candidates", settings.candidates, 1, 1000));
  VOLAN_TRY_VOID(check_range("rrf_k", settings.rrf_k, 1, 100'000));
  VOLAN_TRY_VOID(check_range("expand_to_n_queries", settings.expand_to_n_queries, 1, 8));
  VOLAN_TRY_VOID(check_range("source_characters_max", settings.source_characters_max, 1, 1'000'000));
  VOLAN_TRY_VOID(check_range("context_characters_max", settings.context_characters_max, 1, 10'000'000));
  if (!settings.dense && !settings.lexical)
    return core::fail(core::ErrorCode::invalid_argument, "neither dense nor lexical search is on", "dense", "set dense or lexical to true");
  return {};
}

}  // namespace volan::rag
