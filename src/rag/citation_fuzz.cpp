// An answer gets the same citations however it is cut into pieces: the first byte of the input says how.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "rag/citation.hpp"

namespace {

std::string cite(std::string_view text, std::size_t piece) {
  volan::rag::Source first, second;
  first.number = 1;
  first.text = "alpha beta gamma delta";
  second.number = 12;
  second.text = "some more words here";
  volan::rag::Citer citer({first, second});
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) out += citer.feed(text.substr(at, piece));
  return out + citer.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (cite(text, text.size()) != cite(text, data[0] % 16U + 1)) std::abort();
  return 0;
}
