// The route table as a tree of path segments.
#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>

#include "net/http.hpp"

namespace volan::net {
namespace {

constexpr std::size_t verb_count = static_cast<std::size_t>(Verb::options) + 1;
constexpr std::size_t index_of(Verb verb) { return static_cast<std::size_t>(verb); }

using Segments = boost::container::small_vector<std::string_view, 16>;

/// "/a/b/" and "/a/b" are {"a", "b"}; "/" is {}.
Segments split(std::string_view path) {
  Segments segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return segments;
  for (std::size_t from = 0;;) {
    const std::size_t slash = path.find('/', from);
    segments.push_back(path.substr(from, slash - from));
    if (slash == std::string_view::npos) return segments;
    from = slash + 1;
  }
}

/// What ends at a node: the route of each verb, with the names of its parameters in the order of the path.
struct Leaf {
  struct Entry {
    std::size_t route;
    std::vector<std::string> names;
  };
  std::array<std::optional<Entry>, verb_count> entries;
};

}  // namespace

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  Leaf here;  ///< routes whose path ends here
  Leaf rest;  ///< routes that take everything from here on
};

namespace {

/// One walk through the tree. Remembers the values of the parameters on the way down and the verbs of the leaves that did not fit.
template <class Node>
struct Walk {
  Verb verb;
  std::span<const std::string_view> segments;
  const std::vector<Route>& routes;
  boost::container::small_vector<std::string_view, 8> values{};
  std::array<bool, verb_count> seen{};
  Router::Match match{};

  bool take(const Leaf& leaf, std::size_t rest_from) {
    const auto* entry = &leaf.entries[index_of(verb)];
    if (!*entry && verb == Verb::head) entry = &leaf.entries[index_of(Verb::get)];
    if (!*entry) {
      for (std::size_t i = 0; i < verb_count; ++i) seen[i] = seen[i] || leaf.entries[i].has_value();
      return false;
    }
    match.route = &routes[(*entry)->route];
    const std::vector<std::string>& names = (*entry)->names;
    for (std::size_t i = 0; i < values.size(); ++i) match.params.emplace(names[i], values[i]);
    if (rest_from < segments.size()) {
      std::string rest(segments[rest_from]);
      for (std::size_t i = rest_from + 1; i < segments.size(); ++i) rest.append("/").append(segments[i]);
      match.params.emplace(names.back(), std::move(rest));
    }
    return true;
  }

  bool descend(const Node& node, std::size_t depth) {
    if (depth == segments.size()) return take(node.here, depth);
    const std::string_view segment = segments[depth];
    if (const auto it = node.literals.find(segment); it != node.literals.end() && descend(*it->second, depth + 1)) return true;
    if (node.parameter && !segment.empty()) {
      values.push_back(segment);
      if (descend(*node.parameter, depth + 1)) return true;
      values.pop_back();
    }
    return take(node.rest, depth);
  }

  void list_allowed() {
    if (std::none_of(seen.begin(), seen.end(), [](bool s) { return s; })) return;
    if (seen[index_of(Verb::get)]) seen[index_of(Verb::head)] = true;
    seen[index_of(Verb::options)] = true;  // the server answers it itself
    for (std::size_t i = 0; i < verb_count; ++i)
      if (seen[i]) match.allow.append(match.allow.empty() ? "" : ", ").append(name_of(static_cast<Verb>(i)));
  }
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Route route) {
  VOLAN_CHECK(route.path.starts_with('/'), "a route's path begins with a slash");
  VOLAN_CHECK(static_cast<bool>(route.handler), "a route has a handler");
  Node* node = root_.get();
  std::vector<std::string> names;
  bool is_rest = false;
  for (const std::string_view segment : split(route.path)) {
    VOLAN_CHECK(!is_rest, "{name...} is the last segment of a route's path");
    const bool is_parameter = segment.starts_with('{') && segment.ends_with('}');
    if (!is_parameter) {
      VOLAN_CHECK(!segment.empty() && segment.find_first_of("{}%?") == std::string_view::npos, "a literal segment is plain text");
      auto& child = node->literals[std::string(segment)];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
      continue;
    }
    std::string_view name = segment.substr(1, segment.size() - 2);
    is_rest = name.ends_with("...");
    if (is_rest) name.remove_suffix(3);
    VOLAN_CHECK(!name.empty() && std::find(names.begin(), names.end(), name) == names.end(), "a parameter has a name of its own");
    names.emplace_back(name);
    if (is_rest) continue;
    if (!node->parameter) node->parameter = std::make_unique<Node>();
    node = node->parameter.get();
  }
  auto& entry = (is_rest ? node->rest : node->here).entries[index_of(route.verb)];
  VOLAN_CHECK(!entry, "no two routes have the same verb and pattern");
  entry = Leaf::Entry{routes_.size(), std::move(names)};
  routes_.push_back(std::move(route));
}

void Router::add(std::vector<Route> routes) {
  for (Route& route : routes) add(std::move(route));
}

Router::Match Router::match(Verb verb, std::string_view decoded_path) const {
  const Segments segments = split(decoded_path);
  return match(verb, std::span<const std::string_view>(segments.data(), segments.size()));
}

Router::Match Router::match(Verb verb, std::span<const std::string_view> segments) const {
  Walk<Node> walk{verb, segments, routes_};
  if (!walk.descend(*root_, 0)) walk.list_allowed();
  return std::move(walk.match);
}

}  // namespace volan::net
