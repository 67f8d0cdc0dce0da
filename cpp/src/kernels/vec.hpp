// The small vector type that every kernel is written over.
//
// A wrapper that CMakeLists.txt makes of wrapper.cpp.in defines FANIN_ISA, its namespace, and FANIN_VECTOR_BYTES, then includes
// every kernel. The types are GCC/Clang vector extensions, so + - * / < & | ^ << >> and `mask ? a : b` are the
// language's own and mean the same on every instruction set; only what the extensions cannot say is an intrinsic below.
//
// Rules of this folder: everything sits in an unnamed namespace inside fanin::FANIN_ISA and nothing of the standard
// library is instantiated, so that no weak symbol compiled for a large instruction set can be linked into the code of a
// small one (tests/packaging reads the object files). No static vector initialisers. Kernels assume; the
// sources above them validate.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(FANIN_NEON)  // the instruction set `neon`; aarch64's generic one is what the compiler makes of the language
#include <arm_neon.h>
#endif

#include "fma.hpp"

#define FANIN_INLINE inline __attribute__((always_inline))

namespace fanin::FANIN_ISA {
namespace {

typedef float VecF __attribute__((vector_size(FANIN_VECTOR_BYTES)));
typedef double VecD __attribute__((vector_size(FANIN_VECTOR_BYTES)));
typedef std::int32_t VecI32 __attribute__((vector_size(FANIN_VECTOR_BYTES)));
typedef std::int64_t VecI64 __attribute__((vector_size(FANIN_VECTOR_BYTES)));
typedef std::uint32_t VecU32 __attribute__((vector_size(FANIN_VECTOR_BYTES)));
typedef std::uint64_t VecU64 __attribute__((vector_size(FANIN_VECTOR_BYTES)));

// Simd<T>: the vector of T, the integer vectors of its lane width, and the number of lanes.
template <class T>
struct Simd;
template <>
struct Simd<float> {
    using Vec = VecF;
    using Int = VecI32;  // comparisons give this: all ones where true
    using Bits = VecU32;
    static constexpr std::size_t lanes = FANIN_VECTOR_BYTES / sizeof(float);
};
template <>
struct Simd<double> {
    using Vec = VecD;
    using Int = VecI64;
    using Bits = VecU64;
    static constexpr std::size_t lanes = FANIN_VECTOR_BYTES / sizeof(double);
};
template <class T>
using Vec = typename Simd<T>::Vec;
template <class T>
inline constexpr std::size_t kLanes = Simd<T>::lanes;

// Masks are vectors of integers, all ones or zero in a lane: `mask ? a : b` chooses by them, and -mask counts.

// Vector <-> lane type, for templates that are handed a vector.
template <class V>
struct LaneOf;
template <>
struct LaneOf<VecF> {
    using T = float;
};
template <>
struct LaneOf<VecD> {
    using T = double;
};

// ------------------------------------------------------------------------------------------------ memory

// Unaligned loads and stores: __builtin_memcpy of a whole vector is one move instruction.
template <class T>
FANIN_INLINE Vec<T> load(const T* p) {
    Vec<T> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
template <class T>
FANIN_INLINE void store(T* p, Vec<T> v) {
    __builtin_memcpy(p, &v, sizeof v);
}

// As many elements as a vector of doubles holds, in double. (GCC 12 splits __builtin_convertvector of 64 bytes into halves.)
FANIN_INLINE VecD load_wide(const double* p) { return load<double>(p); }
FANIN_INLINE VecD load_wide(const float* p) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_cvtps_pd(_mm256_loadu_ps(p));
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_cvtps_pd(_mm_loadu_ps(p));
#elif defined(FANIN_NEON)
    return (VecD)vcvt_f64_f32(vld1_f32(p));
#else
    return VecD{static_cast<double>(p[0]), static_cast<double>(p[1])};
#endif
}

// x in every lane.
template <class T>
FANIN_INLINE Vec<T> splat(T x) {
    return x - Vec<T>{};  // the language broadcasts a scalar operand; x - 0 is x, also for -0
}
// x in every lane, of integers.
FANIN_INLINE VecI32 splat_i32(std::int32_t x) { return x + VecI32{}; }
FANIN_INLINE VecU32 splat_u32(std::uint32_t x) { return x + VecU32{}; }
FANIN_INLINE VecI64 splat_i64(std::int64_t x) { return x + VecI64{}; }
FANIN_INLINE VecU64 splat_u64(std::uint64_t x) { return x + VecU64{}; }

// ------------------------------------------------------------------------------------------------ bits

// The same bits as another type of vector; std::bit_cast would be an instance of the standard library.
template <class To, class From>
FANIN_INLINE To bit_cast(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To result;
    __builtin_memcpy(&result, &v, sizeof result);
    return result;
}
// The bits of each lane as an integer, and back.
FANIN_INLINE VecU32 bits(VecF v) { return bit_cast<VecU32>(v); }
FANIN_INLINE VecU64 bits(VecD v) { return bit_cast<VecU64>(v); }
FANIN_INLINE VecF from_bits(VecU32 v) { return bit_cast<VecF>(v); }
FANIN_INLINE VecD from_bits(VecU64 v) { return bit_cast<VecD>(v); }

// |v|, and v with the sign bit of s flipped into it.
FANIN_INLINE VecF abs(VecF v) { return from_bits(bits(v) & 0x7fffffffu); }
FANIN_INLINE VecD abs(VecD v) { return from_bits(bits(v) & 0x7fffffffffffffffull); }
FANIN_INLINE VecU32 sign_bit(VecF v) { return bits(v) & 0x80000000u; }
FANIN_INLINE VecU64 sign_bit(VecD v) { return bits(v) & 0x8000000000000000ull; }

// ------------------------------------------------------------------------------------------------ arithmetic

// Fused multiply-add a b + c, rounded once. Without hardware for it: fma.hpp.
FANIN_INLINE VecF fma(VecF a, VecF b, VecF c) {
#if FANIN_VECTOR_BYTES == 64
    return (VecF)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif FANIN_VECTOR_BYTES == 32
    return (VecF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__SSE2__)
    return (VecF)fma_software((FmaFloats)a, (FmaFloats)b, (FmaFloats)c);
#elif defined(FANIN_NEON)
    return (VecF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    VecF r;
    for (std::size_t i = 0; i < kLanes<float>; ++i) r[i] = fma_scalar(a[i], b[i], c[i]);
    return r;
#endif
}
FANIN_INLINE VecD fma(VecD a, VecD b, VecD c) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__SSE2__)
    return (VecD)fma_software((FmaDoubles)a, (FmaDoubles)b, (FmaDoubles)c);
#elif defined(FANIN_NEON)
    return (VecD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    VecD r;
    for (std::size_t i = 0; i < kLanes<double>; ++i) r[i] = fma_scalar(a[i], b[i], c[i]);
    return r;
#endif
}
FANIN_INLINE float fma(float a, float b, float c) { return fma_scalar(a, b, c); }
FANIN_INLINE double fma(double a, double b, double c) { return fma_scalar(a, b, c); }

// a + b with the same bits, on the units that multiply, for loops that keep those that add busy.
FANIN_INLINE VecD add_beside(VecD a, VecD b) {
#if FANIN_VECTOR_BYTES >= 32
    return fma(b, splat(1.0), a);
#else
    return a + b;
#endif
}

// x < limit ? limit : x and x > limit ? limit : x, one instruction each; a NaN in x stays (that fixes the operands' order).
#if FANIN_VECTOR_BYTES == 64
FANIN_INLINE VecF at_least(VecF x, VecF limit) { return (VecF)_mm512_max_ps((__m512)limit, (__m512)x); }
FANIN_INLINE VecF at_most(VecF x, VecF limit) { return (VecF)_mm512_min_ps((__m512)limit, (__m512)x); }
FANIN_INLINE VecD at_least(VecD x, VecD limit) { return (VecD)_mm512_max_pd((__m512d)limit, (__m512d)x); }
FANIN_INLINE VecD at_most(VecD x, VecD limit) { return (VecD)_mm512_min_pd((__m512d)limit, (__m512d)x); }
#elif FANIN_VECTOR_BYTES == 32
FANIN_INLINE VecF at_least(VecF x, VecF limit) { return (VecF)_mm256_max_ps((__m256)limit, (__m256)x); }
FANIN_INLINE VecF at_most(VecF x, VecF limit) { return (VecF)_mm256_min_ps((__m256)limit, (__m256)x); }
FANIN_INLINE VecD at_least(VecD x, VecD limit) { return (VecD)_mm256_max_pd((__m256d)limit, (__m256d)x); }
FANIN_INLINE VecD at_most(VecD x, VecD limit) { return (VecD)_mm256_min_pd((__m256d)limit, (__m256d)x); }
#else  // NEON's FMAX would make +0 of -0 and a limit of +0
template <class V>
FANIN_INLINE V at_least(V x, V limit) {
    return x < limit ? limit : x;
}
template <class V>
FANIN_INLINE V at_most(V x, V limit) {
    return x > limit ? limit : x;
}
#endif

// IEEE square root, one correctly rounded instruction.
FANIN_INLINE VecF sqrt(VecF v) {
#if FANIN_VECTOR_BYTES == 64
    return (VecF)_mm512_sqrt_ps((__m512)v);
#elif FANIN_VECTOR_BYTES == 32
    return (VecF)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (VecF)_mm_sqrt_ps((__m128)v);
#elif defined(FANIN_NEON)
    return (VecF)vsqrtq_f32((float32x4_t)v);
#else
    VecF r;
    for (std::size_t i = 0; i < kLanes<float>; ++i) r[i] = __builtin_sqrtf(v[i]);
    return r;
#endif
}
FANIN_INLINE VecD sqrt(VecD v) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_sqrt_pd((__m512d)v);
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_sqrt_pd((__m256d)v);
#elif defined(__SSE2__)
    return (VecD)_mm_sqrt_pd((__m128d)v);
#elif defined(FANIN_NEON)
    return (VecD)vsqrtq_f64((float64x2_t)v);
#else
    VecD r;
    for (std::size_t i = 0; i < kLanes<double>; ++i) r[i] = __builtin_sqrt(v[i]);
    return r;
#endif
}

// Whether a comparison holds in any lane: for work that most vectors do without.
template <class M>
FANIN_INLINE bool any_lane(M mask) {
#if FANIN_VECTOR_BYTES == 64
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif FANIN_VECTOR_BYTES == 32
    return _mm256_movemask_epi8((__m256i)mask) != 0;
#elif defined(__SSE2__)
    return _mm_movemask_epi8((__m128i)mask) != 0;
#elif defined(FANIN_NEON)
    return vmaxvq_u32((uint32x4_t)mask) != 0;
#else
    bool any = false;
    for (std::size_t i = 0; i < sizeof(mask) / sizeof(mask[0]); ++i) any |= mask[i] != 0;
    return any;
#endif
}

// Lanes whose bit `bit` is set, and the choice by them.
#if FANIN_VECTOR_BYTES == 64
using LaneMask = __mmask16;
template <int bit>
FANIN_INLINE LaneMask lanes_with(VecU32 v) {
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)splat_u32(std::uint32_t{1} << bit));
}
FANIN_INLINE VecF select(LaneMask lanes, VecF a, VecF b) { return (VecF)_mm512_mask_blend_ps(lanes, (__m512)b, (__m512)a); }
#else
using LaneMask = VecI32;
template <int bit>
FANIN_INLINE LaneMask lanes_with(VecU32 v) {
#if defined(FANIN_NEON)
    return (VecI32)vtstq_u32((uint32x4_t)v, (uint32x4_t)splat_u32(std::uint32_t{1} << bit));
#else
    return bit_cast<VecI32>(v << (31 - bit)) < 0;
#endif
}
FANIN_INLINE VecF select(LaneMask lanes, VecF a, VecF b) { return lanes ? a : b; }
#endif

// The product of the low 32 bits of each 64-bit lane, all 64 bits of it.
FANIN_INLINE VecU64 multiply_low32(VecU64 a, VecU64 b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecU64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif FANIN_VECTOR_BYTES == 32
    return (VecU64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (VecU64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(FANIN_NEON)
    return (VecU64)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
    return (a & 0xffffffffull) * (b & 0xffffffffull);
#endif
}

// The low, or the high, 32 bits of each lane of a and of b, side by side: [a0 b0 | a1 b1 | ...].
FANIN_INLINE VecU32 low_words(VecU64 a, VecU64 b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecU32)_mm512_mask_shuffle_epi32((__m512i)a, 0xaaaa, (__m512i)b, _MM_PERM_CCAA);
#elif FANIN_VECTOR_BYTES == 32
    return (VecU32)_mm256_blend_epi32((__m256i)a, (__m256i)(b << 32), 0xaa);
#elif defined(FANIN_NEON)
    return (VecU32)vtrn1q_u32((uint32x4_t)a, (uint32x4_t)b);
#else
    return bit_cast<VecU32>((a & 0xffffffffull) | b << 32);
#endif
}
FANIN_INLINE VecU32 high_words(VecU64 a, VecU64 b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecU32)_mm512_mask_shuffle_epi32((__m512i)b, 0x5555, (__m512i)a, _MM_PERM_DDBB);
#elif FANIN_VECTOR_BYTES == 32
    return (VecU32)_mm256_blend_epi32((__m256i)(a >> 32), (__m256i)b, 0xaa);
#elif defined(FANIN_NEON)
    return (VecU32)vtrn2q_u32((uint32x4_t)a, (uint32x4_t)b);
#else
    return bit_cast<VecU32>(a >> 32 | (b & 0xffffffff00000000ull));
#endif
}

// Integers to floating point. i32 -> float rounds to nearest even.
FANIN_INLINE VecF to_float(VecI32 v) { return __builtin_convertvector(v, VecF); }
// i64 -> double, exact for |v| <= 2^51: v is added to the bits of 1.5 * 2^52, whose last place is 1.
FANIN_INLINE VecD to_double_51(VecI64 v) {
    constexpr double kMagic = 0x1.8p52;
    return bit_cast<VecD>(v + bit_cast<VecI64>(splat(kMagic))) - kMagic;
}

// [a0 b0 a1 b1 | a4 b4 a5 b5 | ...] and [a2 b2 a3 b3 | a6 b6 a7 b7 | ...]: one in-lane unpack each.
FANIN_INLINE VecF interleave_low(VecF a, VecF b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecF)_mm512_unpacklo_ps((__m512)a, (__m512)b);
#elif FANIN_VECTOR_BYTES == 32
    return (VecF)_mm256_unpacklo_ps((__m256)a, (__m256)b);
#elif defined(FANIN_NEON)
    return (VecF)vzip1q_f32((float32x4_t)a, (float32x4_t)b);
#else
    return VecF{a[0], b[0], a[1], b[1]};
#endif
}
FANIN_INLINE VecF interleave_high(VecF a, VecF b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecF)_mm512_unpackhi_ps((__m512)a, (__m512)b);
#elif FANIN_VECTOR_BYTES == 32
    return (VecF)_mm256_unpackhi_ps((__m256)a, (__m256)b);
#elif defined(FANIN_NEON)
    return (VecF)vzip2q_f32((float32x4_t)a, (float32x4_t)b);
#else
    return VecF{a[2], b[2], a[3], b[3]};
#endif
}
// [a0 b0 | a2 b2 | ...] and [a1 b1 | a3 b3 | ...].
FANIN_INLINE VecD interleave_low(VecD a, VecD b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_unpacklo_pd((__m512d)a, (__m512d)b);
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_unpacklo_pd((__m256d)a, (__m256d)b);
#elif defined(FANIN_NEON)
    return (VecD)vzip1q_f64((float64x2_t)a, (float64x2_t)b);
#else
    return VecD{a[0], b[0]};
#endif
}
FANIN_INLINE VecD interleave_high(VecD a, VecD b) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_unpackhi_pd((__m512d)a, (__m512d)b);
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_unpackhi_pd((__m256d)a, (__m256d)b);
#elif defined(FANIN_NEON)
    return (VecD)vzip2q_f64((float64x2_t)a, (float64x2_t)b);
#else
    return VecD{a[1], b[1]};
#endif
}

}  // namespace
}  // namespace fanin::FANIN_ISA
