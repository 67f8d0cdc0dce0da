// The register tile: kTileRows x (kTileVectors vectors) sums that stay in registers for a whole block of k.
//
//            b[k, .]  | v0 | v1 |        per k: load the row of b, broadcast one a[i, k] after the other,
//   a[0, k]  x        | s00| s01|        and one fused multiply-add a sum. The sums are independent chains,
//   a[1, k]  x        | s10| s11|        enough of them to hide the latency of the fused multiply-add
//   ...                                  (4 cycles, 2 a cycle); the order inside each is that of k.

namespace fanin::FANIN_ISA {
namespace {

// Sums and one row of b fill the registers: 24 + 2 of 32, 12 + 2 of 16 (and one for the broadcast).
#if FANIN_VECTOR_BYTES == 64 || defined(FANIN_NEON)
inline constexpr std::size_t kTileRows = 12, kTileVectors = 2;
#elif FANIN_VECTOR_BYTES == 32
inline constexpr std::size_t kTileRows = 6, kTileVectors = 2;
#elif FANIN_HARDWARE_FMA
inline constexpr std::size_t kTileRows = 4, kTileVectors = 2;
#else  // each fused multiply-add is a call: more sums in flight gain nothing
inline constexpr std::size_t kTileRows = 2, kTileVectors = 2;
#endif

// Packing b pays from the fourth row of tiles on. Not with rows of two whole cache lines in a tile: measured (AVX-512, best of
// 5 interleaved runs, n = k), packed over in place: 48 x 500 1.11, 64 x 500 1.08, 128 x 500 1.04, 128 x 1024 1.06, in
// float64 1.06 and 1.05; with AVX2, whose rows are one line, 48 x 500 .95, 128 x 500 .88, 128 x 1024 .66.
inline constexpr std::size_t kInPlaceRows = FANIN_VECTOR_BYTES == 64 ? 132 : 3 * kTileRows;

// Rows that are this many bytes apart, or a multiple of it, meet in one or two sets of a 32 KiB cache.
inline constexpr std::size_t kAliasBytes = 2048;

// Panels that a tile of a few rows spans, so that it has chains enough too.
template <std::size_t rows>
inline constexpr std::size_t kTilePanels = rows == 1               ? 4
                                           : rows <= kTileRows / 4 ? 2
                                                                   : 1;

// The tile whose upper left corner the pointers name: at most 512 of the k.
template <class T>
struct TileArguments {
    std::size_t k, cols;     // cols: how many columns are stored
    Operand<const T> a;      // rows x k
    Operand<const T> b;      // k x columns, which are neighbours: only b.row is read
    std::ptrdiff_t b_panel;  // from one panel of b to the next, where the tile spans several
    Operand<const T> init;   // as in Product, of this block of k: c from the second block on
    Operand<T> c;
};

// The end of tile(): r = r + s where the rows of c are neighbours (c^T is what the caller sees): columns are stored, by the
// vector.
template <class T>
FANIN_INLINE void store_turned(const TileArguments<T>& t, const T* sums, std::size_t rows, std::size_t width) {
    constexpr std::size_t lanes = kLanes<T>;
    for (std::size_t first = 0; first < rows; first += lanes) {
        const std::size_t count = rows - first < lanes ? rows - first : lanes;
        const T* from[lanes];
        for (std::size_t q = 0; q < lanes; ++q) from[q] = sums + (first + (q < count ? q : count - 1)) * width;
        const auto row = static_cast<std::ptrdiff_t>(first);
        for (std::size_t j = 0; j < t.cols; j += kChunk<T>) {
            Vec<T> turned[kChunk<T>];
            turn_chunk(from, j, turned);
            for (std::size_t q = 0; q < kChunk<T> && j + q < t.cols; ++q) {
                const auto col = static_cast<std::ptrdiff_t>(j + q);
                const T* init = t.init.data == nullptr ? nullptr : t.init.data + row * t.init.row + col * t.init.col;
                const Vec<T> r = init == nullptr ? Vec<T>{} : t.init.row == 0 ? splat(*init) : load_first<T>(init, count);
                store_first<T>(t.c.data + row + col * t.c.col, r + turned[q], count);
            }
        }
    }
}

// The same wherever c stands; `sums` has `rows` rows of `width` elements. One function for all tiles.
template <class T>
[[gnu::noinline]] void store_anywhere(const TileArguments<T>& t, const T* sums, std::size_t rows, std::size_t width) {
    if (t.c.row == 1 && (t.init.data == nullptr || t.init.row == 1 || t.init.row == 0))
        return store_turned(t, sums, rows, width);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < t.cols; ++j) {
            const auto row = static_cast<std::ptrdiff_t>(i), col = static_cast<std::ptrdiff_t>(j);
            const T r = t.init.data == nullptr ? T(0) : t.init.data[row * t.init.row + col * t.init.col];
            t.c.data[row * t.c.row + col * t.c.col] = r + sums[i * width + j];
        }
}

// c = r + a b for `rows` x t.cols elements and at most 512 k: the chains s start from +0, run in ascending k, and are added to
// r once. vectors * kLanes columns of b are read, t.cols of them are stored (t.cols > (vectors - 1) * kLanes; the last vector
// alone can be cut); panel_vectors of them are one panel. row_of_tiles() calls it.
// Never inlined: among the registers of its caller some of the loop's own would move to the stack.
template <class T, std::size_t rows, std::size_t vectors, std::size_t panel_vectors = vectors>
[[gnu::noinline]] void tile(const TileArguments<T>& t) {
    constexpr std::size_t lanes = kLanes<T>;
    const auto column = [&](std::size_t v) {
        return static_cast<std::ptrdiff_t>(v / panel_vectors) * t.b_panel +
               static_cast<std::ptrdiff_t>(v % panel_vectors * lanes);
    };
    Vec<T> s[rows][vectors];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i)
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) s[i][v] = Vec<T>{};
    const T* a = t.a.data;
    const T* b = t.b.data;
    const std::ptrdiff_t a_row = t.a.row, a_k = t.a.col, b_k = t.b.row;
    for (std::size_t k = t.k; k != 0; --k, a += a_k, b += b_k) {
        Vec<T> row[vectors];
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) row[v] = load<T>(b + column(v));
#pragma GCC unroll 16
        for (std::size_t i = 0; i < rows; ++i) {
            const Vec<T> x = splat(a[static_cast<std::ptrdiff_t>(i) * a_row]);
#pragma GCC unroll 16
            for (std::size_t v = 0; v < vectors; ++v) s[i][v] = fma(x, row[v], s[i][v]);
        }
    }

    // r = r + s. Where the row starts from nothing, r is +0 and the sum is still taken: it makes -0 into +0.
    const bool by_vectors = t.c.col == 1 && (t.init.data == nullptr || t.init.col == 1 || t.init.col == 0);
    if (by_vectors) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < rows; ++i) {
            const T* init = t.init.data == nullptr ? nullptr : t.init.data + static_cast<std::ptrdiff_t>(i) * t.init.row;
            T* c = t.c.data + static_cast<std::ptrdiff_t>(i) * t.c.row;
            const bool one_init = init == nullptr || t.init.col == 0;
            const Vec<T> same = splat(init == nullptr ? T(0) : *init);
#pragma GCC unroll 16
            for (std::size_t v = 0; v < vectors; ++v) {
                const std::size_t left = t.cols - v * lanes;  // the last vector alone can be cut
                if (v + 1 < vectors || left >= lanes) {
                    const Vec<T> r = one_init ? same : load<T>(init + v * lanes);
                    store<T>(c + v * lanes, r + s[i][v]);
                } else {
                    const Vec<T> r = one_init ? same : load_first<T>(init + v * lanes, left);
                    store_first<T>(c + v * lanes, r + s[i][v], left);
                }
            }
        }
        return;
    }
    T sums[rows][vectors * lanes];
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t v = 0; v < vectors; ++v) store<T>(sums[i] + v * lanes, s[i][v]);
    store_anywhere(t, &sums[0][0], rows, vectors * lanes);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
