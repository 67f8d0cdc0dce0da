// Reference of the truncated normal draw: inversion of one uniform number an element.
#pragma once

#include <cmath>

#include "../normal_law.hpp"
#include "math.hpp"
#include "random.hpp"

namespace fanin::reference {

// The last one is kept: it is asked for at every element.
inline const TruncatedLaw& truncated_law(double lower, double upper, bool is_float) {
    thread_local struct {
        double lower = 0, upper = 0;
        bool is_float = false;
        TruncatedLaw law{};
    } last;
    if (last.lower != lower || last.upper != upper || last.is_float != is_float)
        last = {
            lower, upper, is_float,
            detail::truncated_law(lower, upper, is_float, [](double x) { return exp(x); }, [](double x) { return log1p(x); })};
    return last.law;
}

template <class T>
struct Unit {
    T u, rest;  // u and 1 - u
};

// (k + 1/2) 2^-bits and its complement, each from the integer that keeps its small values.
template <class T>
Unit<T> unit_pair(std::uint64_t k, int bits) {
    const std::uint64_t all = (std::uint64_t{1} << bits) - 1;
    const bool upper = k > all / 2;
    const auto t = static_cast<std::int64_t>(upper ? all - k : k);
    const T small = (static_cast<T>(t) + T(0.5)) * static_cast<T>(std::ldexp(1.0, -bits));
    const T large = 1 - small;
    return upper ? Unit<T>{large, small} : Unit<T>{small, large};
}

// float32, both bounds within 2.5 sigma: z = x P(-2 ln(1 - x^2)), x = 2 Phi(z) - 1, 1 - x^2 = 4 t (1 - t), t the smaller tail.
inline float truncated_central(const TruncatedLaw& law, std::uint32_t word) {
    const auto left = static_cast<float>(law.left), right = static_cast<float>(law.right),
               width = static_cast<float>(law.width);
    float t;
    if (law.left == law.right) {
        const auto end_distance = static_cast<float>(static_cast<std::int32_t>(word < 0x80000000u ? word : ~word));
        t = fused(end_distance, width * 0x1p-32f, static_cast<float>(law.left + law.width * 0x1p-33));
    } else {
        const Unit<float> p = unit_pair<float>(word, 32);
        const float below = fused(p.u, width, left), above = fused(p.rest, width, right);
        t = below < above ? below : above;
    }
    const auto centred = static_cast<float>(static_cast<std::int32_t>(word ^ 0x80000000u));
    const float x = fused(centred, width * 0x1p-31f, static_cast<float>(law.left - law.right + law.width * 0x1p-32));
    int exponent;
    const float f = std::frexp(fused(-t, t, t), &exponent) - 1;
    const float w = fused(f, polynomial(kInverseLogF32, f), static_cast<float>(exponent + 2) * (-2.0f * kLn2F32));
    return x * polynomial(kInverseCentralF32, w);
}

// The z > 0 with Q(z) = tail (Wichura, AS 241).
inline double inverse_tail(double tail) {
    const double q = 0.5 - tail;
    if (q <= 0.425) {
        const double r = fused(-q, q, 0.180625);
        return q * polynomial(kInverseA, r) / polynomial(kInverseB, r);
    }
    const double r = std::sqrt(-log(tail));
    return r <= 5 ? polynomial(kInverseC, r - 1.6) / polynomial(kInverseD, r - 1.6)
                  : polynomial(kInverseE, r - 5) / polynomial(kInverseF, r - 5);
}

inline double truncated_general(const TruncatedLaw& law, Unit<double> p) {
    const double below = fused(p.u, law.width, law.left), above = fused(p.rest, law.width, law.right);
    return below < above ? -inverse_tail(below) : inverse_tail(above);
}

// Newton on the logarithm of the tail, two steps.
inline double truncated_far(const TruncatedLaw& law, Unit<double> p) {
    const double a = law.near, from = law.negative ? p.rest : p.u, to = law.negative ? p.u : p.rest;
    const double e = from < 0.5 ? -log1p(from * -law.mass) : -log(fused(from, law.rho, to));
    auto series = [](double z) { return polynomial(kMillsSeries, 1 / (z * z)); };
    const double at_bound = series(a);
    double z = std::sqrt(fused(a, a, 2 * e));
    for (int step = 0; step < 2; ++step) {
        const double s = series(z), d = z - a;
        const double value = fused(0.5 * d, z + a, log1p(d / a) - log1p((s - at_bound) / at_bound)) - e;
        z = z - value * s / z;
    }
    return law.negative ? -z : z;
}

template <class T>
T standard_truncated(const TruncatedLaw& law, Key key, std::uint64_t index) {
    if constexpr (std::is_same_v<T, float>) {
        const std::uint32_t word = philox(key, index / 4)[index % 4];
        if (law.path == TruncatedPath::central) return truncated_central(law, word);
        const Unit<double> p = unit_pair<double>(word, 32);
        return static_cast<float>(law.path == TruncatedPath::far ? truncated_far(law, p) : truncated_general(law, p));
    } else {
        const Words w = philox(key, index / 2);
        const std::size_t first = index % 2 * 2;
        const Unit<double> p = unit_pair<double>((w[first] | std::uint64_t{w[first + 1]} << 32) >> 11, 53);
        return law.path == TruncatedPath::far ? truncated_far(law, p) : truncated_general(law, p);
    }
}

// mean + std t, not yet held inside the bounds.
template <class T>
T truncated_normal(const TruncatedLaw& law, Key key, std::uint64_t index, T mean, T std) {
    return fused(std, standard_truncated<T>(law, key, index), mean);
}

}  // namespace fanin::reference
