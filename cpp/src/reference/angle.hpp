// Reference of sine and cosine of an angle in radians: the reduction and the order of operations, on one finite number.
#pragma once

#include "math.hpp"

namespace fanin::reference {

// x = n pi/2 + (r + low), n mod 4 in `quarter`.
template <class T>
struct ReducedAngle {
    T r, low;
    int quarter;
};

// x = m 2^e beyond 2^15: m times the 192 bits of 2/pi (limbs of 32, the last first) that weigh 2^(1 - e) and less is the turns
// of x, mod 1. The 128 leading bits of that are rounded to a quarter; the rest, as a sum of two doubles, is multiplied by pi/2.
inline ReducedAngle<double> reduce_large(double x) {
    int exponent;
    const auto m = static_cast<std::uint64_t>(std::ldexp(std::frexp(x, &exponent), 53));
    const int first = exponent - 53 + 62;  // the table opens with 64 zeros
    std::uint32_t turns[6] = {};
    for (int limb = 0; limb < 6; ++limb) {
        std::uint64_t bits = 0;  // 32 of 2/pi
        for (int i = 0; i < 32; ++i) {
            const int at = first + 32 * (5 - limb) + i;
            bits = bits << 1 | (kTwoOverPi[at / 64] >> (63 - at % 64) & 1);
        }
        const std::uint64_t halves[] = {m & 0xffffffff, m >> 32};
        for (int half = 0; half < 2; ++half) {
            std::uint64_t carry = halves[half] * bits;
            for (int to = limb + half; to < 6; ++to) {
                carry += turns[to];
                turns[to] = static_cast<std::uint32_t>(carry);
                carry >>= 32;
            }
        }
    }
    // In [-1/8, 1/8) of a turn, negative where the bit below a quarter's is set.
    const int eighths = static_cast<int>(turns[5] >> 29), quarter = (eighths + 1) / 2;
    const bool negative = eighths % 2 != 0;
    std::uint64_t high = (std::uint64_t{turns[5]} << 32 | turns[4]) << 2 >> 2, low = std::uint64_t{turns[3]} << 32 | turns[2];
    if (negative) {  // one quarter, 2^62 of 2^64, minus the rest
        high = (std::uint64_t{1} << 62) - high - (low != 0);
        low = -low;
    }
    int zeros = 0;
    for (; high >> 63 == 0; ++zeros) {
        high = high << 1 | low >> 63;
        low <<= 1;
    }
    const double sign = negative ? -1 : 1;
    const double y = sign * std::ldexp(static_cast<double>(high >> 11), -51 - zeros);
    const double y_low = sign * std::ldexp(static_cast<double>((high & 0x7ff) << 42 | low >> 22), -104 - zeros);
    const double r = y * kHalfPi1F64;
    return {r, fused(y, kHalfPi1F64, -r) + fused(y, kHalfPi2F64, y_low * kHalfPi1F64), quarter % 4};
}

template <class T>
struct AngleConstants {
    T two_over_pi, p1, p2, p3, limit;
};
template <class T>
AngleConstants<T> angle_constants() {
    if constexpr (std::is_same_v<T, float>) return {kTwoOverPiF32, kHalfPi1F32, kHalfPi2F32, kHalfPi3F32, 0x1p15f};
    else return {kTwoOverPiF64, kHalfPi1F64, kHalfPi2F64, kHalfPi3F64, 0x1p28};
}

// x >= 0
template <class T>
ReducedAngle<T> reduce_angle(T x) {
    const auto c = angle_constants<T>();
    if (x > c.limit) {
        const ReducedAngle<double> a = reduce_large(x);
        const T r = static_cast<T>(a.r);
        return {r, static_cast<T>((a.r - static_cast<double>(r)) + a.low), a.quarter};
    }
    const T n = nearest_integer(x, c.two_over_pi);
    const T first = fused(n, -c.p1, x);  // exact
    const T product = n * c.p2, product_low = fused(n, c.p2, -product);
    const T sum = first - product, part = sum - first;
    const T sum_low = (first - (sum - part)) - (product + part);
    const T lost = fused(n, -c.p3, sum_low - product_low);
    const T r = sum + lost;
    return {r, lost - (r - sum), static_cast<int>(static_cast<long long>(n) % 4)};
}

// sin(r + low), `quarter` quarters of a turn on.
template <class T>
T sin_of(const ReducedAngle<T>& a, int quarter) {
    const T square = a.r * a.r;
    T result;
    if (quarter % 2 == 0) {
        T tail;
        if constexpr (std::is_same_v<T, float>) tail = polynomial(kSineF32, square);
        else tail = polynomial(kSineF64, square);
        result = a.r + fused(a.r * square, tail, a.low);
    } else {
        T tail;
        if constexpr (std::is_same_v<T, float>) tail = polynomial(kCosineF32, square);
        else tail = polynomial(kCosineF64, square);
        const T half = square / 2, w = 1 - half;
        result = w + (((1 - w) - half) + fused(square * square, tail, -(a.r * a.low)));
    }
    return quarter % 4 >= 2 ? -result : result;
}

template <class T>
T sin(T x) {
    if (!std::isfinite(x)) return std::numeric_limits<T>::quiet_NaN();
    const ReducedAngle<T> a = reduce_angle(std::abs(x));
    const T result = sin_of(a, a.quarter);
    return std::signbit(x) ? -result : result;
}
template <class T>
T cos(T x) {
    if (!std::isfinite(x)) return std::numeric_limits<T>::quiet_NaN();
    const ReducedAngle<T> a = reduce_angle(std::abs(x));
    return sin_of(a, a.quarter + 1);
}

}  // namespace fanin::reference
