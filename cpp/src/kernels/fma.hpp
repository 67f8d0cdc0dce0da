// Fused multiply-add of scalars: the hardware's where the instruction set has one, otherwise one built from IEEE
// additions and multiplications, correctly rounded for every input (tests compare it with hardware on 10^8).
#pragma once

#include <cstdint>

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
    std::uint64_t bits;
    __builtin_memcpy(&bits, &sum, sizeof bits);
    if ((lost > 0 || lost < 0) && (bits & 1) == 0) {
        // The exact sum lies beyond `sum` away from zero if `lost` has its sign, else towards zero: step there.
        const bool away = (lost > 0) == (sum > 0);
        bits = away ? bits + 1 : bits - 1;
        double odd;
        __builtin_memcpy(&odd, &bits, sizeof odd);
        return odd;
    }
    return sum;
}

// float: the product of two floats is exact in double (24 + 24 <= 53 bits), so one sum rounded to odd is all it takes.
inline float fma_software(float a, float b, float c) {
    return static_cast<float>(add_round_to_odd(static_cast<double>(a) * static_cast<double>(b), static_cast<double>(c)));
}

// x = high + low exactly, high with 26 significant bits (Veltkamp); |x| < 2^995.
inline void split_26(double x, double& high, double& low) {
    constexpr double kSplit = 0x1.0p27 + 1;
    const double scaled = kSplit * x;
    high = scaled - (scaled - x);
    low = x - high;
}

struct Unpacked {
    std::uint64_t mantissa;  // value = mantissa * 2^exponent, below 2^53
    int exponent;
    bool negative;
};

inline Unpacked unpack(double x) {
    std::uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const int biased = static_cast<int>(bits >> 52 & 0x7ff);
    const std::uint64_t fraction = bits & 0xfffffffffffffull;
    return {biased == 0 ? fraction : fraction | 1ull << 52, (biased == 0 ? 1 : biased) - 1075, (bits >> 63) != 0};
}

// The general case in integers: exact product of 106 bits, exact alignment with a sticky bit, one rounding. Finite inputs.
inline double fma_integer(double a, double b, double c) {
    using Wide = unsigned __int128;
    const Unpacked ua = unpack(a), ub = unpack(b), uc = unpack(c);
    Wide p = static_cast<Wide>(ua.mantissa) * ub.mantissa;
    int p_exponent = ua.exponent + ub.exponent;
    const bool p_negative = ua.negative != ub.negative;
    if (p == 0) return a * b + c;  // an exact zero, so + rounds once and knows the signs of zeros
    Wide q = uc.mantissa;
    int q_exponent = uc.exponent;
    // Left-justify both to bit 125, which leaves a carry bit and loses nothing (106 and 53 bits).
    auto justify = [](Wide& m, int& e) {
        while (m != 0 && (m >> 125) == 0) {
            m <<= 1;
            --e;
        }
    };
    justify(p, p_exponent);
    if (q != 0) justify(q, q_exponent);
    else q_exponent = p_exponent;
    // Align the smaller to the larger, keeping what is shifted out as a sticky last bit.
    auto shift_right = [](Wide m, int n) -> Wide {
        if (n == 0) return m;
        if (n > 126) return m != 0;
        return m >> n | ((m & ((static_cast<Wide>(1) << n) - 1)) != 0);
    };
    int exponent = p_exponent;
    if (p_exponent >= q_exponent) {
        q = shift_right(q, p_exponent - q_exponent);
    } else {
        p = shift_right(p, q_exponent - p_exponent);
        exponent = q_exponent;
    }
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
    int top = 127;
    while ((sum >> top & 1) == 0) --top;
    // Keep 53 bits, fewer where the result is subnormal (last place 2^-1074).
    int drop = top - 52;
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

inline int biased_exponent(double x) {
    std::uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return static_cast<int>(bits >> 52 & 0x7ff);
}

// double: Boldo and Melquiond's algorithm where nothing in it can overflow or lose a bit to underflow, else integers.
inline double fma_software(double a, double b, double c) {
    const int ea = biased_exponent(a), eb = biased_exponent(b), ec = biased_exponent(c);
    if (ea == 0x7ff || eb == 0x7ff || ec == 0x7ff) return a * b + c;  // NaN and infinity obey + and *
    if (c == 0 && a * b != 0) return a * b;  // the first term of every sum
    // The product's low half reaches 106 bits below its top; every term stays within [2^-900, 2^900].
    const bool middle = ea + eb > 1023 + 250 && ea + eb < 1023 + 1800 && ea > 200 && ea < 1900 && eb > 200 && eb < 1900 &&
                        ec > 250 && ec < 1900;
    if (!middle) return fma_integer(a, b, c);
    double ah, al, bh, bl;
    split_26(a, ah, al);
    split_26(b, bh, bl);
    const double product = a * b;
    const double product_low = ((ah * bh - product) + ah * bl + al * bh) + al * bl;
    // Boldo and Melquiond, figure 3: (uh, ul) = a b; (th, tl) = c + ul; (vh, vl) = uh + th; z = odd(tl + vl); vh + z.
    const double th = c + product_low;
    double t = th - c;
    const double tl = (c - (th - t)) + (product_low - t);
    const double vh = product + th;
    t = vh - product;
    const double vl = (product - (vh - t)) + (th - t);
    return vh + add_round_to_odd(tl, vl);
}

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
