// Kernels that widen integers to float and double.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// out[i] = x[i]; exact, but for 64-bit integers beyond 2^53, which round to nearest even.
template <class From, class To>
using WideningKernel = void (*)(std::size_t n, const From* x, To* out);

struct WideningKernels {
    WideningKernel<std::int8_t, float> i8;
    WideningKernel<std::uint8_t, float> u8;
    WideningKernel<std::int16_t, float> i16;
    WideningKernel<std::uint16_t, float> u16;
    WideningKernel<std::int32_t, double> i32;
    WideningKernel<std::uint32_t, double> u32;
    WideningKernel<std::int64_t, double> i64;
    WideningKernel<std::uint64_t, double> u64;
};

}  // namespace fanin
