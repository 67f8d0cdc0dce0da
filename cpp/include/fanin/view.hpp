// Strided views of somebody else's memory. Strides count elements, not bytes, and may be zero or negative.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

template <class T>
struct VectorView {
    T* data = nullptr;
    std::size_t size = 0;
    std::ptrdiff_t stride = 1;

    T& operator[](std::size_t i) const { return data[static_cast<std::ptrdiff_t>(i) * stride]; }
    operator VectorView<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, size, stride};
    }
};

template <class T>
struct MatrixView {
    T* data = nullptr;
    std::size_t rows = 0, cols = 0;
    std::ptrdiff_t row_stride = 0, col_stride = 1;

    T& operator()(std::size_t i, std::size_t j) const {
        return data[static_cast<std::ptrdiff_t>(i) * row_stride + static_cast<std::ptrdiff_t>(j) * col_stride];
    }
    MatrixView transposed() const { return {data, cols, rows, col_stride, row_stride}; }
    operator MatrixView<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols, row_stride, col_stride};
    }
};

// An array of any rank, at most kMaxRank.
inline constexpr std::size_t kMaxRank = 32;
template <class T>
struct ArrayView {
    T* data = nullptr;
    std::span<const std::size_t> shape;
    std::span<const std::ptrdiff_t> strides;
};

// A row-major matrix.
template <class T>
MatrixView<T> matrix_view(T* data, std::size_t rows, std::size_t cols) {
    return {data, rows, cols, static_cast<std::ptrdiff_t>(cols), 1};
}

}  // namespace fanin FANIN_PUBLIC
