// Kernels of `dense`: matrix products in the order of reference/dense.hpp.
#pragma once

#include <cstddef>

namespace fanin {

// c[i, j] = ((init[i, j] + s_0) + s_1) + ..., s_q the chain s = fma(a[i, k], b[k, j], s) from +0 over the q-th 512 of the
// k, ascending. Strides count elements and may be anything for a, b and init.
template <class T>
struct Product {
    std::size_t m, n, k;
    const T* a;  // a[i, k]
    std::ptrdiff_t a_row, a_k;
    const T* b;  // b[k, j]
    std::ptrdiff_t b_k, b_col;
    const T* init;  // null: +0. c itself with c's strides: what stands there is added to. A bias has init_row = 0.
    std::ptrdiff_t init_row, init_col;
    T* c;  // does not overlap a and b
    std::ptrdiff_t c_row, c_col;
};

// The length of a chain, kSumBlock of the public header (dense.cpp holds them equal).
inline constexpr std::size_t kProductBlock = 512;

template <class T>
struct DenseKernels {
    // The register tile, and the vector inside it. Work is best split at multiples of tile_rows; it has to be split at
    // multiples of tile_cols where b is packed.
    std::size_t tile_rows, tile_cols, lanes;
    std::size_t thin_rows;  // the most rows of multiply_thin
    // Writes b as multiply() reads it fastest: for each panel of tile_cols columns (the last one: n % tile_cols rounded up
    // to whole lanes) its k rows one after the other. k * (n rounded up to lanes) elements.
    void (*pack)(std::size_t k, std::size_t n, const T* b, std::ptrdiff_t b_k, std::ptrdiff_t b_col, T* packed);
    // The product; k >= 1. `packed` is what pack() made of b, or null where b_col = 1: b is then read where it stands.
    void (*multiply)(const Product<T>& p, const T* packed);
    // The product where m <= thin_rows, k >= 1 and b_k = 1. b is read where it stands; n may be cut anywhere.
    void (*multiply_thin)(const Product<T>& p);
    // sums[j] = init[j] + the sum over i of x[i, j] in that order with factor 1. init may be null (+0) or sums.
    void (*column_sums)(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t row, std::ptrdiff_t col, const T* init,
                        T* sums, std::ptrdiff_t stride);
};

}  // namespace fanin
