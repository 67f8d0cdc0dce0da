// The zeros of the sparse law.
#pragma once

#include <span>
#include <vector>

#include "fanin/random.hpp"
#include "fanin/view.hpp"

namespace fanin::detail {

// Writes 0 to `zeros` elements of each column (axis 1) of a matrix of shape `shape`, as far as they lie in `out`, the part
// of the matrix at `offset`. Each column that the part touches costs min(zeros, rows - zeros) 64-bit draws and a list of
// its rows, however few of them the part holds. In parallel over the columns.
template <class T>
void write_zeros(ArrayView<T> out, std::span<const std::size_t> shape, const std::size_t* offset, Key key, std::size_t zeros);

}  // namespace fanin::detail
