/// The target of a request line, taken apart: path segments and query pairs, percent-decoded.
#pragma once

#include <boost/container/small_vector.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace volan::net {

/// Path segments as views into the decoded path they were cut from. The cuts are made before decoding, so "%2F" stays inside its segment.
using PathSegments = boost::container::small_vector<std::string_view, 16>;
using QueryPairs = std::vector<std::pair<std::string, std::string>>;

/// Takes a request target apart: origin form ("/a/b?c=d"), absolute form ("http://host/a"), or "*". Replaces what `path`, `segments` and
/// `query` held. A trailing slash makes no segment.
/// Errors:  invalid_argument for a target of another form, a broken percent escape, or a decoded zero byte in the path.
/// Cost:    O(length); allocates nothing where `path` has room and there is no query.
core::Result<> parse_target(std::string_view target, std::string& path, PathSegments& segments, QueryPairs& query);

}  // namespace volan::net
