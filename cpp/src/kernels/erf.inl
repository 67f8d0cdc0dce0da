// Phi and erf. Everything rests on the upper tail of the standard normal law, Phi(-t) = e^(-t^2 / 2) R(t): the ratio R falls
// like 1 / t, has no range to fear, and is one polynomial in 1 / (t + 4) from t = 1 on; the exponential takes its argument as
// an unevaluated sum, since an error of its argument is a relative error of the tail. Reference: reference/erf.hpp.

namespace fanin::FANIN_ISA {
namespace {

// 2^64 (2^512) e^x = power (1 + q) for x in [-F::exp_scaled_low, 0]: normal where e^x itself is subnormal.
template <class V>
struct ScaledExp {
    V power, q;
    // c e^x, not yet scaled back; c power is exact.
    FANIN_INLINE V times(V c) const {
        const V scaled = c * power;
        return fma(scaled, q, scaled);
    }
    FANIN_INLINE V unscaled() const { return fma(power, q, power) * (1 / FormatOf<V>::big); }
};
template <class V>
FANIN_INLINE ScaledExp<V> scaled_exp(V x) {
    const ExpParts<V> e = exp_parts(x);
    return {from_bits(bits(splat(FormatOf<V>::big)) + e.k_bits), e.q};
}
// e^(x + low), |low| far below |x|.
template <class V>
FANIN_INLINE ScaledExp<V> scaled_exp(V x, V low) {
    using F = FormatOf<V>;
    const V rounded = fma(x, splat(F::log2_e), splat(F::round));
    const V k = rounded - F::round;
    const V r = fma(k, splat(-F::ln2_low), fma(k, splat(-F::ln2_high), x)) + low;
    return {from_bits(bits(splat(F::big)) + (bits(rounded) << F::mantissa_bits)), fma(r * r, F::exp_tail(r), r)};
}

// e^(-t^2 / 2), t in [0, F::normal_end].
template <class V>
FANIN_INLINE ScaledExp<V> scaled_bell(V t) {
    using T = typename LaneOf<V>::T;
    const V square = t * t;
    return scaled_exp(square * T(-0.5), fma(t, t, -square) * T(-0.5));
}

// R(t) = e^(t^2 / 2) Phi(-t), t in [1, F::normal_end]. 1 / (t + 4) is inverse + low: what rounding took from the sum and from
// the quotient would be a third of the error.
template <class V>
FANIN_INLINE V upper_tail(V t) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V sum = t + 4, inverse = 1 / sum;
    const V low = inverse * fma(-inverse, t - (sum - 4), fma(-inverse, sum, splat(T(1))));
    const V p = F::tail_poly(fma(low, splat(T(-8)), fma(inverse, splat(T(-8)), splat(T(1)))));
    return fma(p, inverse, p * low);
}

// Below 1 the polynomial x + x P(x^2), beyond it 1 - 2 Phi(-sqrt 2 |x|).
template <class V>
FANIN_INLINE V erf(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V y = at_most(abs(x), splat(F::erf_one));
    const V square = y * y;
    const V small = fma(y, F::erf_poly(square), y);
    const V tail = scaled_exp(-square).unscaled() * upper_tail(y * F::sqrt_2);
    const V large = fma(tail, splat(T(-2)), splat(T(1)));
    return from_bits(bits(y < splat(T(1)) ? small : large) | sign_bit(x));
}

}  // namespace
}  // namespace fanin::FANIN_ISA
