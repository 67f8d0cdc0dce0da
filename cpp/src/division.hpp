// Divisions that round up: how many pieces of a size cover something, and the size that they cover.
//
// Not for kernels/: those instantiate nothing that another translation unit may share (kernels/vec.hpp).
#pragma once

namespace fanin::detail {

// The least q with q * b >= a; b > 0, and a + b - 1 fits the unsigned type.
template <class Unsigned>
constexpr Unsigned ceil_div(Unsigned a, Unsigned b) {
    return (a + b - 1) / b;
}

// The least multiple of b that is not below a.
template <class Unsigned>
constexpr Unsigned round_up(Unsigned a, Unsigned b) {
    return ceil_div(a, b) * b;
}

}  // namespace fanin::detail
