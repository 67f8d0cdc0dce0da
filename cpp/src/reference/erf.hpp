// Reference of Phi and erf: the order of operations of kernels/erf.inl on one number.
#pragma once

#include <algorithm>

#include "math.hpp"

namespace fanin::reference {

// Where the functions far left have rounded to 0: e^x times a factor, t Phi(-t), GELU's tanh form.
template <class T>
inline constexpr T kExpScaledEnd = std::is_same_v<T, float> ? T(120) : T(760);
template <class T>
inline constexpr T kNormalEnd = std::is_same_v<T, float> ? T(15.5) : T(40);
template <class T>
inline constexpr T kGeluTanhEnd = std::is_same_v<T, float> ? T(11) : T(22);

// 2^64 (2^512) e^x = power (1 + q), x <= 0; `low` is added to the reduced argument.
template <class T>
struct ScaledExponential {
    T power, q;
    T times(T c) const { return fused(c * power, q, c * power); }
    T unscaled() const { return times(1) * power_of_two<T>(-kHalfRange<T>); }
};

template <class T>
ScaledExponential<T> scaled_exponential(T x) {
    const Exponential<T> e = exponential(x);
    return {power_of_two<T>(e.k + kHalfRange<T>), e.q};
}
template <class T>
ScaledExponential<T> scaled_exponential(T x, T low) {
    T k, r, q;
    if constexpr (std::is_same_v<T, float>) {
        k = nearest_integer(x, kLog2EF32);
        r = fused(k, -kLn2LowF32, fused(k, -kLn2HighF32, x)) + low;
        q = fused(r * r, polynomial(kExpF32, r), r);
    } else {
        k = nearest_integer(x, kLog2EF64);
        r = fused(k, -kLn2LowF64, fused(k, -kLn2HighF64, x)) + low;
        q = fused(r * r, polynomial(kExpF64, r), r);
    }
    return {power_of_two<T>(static_cast<int>(k) + kHalfRange<T>), q};
}

// e^(-t^2 / 2)
template <class T>
ScaledExponential<T> scaled_bell(T t) {
    return scaled_exponential(t * t / -2, fused(t, t, -(t * t)) / -2);
}

// e^(t^2 / 2) Phi(-t), t >= 1
template <class T>
T upper_tail(T t) {
    const T sum = t + 4, inverse = 1 / sum;
    const T low = inverse * fused(-inverse, t - (sum - 4), fused(-inverse, sum, T(1)));  // 1 / (t + 4) = inverse + low
    const T s = fused(low, T(-8), fused(inverse, T(-8), T(1)));
    T p;
    if constexpr (std::is_same_v<T, float>) p = polynomial(kUpperTailF32, s);
    else p = polynomial(kUpperTailF64, s);
    return fused(p, inverse, p * low);
}

template <class T>
T erf(T x) {
    if (std::isnan(x)) return x;
    const T y = std::min(std::abs(x), std::is_same_v<T, float> ? T(4) : T(6));
    T result;
    if (y < 1) {
        if constexpr (std::is_same_v<T, float>) result = fused(y, polynomial(kErfF32, y * y), y);
        else result = fused(y, polynomial(kErfF64, y * y), y);
    } else {
        const T root_two = std::is_same_v<T, float> ? T(kSqrt2F32) : T(kSqrt2F64);
        result = fused(scaled_exponential(-(y * y)).unscaled() * upper_tail(y * root_two), T(-2), T(1));
    }
    return std::copysign(result, x);
}

}  // namespace fanin::reference
