// Element-wise work on rectangles of any strides.
#pragma once

#include <algorithm>
#include <cstddef>

#include "fanin/view.hpp"

namespace fanin::detail {

// Calls run(n, (pointers)...) on contiguous runs that cover the m x n views: the whole, or rows, or pieces of rows that
// were copied together. The views have one shape; `out` is written and comes last, and may be one of the inputs (each element
// is read before its place is written). What `run` computes of an element must not depend on where a run begins.
template <class T, class Run, class... Inputs>
void over_runs(const Run& run, MatrixView<T> out, Inputs... in) {
    const std::size_t m = out.rows, n = out.cols;
    if (m == 0 || n == 0) return;
    const auto adjacent = [](const auto& v) { return v.col_stride == 1 || v.cols == 1; };
    const auto whole = [&](const auto& v) { return v.rows == 1 || v.row_stride == static_cast<std::ptrdiff_t>(n); };
    if (adjacent(out) && (adjacent(in) && ...)) {
        if (whole(out) && (whole(in) && ...)) return run(m * n, in.data..., out.data);
        for (std::size_t i = 0; i < m; ++i) run(n, &in(i, 0)..., &out(i, 0));
        return;
    }
    const auto upright = [](const auto& v) { return v.row_stride == 1; };
    if (upright(out) && (upright(in) && ...)) return over_runs(run, out.transposed(), in.transposed()...);
    constexpr std::size_t kPiece = 256;
    T buffers[sizeof...(in) + 1][kPiece];
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t first = 0; first < n; first += kPiece) {
            const std::size_t count = std::min(kPiece, n - first);
            std::size_t next = 0;
            const auto gather = [&](const auto& v) -> const T* {
                T* to = buffers[next++];
                for (std::size_t j = 0; j < count; ++j) to[j] = v(i, first + j);
                return to;
            };
            T* result = buffers[sizeof...(in)];
            [&](auto... pointers) { run(count, pointers..., result); }(gather(in)...);
            for (std::size_t j = 0; j < count; ++j) out(i, first + j) = result[j];
        }
}

// The m x n elements of v from row i and column j on.
template <class T>
MatrixView<T> block(const MatrixView<T>& v, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    return {&v(i, j), m, n, v.row_stride, v.col_stride};
}

}  // namespace fanin::detail
