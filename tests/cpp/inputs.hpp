// Numbers to try a function of one argument on: bit patterns of every exponent, a denser share where functions bend, the
// special values, and the neighbours of points where an implementation changes its mind.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace check {

template <class T>
std::vector<T> inputs(std::size_t n) {
    using Limits = std::numeric_limits<T>;
    std::vector<T> x{0,
                     T(-0.0),
                     Limits::infinity(),
                     -Limits::infinity(),
                     Limits::quiet_NaN(),
                     -Limits::quiet_NaN(),
                     Limits::max(),
                     Limits::lowest(),
                     Limits::min(),
                     -Limits::min(),
                     Limits::denorm_min(),
                     -Limits::denorm_min()};
    // Ends of ranges, thresholds, halves of ln 2 (where the reduction steps) and eighths of a turn.
    std::vector<double> seams{0.125,
                              0.25,
                              0.375,
                              0.40625,
                              0.5,
                              0.625,
                              0.75,
                              0.875,
                              0.7071067811865476,
                              1,
                              1.25,
                              1.4142135623730951,
                              0.7517915246935645,
                              2,
                              4,
                              6,
                              9.02,
                              10,
                              11,
                              15.5,
                              19.07,
                              20,
                              22,
                              40,
                              64,
                              88.72284,
                              89,
                              103.97,
                              104,
                              106,
                              120,
                              709.782712893384,
                              710,
                              745.13,
                              746,
                              748,
                              760,
                              0x1p100};
    for (int k = 1; k <= 80; ++k) seams.push_back(k * 0.34657359027997264);
    for (const double seam : seams)
        for (const T start : {T(seam), T(-seam)}) {
            T down = start, up = start;
            x.push_back(start);
            for (int step = 0; step < 3; ++step) {
                x.push_back(down = std::nextafter(down, -Limits::infinity()));
                x.push_back(up = std::nextafter(up, Limits::infinity()));
            }
        }
    // Every power of two, subnormal ones too, and its neighbours: the ends of all binades.
    for (int k = Limits::min_exponent - Limits::digits; k < Limits::max_exponent; ++k)
        for (const T sign : {T(1), T(-1)}) {
            const T power = sign * std::ldexp(T(1), k);
            for (const T value : {power, std::nextafter(power, T(0)), std::nextafter(power, sign * Limits::infinity())})
                x.push_back(value);
        }
    std::uint64_t state = 1;
    while (x.size() < n) {
        std::uint64_t r = state += 0x9e3779b97f4a7c15u;  // splitmix64
        r = (r ^ r >> 30) * 0xbf58476d1ce4e5b9u;
        r = (r ^ r >> 27) * 0x94d049bb133111ebu;
        r ^= r >> 31;
        const bool dense = x.size() % 2 == 0;  // exponents -30 .. 9
        if constexpr (sizeof(T) == 4) {
            std::uint32_t bits = static_cast<std::uint32_t>(r);
            if (dense) bits = (bits & 0x807fffffu) | static_cast<std::uint32_t>(97 + (r >> 32) % 40) << 23;
            x.push_back(std::bit_cast<float>(bits));
        } else {
            std::uint64_t bits = r;
            if (dense) bits = (bits & 0x800fffffffffffffu) | (993 + (r >> 52 & 0x7ff) % 40) << 52;
            x.push_back(std::bit_cast<double>(bits));
        }
    }
    return x;
}

}  // namespace check
