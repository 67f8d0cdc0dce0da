// Whether two strided views can share memory, and whether a view meets itself: what P5 asks before anything is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>

#include "fanin/view.hpp"

namespace fanin::detail {

// Byte addresses of a view's elements: first + i * rows_apart + j * cols_apart.
struct Extent {
    std::intptr_t low = 0, high = 0;  // [low, high), empty for a view without elements
    std::intptr_t row = 0, col = 0;   // |stride| in bytes, 0 where the axis has one element
    std::intptr_t width = 0;          // bytes of one row, from its lowest element to the end of its highest
};

template <class T>
Extent extent(const MatrixView<T>& v) {
    if (v.rows == 0 || v.cols == 0) return {};
    constexpr auto size = static_cast<std::intptr_t>(sizeof(T));
    const auto span_of = [](std::size_t n, std::ptrdiff_t stride) { return static_cast<std::intptr_t>(n - 1) * stride * size; };
    const std::intptr_t rows = span_of(v.rows, v.row_stride), cols = span_of(v.cols, v.col_stride);
    Extent e;
    e.low = reinterpret_cast<std::intptr_t>(v.data) + (rows < 0 ? rows : 0) + (cols < 0 ? cols : 0);
    e.width = (cols < 0 ? -cols : cols) + size;
    e.high = e.low + (rows < 0 ? -rows : rows) + e.width;
    if (v.rows > 1) e.row = (v.row_stride < 0 ? -v.row_stride : v.row_stride) * size;
    if (v.cols > 1) e.col = (v.col_stride < 0 ? -v.col_stride : v.col_stride) * size;
    return e;
}

template <class T>
MatrixView<T> as_matrix(const VectorView<T>& v) {
    return {v.data, 1, v.size, 0, v.stride};
}

// False only where no element of one can be an element of the other. Both hold elements of `size` bytes.
inline bool may_overlap(const Extent& a, const Extent& b, std::intptr_t size) {
    if (a.low >= b.high || b.low >= a.high) return false;  // also where one is empty
    // Interleaved: all steps are multiples of g, and the two start apart modulo g.
    if (const std::intptr_t g = std::gcd(std::gcd(a.row, a.col), std::gcd(b.row, b.col)); g > size) {
        const std::intptr_t apart = ((b.low - a.low) % g + g) % g;
        if (apart >= size && g - apart >= size) return false;
    }
    // Column ranges of one matrix: rows equally far apart, and no row of one reaches into a row of the other.
    const std::intptr_t step = a.row != 0 ? a.row : b.row;
    if (step != 0 && (a.row == step || a.row == 0) && (b.row == step || b.row == 0)) {
        const std::intptr_t apart = ((b.low - a.low) % step + step) % step;
        if (apart >= a.width && apart + b.width <= step) return false;
    }
    return true;
}

// Each element of an output has a place of its own: along one axis it steps over the whole of the other.
template <class T>
void require_distinct(const MatrixView<T>& out, const char* name) {
    if (out.rows == 0 || out.cols == 0) return;
    const auto length = [](std::ptrdiff_t stride) { return static_cast<std::size_t>(stride < 0 ? -stride : stride); };
    const std::size_t row = length(out.row_stride), col = length(out.col_stride);
    const bool zero = (out.rows > 1 && row == 0) || (out.cols > 1 && col == 0);
    const bool crossed = out.rows > 1 && out.cols > 1 && row <= (out.cols - 1) * col && col <= (out.rows - 1) * row;
    if (zero || crossed)
        throw std::invalid_argument(std::string(name) + " must have a place for each element, got " +
                                    (zero ? "a zero stride" : "rows that overlap"));
}

}  // namespace fanin::detail
