// The numbers that a truncated normal law gives its kernels, worked out once a call (cpp/src/random_truncated.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// Which inversion serves: chosen by the bounds and the type alone.
enum class TruncatedPath {
    central,  // float32 with both bounds within 2.5 sigma: one logarithm and one polynomial in float32
    general,  // float64 arithmetic, AS 241
    far,      // both bounds on one side, 30 sigma or more out, where probabilities underflow: Newton on the log tail
};

struct TruncatedLaw {
    TruncatedPath path;
    // The probability below u of (0, 1) is left + u width, the one above it right + (1 - u) width; the smaller is inverted.
    // A side that is never the smaller has 1 here. (far: unused.)
    double left, right, width;
    // far: the nearer bound |a|, whether it is the upper one (z < 0), rho = Q(far bound) / Q(a), and 1 - rho.
    double near;
    bool negative;
    double rho, mass;
};

template <class T>
using FillTruncated = void (*)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n,
                               const TruncatedLaw& law, T mean, T std, T lowest, T highest, T* out);

}  // namespace fanin
