/// The snapshot that answers who is calling.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/store.hpp"
#include "core/time.hpp"

namespace volan::auth {

/// One valid key. `last_used_ns` lives on in the next snapshot: its owners are the snapshots that hold the key.
struct RingKey {
  std::string id;
  std::string project;
  std::string name;
  Role role = Role::viewer;
  std::int64_t expires_ns = 0;  ///< 0 = never
  std::shared_ptr<std::atomic<std::int64_t>> last_used_ns;
  std::int64_t last_used_written_ns = 0;

  bool is_valid_at(core::Time now) const { return expires_ns == 0 || now.ns < expires_ns; }
  /// Notes a use, at most once in ten seconds, so that busy keys do not fight for the cache line.
  void note_use(core::Time now) const {
    if (now.ns - last_used_ns->load(std::memory_order_relaxed) > 10'000'000'000) last_used_ns->store(now.ns, std::memory_order_relaxed);
  }
};

/// Immutable once built. Keys and sessions are found by the SHA-256 of the secret, so the time of a look-up tells nothing about a secret.
class KeyRing {
 public:
  /// `before` hands over the uses that are not written yet; null for the first one.
  KeyRing(const Contents& contents, const KeyRing* before);

  /// The valid key or the key of the valid session that `secret` is. Null when there is none.
  const RingKey* find_key(std::string_view secret, core::Time now) const;
  const RingKey* find_session(std::string_view secret, core::Time now) const;
  const RingKey* find_by_id(const std::string& id) const;
  const std::map<std::string, Project>& projects() const { return projects_; }
  const std::map<std::string, RingKey>& keys() const { return keys_; }

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const {
      std::size_t value = 0;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  struct Session {
    const RingKey* key;
    std::int64_t expires_ns;
  };

  std::map<std::string, RingKey> keys_;  // by id
  std::map<std::string, Project> projects_;
  std::unordered_map<Digest, const RingKey*, DigestHash> by_digest_;
  std::unordered_map<Digest, Session, DigestHash> sessions_;
};

}  // namespace volan::auth
