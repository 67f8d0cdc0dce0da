// Kernels of `dense`: matrix products in the one order of summation (docs/principles.md).
#pragma once

#include <cstddef>

namespace fanin {

// A matrix where it stands, element (i, j) at data + i * row + j * col. Strides count elements; those of what is only read
// may be anything. It has no members that compute: such a function, compiled for a large instruction set, could be linked
// into the code of a small one.
template <class T>
struct Operand {
    T* data = nullptr;
    std::ptrdiff_t row = 0, col = 0;
};

// c[i, j] = ((init[i, j] + s_0) + s_1) + ..., s_q the chain s = fma(a[i, k], b[k, j], s) from +0 over the q-th 512 of the
// k, ascending.
template <class T>
struct Product {
    std::size_t m, n, k;
    Operand<const T> a;     // m x k: col steps along k
    Operand<const T> b;     // k x n: row steps along k
    Operand<const T> init;  // m x n. No data: +0. c itself: what stands there is added to. A bias has row = 0.
    Operand<T> c;           // m x n; overlaps neither a nor b
    bool halves = false;    // few products that are left after the last whole chain are two (fanin/dense.hpp)
};

// The length of a chain, and how many products are halved: kSumBlock, kLeastHalved and kMostHalved of the public header
// (passes.cpp holds them equal).
inline constexpr std::size_t kProductBlock = 512, kLeastProductHalved = 16, kMostProductHalved = 64;

template <class T>
struct DenseKernels {
    // The register tile, and the vector inside it. Work is best split at multiples of tile_rows; it has to be split at
    // multiples of tile_cols where b is packed.
    std::size_t tile_rows, tile_cols, lanes;
    std::size_t thin_rows;  // the most rows of multiply_thin
    // The most rows for which b is better read where it stands, if its columns are neighbours.
    std::size_t in_place_rows;
    // Writes b as multiply() reads it fastest: for each panel of tile_cols columns (the last one: n % tile_cols rounded up
    // to whole lanes) its k rows one after the other. k * (n rounded up to lanes) elements.
    void (*pack)(std::size_t k, std::size_t n, const T* b, std::ptrdiff_t b_k, std::ptrdiff_t b_col, T* packed);
    // The product; k >= 1. `packed` is what pack() made of b, or null where b_col = 1: b is then read where it stands.
    void (*multiply)(const Product<T>& p, const T* packed);
    // The product, with halves, of one row a, whose k are neighbours, and what pack() made of b; k >= 1. init (null: +0) and c
    // lie side by side. For few elements, where multiply() takes longer to begin than to compute.
    void (*multiply_row)(std::size_t k, std::size_t n, const T* a, const T* packed, const T* init, T* c);
    // The product where m <= thin_rows, k >= 1 and b_k = 1. b is read where it stands; n may be cut anywhere.
    void (*multiply_thin)(const Product<T>& p);
    // sums[j] = init[j] + the sum over i of x[i, j] in the same order with factor 1. init may be null (+0) or sums.
    // Of x (m x n); sums[j] stands at sums + j * stride, init likewise.
    void (*column_sums)(std::size_t m, std::size_t n, const Operand<const T>& x, const T* init, T* sums, std::ptrdiff_t stride);
    // Whether one of n elements is NaN.
    bool (*any_nan)(std::size_t n, const T* x);
};

}  // namespace fanin
