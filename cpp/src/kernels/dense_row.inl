// One row times a packed b, for calls whose whole cost is their latency: all arguments come in registers, since a structure
// that was just written, read back in wider pieces, waits for everything before it.

namespace fanin::FANIN_ISA {
namespace {

// Vectors of sums that hide their latency no better than two chains each. Where a fused multiply-add is a call, none do.
inline constexpr std::size_t kSideBySide = FANIN_HARDWARE_FMA ? 4 : 0;

// The first n elements of v to p. A processor hands a masked store to no load, which then waits until it is in the cache: the
// first 16 bytes, the few outputs of many networks, are stored plainly.
template <class T>
FANIN_INLINE void store_outputs(T* p, Vec<T> v, std::size_t n) {
    constexpr std::size_t some = 16 / sizeof(T);
    if (n != some) store_first<T>(p, v, n);
    if (n >= some) __builtin_memcpy(p, &v, 16);
}

// c[j] for the columns of `panels` neighbouring whole panels, or of one panel of `vectors` vectors of which `cols` columns are
// stored. `b` is where the first begins. Each sum as in tile().
template <class T, std::size_t panels, std::size_t vectors = kTileVectors>
FANIN_INLINE void row_panels(std::size_t k, std::size_t cols, const T* a, const T* b, const T* init, T* c) {
    constexpr std::size_t lanes = kLanes<T>, width = vectors * lanes, all = panels * vectors;
    const std::size_t last = cols - (all - 1) * lanes;  // columns of the last vector
    Vec<T> r[all] = {};
    if (init != nullptr) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v + 1 < all; ++v) r[v] = load<T>(init + v * lanes);
        r[all - 1] = last == lanes ? load<T>(init + (all - 1) * lanes) : load_first<T>(init + (all - 1) * lanes, last);
    }
    const auto chains = [&](std::size_t p, Vec<T>(&s)[all]) {  // product p of each
        const Vec<T> x = splat(a[p]);
#pragma GCC unroll 16
        for (std::size_t v = 0; v < all; ++v)
            s[v] = fma(x, load<T>(b + (v / vectors * k + p) * width + v % vectors * lanes), s[v]);
    };
    for (std::size_t first = 0; first < k;) {
        std::size_t end = chain_end(k, first, true), p = first;
        Vec<T> s[all] = {}, t[all] = {};
        const bool halved = all <= kSideBySide && end - first < kProductBlock && end < k;
        if (halved) {  // the second half beside the first
            const std::size_t rest = k - end;
            for (; p < first + rest; ++p) {
                chains(p, s);
                chains(p + (end - first), t);
            }
        }
        for (; p < end; ++p) chains(p, s);
#pragma GCC unroll 16
        for (std::size_t v = 0; v < all; ++v) r[v] = r[v] + s[v];
        if (halved) {
#pragma GCC unroll 16
            for (std::size_t v = 0; v < all; ++v) r[v] = r[v] + t[v];
            end = k;
        }
        first = end;
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v + 1 < all; ++v) store<T>(c + v * lanes, r[v]);
    if (last == lanes) store<T>(c + (all - 1) * lanes, r[all - 1]);
    else store_outputs<T>(c + (all - 1) * lanes, r[all - 1], last);
}

// DenseKernels::multiply_row.
template <class T>
void multiply_row(std::size_t k, std::size_t n, const T* a, const T* packed, const T* init, T* c) {
    constexpr std::size_t lanes = kLanes<T>, full = kTileVectors * lanes;
    const auto at = [init](std::size_t j) { return init == nullptr ? nullptr : init + j; };
    std::size_t j = 0;
    for (; n - j >= 4 * full; j += 4 * full) row_panels<T, 4>(k, 4 * full, a, packed + j * k, at(j), c + j);
    if (n - j >= 2 * full) {
        row_panels<T, 2>(k, 2 * full, a, packed + j * k, at(j), c + j);
        j += 2 * full;
    }
    for (; n - j > lanes; j += n - j < full ? n - j : full)
        row_panels<T, 1>(k, n - j < full ? n - j : full, a, packed + j * k, at(j), c + j);
    if (n != j) row_panels<T, 1, 1>(k, n - j, a, packed + j * k, at(j), c + j);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
