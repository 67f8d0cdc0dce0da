// float32 to the 16-bit formats, in integers; x86's own conversions are not on every instruction set.

namespace fanin::FANIN_ISA {
namespace {

typedef std::uint16_t VecU16 __attribute__((vector_size(FANIN_VECTOR_BYTES / 2)));  // as many as a VecF has lanes

// Adding half a place less one, and the last bit that stays, carries exactly where nearest-even rounds up.
FANIN_INLINE VecU32 bfloat16_bits(VecF x) {
    const VecU32 u = bits(x);
    const VecU32 rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    const VecU32 nan = (u >> 16) | 0x40u;
    return (u & 0x7fffffffu) > 0x7f800000u ? nan : rounded;
}

// The bits of x as float16, nearest even, in the low half of each lane. Subnormal from below 2^-14, infinite from 65520 on; a
// NaN keeps the upper bits of its payload and becomes quiet.
FANIN_INLINE VecU32 float16_bits(VecF x) {
    const VecU32 sign = (bits(x) >> 16) & 0x8000u, u = bits(x) & 0x7fffffffu;
    const VecU32 normal = (u - (112u << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;  // the exponent's bias falls from 127 to 15
    // 1/2 has a last place of 2^-24, that of the subnormal numbers here: the addition rounds.
    const VecU32 subnormal = bits(from_bits(u) + 0.5f) - 0x3f000000u;
    const VecU32 finite = u < 0x38800000u ? subnormal : normal;
    const VecU32 infinite = splat_u32(0x7c00u), nan = (u >> 13 & 0x3ffu) | 0x7e00u;
    const VecU32 magnitude = u >= 0x477ff000u ? infinite : finite;  // 65520 is half way to 2^16
    return (u > 0x7f800000u ? nan : magnitude) | sign;
}

#if FANIN_VECTOR_BYTES == 64
// Where the upper halves of 32 lanes stand in two vectors: what vpermt2w looks up.
constexpr std::uint16_t kUpperHalves[] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                          33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
#endif

// Two vectors of finite numbers side by side, rounded to nearest even.
FANIN_INLINE void store_rounded(BFloat16* out, VecF low, VecF high) {
    // The upper halves are the result.
    const VecU32 a = bits(low) + 0x7fffu + ((bits(low) >> 16) & 1u), b = bits(high) + 0x7fffu + ((bits(high) >> 16) & 1u);
#if FANIN_VECTOR_BYTES == 64
    _mm512_storeu_si512(out, _mm512_permutex2var_epi16((__m512i)a, _mm512_loadu_si512(kUpperHalves), (__m512i)b));
#elif FANIN_VECTOR_BYTES == 32
    const __m256i packed = _mm256_packus_epi32((__m256i)(a >> 16), (__m256i)(b >> 16));
    _mm256_storeu_si256((__m256i*)out, _mm256_permute4x64_epi64(packed, 0xd8));
#elif defined(FANIN_NEON)
    const uint16x8_t v = vuzp2q_u16((uint16x8_t)a, (uint16x8_t)b);
    __builtin_memcpy(reinterpret_cast<std::uint16_t*>(out), &v, sizeof v);
#else
    const VecU16 halves[] = {__builtin_convertvector(a >> 16, VecU16), __builtin_convertvector(b >> 16, VecU16)};
    __builtin_memcpy(reinterpret_cast<std::uint16_t*>(out), halves, sizeof halves);
#endif
}
FANIN_INLINE void store_rounded(Float16* out, VecF low, VecF high) {
#if FANIN_VECTOR_BYTES == 64
    _mm256_storeu_si256((__m256i*)out, _mm512_cvtps_ph((__m512)low, _MM_FROUND_TO_NEAREST_INT));
    _mm256_storeu_si256((__m256i*)(out + kLanes<float>), _mm512_cvtps_ph((__m512)high, _MM_FROUND_TO_NEAREST_INT));
#elif FANIN_VECTOR_BYTES == 32
    _mm_storeu_si128((__m128i*)out, _mm256_cvtps_ph((__m256)low, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i*)(out + kLanes<float>), _mm256_cvtps_ph((__m256)high, _MM_FROUND_TO_NEAREST_INT));
#else
    const VecU16 halves[] = {__builtin_convertvector(float16_bits(low), VecU16),
                             __builtin_convertvector(float16_bits(high), VecU16)};
    __builtin_memcpy(reinterpret_cast<std::uint16_t*>(out), halves, sizeof halves);
#endif
}

// out[i] = round(x[i]); n may be 0, and nothing beyond x[n - 1] and out[n - 1] is touched.
template <VecU32 (*round)(VecF)>
FANIN_INLINE void round_all(std::size_t n, const float* x, std::uint16_t* out) {
    constexpr std::size_t lanes = kLanes<float>;
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const VecU16 v = __builtin_convertvector(round(load<float>(x + i)), VecU16);
        __builtin_memcpy(out + i, &v, sizeof v);
    }
    if (i < n) {
        const VecU16 v = __builtin_convertvector(round(load_first<float>(x + i, n - i)), VecU16);
        __builtin_memcpy(out + i, &v, (n - i) * sizeof *out);
    }
}

// RoundingKernels; float16.cpp and the draws of 16-bit types call them.
[[maybe_unused]] void to_float16(std::size_t n, const float* x, std::uint16_t* out) { round_all<float16_bits>(n, x, out); }
[[maybe_unused]] void to_bfloat16(std::size_t n, const float* x, std::uint16_t* out) { round_all<bfloat16_bits>(n, x, out); }

}  // namespace
}  // namespace fanin::FANIN_ISA
