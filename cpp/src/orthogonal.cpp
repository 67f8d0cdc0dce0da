// Haar-distributed matrices: reflections of Gaussian vectors, applied a block at a time by matrix products.
//
// A block is prepared from the generator alone (its vectors V and the factor T) and then applied to the rows of P that stand
// below it. Several blocks are prepared side by side; rows are independent of one another while a block is applied.
#include "orthogonal.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include "division.hpp"
#include "fanin/float16.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace fanin::detail {
namespace {

// Rows of P that a task carries through the three products: they and their factors stay in the inner cache.
constexpr std::size_t kTaskRows = 96;
// Multiply-adds from which threads pay: some 20 us.
constexpr std::size_t kParallelWork = std::size_t{1} << 20;
// Columns of P that are copied to an array together.
constexpr std::size_t kTileCols = 16;
// From this length on a block is prepared by all threads together, not by one beside others.
constexpr std::size_t kLongVector = 4096;

// Elements between the rows of a matrix of m columns: no power of 2, so that neighbouring rows meet in no cache set.
std::size_t row_pitch(std::size_t m) { return m / 16 * 16 + 32; }

using detail::ceil_div;

template <class Body>
void for_tasks(bool parallel, std::size_t n, Body&& body) {
    if (parallel) return fanin::parallel_for(n, body);
    for (std::size_t i = 0; i < n; ++i) body(i);
}

// Memory that begins where a cache line does, uninitialised.
template <class T>
class Buffer {
 public:
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

template <class T>
MatrixView<T> from(MatrixView<T> x, std::size_t row, std::size_t col) {
    x.data += static_cast<std::ptrdiff_t>(row) * x.row_stride + static_cast<std::ptrdiff_t>(col) * x.col_stride;
    return x;
}

// ------------------------------------------------------------------------------------------------ a block

// Reflections first ... first + q - 1 of an n x m draw, ready to be applied.
template <class T>
class Block {
 public:
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

// ------------------------------------------------------------------------------------------------ the whole

// Where an index of the flattened matrix stands in memory.
struct Place {
    std::size_t index;
    std::ptrdiff_t offset;
};

// The part of `axes` (ascending) that out covers, in C order.
template <class T>
std::vector<Place> places(const ArrayView<T>& out, std::span<const std::size_t> shape, std::span<const std::size_t> offset,
                          const std::vector<std::size_t>& axes) {
    std::vector<Place> list{{0, 0}};
    for (const std::size_t axis : axes) {
        std::vector<Place> next;
        next.reserve(list.size() * out.shape[axis]);
        for (const Place& place : list)
            for (std::size_t i = 0; i < out.shape[axis]; ++i)
                next.push_back({place.index * shape[axis] + offset[axis] + i,
                                place.offset + static_cast<std::ptrdiff_t>(i) * out.strides[axis]});
        list = std::move(next);
    }
    return list;
}

// Whether the places are evenly spaced in memory and leave out no index between the first and the last; their step.
bool even(const std::vector<Place>& list, std::ptrdiff_t& step) {
    step = list.size() > 1 ? list[1].offset - list[0].offset : 1;
    for (std::size_t i = 1; i < list.size(); ++i)
        if (list[i].index != list[i - 1].index + 1 || list[i].offset != list[i - 1].offset + step) return false;
    return true;
}

template <class T>
T scaled(T x, T gain) {
    return gain * (x < -1 ? T(-1) : x > 1 ? T(1) : x) + T(0);  // + 0: no -0
}

// The type that a law of T is computed in.
template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
void store(const Real<T>* x, std::size_t n, T* out) {
    if constexpr (std::is_same_v<T, Real<T>>) std::copy_n(x, n, out);
    else round_to({x, n}, std::span<T>(out, n));
}

// What is drawn of one matrix, and where to; a tall one is the transpose of a wide one, n <= m.
struct Target {
    std::size_t n, m;
    std::vector<Place> rows, cols;
};

// One matrix at `data`; x_j is drawn from index first_index + j m + j on.
template <class T>
void draw_matrix(const Target& target, T* data, Key key, std::uint64_t first_index, Real<T> gain) {
    const std::size_t n = target.n, m = target.m;
    const std::vector<Place>&rows = target.rows, &cols = target.cols;

    // P's rows [begin, end): in the array itself, where it can hold them.
    const std::size_t begin = rows.front().index, end = rows.back().index + 1;
    std::ptrdiff_t row_step, col_step;
    const bool in_place = std::is_same_v<T, Real<T>> && even(rows, row_step) && even(cols, col_step) && cols.size() == m &&
                          (m == 1 || col_step == 1);
    const std::size_t pitch = row_pitch(m);
    const Buffer<Real<T>> copy(in_place ? 0 : (end - begin) * pitch);
    MatrixView<Real<T>> p = matrix_view<Real<T>>(copy, end - begin, pitch);
    if constexpr (std::is_same_v<T, Real<T>>)
        if (in_place) p = {data + rows.front().offset + cols.front().offset, end - begin, m, row_step, 1};
    const auto finish = [&](std::size_t first, std::size_t last) {
        if (in_place) {
            for (std::size_t i = first - begin; i < last - begin; ++i) {
                Real<T>* row = &p(i, 0);
                for (std::size_t j = 0; j < m; ++j) row[j] = scaled(row[j], gain);
            }
            return;
        }
        const auto from = std::partition_point(rows.begin(), rows.end(), [&](const Place& r) { return r.index < first; });
        const auto to = std::partition_point(from, rows.end(), [&](const Place& r) { return r.index < last; });
        for (std::size_t j = 0; j < cols.size(); j += kTileCols)  // tiles: either side may be the one with neighbours
            for (auto r = from; r != to; ++r) {
                const Real<T>* row = &p(r->index - begin, 0);
                const std::size_t count = std::min(kTileCols, cols.size() - j);
                Real<T> x[kTileCols];
                T y[kTileCols];
                for (std::size_t c = 0; c < count; ++c) x[c] = scaled(row[cols[j + c].index], gain);
                store<T>(x, count, y);
                for (std::size_t c = 0; c < count; ++c) data[r->offset + cols[j + c].offset] = y[c];
            }
    };

    // Blocks of reflections from the last one that these rows meet down to the first, a few prepared at a time.
    const std::size_t n_blocks = ceil_div(end, kReflectionBlock);
    const std::size_t ahead = m >= kLongVector ? 1 : std::min(num_threads(), n_blocks);
    std::vector<Block<Real<T>>> blocks;
    blocks.reserve(ahead);
    for (std::size_t i = 0; i < ahead; ++i) blocks.emplace_back(n, m);
    const std::size_t tile = active<DenseKernels<Real<T>>>().tile_rows;
    for (std::size_t left = n_blocks; left > 0;) {
        const std::size_t count = std::min(ahead, left);
        auto prepare = [&](std::size_t i) {
            const std::size_t first = (left - 1 - i) * kReflectionBlock;
            blocks[i].prepare(key, first_index, first, std::min(kReflectionBlock, n - first));
        };
        for_tasks(count > 1, count, prepare);
        for (std::size_t i = 0; i < count; ++i) {
            const Block<Real<T>>& block = blocks[i];
            const std::size_t first = std::max(block.first(), begin), height = end - first;
            const bool parallel = 2 * height * (m - block.first()) * std::min(n, kReflectionBlock) >= kParallelWork;
            const std::size_t wanted = parallel ? ceil_div(height, 4 * num_threads()) : height;
            const std::size_t step = std::min(kTaskRows, ceil_div(wanted, tile) * tile);
            for_tasks(parallel, ceil_div(height, step), [&](std::size_t task) {
                const std::size_t from = first + task * step, to = std::min(from + step, end);
                block.apply(p, begin, from, to);
                if (block.first() == 0) finish(from, to);
            });
            check_interrupt();
        }
        left -= count;
    }
}

}  // namespace

template <class T>
void fill_orthogonal(ArrayView<T> out, std::span<const std::size_t> shape, std::span<const std::size_t> offset,
                     const Axes& axes, std::conditional_t<std::is_same_v<T, double>, double, float> gain, Key key) {
    const auto names = [&](const std::vector<std::ptrdiff_t>& list, std::size_t axis) {
        const auto i = static_cast<std::ptrdiff_t>(axis), rank = static_cast<std::ptrdiff_t>(shape.size());
        return std::any_of(list.begin(), list.end(), [&](std::ptrdiff_t a) { return a == i || a + rank == i; });
    };
    std::vector<std::size_t> batch_axes, row_axes, col_axes;
    Target target{1, 1, {}, {}};
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (names(axes.batch, i)) {
            batch_axes.push_back(i);
            continue;
        }
        const bool row = names(axes.out, i);
        (row ? row_axes : col_axes).push_back(i);
        (row ? target.n : target.m) *= shape[i];
    }
    target.rows = places(out, shape, offset, row_axes);
    target.cols = places(out, shape, offset, col_axes);
    const std::vector<Place> batch = places(out, shape, offset, batch_axes);
    if (target.rows.empty() || target.cols.empty() || batch.empty()) return;
    if (target.n > target.m) {
        std::swap(target.n, target.m);
        std::swap(target.rows, target.cols);
    }
    for_tasks(batch.size() >= num_threads() && batch.size() > 1, batch.size(), [&](std::size_t i) {
        draw_matrix<T>(target, out.data + batch[i].offset, key, batch[i].index * target.n * target.m, gain);
    });
}

template void fill_orthogonal(ArrayView<float>, std::span<const std::size_t>, std::span<const std::size_t>, const Axes&, float,
                              Key);
template void fill_orthogonal(ArrayView<double>, std::span<const std::size_t>, std::span<const std::size_t>, const Axes&,
                              double, Key);
template void fill_orthogonal(ArrayView<Float16>, std::span<const std::size_t>, std::span<const std::size_t>, const Axes&,
                              float, Key);
template void fill_orthogonal(ArrayView<BFloat16>, std::span<const std::size_t>, std::span<const std::size_t>, const Axes&,
                              float, Key);

}  // namespace fanin::detail
