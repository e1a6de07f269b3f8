#include "core/result.hpp"

#include <cstdio>

namespace volan::core {

void check_failed(const char* condition, const char* why, std::source_location where) {
  std::fprintf(stderr, "%s:%u: %s: broken invariant: %s (%s)\n", where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name(), condition, why);
  std::fflush(stderr);
  std::abort();
}

}  // namespace volan::core
