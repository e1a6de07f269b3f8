/// What a request shows to prove who sends it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace volan::auth {

/// A key or a session token as it was sent; nothing has been verified.
struct Credential {
  enum class Kind { none, key, session };
  Kind kind = Kind::none;
  std::string secret;
};

/// Reads, in this order: `Authorization` (Bearer, or Basic with the key as password or as name), `x-api-key`, `api-key`, the session
/// cookie. An `Authorization` header of another scheme or with bad base64 counts as a key that is not valid, so that nothing weaker is used
/// instead. Source: RFC 6750 (Bearer), RFC 7617 (Basic), RFC 6265 (cookies). Pure.
Credential credential_of(const net::Headers& headers);

/// The value of the session cookie in a Cookie header, if it is there.
std::optional<std::string_view> session_of(std::string_view cookie_header);

/// Decodes base64 of RFC 4648, section 4, padding optional. nullopt for any other byte.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace volan::auth
