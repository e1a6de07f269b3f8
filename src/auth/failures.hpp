/// Counts failed sign-ins per client address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/time.hpp"

namespace volan::auth {

/// A fixed window of one minute. Thread-safe; only failures touch it. When the table is full, a failure of an address that is not in it is
/// over the limit as well, so memory stays bounded and an attack from many addresses is still slowed down.
class Failures {
 public:
  Failures(std::uint32_t per_minute_max, std::size_t addresses_max) : per_minute_max_(per_minute_max), addresses_max_(addresses_max) {}

  /// Notes one failure. True while the address is within its limit.
  bool note(const std::string& address, core::Time now) {
    constexpr std::int64_t minute_ns = 60'000'000'000;
    const std::lock_guard lock(mutex_);
    if (now.ns / minute_ns != minute_) {
      minute_ = now.ns / minute_ns;
      counts_.clear();
    }
    if (counts_.size() >= addresses_max_ && !counts_.contains(address)) return false;
    return ++counts_[address] <= per_minute_max_;
  }

 private:
  const std::uint32_t per_minute_max_;
  const std::size_t addresses_max_;
  std::mutex mutex_;
  std::int64_t minute_ = 0;
  std::unordered_map<std::string, std::uint32_t> counts_;
};

}  // namespace volan::auth
