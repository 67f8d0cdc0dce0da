// Reference of `float16`: rounding as it is defined, by the spacing of the numbers around x.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace fanin::reference {

// The bits of x in a format of `exponent_bits` and `fraction_bits`, rounded to nearest, ties to even.
inline std::uint16_t round_to_16_bits(float x, int exponent_bits, int fraction_bits) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    const auto infinity = static_cast<std::uint16_t>(((1u << exponent_bits) - 1) << fraction_bits);
    if (std::isnan(x)) {
        const std::uint32_t payload = (bits & 0x7fffffu) >> (23 - fraction_bits);
        return static_cast<std::uint16_t>(sign | infinity | 1u << (fraction_bits - 1) | payload);
    }
    if (std::isinf(x)) return sign | infinity;
    if (x == 0) return sign;
    const int bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = 0;
    const double magnitude = std::abs(static_cast<double>(x));
    std::frexp(magnitude, &exponent);                                    // magnitude < 2^exponent
    const int place = std::max(exponent - 1, 1 - bias) - fraction_bits;  // exponent of the spacing around x
    const double scaled = std::ldexp(magnitude, -place);                 // exact: in units of the spacing
    auto units = static_cast<std::uint32_t>(scaled);
    const double rest = scaled - units;
    if (rest > 0.5 || (rest == 0.5 && units % 2 == 1)) ++units;
    // Counted in units from 0 on, the bits of neighbours follow one another: 2^fraction_bits units an exponent.
    const std::uint32_t steps = static_cast<std::uint32_t>(place + fraction_bits - (1 - bias)) << fraction_bits;
    const std::uint32_t result = units + steps;
    return sign | (result > infinity ? infinity : static_cast<std::uint16_t>(result));
}

inline std::uint16_t to_float16(float x) { return round_to_16_bits(x, 5, 10); }
inline std::uint16_t to_bfloat16(float x) { return round_to_16_bits(x, 8, 7); }

}  // namespace fanin::reference
