// Narrow elements to float and double: the 16-bit formats and integers.

namespace fanin::FANIN_ISA {
namespace {

// The value of float16 bits in the low half of each lane.
FANIN_INLINE VecF from_float16_bits(VecU32 h) {
    const VecU32 sign = (h & 0x8000u) << 16, m = h & 0x7fffu;
    // 1/2 has a last place of 2^-24, that of the subnormal numbers here.
    const VecU32 subnormal = bits(from_bits(m + 0x3f000000u) - 0.5f);
    const VecU32 normal = (m << 13) + (112u << 23), special = (m << 13) | 0x7f800000u;
    const VecU32 finite = m < 0x400u ? subnormal : normal;
    return from_bits((m >= 0x7c00u ? special : finite) | sign);
}

FANIN_INLINE VecU32 load_u16(const std::uint16_t* p) {
    VecU16 v;
    __builtin_memcpy(&v, p, sizeof v);
#if FANIN_VECTOR_BYTES == 64
    return (VecU32)_mm512_cvtepu16_epi32((__m256i)v);
#elif FANIN_VECTOR_BYTES == 32
    return (VecU32)_mm256_cvtepu16_epi32((__m128i)v);
#elif defined(FANIN_NEON)
    return (VecU32)vmovl_u16((uint16x4_t)v);
#else
    return __builtin_convertvector(v, VecU32);
#endif
}

FANIN_INLINE VecF load_float16(const std::uint16_t* p) {
#if FANIN_VECTOR_BYTES == 64
    return (VecF)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p));
#elif FANIN_VECTOR_BYTES == 32
    return (VecF)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p));
#elif defined(FANIN_NEON)
    return (VecF)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
#else
    return from_float16_bits(load_u16(p));
#endif
}

FANIN_INLINE VecF load_bfloat16(const std::uint16_t* p) {
#if FANIN_VECTOR_BYTES == 64  // one instruction in place of two: word 2 i + 1 is element i, the others are 0
    const VecU32 element = VecU32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} * 0x10001u;
    const __m512i v = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)p));
    return (VecF)_mm512_maskz_permutexvar_epi16(0xaaaaaaaau, (__m512i)element, v);
#else
    return from_bits(load_u16(p) << 16);
#endif
}

// As many integers as a vector of floats holds, as int32.
FANIN_INLINE VecI32 load_int(const std::uint16_t* p) { return bit_cast<VecI32>(load_u16(p)); }
#if FANIN_VECTOR_BYTES == 64
FANIN_INLINE VecI32 load_int(const std::int8_t* p) { return (VecI32)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)p)); }
FANIN_INLINE VecI32 load_int(const std::uint8_t* p) { return (VecI32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p)); }
FANIN_INLINE VecI32 load_int(const std::int16_t* p) {
    return (VecI32)_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i*)p));
}
#elif FANIN_VECTOR_BYTES == 32
FANIN_INLINE VecI32 load_int(const std::int8_t* p) { return (VecI32)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)p)); }
FANIN_INLINE VecI32 load_int(const std::uint8_t* p) { return (VecI32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)); }
FANIN_INLINE VecI32 load_int(const std::int16_t* p) {
    return (VecI32)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i*)p));
}
#else
#if defined(FANIN_NEON)
FANIN_INLINE VecI32 load_int(const std::int16_t* p) { return (VecI32)vmovl_s16(vld1_s16(p)); }
#endif
template <class I>
FANIN_INLINE VecI32 load_int(const I* p) {
    VecI32 v;
    for (std::size_t i = 0; i < kLanes<float>; ++i) v[i] = p[i];  // NOLINT(bugprone-signed-char-misuse): numbers
    return v;
}
#endif

// As many integers as a vector of doubles holds.
FANIN_INLINE VecD load_doubles(const std::int32_t* p) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_cvtepi32_pd(_mm256_loadu_si256((const __m256i*)p));
#elif FANIN_VECTOR_BYTES == 32
    return (VecD)_mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i*)p));
#else
    return VecD{static_cast<double>(p[0]), static_cast<double>(p[1])};
#endif
}
FANIN_INLINE VecD load_doubles(const std::uint32_t* p) {
#if FANIN_VECTOR_BYTES == 64
    return (VecD)_mm512_cvtepu32_pd(_mm256_loadu_si256((const __m256i*)p));
#elif FANIN_VECTOR_BYTES == 32
    return to_double_51((VecI64)_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i*)p)));
#else
    return VecD{static_cast<double>(p[0]), static_cast<double>(p[1])};
#endif
}
template <class I>
FANIN_INLINE VecD load_doubles(const I* p) {
    VecD v;
    for (std::size_t i = 0; i < kLanes<double>; ++i) v[i] = static_cast<double>(p[i]);
    return v;
}

// WideningKernels; stats/widened.hpp calls them.
template <class I>
void widen(std::size_t n, const I* x, float* out) {
    std::size_t i = 0;
    for (; i + kLanes<float> <= n; i += kLanes<float>) store<float>(out + i, to_float(load_int(x + i)));
    for (; i < n; ++i) out[i] = static_cast<float>(x[i]);
}
template <class I>
void widen(std::size_t n, const I* x, double* out) {
    std::size_t i = 0;
    for (; i + kLanes<double> <= n; i += kLanes<double>) store<double>(out + i, load_doubles(x + i));
    for (; i < n; ++i) out[i] = static_cast<double>(x[i]);
}

constexpr WideningKernels widening_kernels() {
    return {widen<std::int8_t>,  widen<std::uint8_t>,  widen<std::int16_t>, widen<std::uint16_t>,
            widen<std::int32_t>, widen<std::uint32_t>, widen<std::int64_t>, widen<std::uint64_t>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
