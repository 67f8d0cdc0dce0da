// Matrix products in the one order of summation (docs/principles.md): blocks of k outside,
// row tiles, then panels of columns (dense_tile.inl).
namespace fanin::FANIN_ISA {
namespace {

// Where the chain ends that begins at product `first` of k. Its callers are many functions, and small.
[[gnu::noinline]] std::size_t chain_end(std::size_t k, std::size_t first, bool halves) {
    const std::size_t rest = k % kProductBlock, last = k - rest;
    if (first < last) return first + kProductBlock;
    halves = halves && first == last && rest >= kLeastProductHalved && rest <= kMostProductHalved;
    return halves ? last + (rest + 7) / 8 * 4 : k;
}

}  // namespace
}  // namespace fanin::FANIN_ISA

#include "dense_turn.inl"
// after the turned chunks, which all of them use
#include "dense_tile.inl"
// after the tile, whose sizes it packs for
#include "dense_pack.inl"
#include "dense_row.inl"
#include "dense_thin.inl"

namespace fanin::FANIN_ISA {
namespace {

// Elements between the rows of a copied tile of `a`: a block and one cache line, so that the rows meet in no set.
template <class T>
inline constexpr std::size_t kCopyStride = kProductBlock + 64 / sizeof(T);

// Reads the tile's part of `a` (rows x t.k) from a copy, if that is worth it: where neighbouring k are far apart, or rows
// alias. `copy` has rows * kCopyStride elements; t.a is changed to stand there. Fewer than 8 k are read too few times to pay
// for it.
template <class T, std::size_t rows>
FANIN_INLINE void copy_a(TileArguments<T>& t, T* copy) {
    const std::size_t row_bytes = static_cast<std::size_t>(t.a.row < 0 ? -t.a.row : t.a.row) * sizeof(T);
    if (rows == 1 || t.k < 8 || (t.a.col == 1 && row_bytes % kAliasBytes != 0)) return;
    if (t.a.row == 1) {
        for (std::size_t p = 0; p < t.k; ++p)
            __builtin_memcpy(copy + p * rows, t.a.data + static_cast<std::ptrdiff_t>(p) * t.a.col, rows * sizeof(T));
        t.a.col = static_cast<std::ptrdiff_t>(rows);
    } else {
        for (std::size_t i = 0; i < rows; ++i) {
            const T* from = t.a.data + static_cast<std::ptrdiff_t>(i) * t.a.row;
            T* to = copy + i * kCopyStride<T>;
            if (t.a.col == 1) __builtin_memcpy(to, from, t.k * sizeof(T));
            else
                for (std::size_t p = 0; p < t.k; ++p) to[p] = from[static_cast<std::ptrdiff_t>(p) * t.a.col];
        }
        t.a.row = static_cast<std::ptrdiff_t>(kCopyStride<T>);
        t.a.col = 1;
    }
    t.a.data = copy;
}

// tile<T, rows, vectors>(t) for width = vectors * kLanes: a run-time number from here up, a compile-time one below.
template <class T, std::size_t rows, std::size_t vectors = kTileVectors>
FANIN_INLINE void tile_of_width(const TileArguments<T>& t, std::size_t width) {
    if constexpr (vectors == 1) tile<T, rows, 1>(t);
    else if (width == vectors * kLanes<T>) tile<T, rows, vectors>(t);
    else tile_of_width<T, rows, vectors - 1>(t, width);
}

// Where the tile finds a panel of b: packed, or in place but for a last panel that is no whole number of vectors (reading
// one would go past the end of b's rows). That one is copied for each block of k.
template <class T>
struct Panels {
    const T* packed;  // null: in place
    std::size_t first_k;
    const T* tail;
};

// One block of k for `rows` rows and all columns. `t` names the left end of the rows.
template <class T, std::size_t rows>
void row_of_tiles(const Product<T>& p, TileArguments<T> t, const Panels<T>& panels) {
    constexpr std::size_t full = kTileVectors * kLanes<T>;
    alignas(64) T copy[rows * kCopyStride<T>];
    if (p.n > full) copy_a<T, rows>(t, copy);
    const T* init = t.init.data;
    T* c = t.c.data;
    for (std::size_t j = 0; j < p.n;) {
        const std::size_t width = panel_width<T>(p.n, j);
        const auto col = static_cast<std::ptrdiff_t>(j);
        t.cols = p.n - j < width ? p.n - j : width;
        t.init.data = init == nullptr ? nullptr : init + col * t.init.col;
        t.c.data = c + col * t.c.col;
        if constexpr (kTilePanels<rows> > 1) {
            constexpr std::size_t span = kTilePanels<rows> * full;
            if (p.n - j >= span) {
                t.cols = span;
                t.b.data = panels.packed != nullptr ? panels.packed + j * p.k + panels.first_k * full
                                                    : p.b.data + static_cast<std::ptrdiff_t>(panels.first_k) * p.b.row + col;
                t.b.row = panels.packed != nullptr ? static_cast<std::ptrdiff_t>(full) : p.b.row;
                t.b_panel = static_cast<std::ptrdiff_t>(panels.packed != nullptr ? full * p.k : full);
                tile<T, rows, kTilePanels<rows> * kTileVectors, kTileVectors>(t);
                j += span;
                continue;
            }
        }
        if (panels.packed != nullptr) {
            t.b.data = panels.packed + j * p.k + panels.first_k * width;
            t.b.row = static_cast<std::ptrdiff_t>(width);
        } else if (t.cols == width) {
            t.b.data = p.b.data + static_cast<std::ptrdiff_t>(panels.first_k) * p.b.row + col;
            t.b.row = p.b.row;
        } else {
            t.b.data = panels.tail;
            t.b.row = static_cast<std::ptrdiff_t>(width);
        }
        tile_of_width<T, rows>(t, width);
        j += width;
    }
}

// row_of_tiles<T, height>: 1 <= height <= kTileRows, a run-time number above and a compile-time one below.
template <class T, std::size_t rows = kTileRows>
FANIN_INLINE void row_of_tiles_of(std::size_t height, const Product<T>& p, const TileArguments<T>& t, const Panels<T>& panels) {
    if constexpr (rows == 1) row_of_tiles<T, 1>(p, t, panels);
    else if (height == rows) row_of_tiles<T, rows>(p, t, panels);
    else row_of_tiles_of<T, rows - 1>(height, p, t, panels);
}

// DenseKernels::multiply. Blocks of k are the outermost loop, so that the block of b that a row of tiles reads is read again by
// the next one while it is in the cache; r stands in c between them. The halves of a block follow each other in a row of tiles,
// whose c stays in the first cache. Tasks of dense/product.hpp call it, each with its own rectangle of c.
template <class T>
void multiply(const Product<T>& p, const T* packed) {
    constexpr std::size_t full = kTileVectors * kLanes<T>;
    alignas(64) T tail[kProductBlock * full];
    for (std::size_t first_k = 0; first_k < p.k; first_k += kProductBlock) {
        TileArguments<T> t;
        const std::size_t last_k = p.k - first_k < kProductBlock ? p.k : first_k + kProductBlock;
        t.a.row = p.a.row;
        t.a.col = p.a.col;
        t.c.row = p.c.row;
        t.c.col = p.c.col;
        const std::size_t tail_j = p.n / full * full, tail_width = panel_width<T>(p.n, tail_j);
        if (packed == nullptr && p.n % kLanes<T> != 0) {
            const T* from = p.b.data + static_cast<std::ptrdiff_t>(first_k) * p.b.row + tail_j;
            pack_panel<T>(last_k - first_k, p.n - tail_j, tail_width, from, p.b.row, 1, tail);
        }
        for (std::size_t i = 0; i < p.m;) {
            const std::size_t height = p.m - i < kTileRows ? p.m - i : kTileRows;
            const auto row = static_cast<std::ptrdiff_t>(i);
            t.c.data = p.c.data + row * p.c.row;
            for (std::size_t k = first_k, end; k < last_k; k = end) {
                end = chain_end(p.k, k, p.halves);
                t.k = end - k;
                t.a.data = p.a.data + row * p.a.row + static_cast<std::ptrdiff_t>(k) * p.a.col;
                if (k != 0) t.init = {t.c.data, t.c.row, t.c.col};  // r stands in c
                else if (p.init.data == nullptr) t.init = {};
                else t.init = {p.init.data + row * p.init.row, p.init.row, p.init.col};
                row_of_tiles_of<T>(height, p, t, Panels<T>{packed, k, tail + (k - first_k) * tail_width});
            }
            i += height;
        }
    }
}

// r[v] = (r[v] + s_0) + s_1 ..., s_q the sum of the q-th 512 rows of x in order from +0, for `vectors` neighbouring vectors of
// columns: as many independent chains, to hide the latency of an addition. Columns are neighbours.
template <class T, std::size_t vectors>
FANIN_INLINE void sum_columns(std::size_t m, const T* x, std::ptrdiff_t row, Vec<T> (&r)[vectors]) {
    for (std::size_t first = 0; first < m; first += kProductBlock) {
        const std::size_t count = m - first < kProductBlock ? m - first : kProductBlock;
        const T* p = x + static_cast<std::ptrdiff_t>(first) * row;
        Vec<T> s[vectors] = {};
        for (std::size_t i = 0; i < count; ++i, p += row)
            for (std::size_t v = 0; v < vectors; ++v) s[v] = s[v] + load<T>(p + v * kLanes<T>);
        for (std::size_t v = 0; v < vectors; ++v) r[v] = r[v] + s[v];
    }
}

// The same for one vector of columns that lie side by side as rows do elsewhere, `col` elements apart: chunks are turned.
template <class T>
FANIN_INLINE void sum_turned_columns(std::size_t m, const T* x, std::ptrdiff_t col, Vec<T>& r) {
    const T* columns[kLanes<T>];
    for (std::size_t q = 0; q < kLanes<T>; ++q) columns[q] = x + static_cast<std::ptrdiff_t>(q) * col;
    for (std::size_t i = 0; i < m;) {
        const std::size_t end = m - i < kProductBlock ? m : i + kProductBlock;
        Vec<T> s{};
        for (; i + kChunk<T> <= end; i += kChunk<T>) {
            Vec<T> rows[kChunk<T>];
            turn_chunk(columns, i, rows);
            for (std::size_t q = 0; q < kChunk<T>; ++q) s = s + rows[q];
        }
        for (; i < end; ++i) {
            T row[kLanes<T>];
            for (std::size_t q = 0; q < kLanes<T>; ++q) row[q] = columns[q][i];
            s = s + load<T>(row);
        }
        r = r + s;
    }
}

// DenseKernels::column_sums. Four vectors of columns at a time, then one, then single columns; all in the same order.
template <class T>
void column_sums(std::size_t m, std::size_t n, const Operand<const T>& operand, const T* init, T* sums, std::ptrdiff_t stride) {
    const T* x = operand.data;
    const std::ptrdiff_t row = operand.row, col = operand.col;
    constexpr std::size_t lanes = kLanes<T>, vectors = 4;
    std::size_t j = 0;
    auto groups = [&]<std::size_t count>(Vec<T>(&r)[count]) {
        for (; j + count * lanes <= n; j += count * lanes) {
            T ends[count * lanes];
            for (std::size_t q = 0; q < count * lanes; ++q)
                ends[q] = init == nullptr ? T(0) : init[static_cast<std::ptrdiff_t>(j + q) * stride];
            for (std::size_t v = 0; v < count; ++v) r[v] = load<T>(ends + v * lanes);
            if (count > 1 || col == 1) sum_columns<T>(m, x + j, row, r);
            else sum_turned_columns<T>(m, x + static_cast<std::ptrdiff_t>(j) * col, col, r[0]);
            for (std::size_t v = 0; v < count; ++v) store<T>(ends + v * lanes, r[v]);
            for (std::size_t q = 0; q < count * lanes; ++q) sums[static_cast<std::ptrdiff_t>(j + q) * stride] = ends[q];
        }
    };
    Vec<T> wide[vectors], narrow[1];
    if (col == 1) groups(wide);
    if (col == 1 || row == 1) groups(narrow);
    for (; j < n; ++j) {
        const auto column = static_cast<std::ptrdiff_t>(j);
        T r = init == nullptr ? T(0) : init[column * stride];
        for (std::size_t first = 0; first < m; first += kProductBlock) {
            const std::size_t end = m - first < kProductBlock ? m : first + kProductBlock;
            T s = 0;
            for (std::size_t i = first; i < end; ++i) s = s + x[static_cast<std::ptrdiff_t>(i) * row + column * col];
            r = r + s;
        }
        sums[column * stride] = r;
    }
}

// DenseKernels::any_nan, which the network asks of its inputs.
template <class T>
bool any_nan(std::size_t n, const T* x) {
    constexpr std::size_t lanes = kLanes<T>;
    decltype(Vec<T>{} != Vec<T>{}) nans{};
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const Vec<T> v = load<T>(x + i);
        nans |= v != v;
    }
    if (i == n) return any_lane(nans);
    const Vec<T> rest = load_first<T>(x + i, n - i);
    return any_lane(nans | (rest != rest));
}

// The entries, in the order of DenseKernels; the sizes come first, by which the caller cuts its tasks.
template <class T>
constexpr DenseKernels<T> dense_kernels() {
    return {kTileRows,   kTileVectors * kLanes<T>, kLanes<T>,        kThinRows,      kInPlaceRows, pack<T>,
            multiply<T>, multiply_row<T>,          multiply_thin<T>, column_sums<T>, any_nan<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
