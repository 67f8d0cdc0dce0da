// Kernels of `random`: what the kernel table holds of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fanin/float16.hpp"
#include "random_truncated.hpp"

namespace fanin {

// out[4 b + j] = word j of block first_block + b, for n words.
using PhiloxWords = void (*)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, std::size_t n,
                             std::uint32_t* out);

struct WordKernels {
    PhiloxWords philox_words;
};

template <class T>
struct RandomKernels {
    // out[j] = fma(std, g(first_index + j), mean).
    void (*fill_normal)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, T mean, T std,
                        T* out);
    // out[j] = min(max(fma(half_width, v(first_index + j), mid), lowest), highest).
    void (*fill_uniform)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, T mid,
                         T half_width, T lowest, T highest, T* out);
};

// The draws of RandomKernels<float>, each rounded once to S, a 16-bit format. They must be finite in S.
template <class S>
struct NarrowRandomKernels {
    void (*fill_normal)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, float mean,
                        float std, S* out);
    void (*fill_uniform)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, float mid,
                         float half_width, float lowest, float highest, S* out);
};

// A table of its own, so that programs without truncated draws do not link it.
template <class T>
struct TruncatedKernels {
    // out[j] = min(max(fma(std, t(first_index + j), mean), lowest), highest), t truncated standard normal.
    FillTruncated<T> fill_truncated;
};

}  // namespace fanin
