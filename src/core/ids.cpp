#include "core/ids.hpp"

#include <nmmintrin.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/result.hpp"

namespace volan::core {
namespace {

EVP_MD_CTX* as_md(void* context) { return static_cast<EVP_MD_CTX*>(context); }

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text(size * 2, '0');
  for (std::size_t i = 0; i < size; ++i) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  return text;
}

void fill_random(unsigned char* bytes, std::size_t size) {
  VOLAN_CHECK(RAND_bytes(bytes, static_cast<int>(size)) == 1, "the system's random source works");
}

/// Random bytes for ids, fetched in blocks: a fetch costs about as much as hashing a kilobyte.
void take_random(unsigned char* bytes, std::size_t size) {
  thread_local std::array<unsigned char, 512> block;
  thread_local std::size_t used = block.size();
  if (block.size() - used < size) {
    fill_random(block.data(), block.size());
    used = 0;
  }
  std::memcpy(bytes, block.data() + used, size);
  used += size;
}

std::string base64_with(std::string_view bytes, const char* alphabet, bool is_padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  const auto at = [&](std::size_t k) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k])); };
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) text += alphabet[group >> shift & 63];
  }
  const std::size_t left = bytes.size() - i;
  if (left > 0) {
    const std::uint32_t group = at(i) << 16 | (left == 2 ? at(i + 1) << 8 : 0);
    text += alphabet[group >> 18 & 63];
    text += alphabet[group >> 12 & 63];
    if (left == 2) text += alphabet[group >> 6 & 63];
    if (is_padded) text.append(3 - left, '=');
  }
  return text;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
  return ~narrow;
}

std::uint32_t reverse_bits(std::uint32_t value) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= (value >> i & 1u) << (31 - i);
  return reversed;
}

}  // namespace

std::string new_id() {
  std::array<unsigned char, 16> id;
  take_random(id.data() + 6, 10);
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<unsigned char>(ms >> (8 * (5 - i)));
  id[6] = static_cast<unsigned char>(0x70 | (id[6] & 0x0F));  // version 7
  id[8] = static_cast<unsigned char>(0x80 | (id[8] & 0x3F));  // variant of RFC 9562
  return to_hex(id.data(), id.size());
}

std::string new_span_id() {
  std::array<unsigned char, 8> id;
  do take_random(id.data(), id.size());
  while (std::all_of(id.begin(), id.end(), [](unsigned char c) { return c == 0; }));
  return to_hex(id.data(), id.size());
}

std::string random_token(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill_random(reinterpret_cast<unsigned char*>(raw.data()), raw.size());
  return base64_url(raw);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  VOLAN_CHECK(context_ != nullptr && EVP_DigestInit_ex(as_md(context_), EVP_sha256(), nullptr) == 1, "OpenSSL offers SHA-256");
}
Sha256::~Sha256() { EVP_MD_CTX_free(as_md(context_)); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

Sha256& Sha256::add(std::string_view bytes) {
  VOLAN_CHECK(context_ != nullptr && EVP_DigestUpdate(as_md(context_), bytes.data(), bytes.size()) == 1, "add() comes before hex()");
  return *this;
}

Sha256& Sha256::add_part(std::string_view bytes) {
  char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(static_cast<std::uint64_t>(bytes.size()) >> (8 * i));
  return add({length, sizeof length}).add(bytes);
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest;
  unsigned size = 0;
  VOLAN_CHECK(context_ != nullptr && EVP_DigestFinal_ex(as_md(context_), digest.data(), &size) == 1, "hex() is called once");
  EVP_MD_CTX_free(as_md(std::exchange(context_, nullptr)));
  return to_hex(digest.data(), size);
}

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> digest;
  VOLAN_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1, "OpenSSL offers SHA-256");
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return to_hex(digest.data(), digest.size());
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return has_instruction ? crc32c_sse42(bytes, seed) : crc32c_portable(bytes, seed);
}

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed) {
  // Boost keeps its register the other way round, so the register to go on with is handed over reversed.
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc(reverse_bits(~seed));
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64(std::string_view bytes) {
  return base64_with(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}
std::string base64_url(std::string_view bytes) {
  return base64_with(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

}  // namespace volan::core
