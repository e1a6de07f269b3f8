/// The parts of an http URL that the client needs.
#pragma once

#include <string_view>

#include "core/result.hpp"

namespace volan::net {

/// Views into the URL they were cut from.
struct Url {
  bool is_tls = false;
  std::string_view origin;  ///< "http://host:8080", names a pool of connections
  std::string_view host;    ///< without brackets
  std::string_view port;    ///< "80" or "443" when not given
  std::string_view host_field;  ///< for the Host header: host and, where given, port
  std::string_view target;  ///< "/path?query", or "?query", or empty for the root
};

/// Takes "http://host:port/path?query" or https apart. A fragment is cut off.
/// Errors: invalid_argument for another scheme, an empty host, user names in the URL, a bad port, or control and space bytes anywhere (which
/// could start a second request).
core::Result<Url> parse_url(std::string_view url);

}  // namespace volan::net
