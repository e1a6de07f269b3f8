// A stream gives the same events however it is cut into pieces: the first byte of the input says how.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "net/http_client.hpp"

namespace {

bool feed(std::string_view bytes, std::size_t piece, std::vector<volan::net::SseParser::Event>& out) {
  volan::net::SseParser parser;
  parser.event_bytes_max = 64;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (!parser.feed(bytes.substr(at, piece), out)) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<volan::net::SseParser::Event> whole, cut;
  const bool is_whole_ok = feed(bytes, bytes.size(), whole);
  const bool is_cut_ok = feed(bytes, data[0] % 16u + 1, cut);
  if (is_whole_ok != is_cut_ok) std::abort();
  if (whole.size() != cut.size()) std::abort();
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (whole[i].type != cut[i].type || whole[i].data != cut[i].data || whole[i].id != cut[i].id) std::abort();
  return 0;
}
