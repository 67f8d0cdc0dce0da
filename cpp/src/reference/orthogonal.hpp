// Reference of the orthogonal law: Householder reflections of Gaussian vectors, block by block, in plain loops.
#pragma once

#include <algorithm>
#include <vector>

#include "../init/orthogonal/orthogonal.hpp"
#include "dense.hpp"
#include "random.hpp"

namespace fanin::reference {

// Row-major.
template <class T>
struct Matrix {
    std::size_t rows, cols;
    std::vector<T> data = std::vector<T>(rows * cols);
    T& operator()(std::size_t i, std::size_t j) { return data[i * cols + j]; }
};

// |x| of n elements.
template <class T, class X>
double norm(std::size_t n, X&& x) {
    double sums[detail::kNormSums] = {};
    for (std::size_t k = 0; k < n; ++k) {
        const auto square = static_cast<double>(x(k)) * static_cast<double>(x(k));
        sums[k % detail::kNormSums] = sums[k % detail::kNormSums] + square;
    }
    for (std::size_t half = detail::kNormSums / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
    return std::sqrt(sums[0]);
}

// minus[first, last) = -inverse of the upper triangular u[first, last), by halves.
template <class T>
void minus_inverse(Matrix<T>& u, Matrix<T>& minus, std::size_t first, std::size_t last) {
    if (last - first == 1) {
        minus(first, first) = u(first, first) == 0 ? T(0) : -1 / u(first, first);
        return;
    }
    const std::size_t middle = first + (last - first) / 2;
    minus_inverse(u, minus, first, middle);
    minus_inverse(u, minus, middle, last);
    Matrix<T> product{middle - first, last - middle};
    for (std::size_t i = first; i < middle; ++i)
        for (std::size_t j = middle; j < last; ++j)
            product(i - first, j - middle) = inner_product(
                T(0), last - middle, [&](std::size_t k) { return u(i, middle + k); },
                [&](std::size_t k) { return minus(middle + k, j); });
    for (std::size_t i = first; i < middle; ++i)
        for (std::size_t j = middle; j < last; ++j)
            minus(i, j) = inner_product(
                T(0), middle - first, [&](std::size_t k) { return minus(i, first + k); },
                [&](std::size_t k) { return product(k, j - middle); });
}

// The n x m matrix, n <= m, of the draws from first_index on: gain times orthonormal rows, Haar-distributed.
template <class T>
Matrix<T> orthogonal(Key key, std::size_t n, std::size_t m, T gain, std::uint64_t first_index = 0) {
    Matrix<T> p{n, m};
    for (std::size_t first = (n + detail::kReflectionBlock - 1) / detail::kReflectionBlock * detail::kReflectionBlock;
         first > 0;) {
        first -= detail::kReflectionBlock;
        const std::size_t q = std::min(detail::kReflectionBlock, n - first), length = m - first, rest = length - q;

        // Row j of v: reflection first + j is I - v v^T / h, v = x + sign(x_0) |x| e_0, h = |v|^2 / 2 = |x| (|x| + |x_0|),
        // which takes x to -sign(x_0) |x| e_0. A vector of one element, or of zeros, is not reflected: v = 0.
        Matrix<T> v{q, length}, u{q, q}, minus_t{q, q};
        std::vector<T> sign(q);
        for (std::size_t j = 0; j < q; ++j) {
            for (std::size_t k = j; k < length; ++k)
                v(j, k) = normal(key, first_index + (first + j) * m + first + k, T(0), T(1));
            const T x = v(j, j);
            const double size = norm<T>(length - j, [&](std::size_t k) { return v(j, j + k); });
            if (length - j == 1 || size == 0) {
                v(j, j) = 0;
                sign[j] = x < 0 ? T(-1) : T(1);
            } else {
                v(j, j) = static_cast<T>(x < 0 ? x - size : x + size);
                sign[j] = x < 0 ? T(1) : T(-1);
                u(j, j) = static_cast<T>(size * (size + std::abs(static_cast<double>(x))));
            }
        }

        // The block's reflections, the first one leftmost: I - V T V^T. T^-1 is h on the diagonal, V^T V above it.
        for (std::size_t i = 0; i < q; ++i)
            for (std::size_t j = i + 1; j < q; ++j) {
                const auto a = [&](std::size_t k) { return v(i, k); };
                const auto b = [&](std::size_t k) { return v(j, k); };
                const T head = inner_product(T(0), q, a, b);
                u(i, j) =
                    inner_product(head, rest, [&](std::size_t k) { return a(q + k); }, [&](std::size_t k) { return b(q + k); });
            }
        minus_inverse(u, minus_t, 0, q);

        // P = P - P V T^T V^T: the rows of earlier blocks (further down), and this block's own, which begin as sign e.
        for (std::size_t i = first; i < n; ++i) {
            const bool own = i < first + q;
            std::vector<T> s(q), t(q);
            for (std::size_t j = 0; j < q; ++j)
                s[j] = own ? T(0) + sign[i - first] * v(j, i - first)
                           : inner_product(
                                 T(0), rest, [&](std::size_t k) { return p(i, first + q + k); },
                                 [&](std::size_t k) { return v(j, q + k); });
            for (std::size_t j = 0; j < q; ++j)
                t[j] =
                    inner_product(T(0), q, [&](std::size_t k) { return s[k]; }, [&](std::size_t k) { return minus_t(j, k); });
            if (own) p(i, i) = sign[i - first];
            for (std::size_t k = 0; k < length; ++k)
                p(i, first + k) = inner_product(
                    p(i, first + k), q, [&](std::size_t j) { return t[j]; }, [&](std::size_t j) { return v(j, k); });
        }
    }
    for (T& x : p.data) x = gain * (x < -1 ? T(-1) : x > 1 ? T(1) : x) + T(0);  // + 0: no -0
    return p;
}

}  // namespace fanin::reference
