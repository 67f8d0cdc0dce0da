// Reference of `dense`: one layer forward and backward, every inner product a plain loop in blocks of kSumBlock.
#pragma once

#include <algorithm>
#include <optional>

#include "activation.hpp"
#include "common.hpp"
#include "fanin/dense.hpp"

namespace fanin::reference {

// ((r + s_0) + s_1) + ..., s_q the chain of fused multiply-adds from +0 over the q-th kSumBlock of the n terms. halves: few
// that are left are two chains.
template <class T, class X, class W>
T inner_product(T r, std::size_t n, X&& x, W&& w, bool halves = false) {
    for (std::size_t k = 0; k < n;) {
        const std::size_t left = n - k;
        std::size_t end = k + std::min(left, kSumBlock);
        if (halves && k % kSumBlock == 0 && left >= kLeastHalved && left <= kMostHalved) end = k + 4 * ((left + 7) / 8);
        T s = 0;
        for (; k < end; ++k) s = fused(x(k), w(k), s);
        r = r + s;
    }
    return r;
}

template <class T>
void dense_forward(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> z, MatrixView<T> a) {
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t j = 0; j < w.rows; ++j) {
            const T r = b ? (*b)[j] : T(0);
            z(i, j) =
                inner_product(r, x.cols, [&](std::size_t k) { return x(i, k); }, [&](std::size_t k) { return w(j, k); }, true);
            a(i, j) = activate(activation, z(i, j));
        }
}

// dx, dw and db hold what is added to (+0 where nothing is).
template <class T>
void dense_backward(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, MatrixView<const T> z,
                    Activation activation, MatrixView<T> dz, MatrixView<T> dx, MatrixView<T> dw, VectorView<T> db) {
    const std::size_t batch = x.rows, n_in = x.cols, n_out = w.rows;
    for (std::size_t i = 0; i < batch; ++i)
        for (std::size_t j = 0; j < n_out; ++j) dz(i, j) = activation_backward(activation, z(i, j), da(i, j));
    for (std::size_t i = 0; i < batch; ++i)
        for (std::size_t k = 0; k < n_in; ++k)
            dx(i, k) =
                inner_product(dx(i, k), n_out, [&](std::size_t j) { return dz(i, j); }, [&](std::size_t j) { return w(j, k); });
    for (std::size_t j = 0; j < n_out; ++j) {
        for (std::size_t k = 0; k < n_in; ++k)
            dw(j, k) =
                inner_product(dw(j, k), batch, [&](std::size_t i) { return dz(i, j); }, [&](std::size_t i) { return x(i, k); });
        db[j] = inner_product(db[j], batch, [&](std::size_t i) { return dz(i, j); }, [&](std::size_t) { return T(1); });
    }
}

}  // namespace fanin::reference
