// Sine and cosine of an angle in radians, of any size. The angle is x = n pi/2 + r: n comes from a product with 2/pi, r as a
// sum of two, and n mod 4 tells which of the two functions of r is meant and its sign. Max error over every float32 and 10^8
// float64: docs/activations.md. Reference: reference/angle.hpp.

namespace fanin::FANIN_ISA {
namespace {

// x = n pi/2 + (r + low) with |r| <= 0.79, |low| at most half a unit in the last place of r; the low bits of `quarter` are n's.
template <class V>
struct ReducedAngle {
    V r, low;
    BitsOf<V> quarter;
};

// An angle from 2^15 on, finite, in integers (Payne and Hanek, "Radian reduction for trigonometric functions", ACM SIGNUM
// Newsletter 18(1), 1983). x = m 2^e; what counts of 2/pi are the 192 bits after those that make x 2/pi a multiple of 4. m
// times these is x / (2 pi) mod 1, in 192 bits of which the last 64 are dropped: no double is nearer than 2^-61 to a multiple
// of pi/2, so that 60 bits and more are right.
struct LargeAngle {
    unsigned quarter;
    double r, low;
};
inline LargeAngle reduce_large(double x) {
    const Unpacked u = unpack(x);
    const unsigned first = static_cast<unsigned>(u.exponent + 62);  // bit of the table; 25 .. 1033
    const unsigned word = first / 64, shift = first % 64;
    // The last, lowest word of the product only carries into the one above; what overflows the highest are whole turns.
    std::uint64_t window[3];
    for (unsigned i = 0; i < 3; ++i)
        window[i] = static_cast<std::uint64_t>((static_cast<Wide>(kTwoOverPi[word + i]) << 64 | kTwoOverPi[word + i + 1]) >>
                                               (64 - shift));
    const Wide last = static_cast<Wide>(u.mantissa) * window[2];
    const Wide middle = static_cast<Wide>(u.mantissa) * window[1] + (last >> 64);
    const Wide turns = ((static_cast<Wide>(u.mantissa) * window[0]) << 64) + middle;  // of 2^128 a turn

    const auto quarter = static_cast<unsigned>((turns + (static_cast<Wide>(1) << 125)) >> 126);
    // Rounded to the nearest quarter, so that the rest is at most an eighth of a turn either way; its sign is its top bit.
    const Wide rest = turns - (static_cast<Wide>(quarter) << 126);  // of 2^126 a quarter, in [-1/2, 1/2)
    const bool negative = rest >> 127 != 0;
    const Wide magnitude = negative ? -rest : rest;
    const int zeros = 127 - top_bit(magnitude);
    const Wide digits = magnitude << zeros;
    const std::uint64_t unit_bits = static_cast<std::uint64_t>(1023 - 126 - zeros) << 52 | static_cast<std::uint64_t>(negative)
                                                                                               << 63;
    double unit;  // +-2^(-126 - zeros), from its bits
    __builtin_memcpy(&unit, &unit_bits, sizeof unit);
    const double y = static_cast<double>(static_cast<std::uint64_t>(digits >> 75)) * (0x1p75 * unit);
    const double y_low = static_cast<double>(static_cast<std::uint64_t>(digits >> 22) & 0x1fffffffffffff) * (0x1p22 * unit);
    const double r = y * kHalfPi1F64;
    return {quarter, r, fma_scalar(y, kHalfPi1F64, -r) + fma_scalar(y, kHalfPi2F64, y_low * kHalfPi1F64)};
}

// Those lanes of |x| that are above the limit; a call, since hardly any vector needs it.
template <class T>
[[gnu::noinline]] void reduce_large_lanes(const T* x, T* r, T* low, typename MathFormat<T>::Bits* quarter) {
    using F = MathFormat<T>;
    for (std::size_t i = 0; i < kLanes<T>; ++i) {
        if (!(x[i] > F::large_angle && x[i] <= F::largest)) continue;
        const LargeAngle a = reduce_large(static_cast<double>(x[i]));
        r[i] = static_cast<T>(a.r);
        low[i] = static_cast<T>((a.r - static_cast<double>(r[i])) + a.low);
        quarter[i] = a.quarter;
    }
}

// x >= 0. Up to the limit by three parts of pi/2 (Cody and Waite, "Software manual for the elementary functions", 1980,
// chapter 8, with fused products): x - n p1 is exact, n p2 comes off as a product of two parts and a sum of two, p3 goes into
// what these lost.
// Large lanes take the other way, after which no lane knows which it was.
template <class V>
FANIN_INLINE ReducedAngle<V> reduce_angle(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V rounded = fma(x, splat(F::two_over_pi), splat(F::round));
    const V n = rounded - F::round;
    const V first = fma(n, splat(-F::half_pi_1), x);
    const V product = n * F::half_pi_2, product_low = fma(n, splat(F::half_pi_2), -product);
    const V sum = first - product, part = sum - first;
    const V sum_low = (first - (sum - part)) - (product + part);
    const V lost = fma(n, splat(-F::half_pi_3), sum_low - product_low);
    const V r = sum + lost;
    // Exact: the part of `lost` that r has not taken in (Dekker).
    ReducedAngle<V> a{r, lost - (r - sum), bits(rounded)};
    if (any_lane(x > splat(F::large_angle))) {
        T angle[kLanes<T>], high[kLanes<T>], low[kLanes<T>];
        typename F::Bits quarter[kLanes<T>];
        store(angle, x);
        store(high, a.r);
        store(low, a.low);
        __builtin_memcpy(quarter, &a.quarter, sizeof quarter);
        reduce_large_lanes(angle, high, low, quarter);
        a.r = load(high);
        a.low = load(low);
        __builtin_memcpy(&a.quarter, quarter, sizeof quarter);
    }
    return a;
}

// sin(r + low) moved on by `quarter` quarters of a turn.
// Both functions are computed and one is chosen in each lane. sin r = r + (r^3 S + low); cos r is 1 - r^2 / 2 with what
// its rounding lost, and r^4 C - r low.
template <class V>
FANIN_INLINE V sin_of_quarters(V r, V low, BitsOf<V> quarter) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    constexpr int kTop = 8 * sizeof(T) - 2;  // shifts bit 1 into the sign
    const V square = r * r;
    const V s = r + fma(r * square, F::sine_tail(square), low);
    const V half = square * T(0.5), w = 1 - half;
    const V c = w + (((1 - w) - half) + fma(square * square, F::cosine_tail(square), -(r * low)));
    const IntOf<V> odd = -bit_cast<IntOf<V>>(quarter & 1);
    return from_bits(bits(odd ? c : s) ^ ((quarter & 2) << kTop));
}

// sin x; -0 stays, NaN at infinities.
struct SinValue {
    template <class V>
    FANIN_INLINE V operator()(V x) const {
        const V y = abs(x);
        const ReducedAngle<V> a = reduce_angle(y);
        const V sine = from_bits(bits(sin_of_quarters(a.r, a.low, a.quarter)) ^ sign_bit(x));
        return y <= splat(FormatOf<V>::largest) ? sine : x - x;
    }
};
// cos x: the same reduction, a quarter further on; even, so that the sign of x does not matter.
struct SinDerivative {
    template <class V>
    FANIN_INLINE V operator()(V x) const {
        const V y = abs(x);
        const ReducedAngle<V> a = reduce_angle(y);
        return y <= splat(FormatOf<V>::largest) ? sin_of_quarters(a.r, a.low, a.quarter + 1) : x - x;
    }
};

}  // namespace
}  // namespace fanin::FANIN_ISA
