// Matrix products in the order of reference/dense.hpp: blocks of k outside, row tiles, then panels of columns (dense_tile.inl).
#include "dense_turn.inl"
// after the turned chunks, which all of them use
#include "dense_tile.inl"
// after the tile, whose sizes it packs for
#include "dense_pack.inl"
#include "dense_thin.inl"

namespace fanin::FANIN_ISA {
namespace {

// Elements between the rows of a copied tile of `a`: a block and one cache line, so that the rows meet in no set.
template <class T>
inline constexpr std::size_t kCopyStride = kProductBlock + 64 / sizeof(T);

// Reads the tile's part of `a` from a copy, if that is worth it: where neighbouring k are far apart, or rows alias.
template <class T, std::size_t rows>
FANIN_INLINE void copy_a(TileArguments<T>& t, T* copy) {
    const std::size_t row_bytes = static_cast<std::size_t>(t.a_row < 0 ? -t.a_row : t.a_row) * sizeof(T);
    if (rows == 1 || t.k < 8 || (t.a_k == 1 && row_bytes % kAliasBytes != 0)) return;
    if (t.a_row == 1) {
        for (std::size_t p = 0; p < t.k; ++p)
            __builtin_memcpy(copy + p * rows, t.a + static_cast<std::ptrdiff_t>(p) * t.a_k, rows * sizeof(T));
        t.a_k = static_cast<std::ptrdiff_t>(rows);
    } else {
        for (std::size_t i = 0; i < rows; ++i) {
            const T* from = t.a + static_cast<std::ptrdiff_t>(i) * t.a_row;
            T* to = copy + i * kCopyStride<T>;
            if (t.a_k == 1) __builtin_memcpy(to, from, t.k * sizeof(T));
            else
                for (std::size_t p = 0; p < t.k; ++p) to[p] = from[static_cast<std::ptrdiff_t>(p) * t.a_k];
        }
        t.a_row = static_cast<std::ptrdiff_t>(kCopyStride<T>);
        t.a_k = 1;
    }
    t.a = copy;
}

// `vectors` is a run-time number from here up, a compile-time one below.
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
    const T* init = t.init;
    T* c = t.c;
    for (std::size_t j = 0; j < p.n;) {
        const std::size_t width = panel_width<T>(p.n, j);
        const auto col = static_cast<std::ptrdiff_t>(j);
        t.cols = p.n - j < width ? p.n - j : width;
        t.init = init == nullptr ? nullptr : init + col * t.init_col;
        t.c = c + col * t.c_col;
        if constexpr (kTilePanels<rows> > 1) {
            constexpr std::size_t span = kTilePanels<rows> * full;
            if (p.n - j >= span) {
                t.cols = span;
                t.b = panels.packed != nullptr ? panels.packed + j * p.k + panels.first_k * full
                                               : p.b + static_cast<std::ptrdiff_t>(panels.first_k) * p.b_k + col;
                t.b_k = panels.packed != nullptr ? static_cast<std::ptrdiff_t>(full) : p.b_k;
                t.b_panel = static_cast<std::ptrdiff_t>(panels.packed != nullptr ? full * p.k : full);
                tile<T, rows, kTilePanels<rows> * kTileVectors, kTileVectors>(t);
                j += span;
                continue;
            }
        }
        if (panels.packed != nullptr) {
            t.b = panels.packed + j * p.k + panels.first_k * width;
            t.b_k = static_cast<std::ptrdiff_t>(width);
        } else if (t.cols == width) {
            t.b = p.b + static_cast<std::ptrdiff_t>(panels.first_k) * p.b_k + col;
            t.b_k = p.b_k;
        } else {
            t.b = panels.tail;
            t.b_k = static_cast<std::ptrdiff_t>(width);
        }
        tile_of_width<T, rows>(t, width);
        j += width;
    }
}

template <class T, std::size_t rows = kTileRows>
FANIN_INLINE void row_of_tiles_of(std::size_t height, const Product<T>& p, const TileArguments<T>& t, const Panels<T>& panels) {
    if constexpr (rows == 1) row_of_tiles<T, 1>(p, t, panels);
    else if (height == rows) row_of_tiles<T, rows>(p, t, panels);
    else row_of_tiles_of<T, rows - 1>(height, p, t, panels);
}

template <class T>
void multiply(const Product<T>& p, const T* packed) {
    constexpr std::size_t full = kTileVectors * kLanes<T>;
    alignas(64) T tail[kProductBlock * full];
    for (std::size_t first_k = 0; first_k < p.k; first_k += kProductBlock) {
        TileArguments<T> t;
        t.k = p.k - first_k < kProductBlock ? p.k - first_k : kProductBlock;
        t.a_row = p.a_row;
        t.a_k = p.a_k;
        const bool first = first_k == 0;  // r is init; later it stands in c
        const T* init = first ? p.init : p.c;
        t.init_row = first ? p.init_row : p.c_row;
        t.init_col = first ? p.init_col : p.c_col;
        t.c_row = p.c_row;
        t.c_col = p.c_col;
        if (packed == nullptr && p.n % kLanes<T> != 0) {
            const std::size_t j = p.n / full * full;
            const T* from = p.b + static_cast<std::ptrdiff_t>(first_k) * p.b_k + j;
            pack_panel<T>(t.k, p.n - j, panel_width<T>(p.n, j), from, p.b_k, 1, tail);
        }
        for (std::size_t i = 0; i < p.m;) {
            const std::size_t height = p.m - i < kTileRows ? p.m - i : kTileRows;
            const auto row = static_cast<std::ptrdiff_t>(i);
            t.a = p.a + row * p.a_row + static_cast<std::ptrdiff_t>(first_k) * p.a_k;
            t.init = init == nullptr ? nullptr : init + row * t.init_row;
            t.c = p.c + row * p.c_row;
            row_of_tiles_of<T>(height, p, t, Panels<T>{packed, first_k, tail});
            i += height;
        }
    }
}

// `vectors` neighbouring vectors of columns: as many independent chains.
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

template <class T>
void column_sums(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t row, std::ptrdiff_t col, const T* init, T* sums,
                 std::ptrdiff_t stride) {
    constexpr std::size_t lanes = kLanes<T>, vectors = 4;
    std::size_t j = 0;
    if (col == 1) {
        auto groups = [&]<std::size_t count>(Vec<T>(&r)[count]) {
            for (; j + count * lanes <= n; j += count * lanes) {
                T ends[count * lanes];
                for (std::size_t q = 0; q < count * lanes; ++q)
                    ends[q] = init == nullptr ? T(0) : init[static_cast<std::ptrdiff_t>(j + q) * stride];
                for (std::size_t v = 0; v < count; ++v) r[v] = load<T>(ends + v * lanes);
                sum_columns<T>(m, x + j, row, r);
                for (std::size_t v = 0; v < count; ++v) store<T>(ends + v * lanes, r[v]);
                for (std::size_t q = 0; q < count * lanes; ++q) sums[static_cast<std::ptrdiff_t>(j + q) * stride] = ends[q];
            }
        };
        Vec<T> wide[vectors], narrow[1];
        groups(wide);
        groups(narrow);
    }
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

template <class T>
constexpr DenseKernels<T> dense_kernels() {
    return {kTileRows, kTileVectors * kLanes<T>, kLanes<T>, kThinRows, pack<T>, multiply<T>, multiply_thin<T>, column_sums<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
