#include "auth/credentials.hpp"

#include <algorithm>
#include <cstdint>

#include "auth/auth.hpp"

namespace volan::auth {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_without_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y; });
}

/// The key in an Authorization header; empty when there is none to be had.
std::string key_of_authorization(std::string_view header) {
  const std::size_t blank = header.find(' ');
  if (blank == std::string_view::npos) return {};
  const std::string_view scheme = header.substr(0, blank);
  const std::string_view value = trimmed(header.substr(blank));
  if (equal_without_case(scheme, "bearer")) return std::string(value);
  if (!equal_without_case(scheme, "basic")) return {};
  const auto pair = base64_decoded(value);
  if (!pair) return {};
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos) return {};
  return colon + 1 < pair->size() ? pair->substr(colon + 1) : pair->substr(0, colon);
}

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::optional<std::string> base64_decoded(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> count & 0xFF)));
    }
  }
  return out;
}

std::optional<std::string_view> session_of(std::string_view cookie_header) {
  while (!cookie_header.empty()) {
    const std::size_t end = cookie_header.find(';');
    const std::string_view pair = trimmed(cookie_header.substr(0, end));
    if (pair.size() > session_cookie.size() && pair.starts_with(session_cookie) && pair[session_cookie.size()] == '=')
      return pair.substr(session_cookie.size() + 1);
    if (end == std::string_view::npos) break;
    cookie_header.remove_prefix(end + 1);
  }
  return std::nullopt;
}

Credential credential_of(const net::Headers& headers) {
  if (headers.has("authorization")) return {Credential::Kind::key, key_of_authorization(headers.get("authorization"))};
  for (const std::string_view name : {"x-api-key", "api-key"})
    if (headers.has(name)) return {Credential::Kind::key, std::string(trimmed(headers.get(name)))};
  if (const auto session = session_of(headers.get("cookie"))) return {Credential::Kind::session, std::string(*session)};
  return {};
}

}  // namespace volan::auth
