// Reference of the elementary functions: the order of operations of each, on one number.
#pragma once

#include <limits>
#include <type_traits>

#include "common.hpp"

namespace fanin::reference {

// 2^k of a normal number, from its bits.
template <class T>
T power_of_two(int k) {
    if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(static_cast<std::uint32_t>(k + 127) << 23);
    else return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

// The nearest integer to a b, ties to even, from one rounding at the scale of 1.
template <class T>
T nearest_integer(T a, T b) {
    constexpr T kRound = std::is_same_v<T, float> ? T(0x1.8p23) : T(0x1.8p52);
    return fused(a, b, kRound) - kRound;
}

// ------------------------------------------------------------------------------------------------ exponential

// e^x = 2^k (1 + q)
template <class T>
struct Exponential {
    T q;
    int k;
};

template <class T>
Exponential<T> exponential(T x) {
    if constexpr (std::is_same_v<T, float>) {
        const float k = nearest_integer(x, kLog2EF32);
        const float r = fused(k, -kLn2LowF32, fused(k, -kLn2HighF32, x));
        return {fused(r * r, polynomial(kExpF32, r), r), static_cast<int>(k)};
    } else {
        const double k = nearest_integer(x, kLog2EF64);
        const double r = fused(k, -kLn2LowF64, fused(k, -kLn2HighF64, x));
        return {fused(r * r, polynomial(kExpF64, r), r), static_cast<int>(k)};
    }
}

template <class T>
inline constexpr int kHalfRange = std::is_same_v<T, float> ? 64 : 512;
template <class T>
inline constexpr T kExpIsZero = std::is_same_v<T, float> ? T(-104) : T(-746);  // e^x rounds to 0 here
template <class T>
inline constexpr T kExpIsInfinite = std::is_same_v<T, float> ? T(89) : T(710);

template <class T>
T exp(T x) {
    if (std::isnan(x)) return x;
    if (x < kExpIsZero<T>) return 0;
    if (x > kExpIsInfinite<T>) return std::numeric_limits<T>::infinity();
    const Exponential<T> e = exponential(x);
    const int step = x < 0 ? -kHalfRange<T> : kHalfRange<T>;
    return (1 + e.q) * power_of_two<T>(e.k - step) * power_of_two<T>(step);
}

// 4^j e^x for x <= 0, j = 0 or 1.
template <class T>
T exp_of_negative(T x, int j) {
    if (x < kExpIsZero<T> - 2) return 0;
    const Exponential<T> e = exponential(x);
    return (1 + e.q) * power_of_two<T>(e.k + 2 * j + kHalfRange<T>) * power_of_two<T>(-kHalfRange<T>);
}

// ------------------------------------------------------------------------------------------------ sigmoid and tanh

// s / ((s 2^k + s) + s 2^k q) with s = 2^-32 (2^-64) and e^-x = 2^k (1 + q).
template <class T>
T sigmoid(T x) {
    if (std::isnan(x)) return x;
    if (x > 64) return 1;
    if (x < kExpIsZero<T>) return 0;
    const int scale = std::is_same_v<T, float> ? -32 : -64;
    const Exponential<T> e = exponential(-x);
    const T one = power_of_two<T>(scale), power = power_of_two<T>(e.k + scale);
    const T sum = power + one;
    const T lost = one - (sum - power);
    return one / (sum + fused(power, e.q, lost));
}

// u / (1 + u)^2, u = e^-|x|: even, and right far out.
template <class T>
T sigmoid_derivative(T x) {
    if (std::isnan(x)) return x;
    const T u = exp_of_negative(-std::abs(x), 0);
    return u / fused(u, u + 2, T(1));
}

// Three ranges: a polynomial, 1, and h / (h + 1) with h = (e^(2 y) - 1) / 2.
template <class T>
T tanh(T x) {
    if (std::isnan(x)) return x;
    const T y = std::abs(x);
    T result;
    if (y < T(0.40625)) {
        const T square = y * y;
        if constexpr (std::is_same_v<T, float>) result = fused(y, square * polynomial(kTanhSmallF32, square), y);
        else result = fused(y, square * polynomial(kTanhSmallF64, square), y);
    } else if (y > (std::is_same_v<T, float> ? 10 : 20)) {
        result = 1;
    } else {
        T k, w;  // e^(2 y) = 2^k (1 + 2 w)
        if constexpr (std::is_same_v<T, float>) {
            k = nearest_integer(y, 2 * kLog2EF32);
            const T s = fused(k, kLn2F32 / -2, y);
            w = fused(s * s, polynomial(kTanhF32, s), s);
        } else {
            k = nearest_integer(y, 2 * kLog2EF64);
            const T s = fused(k, kLn2F64 / -2, y);
            w = fused(s * s, polynomial(kTanhF64, s), s);
        }
        const T power = power_of_two<T>(static_cast<int>(k));
        const T h = fused(power, w, power / 2 - T(0.5));
        result = h / (h + 1);
    }
    return std::copysign(result, x);
}

// 4 u / (1 + u)^2, u = e^(-2 |x|).
template <class T>
T tanh_derivative(T x) {
    if (std::isnan(x)) return x;
    const T four_u = exp_of_negative(-2 * std::abs(x), 1);
    const T u = four_u / 4;
    return four_u / fused(u, u + 2, T(1));
}

// ------------------------------------------------------------------------------------------------ logarithm

// ln(m 2^e) with f = m - 1.
template <class T>
T log_sum(T f, T e) {
    if constexpr (std::is_same_v<T, float>)
        return fused(e, kLn2HighF32, f + fused(f * f, polynomial(kLogF32, f), e * kLn2LowF32));
    else return fused(e, kLn2HighF64, f + fused(f * f, polynomial(kLogF64, f), e * kLn2LowF64));
}

// The e for which x 2^-e lies in [sqrt(1/2), sqrt 2), the bounds being the rounded ones.
template <class T>
int centered_exponent(T x) {
    const T root = std::is_same_v<T, float> ? T(std::bit_cast<float>(kRootHalfBitsF32))
                                            : T(std::bit_cast<double>(static_cast<std::uint64_t>(kRootHalfBitsF64)));
    int exponent;
    const T mantissa = std::frexp(x, &exponent);  // in [1/2, 1)
    return mantissa < root ? exponent - 1 : exponent;
}

template <class T>
T log(T x) {
    if (std::isnan(x) || x < 0) return std::numeric_limits<T>::quiet_NaN();
    if (x == 0) return -std::numeric_limits<T>::infinity();
    if (std::isinf(x)) return x;
    const int e = centered_exponent(x);
    return log_sum(std::ldexp(x, -e) - 1, static_cast<T>(e));
}

// ln(1 + x), exact near 0: the 1 is taken off after the scaling, so that nothing of x is lost.
template <class T>
T log1p(T x) {
    if (std::isnan(x) || x < -1) return std::numeric_limits<T>::quiet_NaN();
    if (x == -1) return -std::numeric_limits<T>::infinity();
    if (std::isinf(x) || x == 0) return x;
    const int halvings = x > T(0x1p100) ? 32 : 0;
    const T y = std::ldexp(x, -halvings);
    const int e = centered_exponent(1 + y);
    const T inverse = power_of_two<T>(-e);
    return log_sum(fused(inverse, y, inverse - 1), static_cast<T>(e + halvings));
}

// ------------------------------------------------------------------------------------------------ sine and cosine

// sin of `quarters` quarter turns and y pi / 4 more.
template <class T>
T sin_of_quarters(int quarters, T y) {
    T result;
    if constexpr (std::is_same_v<T, float>)
        result = quarters % 2 == 0 ? y * polynomial(kSinF32, y * y) : polynomial(kCosF32, y * y);
    else result = quarters % 2 == 0 ? y * polynomial(kSinF64, y * y) : polynomial(kCosF64, y * y);
    if (quarters % 4 >= 2) result = -result;
    return result == 0 ? T(0) : result;  // zeros are +0
}

template <class T>
T sin_turns(T x) {
    if (std::isnan(x)) return x;
    const T quarter = nearest_integer(x, T(4));
    return sin_of_quarters(static_cast<int>(quarter), fused(x, T(8), -2 * quarter));
}
template <class T>
T cos_turns(T x) {
    if (std::isnan(x)) return x;
    const T quarter = nearest_integer(x, T(4));
    return sin_of_quarters(static_cast<int>(quarter) + 1, fused(x, T(8), -2 * quarter));
}

}  // namespace fanin::reference
