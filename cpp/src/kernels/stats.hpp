// Kernels of `stats`: one block of at most 4096 elements (P4); the tree above it is stats.cpp's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// What one block contributes. Sums are over the finite elements; the 8 accumulators are already added up.
struct BlockMoments {
    std::uint64_t count, finite, nans, infs, zeros, subnormals;
    double mean, m2, m3, m4;  // of the finite ones; central power sums about mean
    double min, max;          // of the finite ones; +inf and -inf where there are none
};

template <class T>
struct StatsKernels {
    // whole = false leaves m3 and m4 zero and skips their sums.
    void (*block)(std::size_t n, const T* x, bool whole, BlockMoments* out);
    // Adds to counts[0 .. bins - 1] the elements in [edges[i], edges[i + 1]) (the last bin includes its upper edge), to
    // *below and *above those outside; NaNs and infinities count nowhere.
    void (*linear_histogram)(std::size_t n, const T* x, std::size_t bins, const double* edges, std::uint64_t* counts,
                             std::uint64_t* below, std::uint64_t* above);
    // Adds to counts of the signed powers of two (stats.hpp, kPowerBins).
    void (*power_histogram)(std::size_t n, const T* x, std::uint64_t* counts);
};

}  // namespace fanin
