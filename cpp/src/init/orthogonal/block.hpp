// A block of reflections: prepared from the generator alone (its vectors V and the factor T), then applied to rows of P.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "division.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "orthogonal.hpp"

namespace fanin::detail::haar {

// Rows of P that a task carries through the three products: they and their factors stay in the inner cache. Measured (AVX-512,
// one thread, least user time of interleaved runs): 1024 x 1024 takes 17.7, 17.9, 18.0 and 18.0 ms with 24, 48, 96 and 192
// rows, so that any of them serves; 96 is the block of reflections, and leaves tasks for the threads.
inline constexpr std::size_t kTaskRows = 96;
// Multiply-adds from which threads pay: some 20 us.
inline constexpr std::size_t kParallelWork = std::size_t{1} << 20;
// Columns of P that are copied to an array together. Measured on a tall one of 1000 x 300: 3.37 ms with 4, 3.02 with 16, 3.15
// with 64.
inline constexpr std::size_t kTileCols = 16;
// From this length on a block is prepared by all threads together, not by one beside others.
inline constexpr std::size_t kLongVector = 4096;

// Elements between the rows of a matrix of m columns: no power of 2, so that neighbouring rows meet in no cache set.
inline std::size_t row_pitch(std::size_t m) { return m / 16 * 16 + 32; }

// Runs body(i) for i < n, side by side where that pays.
template <class Body>
void for_tasks(bool parallel, std::size_t n, Body&& body) {
    if (parallel) return fanin::parallel_for(n, body);
    for (std::size_t i = 0; i < n; ++i) body(i);
}

// Memory that begins where a cache line does, uninitialised.
template <class T>
class Buffer {
 public:
    // n elements; a line more is asked for, so that one of them begins a line.
    explicit Buffer(std::size_t n) : memory_(std::make_unique_for_overwrite<T[]>(n + kLine)) {
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
        data_ = memory_.get() + (64 - address % 64) % 64 / sizeof(T);
    }
    operator T*() const { return data_; }

 private:
    static constexpr std::size_t kLine = 64 / sizeof(T);
    std::unique_ptr<T[]> memory_;
    T* data_;
};

// |x| in double, in the order that kNormSums says.
template <class T>
double norm(const T* x, std::size_t n) {
    double sums[kNormSums] = {};
    const std::size_t whole = n / kNormSums * kNormSums;
    const auto add = [&](std::size_t at, std::size_t i) {
        const auto value = static_cast<double>(x[at + i]);
        sums[i] = sums[i] + value * value;
    };
    for (std::size_t at = 0; at < whole; at += kNormSums)
        for (std::size_t i = 0; i < kNormSums; ++i) add(at, i);
    for (std::size_t i = 0; i < n - whole; ++i) add(whole, i);
    for (std::size_t half = kNormSums / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
    return std::sqrt(sums[0]);
}

// c = a b, or c + a b. b is packed, or row-major where `packed` is null.
template <class T>
void multiply(std::size_t m, std::size_t n, std::size_t k, MatrixView<const T> a, MatrixView<const T> b, const T* packed,
              MatrixView<T> c, bool add) {
    if (m == 0 || n == 0 || k == 0) return;
    active<DenseKernels<T>>().multiply({.m = m,
                                        .n = n,
                                        .k = k,
                                        .a = {a.data, a.row_stride, a.col_stride},
                                        .b = {b.data, b.row_stride, b.col_stride},
                                        .init = {add ? c.data : nullptr, c.row_stride, c.col_stride},
                                        .c = {c.data, c.row_stride, c.col_stride}},
                                       packed);
}

// The part of x that begins at (row, col).
template <class T>
MatrixView<T> from(MatrixView<T> x, std::size_t row, std::size_t col) {
    x.data += static_cast<std::ptrdiff_t>(row) * x.row_stride + static_cast<std::ptrdiff_t>(col) * x.col_stride;
    return x;
}

// Reflections first ... first + q - 1 of an n x m draw, ready to be applied.
template <class T>
class Block {
 public:
    // Memory for any block of an n x m draw.
    Block(std::size_t n, std::size_t m)
        : m_(m),
          most_(std::min(n, kReflectionBlock)),
          stride_(row_pitch(m)),
          v_(most_ * stride_),
          packed_v_(m * padded(most_)),
          packed_rows_(most_ * padded(m)),
          square_(4 * kSquare) {}

    std::size_t first() const { return first_; }

    // x_j begins at index first_index + j m + j.
    void prepare(Key key, std::uint64_t first_index, std::size_t first, std::size_t count) {
        first_ = first;
        q_ = count;
        length_ = m_ - first;
        const DenseKernels<T>& kernel = active<DenseKernels<T>>();
        const MatrixView<T> v = vectors();
        const bool parallel = q_ * q_ * length_ >= kParallelWork;
        for_tasks(parallel, q_, [&](std::size_t j) { draw(key, first_index, j); });

        // V^T V above the diagonal of u: over this block's own columns, then over the rest.
        const std::size_t rest = length_ - q_;
        kernel.pack(q_, q_, v.data, 1, v.row_stride, packed_minus_t());
        for_tasks(parallel, ceil_div(q_, kernel.tile_cols), [&](std::size_t task) {
            const std::size_t j = task * kernel.tile_cols, cols = std::min(kernel.tile_cols, q_ - j);
            if (rest > 0) kernel.pack(rest, cols, &v(j, q_), 1, v.row_stride, packed_v_ + j * rest);
        });
        const std::size_t slab = 2 * kernel.tile_rows;
        for_tasks(parallel, ceil_div(q_, slab), [&](std::size_t task) {
            const std::size_t i = task * slab, rows = std::min(slab, q_ - i);
            const std::size_t j = i / kernel.tile_cols * kernel.tile_cols;  // what stands to the left is not needed
            multiply<T>(rows, q_ - j, q_, from(v, i, 0), {}, packed_minus_t() + j * q_, from(u(), i, j), false);
            multiply<T>(rows, q_ - j, rest, from(v, i, q_), {}, packed_v_ + j * rest, from(u(), i, j), true);
        });
        for (std::size_t j = 0; j < q_; ++j) u()(j, j) = half_square_[j];

        // -T by halves from its inverse, the upper triangle u; packed like V for the products of apply().
        std::fill_n(minus_t().data, kSquare, T(0));
        invert(0, q_);
        kernel.pack(q_, q_, minus_t().data, 1, minus_t().row_stride, packed_minus_t());
        const std::size_t cols = 8 * kernel.tile_cols;
        for_tasks(parallel, ceil_div(length_, cols), [&](std::size_t task) {
            const std::size_t j = task * cols;
            kernel.pack(q_, std::min(cols, length_ - j), &v(0, j), v.row_stride, 1, packed_rows_ + j * q_);
        });
    }

    // p = p - (p V) T^T V^T for the rows [begin, end) of the draw, all at or below the block's first; p's row 0 is row
    // `origin` of the draw. The block's own rows begin here.
    void apply(MatrixView<T> p, std::size_t origin, std::size_t begin, std::size_t end) const {
        alignas(64) T s[kTaskRows * kRowStride], t[kTaskRows * kRowStride];
        const MatrixView<T> s_view{s, kTaskRows, q_, kRowStride, 1}, t_view{t, kTaskRows, q_, kRowStride, 1};
        const std::size_t rows = end - begin, own = std::clamp(first_ + q_, begin, end) - begin;
        p = from(p, begin - origin, first_);
        for (std::size_t i = 0; i < rows; ++i) {
            std::fill_n(&p(i, 0), i < own ? length_ : q_, T(0));
            if (i >= own) continue;
            const std::size_t at = begin + i - first_;
            p(i, at) = sign_[at];
            for (std::size_t j = 0; j < q_; ++j) s_view(i, j) = T(0) + sign_[at] * vectors()(j, at);
        }
        // s = p V (for the block's own rows, unit vectors before it, by hand above), t = -s T^T, p = p + t V^T.
        const std::size_t rest = length_ - q_;
        if (rest == 0) std::fill_n(s + own * kRowStride, (rows - own) * kRowStride, T(0));
        else multiply<T>(rows - own, q_, rest, from(p, own, q_), {}, packed_v_, from(s_view, own, 0), false);
        multiply<T>(rows, q_, q_, s_view, {}, packed_minus_t(), t_view, false);
        const std::size_t cols = active<DenseKernels<T>>().tile_cols;
        for (std::size_t j = 0; j < length_; j += cols)
            multiply<T>(rows, std::min(cols, length_ - j), q_, t_view, {}, packed_rows_ + j * q_, from(p, 0, j), true);
    }

 private:
    static constexpr std::size_t kLanes = 16;
    static constexpr std::size_t kSquare = kReflectionBlock * kReflectionBlock;
    static constexpr std::size_t kRowStride = kReflectionBlock + kLanes;
    static std::size_t padded(std::size_t n) { return n + kLanes - 1; }

    MatrixView<T> vectors() const { return {v_, q_, length_, static_cast<std::ptrdiff_t>(stride_), 1}; }
    MatrixView<T> u() const { return {square_, q_, q_, kReflectionBlock, 1}; }
    MatrixView<T> minus_t() const { return {square_ + kSquare, q_, q_, kReflectionBlock, 1}; }
    MatrixView<T> scratch() const { return {square_ + 2 * kSquare, q_, q_, kReflectionBlock, 1}; }
    T* packed_minus_t() const { return square_ + 3 * kSquare; }

    // Row j of v, the sign of its row of P, and the diagonal of T^-1.
    void draw(Key key, std::uint64_t first_index, std::size_t j) {
        T* v = &vectors()(j, 0);
        std::fill_n(v, j, T(0));
        v += j;
        const std::size_t n = length_ - j;
        active<RandomKernels<T>>().fill_normal(key.seed, key.stream, first_index + (first_ + j) * m_ + first_ + j, n, T(0),
                                               T(1), v);
        const auto x = static_cast<double>(v[0]);
        const double size = norm(v, n);
        const bool negative = x < 0, reflects = n > 1 && size > 0;
        v[0] = reflects ? static_cast<T>(negative ? x - size : x + size) : T(0);
        sign_[j] = negative == reflects ? T(1) : T(-1);
        half_square_[j] = reflects ? static_cast<T>(size * (size + std::abs(x))) : T(0);
    }

    // minus_t[first, last) = -inverse of u[first, last), by halves.
    void invert(std::size_t first, std::size_t last) {
        if (last - first == 1) {
            minus_t()(first, first) = u()(first, first) == 0 ? T(0) : -1 / u()(first, first);
            return;
        }
        const std::size_t middle = first + (last - first) / 2, upper = middle - first, lower = last - middle;
        invert(first, middle);
        invert(middle, last);
        multiply<T>(upper, lower, lower, from(u(), first, middle), from(minus_t(), middle, middle), nullptr, scratch(), false);
        multiply<T>(upper, lower, upper, from(minus_t(), first, first), scratch(), nullptr, from(minus_t(), first, middle),
                    false);
    }

    std::size_t m_, most_, stride_, first_ = 0, q_ = 0, length_ = 0;
    Buffer<T> v_;            // the vectors: row j begins with j zeros
    Buffer<T> packed_v_;     // their part behind the block's own columns, as the right side of p V
    Buffer<T> packed_rows_;  // as the right side of (...) V^T
    Buffer<T> square_;
    T sign_[kReflectionBlock], half_square_[kReflectionBlock];
};

}  // namespace fanin::detail::haar
