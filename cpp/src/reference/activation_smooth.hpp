// Reference of the smooth activations: the formulas of kernels/activation_smooth.inl, a branch for each side of 0. z is no NaN.
#pragma once

#include "erf.hpp"

namespace fanin::reference {

// 1 / 2^64 (2^512).
template <class T>
inline const T kUnscale = power_of_two<T>(-kHalfRange<T>);

// z sigmoid(y), e = e^-|y|, t = z kept off -infinity.
template <class T>
T gated(T z, T t, const ScaledExponential<T>& e) {
    const T d = 1 + e.unscaled();
    return z < 0 ? e.times(t) / d * kUnscale<T> : z / d;
}
// sigmoid(y) + v sigmoid'(y); v_low: what v lost in rounding
template <class T>
T gated_derivative(T z, T v, T v_low, const ScaledExponential<T>& e) {
    const T u = e.unscaled(), d = fused(u, u + 2, T(1));
    return z < 0 ? e.times((1 + v) + (u + v_low)) / d * kUnscale<T> : fused(u, 1 + v, T(1)) / d;
}

// z sigmoid(z).
template <class T>
T silu(T z) {
    const T t = std::clamp(z, -kExpScaledEnd<T>, kExpScaledEnd<T>);
    return gated(z, t, scaled_exponential(-std::abs(t)));
}
template <class T>
T silu_derivative(T z) {
    const T t = std::clamp(z, -kExpScaledEnd<T>, kExpScaledEnd<T>);
    return gated_derivative(z, t, T(0), scaled_exponential(-std::abs(t)));
}

// y = t (linear + cubic t^2), each coefficient with what rounding took from it.
template <class T>
struct GeluTanh {
    T linear, linear_low, cubic, cubic_low;
};
template <class T>
GeluTanh<T> gelu_tanh_constants() {
    if constexpr (std::is_same_v<T, float>) return {kGeluLinearF32, kGeluLinearLowF32, kGeluCubicF32, kGeluCubicLowF32};
    else return {kGeluLinearF64, kGeluLinearLowF64, kGeluCubicF64, kGeluCubicLowF64};
}
// y = t (linear + cubic t^2) and what was lost of it, t >= 0: every term with what its rounding lost.
template <class T>
struct GeluTanhArgument {
    T y, low;
};
template <class T>
GeluTanhArgument<T> gelu_tanh_argument(T t) {
    const auto c = gelu_tanh_constants<T>();
    const T square = t * t, square_low = fused(t, t, -square);
    const T cubic = square * c.cubic;
    const T cubic_low = fused(square, c.cubic, -cubic) + fused(square, c.cubic_low, square_low * c.cubic);
    const T sum = cubic + c.linear, part = sum - c.linear;
    const T sum_low = ((c.linear - (sum - part)) + (cubic - part)) + (cubic_low + c.linear_low);
    const T y = t * sum;
    return {y, fused(t, sum, -y) + t * sum_low};
}
template <class T>
T gelu_tanh(T z) {
    const T t = std::clamp(z, -kGeluTanhEnd<T>, kGeluTanhEnd<T>);
    const auto [y, low] = gelu_tanh_argument(std::abs(t));
    return gated(z, t, scaled_exponential(-y, -low));
}
template <class T>
T gelu_tanh_derivative(T z) {
    const auto c = gelu_tanh_constants<T>();
    const T t = std::min(std::abs(z), kGeluTanhEnd<T>), sign = z < 0 ? T(-1) : T(1);
    const auto [y, low] = gelu_tanh_argument(t);
    const T triple = 3 * y, triple_low = fused(T(3), y, -triple) + 3 * low;
    const T line = 2 * c.linear * t, line_low = fused(2 * c.linear, t, -line) + 2 * c.linear_low * t;
    const T v = triple - line, v_low = ((triple - v) - line) + (triple_low - line_low);
    return gated_derivative(z, sign * v, sign * v_low, scaled_exponential(-y, -low));
}

template <class T>
T gelu(T z) {
    const T t = std::min(std::abs(z), kNormalEnd<T>);
    if (t < 1) {
        if constexpr (std::is_same_v<T, float>) return z * fused(z, polynomial(kPhiF32, z * z), T(0.5));
        else return z * fused(z, polynomial(kPhiF64, z * z), T(0.5));
    }
    const T tail = scaled_bell(t).times(upper_tail(t));
    return z < 0 ? -t * tail * kUnscale<T> : z * (1 - tail * kUnscale<T>);
}
// Phi(-t) - t phi(t), t >= 0
template <class T>
T gelu_left_slope(T t) {
    if constexpr (std::is_same_v<T, float>) {
        const T distance = (kGeluRootF32 - t) + kGeluRootLowF32;
        if (t < T(1.25)) return distance * polynomial(kGeluSlopeF32, -distance);
        const T difference = fused(t, -kNormalDensityF32, fused(t, -kNormalDensityLowF32, upper_tail(t)));
        return scaled_bell(t).times(difference) * kUnscale<T>;
    } else {
        const T distance = (kGeluRootF64 - t) + kGeluRootLowF64;
        if (t < T(1.25)) return distance * polynomial(kGeluSlopeF64, -distance);
        const T difference = fused(t, -kNormalDensityF64, fused(t, -kNormalDensityLowF64, upper_tail(t)));
        return scaled_bell(t).times(difference) * kUnscale<T>;
    }
}
template <class T>
T gelu_derivative(T z) {
    const T left = gelu_left_slope(std::min(std::abs(z), kNormalEnd<T>));
    return z < 0 ? left : 1 - left;
}

template <class T>
T mish(T z) {
    const T t = std::clamp(z, -kExpScaledEnd<T>, kExpScaledEnd<T>);
    const ScaledExponential<T> e = scaled_exponential(-std::abs(t));
    const T u = e.unscaled();
    if (z < 0) return e.times(fused(t, u, t + t)) / fused(u, u + 2, T(2)) * kUnscale<T>;
    return fused(t + t, u, z) / fused(u, u + u + 2, T(1));
}
template <class T>
T mish_derivative(T z) {
    const T t = std::clamp(z, -kExpScaledEnd<T>, kExpScaledEnd<T>);
    const ScaledExponential<T> e = scaled_exponential(-std::abs(t));
    const T u = e.unscaled(), constant = (t + 1) * 4, linear = fused(t, T(4), T(6));
    const T base = z < 0 ? T(2) : T(1), multiple = z < 0 ? u : 2 * u;
    const T n = fused(multiple, u, 2 * u), n_low = fused(multiple, u, 2 * u - n);
    const T root = base + n, low = ((base - root) + n) + n_low;  // 2 + 2 u + u^2, 1 + 2 u + 2 u^2
    const T d = fused(root, root, 2 * root * low);
    if (z < 0) return e.times(fused(u, fused(u, u + 4, linear), constant)) / d * kUnscale<T>;
    return fused(u, fused(u, fused(u, constant, linear), T(4)), T(1)) / d;
}

template <class T>
T softplus(T z) {
    return (z > 0 ? z : T(0)) + log1p(exp_of_negative(-std::abs(z), 0));
}

template <class T>
T softsign(T z) {
    if (std::isinf(z)) return std::copysign(T(1), z);
    return z / (1 + std::abs(z));
}
template <class T>
T softsign_derivative(T z) {
    const T inverse = 1 / (1 + std::abs(z));
    return inverse * inverse;
}

// e^z - 1 for z < 0
template <class T>
T expm1_of_negative(T z) {
    const Exponential<T> e = exponential(std::max(z, std::is_same_v<T, float> ? T(-20) : T(-40)));
    const T power = power_of_two<T>(e.k);
    return fused(power, e.q, power - 1);
}
// left (e^z - 1), right z: elu and selu.
template <class T>
T elu(T z, T left, T right) {
    return z < 0 ? expm1_of_negative(z) * left : z * right;
}
template <class T>
T elu_derivative(T z, T left, T right) {
    return z > 0 ? right : scaled_exponential(std::max(z, -kExpScaledEnd<T>)).times(left) * kUnscale<T>;
}

}  // namespace fanin::reference
