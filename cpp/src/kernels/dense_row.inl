// One row times a packed b, for calls whose whole cost is their latency: all arguments come in registers, since a structure
// that was just written, read back in wider pieces, waits for everything before it.

namespace fanin::FANIN_ISA {
namespace {

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
    for (std::size_t first = 0; first < k; first += kProductBlock) {
        const std::size_t end = k - first < kProductBlock ? k : first + kProductBlock;
        Vec<T> s[all] = {};
        for (std::size_t p = first; p < end; ++p) {
            const Vec<T> x = splat(a[p]);
#pragma GCC unroll 16
            for (std::size_t v = 0; v < all; ++v)
                s[v] = fma(x, load<T>(b + (v / vectors * k + p) * width + v % vectors * lanes), s[v]);
        }
#pragma GCC unroll 16
        for (std::size_t v = 0; v < all; ++v) r[v] = r[v] + s[v];
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v + 1 < all; ++v) store<T>(c + v * lanes, r[v]);
    if (last == lanes) store<T>(c + (all - 1) * lanes, r[all - 1]);
    else store_first<T>(c + (all - 1) * lanes, r[all - 1], last);
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
