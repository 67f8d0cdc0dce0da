// The numbers behind a law: what `describe` reports and `fill` draws with.
#pragma once

#include <span>

#include "fanin/init.hpp"

namespace fanin::detail {

enum class Family { constant, identity, normal, uniform, orthogonal };

// constant: a = value. identity, orthogonal: a = gain. normal: a = mean, b = std. uniform: a = low, b = high.
struct Distribution {
    Family family;
    double a = 0, b = 0;
};

// The distribution of a law in an array of shape `shape`; std::invalid_argument as `fill` says.
Distribution distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes);

// Elements of a shape; std::invalid_argument from 2^63 on, axes of length 0 counted as 1 (their strides must exist too),
// and for more than kMaxRank axes.
std::size_t checked_size(std::span<const std::size_t> shape);

}  // namespace fanin::detail
