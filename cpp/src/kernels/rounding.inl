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
