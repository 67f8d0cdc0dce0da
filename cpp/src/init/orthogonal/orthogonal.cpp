// Haar-distributed matrices: reflections of Gaussian vectors, applied a block at a time by matrix products.
//
// Several blocks are prepared side by side; rows are independent of one another while a block is applied.
#include "orthogonal.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "block.hpp"
#include "fanin/float16.hpp"
#include "places.hpp"

namespace fanin::detail {

// What is drawn of one matrix, and where to; a tall one is the transpose of a wide one, n <= m. Not in the unnamed
// namespace: GCC warns of lambdas that capture it, in a template that others see.
struct Target {
    std::size_t n, m;
    std::vector<haar::Place> rows, cols;
};

namespace {

using namespace haar;

// The gain times an element of Q, which rounding may have brought a little beyond 1.
template <class T>
T scaled(T x, T gain) {
    return gain * (x < -1 ? T(-1) : x > 1 ? T(1) : x) + T(0);  // + 0: no -0
}

// The type that a law of T is computed in.
template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;

// n numbers to the type of the array, rounded once.
template <class T>
void store(const Real<T>* x, std::size_t n, T* out) {
    if constexpr (std::is_same_v<T, Real<T>>) std::copy_n(x, n, out);
    else round_to({x, n}, std::span<T>(out, n));
}

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
    // Rows [first, last) of the draw are complete: scales them, and carries them to the array where they are not in it yet.
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
            // A task has whole tiles of rows, at most kTaskRows, and a quarter of a thread's share, to even out who is late.
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
    // The parameter as matrices: axes.out are rows, the others columns, each index of axes.batch a matrix.
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
    // A tall matrix is the transpose of the wide one: its columns are that one's rows.
    if (target.n > target.m) {
        std::swap(target.n, target.m);
        std::swap(target.rows, target.cols);
    }
    // Many matrices, one a task; of few, each is divided itself.
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
