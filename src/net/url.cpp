#include "net/url.hpp"

#include <algorithm>
#include <string>

namespace volan::net {
namespace {

std::unexpected<core::Error> bad_url(const char* what) {
  return core::fail(core::ErrorCode::invalid_argument, std::string("bad URL: ") + what, "url", "write it as http://host:port/path");
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) && text != "0";
}

}  // namespace

core::Result<Url> parse_url(std::string_view url) {
  Url parts;
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
    return bad_url("it contains a space or a control byte");
  url = url.substr(0, url.find('#'));
  std::size_t at = 7;
  if (url.starts_with("https://")) {
    parts.is_tls = true;
    at = 8;
  } else if (!url.starts_with("http://")) {
    return bad_url("it begins with neither http:// nor https://");
  }
  const std::size_t end = std::min(url.find_first_of("/?", at), url.size());
  parts.origin = url.substr(0, end);
  parts.target = url.substr(end);
  parts.host_field = url.substr(at, end - at);
  if (parts.host_field.find('@') != std::string_view::npos) return bad_url("it contains a user name");

  std::string_view rest;
  if (parts.host_field.starts_with('[')) {
    const std::size_t close = parts.host_field.find(']');
    if (close == std::string_view::npos) return bad_url("the address has no closing bracket");
    parts.host = parts.host_field.substr(1, close - 1);
    rest = parts.host_field.substr(close + 1);
  } else {
    const std::size_t colon = std::min(parts.host_field.find(':'), parts.host_field.size());
    parts.host = parts.host_field.substr(0, colon);
    rest = parts.host_field.substr(colon);
  }
  if (parts.host.empty()) return bad_url("it has no host");
  parts.port = parts.is_tls ? "443" : "80";
  if (!rest.empty()) {
    parts.port = rest.substr(1);
    if (rest.front() != ':' || !is_port(parts.port)) return bad_url("the port is not a number from 1 to 65535");
  }
  return parts;
}

}  // namespace volan::net
