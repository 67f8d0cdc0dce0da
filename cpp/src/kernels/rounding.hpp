// Kernels of `float16`: float32 to the 16-bit formats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// out[i] = the bits of x[i], rounded to nearest, ties to even.
using RoundingKernel = void (*)(std::size_t n, const float* x, std::uint16_t* out);

struct RoundingKernels {
    RoundingKernel to_float16;
    RoundingKernel to_bfloat16;
};

}  // namespace fanin
