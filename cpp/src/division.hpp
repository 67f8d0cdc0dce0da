// Divisions that round up: how many pieces of a size cover something, and the size that they cover.
//
// Not for kernels/: those instantiate nothing that another translation unit may share (kernels/vec.hpp).
#pragma once

namespace fanin::detail {

// The least q with q * b >= a; a >= 0, b > 0, and a + b - 1 fits the type.
template <class Integer>
constexpr Integer ceil_div(Integer a, Integer b) {
    return (a + b - 1) / b;
}

// The least multiple of b that is not below a.
template <class Integer>
constexpr Integer round_up(Integer a, Integer b) {
    return ceil_div(a, b) * b;
}

}  // namespace fanin::detail
