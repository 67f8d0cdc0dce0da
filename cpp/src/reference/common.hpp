// What the reference is written with: IEEE operations on scalars, one rounding each.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "../constants.hpp"

namespace fanin::reference {

// a b + c, rounded once. std::fma is exact by the C++ standard's IEC 559 binding, in hardware or in software.
inline float fused(float a, float b, float c) { return std::fma(a, b, c); }
inline double fused(double a, double b, double c) { return std::fma(a, b, c); }

// c[0] + c[1] x + ..., Horner, each step fused.
template <class T, std::size_t n>
T polynomial(const T (&c)[n], T x) {
    T r = c[n - 1];
    for (std::size_t i = n - 1; i-- > 0;) r = fused(r, x, c[i]);
    return r;
}

}  // namespace fanin::reference
