// Any header bytes give a credential without reading out of bounds; a decoded base64 text encodes back to itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/credentials.hpp"
#include "core/ids.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  volan::net::Headers headers;
  headers.add(size % 2 == 0 ? "authorization" : "cookie", text);
  const auto credential = volan::auth::credential_of(headers);
  if (credential.secret.size() > size) std::abort();
  if (const auto decoded = volan::auth::base64_decoded(text)) {
    const auto again = volan::auth::base64_decoded(volan::core::base64(*decoded));
    if (!again || *again != *decoded) std::abort();
  }
  return 0;
}
