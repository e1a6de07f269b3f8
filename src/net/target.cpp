#include "net/target.hpp"

#include <algorithm>

namespace volan::net {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { literal, space };

/// Appends the decoded text; false when a percent sign is not followed by two hex digits.
bool decode(std::string_view text, Plus plus, std::string& out) {
  if (text.find('%') == std::string_view::npos && (plus == Plus::literal || text.find('+') == std::string_view::npos)) {
    out.append(text);
    return true;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i] == '+' && plus == Plus::space ? ' ' : text[i]);
    }
  }
  return true;
}

core::Result<> bad_target(std::string message) {
  return core::fail(core::ErrorCode::invalid_argument, std::move(message), "", "percent-encode the path and the query as in RFC 3986");
}

/// "http://host:1/a?b" becomes "/a?b"; a proxy's way of asking, which every server has to accept (RFC 9112, 3.2.2).
std::string_view without_authority(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const std::string_view name = target.substr(0, scheme);
  if (name != "http" && name != "https") return target;
  const std::size_t end = target.find_first_of("/?", scheme + 3);
  return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
}

core::Result<> parse_query(std::string_view text, QueryPairs& query) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = query.emplace_back();
    if (!decode(pair.substr(0, equals), Plus::space, name) ||
        !decode(pair.substr(std::min(equals + 1, pair.size())), Plus::space, value))
      return bad_target("the query has a percent sign without two hex digits after it");
  }
  return {};
}

}  // namespace

core::Result<> parse_target(std::string_view target, std::string& path, PathSegments& segments, QueryPairs& query) {
  path.clear();
  segments.clear();
  query.clear();
  target = without_authority(target);
  if (target == "*") {
    path.push_back('*');
    return {};
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  std::string_view raw = target.substr(0, question);
  if (!raw.empty() && !raw.starts_with('/')) return bad_target("the request target is neither a path nor an http URL");

  // Decoding only shrinks, so the path never moves while views into it are taken.
  path.reserve(raw.size() + 1);
  path.push_back('/');
  if (raw.size() > 1) raw.remove_prefix(1);
  else raw = {};
  for (bool more = !raw.empty(); more;) {
    const std::size_t slash = raw.find('/');
    more = slash != std::string_view::npos;
    const std::size_t at = path.size();
    if (!decode(raw.substr(0, slash), Plus::literal, path)) return bad_target("the path has a percent sign without two hex digits after it");
    const std::string_view segment = std::string_view(path).substr(at);
    if (segment.find('\0') != std::string_view::npos) return bad_target("the path has a zero byte");
    if (more || !segment.empty()) segments.push_back(segment);  // an empty last segment is a trailing slash
    if (more) {
      path.push_back('/');
      raw.remove_prefix(slash + 1);
    }
  }
  return parse_query(target.substr(std::min(question + 1, target.size())), query);
}

}  // namespace volan::net
