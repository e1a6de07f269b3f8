/// Inner product of float vectors, with the widest instructions that the processor has.
#pragma once

#include <cstddef>

namespace volan::feature {

/// Sum of a[i] * b[i]; single precision, the order of additions depends on the processor. Debian compiles libfaiss for the oldest x86-64,
/// which is several times slower.
using DotFunction = float (*)(const float* a, const float* b, std::size_t size);

/// The fastest for this processor: AVX-512, AVX2 with FMA, or portable. Chosen once.
DotFunction dot_function();
/// "avx512", "avx2" or "portable".
const char* dot_name();

float dot_portable(const float* a, const float* b, std::size_t size);

}  // namespace volan::feature
