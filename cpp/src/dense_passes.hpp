// dense_forward and dense_backward without the checks of their arguments: for callers that own the arrays.
#pragma once

#include <optional>
#include <span>

#include "fanin/dense.hpp"

namespace fanin::detail {

template <class T>
void forward_pass(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                  MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace = {},
                  DenseStats* stats = nullptr);

// da may be out.out_dz.
template <class T>
void backward_pass(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                   Activation activation, const DenseGradients<T>& out, bool accumulate = false, std::span<T> workspace = {});

}  // namespace fanin::detail
