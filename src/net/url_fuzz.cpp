// Whatever a URL decodes to can be written into a request without starting a second one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto url = volan::net::parse_url({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  if (url->host.empty() || url->port.empty()) std::abort();
  if (!url->target.empty() && url->target.front() != '/' && url->target.front() != '?') std::abort();
  for (const auto part : {url->host_field, url->target, url->origin})
    if (part.find_first_of("\r\n ") != std::string_view::npos) std::abort();
  return 0;
}
