// Kernels of `stats`: one block of at most 4096 elements; the tree above it is that of stats/stats.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fanin/float16.hpp"

namespace fanin {

// What one block, or several merged, contribute. Moments are those of the finite elements, in sums over (x - mean)^r.
struct BlockMoments {
    std::uint64_t count, nans, infs, zeros, subnormals;
    double mean, m2, m3, m4;  // mean is 0 where nothing is finite
    double min, max;          // +inf and -inf where nothing is finite
    std::uint64_t saturated;  // by count_outside; block() leaves 0
};

// Histograms are counted in slots first: with b = the number of bounds <= x, slot b; and one last slot, b + 1 at most, for
// what is not finite. The counters lie in kSlotTables interleaved tables, so that equal neighbours do not wait for each
// other's increments; stats/histogram.cpp adds the tables up.
inline constexpr std::size_t kSlotTables = 4;

// linear: slot 0 is below, slots 1 .. bins are the bins, slot bins + 1 is above, slot bins + 2 is not finite. The slot of
// x is guessed from a product; stats/histogram.cpp has tried the guess at every bound, from either side.
struct LinearSlots {
    std::size_t bins;
    const double* bounds;             // bins + 1: the edges below the last, then the least double above the last
    double centre;                    // the edge nearest to 0, whose slot is exact by the sign of x - centre
    double scale_below, scale_above;  // bins in a unit of x, on either side of the centre
    double lowest, highest;           // what the product is kept inside, so that slots are 0 .. bins + 1
    std::int64_t centre_slot;
    double last;  // the last edge: x equal to it is guessed one slot too high
    bool exact;   // whether the guess is right for every x; otherwise the bounds have the last word
};

// powers: slot 0 and the last are not finite, slot 1 + i is bin i.
inline constexpr std::size_t kPowerSlots = 515;

template <class T>
struct StatsKernels {
    // n in 1 .. 4096. whole = false leaves m3 and m4 zero and skips their sums.
    void (*block)(std::size_t n, const T* x, bool whole, BlockMoments* out);
    // Two blocks of n elements into out[0] and out[1], in less time than one after the other.
    void (*pair)(std::size_t n, const T* x, const T* y, bool whole, BlockMoments* out);
    // Adds to tables[t * stride + slot], t < kSlotTables. all_finite: x holds no NaN and no infinity.
    void (*linear_slots)(std::size_t n, const T* x, const LinearSlots& slots, bool all_finite, std::uint32_t* tables,
                         std::size_t stride);
    void (*power_slots)(std::size_t n, const T* x, std::uint32_t* tables, std::size_t stride);
    // How many x are below low or above high, compared in double. NaN is neither.
    std::uint64_t (*count_outside)(std::size_t n, const T* x, double low, double high);
};

// The moments of 16-bit elements, which are left as floats in `wide`, n of them, for the histogram.
template <class S>
struct NarrowStatsKernels {
    void (*block)(std::size_t n, const S* x, float* wide, bool whole, BlockMoments* out);
    void (*pair)(std::size_t n, const S* x, float* wide_x, const S* y, float* wide_y, bool whole, BlockMoments* out);
    void (*power_slots)(std::size_t n, const S* x, std::uint32_t* tables, std::size_t stride);
};

}  // namespace fanin
