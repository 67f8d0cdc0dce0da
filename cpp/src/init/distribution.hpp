// The numbers behind a law: what `describe` reports and `fill` draws with.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "fanin/init.hpp"

namespace fanin::detail {

enum class Family { constant, identity, dirac, normal, uniform, truncated, sparse, orthogonal };

// Whether the moments of a law depend on the shape, though not on its fans.
inline bool has_shape(Family f) {
    return f == Family::identity || f == Family::dirac || f == Family::sparse || f == Family::orthogonal;
}

// Whether no element of a law stands alone, so that a part costs more than its share.
inline bool is_whole(Family f) { return f == Family::sparse || f == Family::orthogonal; }

// constant: a = value. identity, orthogonal: a = gain. normal: a = mean, b = std. uniform: a = low, b = high. truncated: the
// normal of mean a and std b inside a + b lower and a + b upper. sparse: normal, but `zeros` elements of each column are 0.
// dirac: a = 1, the outputs in `groups`.
struct Distribution {
    Family family;
    double a = 0, b = 0;
    double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
    std::size_t zeros = 0, groups = 1;
};

// Mean and variance of the standard normal restricted to [lower, upper], lower < upper, to within 1e-14 relative (the mean:
// of the distance to the nearer bound); in IEEE operations alone.
struct TruncatedMoments {
    double mean, variance;
};
TruncatedMoments truncated_moments(double lower, double upper);
inline double truncated_std(double lower, double upper) { return std::sqrt(truncated_moments(lower, upper).variance); }

// The distribution of a law in an array of shape `shape`; std::invalid_argument as `fill` says.
Distribution distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes);

// Elements of a shape; std::invalid_argument from 2^63 on, axes of length 0 counted as 1 (their strides must exist too),
// and for more than kMaxRank axes.
std::size_t checked_size(std::span<const std::size_t> shape);

}  // namespace fanin::detail
