#include "core/time.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <limits>

namespace volan::core {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

/// Reads exactly `count` digits at `at` and moves on. Returns -1 if there are fewer.
int take_digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (text.size() - at < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i, ++at) {
    if (text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool take(std::string_view text, std::size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

std::unexpected<Error> bad_time(const char* why) {
  return fail(ErrorCode::invalid_argument, std::string("expected an RFC 3339 time: ") + why, {}, "write it like 2026-11-23T09:20:22.5Z");
}

}  // namespace

std::string to_rfc3339(Time time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> point{nanoseconds(time.ns)};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<microseconds>(point - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<Time> time_from_rfc3339(std::string_view text) {
  using namespace std::chrono;
  std::size_t at = 0;
  const int y = take_digits(text, at, 4);
  const bool dash1 = take(text, at, "-");
  const int mo = take_digits(text, at, 2);
  const bool dash2 = take(text, at, "-");
  const int d = take_digits(text, at, 2);
  if (y < 0 || !dash1 || mo < 0 || !dash2 || d < 0) return bad_time("it begins with a date like 2026-11-23");
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return bad_time("there is no such day");

  if (!take(text, at, "Tt ")) return bad_time("a T follows the date");
  const int h = take_digits(text, at, 2);
  const bool colon1 = take(text, at, ":");
  const int mi = take_digits(text, at, 2);
  const bool colon2 = take(text, at, ":");
  const int s = take_digits(text, at, 2);
  if (h < 0 || !colon1 || mi < 0 || !colon2 || s < 0) return bad_time("a clock time like 09:20:22 follows the T");
  if (h > 23 || mi > 59 || s > 60) return bad_time("there is no such clock time");

  std::int64_t fraction_ns = 0;
  if (take(text, at, ".")) {
    std::int64_t unit = ns_per_second / 10;
    std::size_t count = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count, unit /= 10) fraction_ns += unit * (text[at] - '0');
    if (count == 0 || count > 9) return bad_time("a fraction has one to nine digits");
  }

  int offset_minutes = 0;
  if (!take(text, at, "Zz")) {
    const bool is_behind = at < text.size() && text[at] == '-';
    const bool has_sign = take(text, at, "+-");
    const int oh = take_digits(text, at, 2);
    const bool colon = take(text, at, ":");
    const int om = take_digits(text, at, 2);
    if (!has_sign || oh < 0 || oh > 23 || !colon || om < 0 || om > 59) return bad_time("it ends with Z or an offset like +02:00");
    offset_minutes = (is_behind ? -1 : 1) * (oh * 60 + om);
  }
  if (at != text.size()) return bad_time("nothing may follow the offset");

  // A leap second (:60) becomes the first second of the next minute, as the system clock counts it.
  const std::int64_t seconds =
      std::int64_t{sys_days(date).time_since_epoch().count()} * 86'400 + h * 3'600 + mi * 60 + s - offset_minutes * 60;
  std::int64_t ns = 0;
  // One second of margin keeps the sum with the fraction in range.
  constexpr std::int64_t seconds_max = std::numeric_limits<std::int64_t>::max() / ns_per_second - 1;
  if (seconds > seconds_max || seconds < -seconds_max) return bad_time("it lies outside of the years 1678 to 2261");
  ns = seconds * ns_per_second + fraction_ns;
  return Time{ns};
}

Time SystemClock::now() const {
  static std::atomic<std::int64_t> latest{0};
  const std::int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::int64_t seen = latest.load(std::memory_order_relaxed);
  while (seen < ns && !latest.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
  }
  return Time{seen < ns ? ns : seen};
}

}  // namespace volan::core
