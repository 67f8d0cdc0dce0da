// dense_forward and dense_backward without the checks of their arguments: for callers that own the arrays.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "fanin/dense.hpp"

namespace fanin::detail {

template <class T>
void forward_pass(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                  MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace = {},
                  DenseStats* stats = nullptr);

// The same with a packed weight, which needs no workspace.
template <class T>
void forward_pass(MatrixView<const T> x, const PackedWeight<T>& w, std::optional<VectorView<const T>> b, Activation activation,
                  MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, DenseStats* stats);

// Whether two views are one: the same element at every place.
template <class T>
bool same_view(const MatrixView<const T>& a, const MatrixView<T>& b) {
    return a.data == b.data && a.rows == b.rows && a.cols == b.cols && a.row_stride == b.row_stride &&
           a.col_stride == b.col_stride;
}

// da may be out.out_dz.
template <class T>
void backward_pass(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                   Activation activation, const DenseGradients<T>& out, bool accumulate = false, std::span<T> workspace = {});

// What is done with rows i .. i + m - 1 and columns j .. j + n - 1 of dw, m x n elements row by row, while they are in the
// first cache: on any thread, each element once.
template <class T>
using TakeStrip = void (*)(void* context, std::size_t i, std::size_t m, std::size_t j, std::size_t n, const T* dw);

// dw = dz^T x, the bits of backward_pass, in strips that are never all there: each goes to take(context, ...). For batches of
// at most kChunkK rows. w, which dw is of, is on its way into the caches by then.
template <class T>
void gradient_strips(MatrixView<const T> dz, MatrixView<const T> x, MatrixView<const T> w, TakeStrip<T> take, void* context);

}  // namespace fanin::detail
