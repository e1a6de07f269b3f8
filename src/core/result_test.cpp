// Goal: errors travel through the macros and read well. Method: small functions that fail.
#include "core/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace volan::core {
namespace {

Result<std::unique_ptr<int>> make(bool is_good) {
  if (!is_good) return fail(ErrorCode::conflict, "exists", "a.b", "rename it");
  return std::make_unique<int>(7);
}

Result<> check(bool is_good) {
  VOLAN_TRY(auto value, make(is_good));
  VOLAN_CHECK(*value == 7, "make() gives 7");
  return {};
}

Result<int> twice(bool first, bool second) {
  VOLAN_TRY_VOID(check(first));
  VOLAN_TRY_VOID(check(second));
  return 2;
}

TEST(Result, PassesErrorsThroughTheMacros) {
  EXPECT_EQ(twice(true, true).value(), 2);
  EXPECT_EQ(twice(true, false).error().code, ErrorCode::conflict);
  EXPECT_EQ(to_text(twice(false, true).error()), "a.b: exists (rename it)");
}

TEST(Result, WritesErrorsOnOneLine) {
  EXPECT_EQ(to_text({ErrorCode::internal, "a\nb"}), "a b");
  EXPECT_EQ(to_text({ErrorCode::internal, "a", {}, "b"}), "a (b)");
}

TEST(Result, NamesEveryCodeDifferently) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) names.insert(name_of(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::internal) + 1);
  EXPECT_EQ(name_of(ErrorCode::invalid_argument), "invalid_argument");
}

TEST(ResultDeathTest, AbortsOnABrokenInvariant) {
  EXPECT_DEATH(VOLAN_CHECK(1 > 2, "numbers are ordered"), "1 > 2.*numbers are ordered|numbers are ordered.*1 > 2");
}

}  // namespace
}  // namespace volan::core
