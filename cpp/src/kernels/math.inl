// Elementary functions. Max error in ULP over every float32 input and over 10^8 stratified float64 inputs each,
// as measured by tests/cpp/sweep_math.cpp (the promise is 2, for derivatives 4):
//
//                 float32   float64                  float32   float64
//     exp          1.05      0.98       tanh          1.50      1.62
//     log          0.89      0.88       sigmoid       1.75      1.67
//     log1p        1.46      1.44       tanh'         2.38      2.42
//     sin, cos     1.70      1.54       sigmoid'      2.38      2.33
//     erf          1.17      1.19
//
// Every order is written out again, in scalars, in reference/math.hpp. NaN in gives NaN out, subnormals are numbers like
// the others. No branch; at most one division.

namespace fanin::FANIN_ISA {
namespace {

// What differs between the two types.
template <class T>
struct MathFormat;
template <>
struct MathFormat<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23, bias = 127;
    static constexpr float round = 0x1.8p23f;  // x + round - round = x rounded to an integer, for |x| < 2^22
    static constexpr float log2_e = kLog2EF32, ln2 = kLn2F32, ln2_high = kLn2HighF32, ln2_low = kLn2LowF32;
    static constexpr float exp_low = -104.0f, exp_high = 89.0f;   // beyond: 0 and infinity
    static constexpr float big = 0x1p64f, half_range = 0x1p-32f;  // in two steps of this size every exponent is reached
    static constexpr float tanh_one = 10.0f;                      // tanh rounds to 1 from 9.02 on
    static constexpr float tanh_small_limit = 0.40625f;
    static constexpr float sigmoid_one = 64.0f;
    static constexpr float smallest_normal = 0x1p-126f, to_normal = 0x1p24f, to_normal_exponent = 24.0f;
    static constexpr std::uint32_t root_half_bits = kRootHalfBitsF32;
    // Where e^x, t Phi(-t), z sigmoid(gelu's y) have rounded to 0 for certain, and erf to 1, expm1 to -1.
    static constexpr float exp_scaled_low = 120.0f, normal_end = 15.5f, gelu_tanh_end = 11.0f;
    static constexpr float largest = 0x1.fffffep127f, erf_one = 4.0f, expm1_low = -20.0f, sqrt_2 = kSqrt2F32;
    static constexpr float normal_density = kNormalDensityF32, normal_density_low = kNormalDensityLowF32;
    static constexpr float gelu_root = kGeluRootF32, gelu_root_low = kGeluRootLowF32;
    static constexpr float gelu_linear = kGeluLinearF32, gelu_linear_low = kGeluLinearLowF32;
    static constexpr float gelu_cubic = kGeluCubicF32, gelu_cubic_low = kGeluCubicLowF32;
    static constexpr float two_over_pi = kTwoOverPiF32, half_pi_1 = kHalfPi1F32, half_pi_2 = kHalfPi2F32,
                           half_pi_3 = kHalfPi3F32;
    static constexpr float large_angle = 0x1p15f;  // beyond it angles are reduced in integers
    static FANIN_INLINE VecF exp_tail(VecF r) { return horner(kExpF32, r); }
    static FANIN_INLINE VecF tanh_tail(VecF s) { return horner(kTanhF32, s); }
    static FANIN_INLINE VecF tanh_small(VecF z) { return horner(kTanhSmallF32, z); }
    static FANIN_INLINE VecF log_tail(VecF f) { return horner(kLogF32, f); }
    static FANIN_INLINE VecF sin_poly(VecF y) { return horner(kSinF32, y); }
    static FANIN_INLINE VecF cos_poly(VecF y) { return horner(kCosF32, y); }
    static FANIN_INLINE VecF sine_tail(VecF y) { return horner(kSineF32, y); }
    static FANIN_INLINE VecF cosine_tail(VecF y) { return horner(kCosineF32, y); }
    static FANIN_INLINE VecF erf_poly(VecF y) { return horner(kErfF32, y); }
    static FANIN_INLINE VecF phi_poly(VecF y) { return horner(kPhiF32, y); }
    static FANIN_INLINE VecF tail_poly(VecF s) { return horner(kUpperTailF32, s); }
    static FANIN_INLINE VecF gelu_slope_poly(VecF d) { return horner(kGeluSlopeF32, d); }
    static FANIN_INLINE VecF to_real(VecI32 e) { return to_float(e); }
};
template <>
struct MathFormat<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52, bias = 1023;
    static constexpr double round = 0x1.8p52;
    static constexpr double log2_e = kLog2EF64, ln2 = kLn2F64, ln2_high = kLn2HighF64, ln2_low = kLn2LowF64;
    static constexpr double exp_low = -746.0, exp_high = 710.0;
    static constexpr double big = 0x1p512, half_range = 0x1p-64;
    static constexpr double tanh_one = 20.0;  // from 19.07 on
    static constexpr double tanh_small_limit = 0.40625;
    static constexpr double sigmoid_one = 64.0;
    static constexpr double smallest_normal = 0x1p-1022, to_normal = 0x1p54, to_normal_exponent = 54.0;
    static constexpr std::uint64_t root_half_bits = kRootHalfBitsF64;
    static constexpr double exp_scaled_low = 760.0, normal_end = 40.0, gelu_tanh_end = 22.0;
    static constexpr double largest = 0x1.fffffffffffffp1023, erf_one = 6.0, expm1_low = -40.0, tail_shift = 5.0,
                            sqrt_2 = kSqrt2F64;
    static constexpr double normal_density = kNormalDensityF64, normal_density_low = kNormalDensityLowF64;
    static constexpr double gelu_root = kGeluRootF64, gelu_root_low = kGeluRootLowF64;
    static constexpr double gelu_linear = kGeluLinearF64, gelu_linear_low = kGeluLinearLowF64;
    static constexpr double gelu_cubic = kGeluCubicF64, gelu_cubic_low = kGeluCubicLowF64;
    static constexpr double two_over_pi = kTwoOverPiF64, half_pi_1 = kHalfPi1F64, half_pi_2 = kHalfPi2F64,
                            half_pi_3 = kHalfPi3F64;
    static constexpr double large_angle = 0x1p28;
    static FANIN_INLINE VecD exp_tail(VecD r) { return horner(kExpF64, r); }
    static FANIN_INLINE VecD tanh_tail(VecD s) { return horner(kTanhF64, s); }
    static FANIN_INLINE VecD tanh_small(VecD z) { return horner(kTanhSmallF64, z); }
    static FANIN_INLINE VecD log_tail(VecD f) { return horner(kLogF64, f); }
    static FANIN_INLINE VecD sin_poly(VecD y) { return horner(kSinF64, y); }
    static FANIN_INLINE VecD cos_poly(VecD y) { return horner(kCosF64, y); }
    static FANIN_INLINE VecD sine_tail(VecD y) { return horner(kSineF64, y); }
    static FANIN_INLINE VecD cosine_tail(VecD y) { return horner(kCosineF64, y); }
    static FANIN_INLINE VecD erf_poly(VecD y) { return horner(kErfF64, y); }
    static FANIN_INLINE VecD phi_poly(VecD y) { return horner(kPhiF64, y); }
    static FANIN_INLINE VecD tail_poly(VecD s) { return horner(kUpperTailF64, s); }
    static FANIN_INLINE VecD gelu_slope_poly(VecD d) { return horner(kGeluSlopeF64, d); }
    static FANIN_INLINE VecD to_real(VecI64 e) { return to_double_51(e); }
};
template <class V>
using FormatOf = MathFormat<typename LaneOf<V>::T>;
template <class V>
using BitsOf = typename Simd<typename LaneOf<V>::T>::Bits;
template <class V>
using IntOf = typename Simd<typename LaneOf<V>::T>::Int;

// ------------------------------------------------------------------------------------------------ exponential

// e^x = 2^k (1 + q), |q| < 0.42. k_bits is k in the place of the exponent: added to the bits of c it makes c 2^k.
template <class V>
struct ExpParts {
    V q;
    BitsOf<V> k_bits;
};
template <class V>
FANIN_INLINE ExpParts<V> exp_parts(V x) {
    using F = FormatOf<V>;
    const V rounded = fma(x, splat(F::log2_e), splat(F::round));
    const V k = rounded - F::round;
    const V r = fma(k, splat(-F::ln2_low), fma(k, splat(-F::ln2_high), x));
    return {fma(r * r, F::exp_tail(r), r), bits(rounded) << F::mantissa_bits};
}

// e^x. The scaling by 2^k goes in two steps, the first away from the near end of the range and exact, so that the second
// rounds once where the result is subnormal and overflows where it must.
template <class V>
FANIN_INLINE V exp(V x) {
    using F = FormatOf<V>;
    x = at_most(at_least(x, splat(F::exp_low)), splat(F::exp_high));
    const ExpParts<V> e = exp_parts(x);
    const IntOf<V> negative = x < V{};
    const V first = negative ? splat(F::big) : splat(1 / F::big), second = negative ? splat(1 / F::big) : splat(F::big);
    return (1 + e.q) * from_bits(bits(first) + e.k_bits) * second;
}

// c e^x for x <= 0 and c = 1 or 4.
template <class V>
FANIN_INLINE V exp_of_negative(V x, typename LaneOf<V>::T c) {
    using F = FormatOf<V>;
    const ExpParts<V> e = exp_parts(at_least(x, splat(F::exp_low - 2)));
    return (1 + e.q) * from_bits(bits(splat(c * F::big)) + e.k_bits) * (1 / F::big);
}

// ------------------------------------------------------------------------------------------------ sigmoid and tanh

// 1 / (1 + e^-x), everything times 2^-32 (2^-64): so the denominator stays finite where the result is subnormal. With
// e^-x = 2^k (1 + q) it is (1 + 2^k) + 2^k q; what the first sum loses from k = 24 (53) on goes into the second.
template <class V>
FANIN_INLINE V sigmoid(V x) {
    using F = FormatOf<V>;
    const ExpParts<V> e = exp_parts(at_most(at_least(-x, splat(-F::sigmoid_one)), splat(-F::exp_low)));
    const V scale = splat(F::half_range);
    const V power = from_bits(bits(scale) + e.k_bits);
    const V sum = power + scale, lost = scale - (sum - power);
    return scale / (sum + fma(power, e.q, lost));
}

// e^-|x| / (1 + e^-|x|)^2
template <class V>
FANIN_INLINE V sigmoid_derivative(V x) {
    using T = typename LaneOf<V>::T;
    const V u = exp_of_negative(-abs(x), T(1));
    return u / fma(u, u + 2, splat(T(1)));
}

// Up to 13/32 the polynomial x + x^3 R(x^2), where a quotient would cost 2.5 ULP; exact for subnormal x. Beyond it
// h / (h + 1) with h = (e^(2|x|) - 1) / 2 = 2^k (s + s^2 T(s)) + (2^k - 1) / 2, s = |x| - k ln 2 / 2.
// k is small enough here for one rounding of k ln 2 / 2. The sign of x goes on last.
template <class V>
FANIN_INLINE V tanh(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V y = at_most(abs(x), splat(F::tanh_one));
    const V rounded = fma(y, splat(2 * F::log2_e), splat(F::round));
    const V k = rounded - F::round;
    const V s = fma(k, splat(F::ln2 * T(-0.5)), y);
    const V power = from_bits((bits(rounded) << F::mantissa_bits) + bits(splat(T(1))));
    const V h = fma(power, fma(s * s, F::tanh_tail(s), s), fma(power, splat(T(0.5)), splat(T(-0.5))));
    const V square = y * y, small = fma(y, square * F::tanh_small(square), y);
    return from_bits(bits(y < splat(F::tanh_small_limit) ? small : h / (h + 1)) | sign_bit(x));
}

// 4 u / (1 + u)^2, u = e^(-2|x|): right where 1 - tanh^2 is 0. The 4 is in before anything is rounded to a subnormal.
template <class V>
FANIN_INLINE V tanh_derivative(V x) {
    using T = typename LaneOf<V>::T;
    const V y = abs(x);
    const V four_u = exp_of_negative(-(y + y), T(4));
    const V u = four_u * T(0.25);
    return four_u / fma(u, u + 2, splat(T(1)));
}

// ------------------------------------------------------------------------------------------------ logarithm

// A positive normal number as mantissa 2^exponent, mantissa in [sqrt(1/2), sqrt 2).
template <class V>
struct Split {
    V mantissa, exponent;
    BitsOf<V> exponent_bits;  // of 2^exponent
};
template <class V>
FANIN_INLINE Split<V> split(V x) {
    using F = FormatOf<V>;
    constexpr typename F::Bits kOne = static_cast<typename F::Bits>(F::bias) << F::mantissa_bits;
    constexpr typename F::Bits kFraction = (typename F::Bits{1} << F::mantissa_bits) - 1;
    const BitsOf<V> shifted = bits(x) + (kOne - F::root_half_bits);
    return {from_bits((shifted & kFraction) + F::root_half_bits),
            F::to_real(bit_cast<IntOf<V>>(shifted >> F::mantissa_bits) - F::bias), shifted & ~kFraction};
}

// ln(1 + f) + e ln 2
template <class V>
FANIN_INLINE V log_sum(V f, V e) {
    using F = FormatOf<V>;
    const V tail = fma(f * f, F::log_tail(f), e * F::ln2_low);
    return fma(e, splat(F::ln2_high), f + tail);
}

// Subnormal x is scaled up first. ln 0 = -infinity; NaN left of 0.
template <class V>
FANIN_INLINE V log(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V infinity = splat(T(__builtin_inf())), nan = splat(T(__builtin_nan("")));
    const IntOf<V> tiny = x < splat(F::smallest_normal);
    const Split<V> parts = split(tiny ? x * F::to_normal : x);
    const V exponent = parts.exponent - (tiny ? splat(F::to_normal_exponent) : V{});
    const V result = log_sum(parts.mantissa - 1, exponent);
    const V special = x == V{} ? -infinity : (x > V{} ? x : nan);
    return ((x > V{}) & (x < infinity)) ? result : special;
}

// With 2^e near 1 + x: ln(1 + x) = e ln 2 + ln(1 + f), f = 2^-e (1 + x) - 1 rounded once; f = x exactly near zero.
// Above 2^100 the 1 is far below the last place and x is halved 32 times, so that 2^-e stays normal.
template <class V>
FANIN_INLINE V log1p(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    const V infinity = splat(T(__builtin_inf())), nan = splat(T(__builtin_nan("")));
    const IntOf<V> large = x > splat(T(0x1p100));
    const V y = large ? x * T(0x1p-32) : x;
    const Split<V> parts = split(1 + y);
    constexpr typename F::Bits kTwoBias = static_cast<typename F::Bits>(2 * F::bias) << F::mantissa_bits;
    const V inverse = from_bits(kTwoBias - parts.exponent_bits);
    const V result = log_sum(fma(inverse, y, inverse - 1), parts.exponent + (large ? splat(T(32)) : V{}));
    const V special = x == splat(T(-1)) ? -infinity : (x > splat(T(-1)) ? x : nan);  // x: zeros and infinity
    return ((x > splat(T(-1))) & (x < infinity) & (x != V{})) ? result : special;
}

// ------------------------------------------------------------------------------------------------ sine and cosine

// Both functions of one angle.
template <class V>
struct SinCos {
    V sin, cos;
};

// sin and cos of 2 pi x for x in [0, 1]: the nearest multiple of a quarter turn is taken off exactly, the rest is y pi/4
// with y in [-1, 1], exact too; so both are right to 2 ULP next to their zeros. Zeros are +0 (as IEEE 754's sinPi has it).
template <class V>
FANIN_INLINE SinCos<V> sincos_turns(V x) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    constexpr int kTop = 8 * sizeof(T) - 2;  // shifts bit 1 into the sign
    const V rounded = fma(x, splat(T(4)), splat(F::round));
    const V quarter = rounded - F::round;
    const V y = fma(x, splat(T(8)), quarter * T(-2));
    const V square = y * y;
    const V s = y * F::sin_poly(square), c = F::cos_poly(square);
    const BitsOf<V> q = bits(rounded);
    const IntOf<V> odd = -bit_cast<IntOf<V>>(q & 1);  // quarter 1 or 3: the two change places
    return {from_bits(bits(odd ? c : s) ^ ((q & 2) << kTop)) + T(0),
            from_bits(bits(odd ? s : c) ^ (((q + 1) & 2) << kTop)) + T(0)};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
