// Kernels of `dense`: matrix products in the order of P2.
#pragma once

#include <cstddef>

namespace fanin {

// c[i, j] = ((init + s_0) + s_1) + ..., s_b the chain of fused multiply-adds over k block b (P2). Strides count elements.
template <class T>
struct Product {
    std::size_t m, n, k;
    const T* a;  // a[i, k]
    std::ptrdiff_t a_row, a_k;
    const T* b;  // b[k, j]
    std::ptrdiff_t b_k, b_col;
    T* c;  // c[i, j], not overlapping a and b
    std::ptrdiff_t c_row, c_col;
    // What r starts from: null with accumulate = false: +0; a row vector init[j * init_stride]; accumulate: c itself.
    const T* init;
    std::ptrdiff_t init_stride;
    bool accumulate;
};

template <class T>
struct DenseKernels {
    // Elements of workspace that product() may use for this shape.
    std::size_t (*workspace)(std::size_t m, std::size_t n, std::size_t k);
    void (*product)(const Product<T>& p, T* workspace);
    // db[j] = init + sum over i of dz[i, j], in the order of P2 with factor 1.
    void (*column_sums)(std::size_t m, std::size_t n, const T* dz, std::ptrdiff_t row, std::ptrdiff_t col, bool accumulate, T* db,
                        std::ptrdiff_t db_stride);
};

}  // namespace fanin
