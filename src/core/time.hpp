/// Time: nanoseconds since 1970 UTC, and a clock that tests can set.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace volan::core {

/// A point in time. RFC 3339 in JSON, an integer column at rest.
struct Time {
  std::int64_t ns = 0;  ///< nanoseconds since 1970-01-01T00:00:00Z
  auto operator<=>(const Time&) const = default;
};

/// "2026-11-23T09:20:22.123456Z"; UTC, microseconds.
std::string to_rfc3339(Time time);
/// Accepts RFC 3339 with any offset and up to nine fractional digits. Errors: invalid_argument.
Result<Time> time_from_rfc3339(std::string_view text);

/// Source of time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The machine's clock; never runs backwards within the process (so that span times nest).
class SystemClock final : public Clock {
 public:
  Time now() const override;
};

/// A clock that stands still until told otherwise; for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = {1'700'000'000'000'000'000}) : now_(start) {}
  Time now() const override { return now_; }
  void advance_ns(std::int64_t by) { now_.ns += by; }

 private:
  Time now_;
};

}  // namespace volan::core
