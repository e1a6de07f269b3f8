#include "feature/dot.hpp"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace volan::feature {
namespace {

struct Choice {
  DotFunction function;
  const char* name;
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float dot_avx512(const float* a, const float* b, std::size_t size) {
  __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  std::size_t i = 0;
  for (; i + 64 <= size; i += 64) {
    sum0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), sum0);
    sum1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), sum1);
    sum2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), sum2);
    sum3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), sum3);
  }
  alignas(64) std::array<float, 16> parts{};
  _mm512_store_ps(parts.data(), _mm512_add_ps(_mm512_add_ps(sum0, sum1), _mm512_add_ps(sum2, sum3)));
  float sum = 0;
  for (const float part : parts) sum += part;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

__attribute__((target("avx2,fma"))) float dot_avx2(const float* a, const float* b, std::size_t size) {
  __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), sum0);
    sum1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), sum1);
    sum2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), sum2);
    sum3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), sum3);
  }
  alignas(32) std::array<float, 8> parts{};
  _mm256_store_ps(parts.data(), _mm256_add_ps(_mm256_add_ps(sum0, sum1), _mm256_add_ps(sum2, sum3)));
  float sum = 0;
  for (const float part : parts) sum += part;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

Choice choose() {
  if (__builtin_cpu_supports("avx512f")) return {dot_avx512, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {dot_avx2, "avx2"};
  return {dot_portable, "portable"};
}
#else
Choice choose() { return {dot_portable, "portable"}; }
#endif

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

}  // namespace

float dot_portable(const float* a, const float* b, std::size_t size) {
  std::array<float, 8> parts{};  // independent sums, so that the compiler may use whatever vectors there are
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8)
    for (std::size_t j = 0; j < 8; ++j) parts[j] += a[i + j] * b[i + j];
  float sum = 0;
  for (const float part : parts) sum += part;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

DotFunction dot_function() { return choice().function; }
const char* dot_name() { return choice().name; }

}  // namespace volan::feature
