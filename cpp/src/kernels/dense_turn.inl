// Chunks of rows made into columns inside vectors: what packing, thin products and turned tiles share. Elements move, nothing
// is computed.

namespace fanin::FANIN_ISA {
namespace {

// A chunk is 16 bytes: what one 128-bit quarter of a vector holds.
template <class T>
inline constexpr std::size_t kChunk = 16 / sizeof(T);

// A vector whose quarter q is the chunk at rows[first + q * step] + at; 16 bytes are read from each.
template <class T>
FANIN_INLINE Vec<T> load_chunks(const T* const* rows, std::size_t first, std::size_t step, std::size_t at) {
    typedef float Quarter __attribute__((vector_size(16)));
    auto chunk = [&](std::size_t row) {
        Quarter q;
        __builtin_memcpy(&q, rows[first + row * step] + at, sizeof q);
        return q;
    };
#if FANIN_VECTOR_BYTES == 64
    __m512 v = _mm512_castps128_ps512((__m128)chunk(0));
    v = _mm512_mask_broadcast_f32x4(v, 0x00f0, (__m128)chunk(1));
    v = _mm512_mask_broadcast_f32x4(v, 0x0f00, (__m128)chunk(2));
    v = _mm512_mask_broadcast_f32x4(v, 0xf000, (__m128)chunk(3));
    return bit_cast<Vec<T>>(v);
#elif FANIN_VECTOR_BYTES == 32
    const __m256 v = _mm256_castps128_ps256((__m128)chunk(0));
    return bit_cast<Vec<T>>(_mm256_insertf128_ps(v, (__m128)chunk(1), 1));
#else
    return bit_cast<Vec<T>>(chunk(0));
#endif
}

// to[p][q] = rows[q][at + p] for p < kChunk and q < kLanes. Place c of vector r is row c * kChunk + r, so that a transpose
// inside the quarters gives ascending q.
FANIN_INLINE void turn_chunk(const float* const* rows, std::size_t at, VecF (&to)[4]) {
    const VecF r0 = load_chunks<float>(rows, 0, 4, at), r1 = load_chunks<float>(rows, 1, 4, at);
    const VecF r2 = load_chunks<float>(rows, 2, 4, at), r3 = load_chunks<float>(rows, 3, 4, at);
    const VecF even_low = interleave_low(r0, r2), odd_low = interleave_low(r1, r3);
    const VecF even_high = interleave_high(r0, r2), odd_high = interleave_high(r1, r3);
    to[0] = interleave_low(even_low, odd_low);
    to[1] = interleave_high(even_low, odd_low);
    to[2] = interleave_low(even_high, odd_high);
    to[3] = interleave_high(even_high, odd_high);
}
// Of doubles a chunk holds two: one interleaving does it.
FANIN_INLINE void turn_chunk(const double* const* rows, std::size_t at, VecD (&to)[2]) {
    const VecD r0 = load_chunks<double>(rows, 0, 2, at), r1 = load_chunks<double>(rows, 1, 2, at);
    to[0] = interleave_low(r0, r1);
    to[1] = interleave_high(r0, r1);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
