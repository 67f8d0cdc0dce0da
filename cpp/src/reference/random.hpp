// Reference of `random`: Philox4x32-10, the normal and the uniform draw, one element at a time.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "common.hpp"
#include "fanin/random.hpp"

namespace fanin::reference {

using Words = std::array<std::uint32_t, 4>;

// Block number `block` of a stream (Salmon et al., SC'11, section 3.3).
inline Words philox(Key key, std::uint64_t block) {
    Words c{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), static_cast<std::uint32_t>(key.stream),
            static_cast<std::uint32_t>(key.stream >> 32)};
    std::uint32_t k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round) {
        const std::uint64_t p0 = std::uint64_t{kPhiloxMultiplier0} * c[0], p1 = std::uint64_t{kPhiloxMultiplier1} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
        k0 += kPhiloxWeyl0;
        k1 += kPhiloxWeyl1;
    }
    return c;
}

// ------------------------------------------------------------------------------------------------ float32

// sqrt(-2 ln((word + 1/2) 2^-32)): in the upper half from 1 - u, else from the mantissa and exponent of u.
inline float radius(std::uint32_t word) {
    float f, high = 0;
    if (word >= 0x80000000u) {
        f = -(static_cast<float>(static_cast<std::int32_t>(~word)) + 0.5f) * 0x1p-32f;
    } else {
        const float y = static_cast<float>(static_cast<std::int32_t>(word)) + 0.5f;
        int exponent;
        f = std::frexp(y, &exponent) - 1.0f;  // mantissa in [1/2, 1)
        high = static_cast<float>(exponent - 32) * (-2.0f * kLn2F32);
    }
    return std::sqrt(fused(f, polynomial(kRadiusF32, f), high));
}

// (cos, sin) of an angle that lies so many quarter turns beyond the one with (c, s).
template <class T>
std::pair<T, T> turned(std::uint64_t quarters, T c, T s) {
    switch (quarters % 4) {
        case 0:
            return {c, s};
        case 1:
            return {-s, c};
        case 2:
            return {-c, -s};
        default:
            return {s, -c};
    }
}

// (cos, sin) of 2 pi word 2^-32.
inline std::pair<float, float> cos_sin(std::uint32_t word) {
    const std::uint32_t quarter = (word + 0x20000000u) >> 30;  // the nearest multiple of a quarter turn
    const auto rest = static_cast<std::int32_t>(word - (quarter << 30));
    const float x = static_cast<float>(rest) * 0x1p-29f;
    const float s = x * polynomial(kSinF32, x * x), c = polynomial(kCosF32, x * x);
    return turned(quarter, c, s);
}

inline float standard_normal(Key key, std::uint64_t index, float) {
    const Words w = philox(key, index / 4);
    const std::size_t pair = index % 4 / 2 * 2;
    const auto [c, s] = cos_sin(w[pair + 1]);
    return radius(w[pair]) * (index % 2 == 0 ? c : s);
}

// Odd multiples of 2^-24 inside (-1, 1).
inline float standard_uniform(Key key, std::uint64_t index, float) {
    const auto k = static_cast<std::int32_t>(philox(key, index / 4)[index % 4] >> 8);
    return static_cast<float>(2 * k + 1 - (1 << 24)) * 0x1p-24f;
}

// ------------------------------------------------------------------------------------------------ float64

inline double radius(std::uint64_t word) {
    const auto k = static_cast<std::int64_t>(word >> 11);
    constexpr std::int64_t kHalf = std::int64_t{1} << 52;
    double f, high = 0;
    if (k >= kHalf) {
        f = -(static_cast<double>(2 * kHalf - 1 - k) + 0.5) * 0x1p-53;
    } else {
        int exponent;
        f = std::frexp(static_cast<double>(k) + 0.5, &exponent) - 1.0;
        high = static_cast<double>(exponent - 53) * (-2.0 * kLn2F64);
    }
    return std::sqrt(fused(f, polynomial(kRadiusF64, f), high));
}

inline std::pair<double, double> cos_sin(std::uint64_t word) {
    word &= ~std::uint64_t{0x7ff};
    const std::uint64_t quarter = (word + (std::uint64_t{1} << 61)) >> 62;
    const auto rest = static_cast<std::int64_t>(word - (quarter << 62));
    const double x = static_cast<double>(rest) * 0x1p-61;
    const double s = x * polynomial(kSinF64, x * x), c = polynomial(kCosF64, x * x);
    return turned(quarter, c, s);
}

inline double standard_normal(Key key, std::uint64_t index, double) {
    const Words w = philox(key, index / 2);
    const auto [c, s] = cos_sin(w[2] | std::uint64_t{w[3]} << 32);
    return radius(w[0] | std::uint64_t{w[1]} << 32) * (index % 2 == 0 ? c : s);
}

// Odd multiples of 2^-53 inside (-1, 1).
inline double standard_uniform(Key key, std::uint64_t index, double) {
    const Words w = philox(key, index / 2);
    const std::size_t first = index % 2 * 2;
    const auto k = static_cast<std::int64_t>((w[first] | std::uint64_t{w[first + 1]} << 32) >> 11);
    return static_cast<double>(2 * k + 1 - (std::int64_t{1} << 53)) * 0x1p-53;
}

// ------------------------------------------------------------------------------------------------ laws

template <class T>
T normal(Key key, std::uint64_t index, T mean, T std) {
    return fused(std, standard_normal(key, index, T{}), mean);
}

template <class T>
T uniform(Key key, std::uint64_t index, T low, T high) {
    const T x = fused(high / 2 - low / 2, standard_uniform(key, index, T{}), low / 2 + high / 2);
    const T lowest = std::nextafter(low, high), highest = std::nextafter(high, low);
    return x < lowest ? lowest : x > highest ? highest : x;
}

// Fisher and Yates with the 64-bit numbers of one round.
inline std::vector<std::int64_t> permutation(std::size_t n, Key key, std::uint64_t round) {
    std::vector<std::int64_t> p(n);
    for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<std::int64_t>(i);
    for (std::size_t i = n; i-- > 1;) {
        const Words w = philox(key, (round << 32) + i / 2);
        const std::uint64_t r = w[i % 2 * 2] | std::uint64_t{w[i % 2 * 2 + 1]} << 32;
        std::swap(p[i], p[static_cast<std::size_t>(static_cast<unsigned __int128>(r) * (i + 1) >> 64)]);
    }
    return p;
}

}  // namespace fanin::reference
