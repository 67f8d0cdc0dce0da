// Copies that put an operand where the tile reads it fastest. They move elements and never compute with them.

namespace fanin::FANIN_ISA {
namespace {

// A chunk is 16 bytes: what one 128-bit quarter of a vector holds.
template <class T>
inline constexpr std::size_t kChunk = 16 / sizeof(T);

// [p[0] | p[chunk rows on] | ...]: one chunk from each of a vector's worth of rows, `stride` elements apart.
template <class T>
FANIN_INLINE Vec<T> load_chunks(const T* p, std::ptrdiff_t stride) {
    auto chunk = [&](std::ptrdiff_t row) {
        typedef float Quarter __attribute__((vector_size(16)));
        Quarter q;
        __builtin_memcpy(&q, p + row * stride, sizeof q);
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

// to[p * to_stride + q] = from[q * from_stride + p] for p < kChunk and q < kLanes: each vector of q is one store.
// Chunk row r of quarter c is row q = c * kChunk + r, so that a transpose inside the quarters gives ascending q.
FANIN_INLINE void transpose_chunk(const float* from, std::ptrdiff_t from_stride, float* to, std::size_t to_stride) {
    const VecF r0 = load_chunks<float>(from, 4 * from_stride), r1 = load_chunks<float>(from + from_stride, 4 * from_stride),
               r2 = load_chunks<float>(from + 2 * from_stride, 4 * from_stride),
               r3 = load_chunks<float>(from + 3 * from_stride, 4 * from_stride);
    const VecF even_low = interleave_low(r0, r2), odd_low = interleave_low(r1, r3);
    const VecF even_high = interleave_high(r0, r2), odd_high = interleave_high(r1, r3);
    store<float>(to, interleave_low(even_low, odd_low));
    store<float>(to + to_stride, interleave_high(even_low, odd_low));
    store<float>(to + 2 * to_stride, interleave_low(even_high, odd_high));
    store<float>(to + 3 * to_stride, interleave_high(even_high, odd_high));
}
FANIN_INLINE void transpose_chunk(const double* from, std::ptrdiff_t from_stride, double* to, std::size_t to_stride) {
    const VecD r0 = load_chunks<double>(from, 2 * from_stride), r1 = load_chunks<double>(from + from_stride, 2 * from_stride);
    store<double>(to, interleave_low(r0, r1));
    store<double>(to + to_stride, interleave_high(r0, r1));
}

// One panel: to[p * width + j] = b[p * b_k + j * b_col] for j < cols, zero for the rest of the width.
template <class T>
void pack_panel(std::size_t k, std::size_t cols, std::size_t width, const T* b, std::ptrdiff_t b_k, std::ptrdiff_t b_col,
                T* to) {
    constexpr std::size_t lanes = kLanes<T>;
    std::size_t begin = 0;  // columns below it are done, by whole vectors
    if (b_col == 1) {
        const std::size_t whole = cols / lanes * lanes;
        for (std::size_t p = 0; p < k; ++p)
            for (std::size_t j = 0; j < whole; j += lanes)
                store<T>(to + p * width + j, load<T>(b + static_cast<std::ptrdiff_t>(p) * b_k + j));
        begin = whole;
    } else if (b_k == 1) {
        const std::size_t whole_k = k / kChunk<T> * kChunk<T>;
        for (; begin + lanes <= cols; begin += lanes) {
            const T* from = b + static_cast<std::ptrdiff_t>(begin) * b_col;
            std::size_t p = 0;
            for (; p < whole_k; p += kChunk<T>) transpose_chunk(from + p, b_col, to + p * width + begin, width);
            for (; p < k; ++p)
                for (std::size_t j = 0; j < lanes; ++j)
                    to[p * width + begin + j] = from[p + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(j) * b_col)];
        }
    }
    for (std::size_t j = begin; j < cols; ++j)
        for (std::size_t p = 0; p < k; ++p)
            to[p * width + j] = b[static_cast<std::ptrdiff_t>(p) * b_k + static_cast<std::ptrdiff_t>(j) * b_col];
    for (std::size_t p = 0; p < k; ++p)
        for (std::size_t j = cols; j < width; ++j) to[p * width + j] = T(0);
}

// The width of the panel that begins at column j.
template <class T>
FANIN_INLINE std::size_t panel_width(std::size_t n, std::size_t j) {
    constexpr std::size_t lanes = kLanes<T>, full = kTileVectors * lanes;
    return n - j >= full ? full : (n - j + lanes - 1) / lanes * lanes;
}

template <class T>
void pack(std::size_t k, std::size_t n, const T* b, std::ptrdiff_t b_k, std::ptrdiff_t b_col, T* packed) {
    for (std::size_t j = 0; j < n;) {
        const std::size_t width = panel_width<T>(n, j), cols = n - j < width ? n - j : width;
        pack_panel<T>(k, cols, width, b + static_cast<std::ptrdiff_t>(j) * b_col, b_k, b_col, packed + j * k);
        j += width;
    }
}

}  // namespace
}  // namespace fanin::FANIN_ISA
