// The first lanes of a vector, from memory and to it: what is left of an array behind its whole vectors.

namespace fanin::FANIN_ISA {
namespace {

#if FANIN_VECTOR_BYTES == 32
// All ones in the first n lanes.
template <class T>
FANIN_INLINE typename Simd<T>::Int first_lanes(std::size_t n) {
    if constexpr (sizeof(T) == 4) return VecI32{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<std::int32_t>(n);
    else return VecI64{0, 1, 2, 3} < static_cast<std::int64_t>(n);
}
#endif
// The first n <= lanes elements; the other lanes are 0. Nothing beyond them is touched.
template <class T>
FANIN_INLINE Vec<T> load_first(const T* p, std::size_t n) {
#if FANIN_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
    else return (Vec<T>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
#elif FANIN_VECTOR_BYTES == 32
    if constexpr (sizeof(T) == 4) return (Vec<T>)_mm256_maskload_ps(p, (__m256i)first_lanes<T>(n));
    else return (Vec<T>)_mm256_maskload_pd(p, (__m256i)first_lanes<T>(n));
#else
    T lanes[kLanes<T>] = {};
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load<T>(lanes);
#endif
}
// The first n <= lanes elements to memory; nothing beyond them is written.
template <class T>
FANIN_INLINE void store_first(T* p, Vec<T> v, std::size_t n) {
#if FANIN_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
    else _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), (__m512d)v);
#elif FANIN_VECTOR_BYTES == 32
    if constexpr (sizeof(T) == 4) _mm256_maskstore_ps(p, (__m256i)first_lanes<T>(n), (__m256)v);
    else _mm256_maskstore_pd(p, (__m256i)first_lanes<T>(n), (__m256d)v);
#else
    T lanes[kLanes<T>];
    store<T>(lanes, v);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
#endif
}

}  // namespace
}  // namespace fanin::FANIN_ISA
