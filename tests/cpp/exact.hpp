// The elementary functions and the activations in a type W wider than the one that is tested: double for float32, long double
// for float64, and __float128 where an argument of exp is itself rounded and the result follows it (Phi far left), which costs
// long double its spare bits. Finite arguments.
#pragma once

#include <cmath>
#include <limits>

#include "fanin/activation.hpp"
#if FANIN_QUADMATH
#include <quadmath.h>
#endif

namespace exact {

#define FANIN_WIDE(name)                                  \
    inline double name(double x) { return std::name(x); } \
    inline long double name(long double x) { return std::name(x); }
FANIN_WIDE(exp)
FANIN_WIDE(expm1)
FANIN_WIDE(log)
FANIN_WIDE(log1p)
FANIN_WIDE(tanh)
FANIN_WIDE(cosh)
FANIN_WIDE(sin)
FANIN_WIDE(cos)
FANIN_WIDE(rint)
FANIN_WIDE(erf)
FANIN_WIDE(erfc)
#undef FANIN_WIDE
#if FANIN_QUADMATH
inline __float128 exp(__float128 x) { return expq(x); }
inline __float128 erfc(__float128 x) { return erfcq(x); }
#endif

// Literals with more digits than any W has, where the compiler knows such a suffix.
#if FANIN_QUADMATH
using Widest = __float128;
#define FANIN_DIGITS(x) x##Q
#else
using Widest = long double;
#define FANIN_DIGITS(x) x##L
#endif
inline constexpr Widest kRootHalf = FANIN_DIGITS(0.70710678118654752440084436210484903928);
inline constexpr Widest kDensity = FANIN_DIGITS(0.39894228040143267793994605993438186848);
inline constexpr Widest kGeluLinear = FANIN_DIGITS(1.5957691216057307117597842397375274739);
inline constexpr Widest kGeluCubic = FANIN_DIGITS(0.044715);
inline constexpr Widest kSeluLambda = FANIN_DIGITS(1.0507009873554805);
inline constexpr Widest kSeluAlpha = FANIN_DIGITS(1.6732632423543772);
#undef FANIN_DIGITS

template <class W>
W sigmoid(W x) {
    return 1 / (1 + exp(-x));
}
template <class W>
W tanh_of(W x) {
    return tanh(x);
}
template <class W>
W tanh_derivative(W x) {
    const W c = cosh(x);
    return 1 / c / c;
}
template <class W>
W sigmoid_derivative(W x) {
    const W u = exp(x < 0 ? x : -x);
    return u / ((1 + u) * (1 + u));
}

// Beyond 40 the tail is below half of the smallest double, and erfc takes its time to say so.
template <class W>
W gelu(W x) {
    if (x < -40 || x > 40) return x < 0 ? W(0) : x;
    return x / 2 * erfc(-x * static_cast<W>(kRootHalf));
}
template <class W>
W gelu_derivative(W x) {
    if (x < -40 || x > 40) return x < 0 ? 0 : 1;
    return erfc(-x * static_cast<W>(kRootHalf)) / 2 + x * static_cast<W>(kDensity) * exp(-x * x / 2);
}
// z sigmoid(y), and the derivative with v = z dy/dz, y of the sign of z.
template <class W>
W gated(W z, W y) {
    return z < 0 ? z * exp(y) / (1 + exp(y)) : z / (1 + exp(-y));
}
template <class W>
W gated_derivative(W y, W v) {
    const W u = exp(y < 0 ? y : -y);
    return (y < 0 ? u * (1 + v + u) : 1 + u * (1 + v)) / ((1 + u) * (1 + u));
}
template <class W>
W gelu_tanh(W x) {
    return gated(x, static_cast<W>(kGeluLinear) * (x + static_cast<W>(kGeluCubic) * x * x * x));
}
template <class W>
W gelu_tanh_derivative(W x) {
    const W t = x < -60 ? W(-60) : x > 60 ? W(60) : x;  // its derivative is 0 and 1 there, and x^3 would overflow
    const W linear = static_cast<W>(kGeluLinear), cubic = linear * static_cast<W>(kGeluCubic) * t * t;
    return gated_derivative(t * (linear + cubic), t * (linear + 3 * cubic));
}
template <class W>
W silu(W x) {
    return gated(x, x);
}
template <class W>
W silu_derivative(W x) {
    return gated_derivative(x, x);
}
template <class W>
W mish(W x) {
    return x * tanh(log1p(exp(x)));
}
template <class W>
W mish_derivative(W x) {
    const W u = exp(x), t = tanh(log1p(u));
    return t + (x > 10000 ? 0 : x * (1 - t) * (1 + t) * sigmoid(x));
}
template <class W>
W softplus(W x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
template <class W>
W softsign(W x) {
    return x / (1 + (x < 0 ? -x : x));
}
template <class W>
W softsign_derivative(W x) {
    const W d = 1 + (x < 0 ? -x : x);
    return 1 / d / d;
}
template <class W>
W elu(W x) {
    return x > 0 ? x : expm1(x);
}
template <class W>
W elu_derivative(W x) {
    return x > 0 ? 1 : exp(x);
}
template <class W>
W selu(W x) {
    return static_cast<W>(kSeluLambda) * (x > 0 ? x : static_cast<W>(kSeluAlpha) * expm1(x));
}
template <class W>
W selu_derivative(W x) {
    return static_cast<W>(kSeluLambda) * (x > 0 ? 1 : static_cast<W>(kSeluAlpha) * exp(x));
}

template <class W>
W hardswish(W x) {
    return x < -3 ? W(0) : x > 3 ? x : x * (x + 3) / 6;
}
template <class W>
W hardswish_derivative(W x) {
    return x <= -3 ? W(0) : x > 3 ? W(1) : (2 * x + 3) / 6;
}

template <class W>
W sin_of(W x) {
    return sin(x);
}
template <class W>
W cos_of(W x) {
    return cos(x);
}

// The activations that round: take(name, kind, value, derivative, root of the derivative). Those whose argument of exp or
// erfc is itself rounded come apart: against them the type of one more word is needed.
template <class W, class Take>
void each_activation(Take&& take) {
    using fanin::Activation;
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    take("elu", Activation::elu, elu<W>, elu_derivative<W>, kNone);
    take("selu", Activation::selu, selu<W>, selu_derivative<W>, kNone);
    take("silu", Activation::silu, silu<W>, silu_derivative<W>, -1.2784645427610738);
    take("mish", Activation::mish, mish<W>, mish_derivative<W>, -1.1924312145154165);
    take("softplus", Activation::softplus, softplus<W>, sigmoid<W>, kNone);
    take("softsign", Activation::softsign, softsign<W>, softsign_derivative<W>, kNone);
    take("tanh", Activation::tanh, tanh_of<W>, tanh_derivative<W>, kNone);
    take("sigmoid", Activation::sigmoid, sigmoid<W>, sigmoid_derivative<W>, kNone);
    take("hardswish", Activation::hardswish, hardswish<W>, hardswish_derivative<W>, kNone);
    take("sin", Activation::sin, sin_of<W>, cos_of<W>, kNone);
}
template <class W, class Take>
void each_rounded_activation(Take&& take) {
    using fanin::Activation;
    take("gelu", Activation::gelu, gelu<W>, gelu_derivative<W>, std::numeric_limits<double>::quiet_NaN());
    take("gelu_tanh", Activation::gelu_tanh, gelu_tanh<W>, gelu_tanh_derivative<W>, -0.7524614220710163);
}

// A turn minus the nearest quarter is exact in W, so that nothing is lost next to the zeros.
template <class W>
W turns(W x, int more_quarters) {
    const W quarter = rint(4 * x), angle = static_cast<W>(6.283185307179586476925286766559005768L) * (x - quarter / 4);
    switch ((static_cast<int>(quarter) + more_quarters) & 3) {
        case 0:
            return sin(angle);
        case 1:
            return cos(angle);
        case 2:
            return -sin(angle);
        default:
            return -cos(angle);
    }
}
template <class W>
W sin_turns(W x) {
    return turns(x, 0);
}
template <class W>
W cos_turns(W x) {
    return turns(x, 1);
}

}  // namespace exact
