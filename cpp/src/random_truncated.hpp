// The truncated normal draw, worked out once and drawn many times.
#pragma once

#include "kernels/random_truncated.hpp"

namespace fanin::detail {

// What the kernel takes: the law, and the bounds of the draws in T.
template <class T>
struct TruncatedNumbers {
    TruncatedLaw law;
    T lowest, highest;
};

// std::invalid_argument as `fill_truncated_normal` says.
template <class T>
TruncatedNumbers<T> truncated_numbers(T mean, T std, double lower, double upper);

}  // namespace fanin::detail
