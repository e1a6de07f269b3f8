/// Result<T>: a value or an Error, and the macros that pass errors on.
#pragma once

#include <cstdlib>
#include <expected>
#include <source_location>
#include <utility>

#include "core/error.hpp"

namespace volan::core {

template <class T = void>
using Result = std::expected<T, Error>;

/// Builds the failed Result: `return fail(ErrorCode::not_found, "no trace with id " + id);`
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string path = {}, std::string fix = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(path), std::move(fix)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

/// Prints where and why, then aborts. Called by VOLAN_CHECK only.
[[noreturn]] void check_failed(const char* condition, const char* why, std::source_location where = std::source_location::current());

}  // namespace volan::core

/// A broken invariant is a bug: aborts, in release builds too. Input can never trigger it.
#define VOLAN_CHECK(condition, why)                 \
  do {                                              \
    if (!(condition)) [[unlikely]]                  \
      ::volan::core::check_failed(#condition, why); \
  } while (false)

// The declaration form, because statement expressions inside coroutines crash g++ 12:
//   VOLAN_TRY(auto page, parse(bytes));          in a plain function
//   VOLAN_CO_TRY(auto rows, co_await query());   in a coroutine
#define VOLAN_CONCAT_(a, b) a##b
#define VOLAN_CONCAT(a, b) VOLAN_CONCAT_(a, b)
#define VOLAN_TRY_WITH_(name, return_keyword, declaration, ...) \
  auto name = __VA_ARGS__;                                      \
  if (!name) [[unlikely]]                                       \
    return_keyword std::unexpected(std::move(name).error());    \
  declaration = std::move(*name)
#define VOLAN_TRY_VOID_WITH_(return_keyword, ...)                          \
  do {                                                                     \
    auto volan_try_result = __VA_ARGS__;                                   \
    if (!volan_try_result) [[unlikely]]                                    \
      return_keyword std::unexpected(std::move(volan_try_result).error()); \
  } while (false)

#define VOLAN_TRY(declaration, ...) VOLAN_TRY_WITH_(VOLAN_CONCAT(volan_try_, __LINE__), return, declaration, __VA_ARGS__)
#define VOLAN_CO_TRY(declaration, ...) VOLAN_TRY_WITH_(VOLAN_CONCAT(volan_try_, __LINE__), co_return, declaration, __VA_ARGS__)
#define VOLAN_TRY_VOID(...) VOLAN_TRY_VOID_WITH_(return, __VA_ARGS__)
#define VOLAN_CO_TRY_VOID(...) VOLAN_TRY_VOID_WITH_(co_return, __VA_ARGS__)
