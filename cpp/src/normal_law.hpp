// The normal law's tail and its truncation, in scalar float64 from IEEE operations alone. `exp` is handed in: the kernels'
// for the library, the reference's for the specification; both have the same bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "constants.hpp"
#include "kernels/random_truncated.hpp"

namespace fanin::detail {

// 1 / sqrt(2 pi).
inline constexpr double kInverseRootTwoPi = 0x1.9884533d43651p-2;

// phi(z) = e^(-z^2 / 2) / sqrt(2 pi). The square is taken in two parts, so the relative error stays at 3 ULP in the tail.
template <class Exp>
double normal_density(double z, Exp&& exp) {
    const double square = z * z;
    if (square > 3000) return 0;
    const double lost = std::fma(z, z, -square);
    return kInverseRootTwoPi * exp(-0.5 * square) * (1.0 - 0.5 * lost);
}

// Q(z) = P(Z > z), relative error below 1e-14 down to Q = 1e-300.
// z < 2: 1/2 - phi(z) (z + z^3/3 + z^5/15 + ...) (Abramowitz and Stegun 26.2.11), all terms of one sign. Beyond, the
// continued fraction phi(z) / (z + 1/(z + 2/(z + ...))) (26.2.14) from the 200th term up.
template <class Exp>
double normal_tail(double z, Exp&& exp) {
    if (z < 0) return 1.0 - normal_tail(-z, exp);
    if (std::isinf(z)) return 0;
    if (z < 2) {
        double term = z, sum = z;
        for (int k = 1; k <= 60; ++k) {
            term = term * (z * z) / (2 * k + 1);
            sum += term;
        }
        return 0.5 - normal_density(z, exp) * sum;
    }
    double fraction = z;
    for (int k = 200; k >= 1; --k) fraction = z + k / fraction;
    return normal_density(z, exp) / fraction;
}

// ln(Q(a) / Q(b)) for 30 <= a < b: (b^2 - a^2) / 2 + ln(b / a) - ln(S(b) / S(a)).
template <class Log1p>
double far_log_ratio(double a, double b, Log1p&& log1p) {
    auto series = [](double z) {
        const double y = 1.0 / (z * z);
        double r = kMillsSeries[4];
        for (int i = 3; i >= 0; --i) r = std::fma(r, y, kMillsSeries[i]);
        return r;
    };
    const double d = b - a;
    return 0.5 * d * (b + a) + (log1p(d / a) - log1p((series(b) - series(a)) / series(a)));
}

// The numbers of the law restricted to [lower, upper], lower < upper. `is_float`: elements are float32.
template <class Exp, class Log1p>
TruncatedLaw truncated_law(double lower, double upper, bool is_float, Exp&& exp, Log1p&& log1p) {
    TruncatedLaw law{TruncatedPath::general, 0, 0, 0, 0, false, 0, 0};
    const bool negative = upper <= 0;
    const double near = negative ? -upper : lower, far = negative ? -lower : upper;
    if (near >= kFarTail) {
        law.path = TruncatedPath::far;
        law.near = near;
        law.negative = negative;
        const double e = std::isinf(far) ? far : far_log_ratio(near, far, log1p);
        law.rho = exp(-e);
        // 1 - e^-e; for a sliver of an interval by its series, which cancels nothing
        law.mass = e < 0x1p-10 ? e * (1 - e / 2 * (1 - e / 3 * (1 - e / 4))) : 1.0 - law.rho;
        return law;
    }
    constexpr double kCentral = 2.5;
    if (is_float && std::max(std::abs(lower), std::abs(upper)) <= kCentral) {
        law.path = TruncatedPath::central;
    }
    law.left = normal_tail(-lower, exp);
    law.right = normal_tail(upper, exp);
    if (lower >= 0) law.width = normal_tail(lower, exp) - law.right;
    else if (upper <= 0) law.width = normal_tail(-upper, exp) - law.left;
    else law.width = 1.0 - (law.left + law.right);
    if (law.path == TruncatedPath::general) {
        if (lower >= 0) law.left = 1;
        if (upper <= 0) law.right = 1;
    }
    return law;
}

}  // namespace fanin::detail
