// Fused multiply-add: the hardware's where the instruction set has one, otherwise one built from IEEE additions and
// multiplications, correctly rounded for every input (tests/cpp/test_fma.cpp compares it with hardware on 10^8), on
// scalars and, where SSE2 is all there is, on vectors of 16 bytes.
#pragma once

#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__FMA__) || defined(__aarch64__)
#define FANIN_HARDWARE_FMA 1
#else
#define FANIN_HARDWARE_FMA 0
#endif

namespace fanin::FANIN_ISA {
namespace {

// The sum a + b rounded to odd: truncated, and the last bit set where anything was lost. A second rounding to a format at
// least two bits shorter then equals one rounding of the exact sum (Boldo and Melquiond, "Emulation of FMA and correctly
// rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57(4), 2008, theorem 1).
inline double add_round_to_odd(double a, double b) {
    const double sum = a + b;
    const double bb = sum - a;
    const double lost = (a - (sum - bb)) + (b - bb);  // exact (Knuth's TwoSum); NaN where the sum is not finite
    if (!(lost > 0 || lost < 0)) return sum;
    // Where `lost` has the other sign the exact sum lies nearer to zero, one step below in the order of the bits.
    std::uint64_t bits;
    __builtin_memcpy(&bits, &sum, sizeof bits);
    bits = (bits - ((lost > 0) != (sum > 0))) | 1;
    double odd;
    __builtin_memcpy(&odd, &bits, sizeof odd);
    return odd;
}

// float: the product of two floats is exact in double (24 + 24 <= 53 bits), so one sum rounded to odd is all it takes.
inline float fma_software(float a, float b, float c) {
    return static_cast<float>(add_round_to_odd(static_cast<double>(a) * static_cast<double>(b), static_cast<double>(c)));
}

// x = high + low exactly, high with 26 significant bits (Veltkamp); |x| < 2^995.
template <class V>
inline void split_26(V x, V& high, V& low) {
    constexpr double kSplit = 0x1.0p27 + 1;
    const V scaled = kSplit * x;
    high = scaled - (scaled - x);
    low = x - high;
}

// A finite double as an integer and a power of two.
struct Unpacked {
    std::uint64_t mantissa;  // value = mantissa * 2^exponent, below 2^53
    int exponent;
    bool negative;
};

// Of a finite number; subnormals have the exponent of the smallest normal ones.
inline Unpacked unpack(double x) {
    std::uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const int biased = static_cast<int>(bits >> 52 & 0x7ff);
    const std::uint64_t fraction = bits & 0xfffffffffffffull;
    return {biased == 0 ? fraction : fraction | 1ull << 52, (biased == 0 ? 1 : biased) - 1075, (bits >> 63) != 0};
}

// Holds the product of two mantissas, and what is shifted out of it.
using Wide = unsigned __int128;

// The place of the highest bit that is set.
inline int top_bit(Wide m) {  // of m > 0
    const auto high = static_cast<std::uint64_t>(m >> 64);
    return high != 0 ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(static_cast<std::uint64_t>(m));
}

// m 2^-n, truncated, with the last bit set where anything was lost.
inline Wide shift_right_sticky(Wide m, int n) {
    if (n == 0) return m;
    if (n > 126) return m != 0;
    return m >> n | ((m & ((static_cast<Wide>(1) << n) - 1)) != 0);
}

// The general case in integers: exact product of 106 bits, exact alignment with a sticky bit, one rounding. Finite inputs.
inline double fma_integer(double a, double b, double c) {
    // The product has 106 bits at most, so that a Wide holds it beside a carry and a sticky bit.
    const Unpacked ua = unpack(a), ub = unpack(b), uc = unpack(c);
    Wide p = static_cast<Wide>(ua.mantissa) * ub.mantissa, q = uc.mantissa;
    int p_exponent = ua.exponent + ub.exponent, q_exponent = uc.exponent;
    const bool p_negative = ua.negative != ub.negative;
    if (p == 0) return a * b + c;  // an exact zero, so + rounds once and knows the signs of zeros
    // Left-justify both to bit 125, which leaves a carry bit and loses nothing (106 and 53 bits).
    auto justify = [](Wide& m, int& e) {
        const int shift = 125 - top_bit(m);
        m <<= shift;
        e -= shift;
    };
    justify(p, p_exponent);
    if (q != 0) justify(q, q_exponent);
    else q_exponent = p_exponent;
    // Align the smaller to the larger, keeping what is shifted out as a sticky last bit.
    const int exponent = p_exponent > q_exponent ? p_exponent : q_exponent;
    p = shift_right_sticky(p, exponent - p_exponent);
    q = shift_right_sticky(q, exponent - q_exponent);
    Wide sum;
    bool negative = p_negative;
    if (p_negative == uc.negative || uc.mantissa == 0) {
        sum = p + q;
    } else if (p >= q) {
        sum = p - q;
    } else {
        sum = q - p;
        negative = uc.negative;
    }
    if (sum == 0) return 0.0;  // exact cancellation gives +0 in round to nearest
    // Keep 53 bits, fewer where the result is subnormal (last place 2^-1074).
    int drop = top_bit(sum) - 52;
    if (exponent + drop < -1074) drop = -1074 - exponent;
    std::uint64_t mantissa;
    if (drop <= 0) {
        mantissa = static_cast<std::uint64_t>(sum << -drop);
    } else if (drop > 127) {
        mantissa = 0;  // far below half of the smallest subnormal
    } else {
        mantissa = static_cast<std::uint64_t>(sum >> drop);
        const Wide rest = sum & ((static_cast<Wide>(1) << drop) - 1);
        const Wide half = static_cast<Wide>(1) << (drop - 1);
        if (rest > half || (rest == half && (mantissa & 1) != 0)) ++mantissa;
    }
    int result_exponent = exponent + drop;
    if (mantissa == 1ull << 53) {
        mantissa >>= 1;
        ++result_exponent;
    }
    std::uint64_t bits;
    if (result_exponent + 52 > 1023) bits = 0x7ffull << 52;
    else if (mantissa < 1ull << 52) bits = mantissa;  // subnormal or zero
    else bits = static_cast<std::uint64_t>(result_exponent + 1075) << 52 | (mantissa & 0xfffffffffffffull);
    bits |= static_cast<std::uint64_t>(negative) << 63;
    double result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
}

// 0 for zeros and subnormals, 0x7ff for infinities and NaN.
inline int biased_exponent(double x) {
    std::uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return static_cast<int>(bits >> 52 & 0x7ff);
}

// Whether nothing in fma_middle can overflow or lose a bit to underflow: the product's low half reaches 106 bits below its
// top, and every term stays within [2^-900, 2^900].
inline bool middle(double a, double b, double c) {
    const int ea = biased_exponent(a), eb = biased_exponent(b), ec = biased_exponent(c);
    return ea + eb > 1023 + 250 && ea + eb < 1023 + 1800 && ea > 200 && ea < 1900 && eb > 200 && eb < 1900 &&
           ((ec > 250 && ec < 1900) || c == 0);
}

// The product a b = high + low, exactly (Dekker).
template <class V>
struct Product2 {
    V high, low;
};
template <class V>
inline Product2<V> exact_product(V a, V b) {
    V ah, al, bh, bl;
    split_26(a, ah, al);
    split_26(b, bh, bl);
    const V high = a * b;
    return {high, ((ah * bh - high) + ah * bl + al * bh) + al * bl};
}

// Boldo and Melquiond, figure 3: (uh, ul) = a b; (th, tl) = c + ul; (vh, vl) = uh + th; z = odd(tl + vl); vh + z.
template <class V, class AddToOdd>
inline V fma_middle(Product2<V> u, V c, AddToOdd add_to_odd) {
    const V th = c + u.low;
    const V t = th - c;
    const V tl = (c - (th - t)) + (u.low - t);
    const V vh = u.high + th;
    const V s = vh - u.high;
    const V vl = (u.high - (vh - s)) + (th - s);
    return vh + add_to_odd(tl, vl);
}

// double: in floating point where that is safe, else in integers.
[[gnu::noinline]] inline double fma_software(double a, double b, double c) {
    if (biased_exponent(a) == 0x7ff || biased_exponent(b) == 0x7ff) return a * b + c;  // NaN and infinity obey + and *
    if (biased_exponent(c) == 0x7ff) return c + c;  // whatever the product: as an intermediate it does not overflow
    if (!middle(a, b, c)) return fma_integer(a, b, c);
    return fma_middle(exact_product(a, b), c, add_round_to_odd);
}

#if defined(__SSE2__)

typedef float FmaFloats __attribute__((vector_size(16)));
typedef double FmaDoubles __attribute__((vector_size(16)));

// add_round_to_odd, lane by lane; SSE2 compares doubles but not 64-bit integers, so conditions stay floating-point.
inline FmaDoubles add_round_to_odd(FmaDoubles a, FmaDoubles b) {
    const FmaDoubles sum = a + b, bb = sum - a;
    const FmaDoubles lost = (a - (sum - bb)) + (b - bb);
    const __m128d zero = _mm_setzero_pd();
    const __m128d inexact = _mm_or_pd(_mm_cmplt_pd((__m128d)lost, zero), _mm_cmpgt_pd((__m128d)lost, zero));
    const __m128i toward_zero = _mm_srli_epi64(_mm_castpd_si128(_mm_xor_pd((__m128d)lost, (__m128d)sum)), 63);
    const __m128i odd = _mm_or_si128(_mm_sub_epi64(_mm_castpd_si128((__m128d)sum), toward_zero), _mm_set1_epi64x(1));
    return (FmaDoubles)_mm_or_pd(_mm_and_pd(inexact, _mm_castsi128_pd(odd)), _mm_andnot_pd(inexact, (__m128d)sum));
}

// Not inlined: forty instructions in every place that multiplies and adds would make this table ten times as long to build.
[[gnu::noinline]] inline FmaFloats fma_software(FmaFloats a, FmaFloats b, FmaFloats c) {
    auto low = [](FmaFloats v) { return (FmaDoubles)_mm_cvtps_pd((__m128)v); };
    auto high = [](FmaFloats v) { return (FmaDoubles)_mm_cvtps_pd(_mm_movehl_ps((__m128)v, (__m128)v)); };
    const __m128 first = _mm_cvtpd_ps((__m128d)add_round_to_odd(low(a) * low(b), low(c)));
    const __m128 second = _mm_cvtpd_ps((__m128d)add_round_to_odd(high(a) * high(b), high(c)));
    return (FmaFloats)_mm_movelh_ps(first, second);
}

// Whether biased exponents lie strictly between two bounds, as all ones: in the upper half of each lane, where 32-bit
// integers can be compared, then copied to the lower.
inline __m128i exponents_between(__m128i biased, int low, int high) {
    return _mm_and_si128(_mm_cmpgt_epi32(biased, _mm_set1_epi32(low)), _mm_cmplt_epi32(biased, _mm_set1_epi32(high)));
}
[[gnu::noinline]] inline FmaDoubles fma_software(FmaDoubles a, FmaDoubles b, FmaDoubles c) {
    auto biased = [](FmaDoubles v) {  // in both halves of the lane
        const __m128i e = _mm_srli_epi32(_mm_slli_epi32(_mm_castpd_si128((__m128d)v), 1), 21);
        return _mm_shuffle_epi32(e, _MM_SHUFFLE(3, 3, 1, 1));
    };
    const __m128d zero = _mm_setzero_pd();
    const __m128i ea = biased(a), eb = biased(b), ec = biased(c);
    const __m128i c_is_zero = _mm_castpd_si128(_mm_cmpeq_pd((__m128d)c, zero));
    const __m128i product_zero = _mm_castpd_si128(_mm_or_pd(_mm_cmpeq_pd((__m128d)a, zero), _mm_cmpeq_pd((__m128d)b, zero)));
    const __m128i finite =
        _mm_and_si128(_mm_cmplt_epi32(ea, _mm_set1_epi32(0x7ff)), _mm_cmplt_epi32(eb, _mm_set1_epi32(0x7ff)));
    const __m128i product_safe =
        _mm_and_si128(exponents_between(_mm_add_epi32(ea, eb), 1023 + 250, 1023 + 1800),
                      _mm_and_si128(exponents_between(ea, 200, 1900), exponents_between(eb, 200, 1900)));
    const __m128i safe = _mm_or_si128(_mm_and_si128(product_safe, _mm_or_si128(exponents_between(ec, 250, 1900), c_is_zero)),
                                      _mm_and_si128(product_zero, finite));
    if (_mm_movemask_epi8(safe) != 0xffff) {
        FmaDoubles r;
        for (int i = 0; i < 2; ++i) r[i] = fma_software(a[i], b[i], c[i]);
        return r;
    }
    const Product2<FmaDoubles> u = exact_product(a, b);
    auto add = [](FmaDoubles x, FmaDoubles y) { return add_round_to_odd(x, y); };
    const __m128i general = _mm_castpd_si128((__m128d)fma_middle(u, c, add));
    const __m128i exact = _mm_castpd_si128((__m128d)(u.high + c));  // an exact zero and c: + knows the signs of zeros
    return (FmaDoubles)_mm_castsi128_pd(
        _mm_or_si128(_mm_and_si128(product_zero, exact), _mm_andnot_si128(product_zero, general)));
}

#endif

// a b + c rounded once, of scalars: the hardware's where the instruction set has it. Both give the same bits for every input.
inline float fma_scalar(float a, float b, float c) {
#if FANIN_HARDWARE_FMA
    return __builtin_fmaf(a, b, c);
#else
    return fma_software(a, b, c);
#endif
}
inline double fma_scalar(double a, double b, double c) {
#if FANIN_HARDWARE_FMA
    return __builtin_fma(a, b, c);
#else
    return fma_software(a, b, c);
#endif
}

}  // namespace
}  // namespace fanin::FANIN_ISA
