// Decodes request targets and routes them. Whatever is decoded lies inside its path.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "net/http.hpp"
#include "net/target.hpp"

namespace {

volan::core::Task<volan::net::Response> nothing(volan::net::Request&) { co_return volan::net::Response{}; }

const volan::net::Router& router() {
  static const volan::net::Router table = [] {
    volan::net::Router made;
    for (const char* path : {"/", "/a", "/a/{x}", "/a/{x}/b", "/a/b/{rest...}", "/{any}/c"})
      made.add({volan::net::Verb::get, path, volan::net::Access::anyone, nothing, {}});
    return made;
  }();
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string path;
  volan::net::PathSegments segments;
  volan::net::QueryPairs query;
  if (!volan::net::parse_target({reinterpret_cast<const char*>(data), size}, path, segments, query)) return 0;
  if (path.find('\0') != std::string::npos) std::abort();
  for (const auto segment : segments)
    if (segment.data() < path.data() || segment.data() + segment.size() > path.data() + path.size()) std::abort();
  const auto match = router().match(volan::net::Verb::get, std::span<const std::string_view>(segments.data(), segments.size()));
  if (match.route && !match.allow.empty()) std::abort();
  router().match(volan::net::Verb::post, path);
  return 0;
}
