// Copies that put an operand where the tile reads it fastest. They move elements and never compute with them.

namespace fanin::FANIN_ISA {
namespace {

// One panel: to[p * width + j] = b[p * b_k + j * b_col] for j < cols. The rest of the width is never stored by the tile;
// it holds zeros or the last column again.
template <class T>
void pack_panel(std::size_t k, std::size_t cols, std::size_t width, const T* b, std::ptrdiff_t b_k, std::ptrdiff_t b_col,
                T* to) {
    constexpr std::size_t lanes = kLanes<T>;
    if (b_col == 1) {
        const std::size_t whole = cols / lanes * lanes, rest = cols - whole;
        for (std::size_t p = 0; p < k; ++p, b += b_k, to += width) {
            for (std::size_t j = 0; j < whole; j += lanes) store<T>(to + j, load<T>(b + j));
            if (rest != 0) store<T>(to + whole, load_first<T>(b + whole, rest));
        }
        return;
    }
    // Columns far apart: as many as a vector has lanes are turned, chunk by chunk where neighbouring k lie side by side.
    for (std::size_t j = 0; j < width; j += lanes) {
        const T* rows[lanes];
        for (std::size_t q = 0; q < lanes; ++q)
            rows[q] = b + static_cast<std::ptrdiff_t>(j + q < cols ? j + q : cols - 1) * b_col;
        std::size_t p = 0;
        if (b_k == 1)
            for (; p + kChunk<T> <= k; p += kChunk<T>) {
                Vec<T> turned[kChunk<T>];
                turn_chunk(rows, p, turned);
                for (std::size_t q = 0; q < kChunk<T>; ++q) store<T>(to + (p + q) * width + j, turned[q]);
            }
        for (; p < k; ++p)
            for (std::size_t q = 0; q < lanes; ++q) to[p * width + j + q] = rows[q][static_cast<std::ptrdiff_t>(p) * b_k];
    }
}

// The width of the panel that begins at column j.
template <class T>
FANIN_INLINE std::size_t panel_width(std::size_t n, std::size_t j) {
    constexpr std::size_t lanes = kLanes<T>, full = kTileVectors * lanes;
    return n - j >= full ? full : (n - j + lanes - 1) / lanes * lanes;
}

// DenseKernels::pack. `packed` does not overlap b.
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
