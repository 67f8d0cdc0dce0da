// A few rows of a against a b whose k are neighbours (a weight where it stands): b is turned in registers, a chunk of k at
// a time, and never stored. Packing would write all of it for the sake of a few rows.

namespace fanin::FANIN_ISA {
namespace {

// The most rows of a; from there on packing pays.
inline constexpr std::size_t kThinRows = FANIN_HARDWARE_FMA ? 8 : kTileRows;

// So many k of each column are copied before they are turned, where the columns lie so that their lines meet in few sets of
// the cache: turning would read each line four times over and find it gone.
inline constexpr std::size_t kThinCopy = 64;

// c for all rows (p.m = rows) and the columns j .. j + cols - 1, 1 <= cols <= vectors * kLanes; p.b.row is 1. Elements of b are
// read inside its columns only. Each sum is one chain after the other, as in multiply().
template <class T, std::size_t rows, std::size_t vectors>
void thin_panel(const Product<T>& p, std::size_t j, std::size_t cols) {
    constexpr std::size_t lanes = kLanes<T>, width = vectors * lanes;
    const T* column[width];  // past the last one: the last one again, never stored
    for (std::size_t q = 0; q < width; ++q)
        column[q] = p.b.data + static_cast<std::ptrdiff_t>(j + (q < cols ? q : cols - 1)) * p.b.col;
    // Columns a multiple of kAliasBytes apart would meet in the same sets of the cache.
    constexpr std::size_t kCopied = kThinCopy + 64 / sizeof(T);
    const bool copies = static_cast<std::size_t>(p.b.col < 0 ? -p.b.col : p.b.col) * sizeof(T) % kAliasBytes == 0;
    alignas(64) T copy[width * kCopied];
    const T* copied[width];
    for (std::size_t q = 0; q < width; ++q) copied[q] = copy + q * kCopied;
    const auto place = [&](std::size_t i, std::size_t q, std::ptrdiff_t row, std::ptrdiff_t col) {
        return static_cast<std::ptrdiff_t>(i) * row + static_cast<std::ptrdiff_t>(j + q) * col;
    };

    // r are the sums of whole blocks, which begin as init; s below is that of the block in progress.
    Vec<T> r[rows][vectors] = {};
    T ends[width] = {};
    for (std::size_t i = 0; p.init.data != nullptr && i < rows; ++i) {
        for (std::size_t q = 0; q < cols; ++q) ends[q] = p.init.data[place(i, q, p.init.row, p.init.col)];
        for (std::size_t v = 0; v < vectors; ++v) r[i][v] = load<T>(ends + v * lanes);
    }
    for (std::size_t first = 0, end; first < p.k; first = end) {
        end = chain_end(p.k, first, p.halves);
        Vec<T> s[rows][vectors] = {};
        const auto add = [&](std::size_t k, std::size_t v, Vec<T> b) {
#pragma GCC unroll 16
            for (std::size_t i = 0; i < rows; ++i) {
                const T* a = p.a.data + static_cast<std::ptrdiff_t>(i) * p.a.row + static_cast<std::ptrdiff_t>(k) * p.a.col;
                s[i][v] = fma(splat(*a), b, s[i][v]);
            }
        };
        const auto chunks = [&](const T* const* from, std::size_t at, std::size_t begin, std::size_t count) {
            for (std::size_t q = 0; q + kChunk<T> <= count; q += kChunk<T>) {
#pragma GCC unroll 4
                for (std::size_t v = 0; v < vectors; ++v) {
                    Vec<T> turned[kChunk<T>];
                    turn_chunk(from + v * lanes, at + q, turned);
#pragma GCC unroll 4
                    for (std::size_t c = 0; c < kChunk<T>; ++c) add(begin + q + c, v, turned[c]);
                }
            }
        };
        std::size_t k = first;
        if (copies) {
            for (; k + kThinCopy <= end; k += kThinCopy) {
                for (std::size_t q = 0; q < width; ++q)
                    __builtin_memcpy(copy + q * kCopied, column[q] + k, kThinCopy * sizeof(T));
                chunks(copied, 0, k, kThinCopy);
            }
        }
        chunks(column, k, k, end - k);
        k += (end - k) / kChunk<T> * kChunk<T>;
        for (; k < end; ++k)
            for (std::size_t v = 0; v < vectors; ++v) {
                T row[lanes];
                for (std::size_t q = 0; q < lanes; ++q) row[q] = column[v * lanes + q][k];
                add(k, v, load<T>(row));
            }
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t v = 0; v < vectors; ++v) r[i][v] = r[i][v] + s[i][v];
    }
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t v = 0; v < vectors; ++v) store<T>(ends + v * lanes, r[i][v]);
        for (std::size_t q = 0; q < cols; ++q) p.c.data[place(i, q, p.c.row, p.c.col)] = ends[q];
    }
}

// All columns of p, p.m = rows.
template <class T, std::size_t rows>
void thin_rows(const Product<T>& p) {
    // One row alone needs a second chain beside its own, or it waits for every fused multiply-add.
    constexpr std::size_t vectors = rows == 1 ? 2 : 1, width = vectors * kLanes<T>;
    std::size_t j = 0;
    for (; j + width <= p.n; j += width) thin_panel<T, rows, vectors>(p, j, width);
    for (; j < p.n; j += kLanes<T>) thin_panel<T, rows, 1>(p, j, p.n - j < kLanes<T> ? p.n - j : kLanes<T>);
}

// thin_rows<T, p.m>: 1 <= p.m <= kThinRows, a run-time number above and a compile-time one below.
template <class T, std::size_t rows = kThinRows>
FANIN_INLINE void thin_rows_of(const Product<T>& p) {
    if constexpr (rows == 1) thin_rows<T, 1>(p);
    else if (p.m == rows) thin_rows<T, rows>(p);
    else thin_rows_of<T, rows - 1>(p);
}

// DenseKernels::multiply_thin.
template <class T>
void multiply_thin(const Product<T>& p) {
    thin_rows_of<T>(p);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
