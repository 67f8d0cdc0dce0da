// The value of a 16-bit float, from the definition of its format.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace check {

inline float from_16_bits(std::uint16_t bits, int exponent_bits, int fraction_bits) {
    const int exponent = (bits & 0x7fff) >> fraction_bits, fraction = bits & ((1 << fraction_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
    double magnitude =
        std::ldexp(exponent == 0 ? fraction : fraction + (1 << fraction_bits), std::max(exponent, 1) - bias - fraction_bits);
    if (exponent == top) magnitude = fraction == 0 ? INFINITY : NAN;
    return static_cast<float>((bits & 0x8000) != 0 ? -magnitude : magnitude);
}

}  // namespace check
