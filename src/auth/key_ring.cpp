#include "auth/key_ring.hpp"

#include <algorithm>

#include "core/ids.hpp"

namespace volan::auth {
namespace {

/// Raw bytes of a stored hash. The store holds only what sha256_hex() made.
std::array<std::uint8_t, 32> digest_of(const std::string& hex) {
  VOLAN_CHECK(hex.size() == 64, "stored hashes are 64 hex digits");
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::array<std::uint8_t, 32> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>((digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1])) & 0xFF);
  return digest;
}

}  // namespace

KeyRing::KeyRing(const Contents& contents, const KeyRing* before) {
  for (const Project& project : contents.projects) projects_.emplace(project.id, project);
  for (const StoredKey& stored : contents.keys) {
    const std::int64_t written_ns = stored.info.last_used ? stored.info.last_used->ns : 0;
    const RingKey* known = before ? before->find_by_id(stored.info.id) : nullptr;
    auto last_used = known ? known->last_used_ns : std::make_shared<std::atomic<std::int64_t>>(written_ns);
    const auto [at, is_new] = keys_.emplace(stored.info.id, RingKey{.id = stored.info.id,
                                                                    .project = stored.project,
                                                                    .name = stored.info.name,
                                                                    .role = stored.info.role,
                                                                    .expires_ns = stored.info.expires ? stored.info.expires->ns : 0,
                                                                    .last_used_ns = std::move(last_used),
                                                                    .last_used_written_ns = written_ns});
    VOLAN_CHECK(is_new, "key ids are unique");
    by_digest_.emplace(digest_of(stored.hash), &at->second);
  }
  for (const StoredSession& session : contents.sessions)
    if (const RingKey* key = find_by_id(session.key_id)) sessions_.emplace(digest_of(session.hash), Session{key, session.expires_ns});
}

const RingKey* KeyRing::find_by_id(const std::string& id) const {
  const auto at = keys_.find(id);
  return at == keys_.end() ? nullptr : &at->second;
}

const RingKey* KeyRing::find_key(std::string_view secret, core::Time now) const {
  const auto at = by_digest_.find(core::sha256(secret));
  return at != by_digest_.end() && at->second->is_valid_at(now) ? at->second : nullptr;
}

const RingKey* KeyRing::find_session(std::string_view secret, core::Time now) const {
  const auto at = sessions_.find(core::sha256(secret));
  if (at == sessions_.end() || now.ns >= at->second.expires_ns) return nullptr;
  return at->second.key->is_valid_at(now) ? at->second.key : nullptr;
}

}  // namespace volan::auth
