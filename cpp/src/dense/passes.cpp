// How a layer is computed: what is a product, what follows it while it is in the caches, and where intermediate results stand.
#include "dense/passes.hpp"

#include <algorithm>
#include <cstdint>

#include "activation_kernel.hpp"
#include "dense/product.hpp"
#include "dense/running_summary.hpp"
#include "dense/runs.hpp"
#include "division.hpp"
#include "fanin/threads.hpp"
#include "message.hpp"

namespace fanin::detail {
namespace {

static_assert(kSumBlock == kProductBlock && kLeastHalved == kLeastProductHalved && kMostHalved == kMostProductHalved);

// Elements of z that one task carries through an activation: 64 KiB of float32 in and as much out, some 10 us of tanh.
constexpr std::size_t kActivationTask = std::size_t{1} << 14;
// Columns that one task sums for db, and elements from which tasks are made: 1 MiB of float32, which one core reads in
// some 50 us; below that waking a second one takes as long.
constexpr std::size_t kSumsCols = 128, kSumsWork = std::size_t{1} << 18;

// Elements of a strip of dw: 32 KiB of float32, a first cache, beside the panel that it is computed from.
constexpr std::size_t kStripElements = std::size_t{1} << 13;

// The workspace to use, from a cache line's beginning on: `given`, or one that the thread keeps and that only grows.
template <class T>
T* workspace_of(std::span<T> given, std::size_t needed) {
    if (given.empty()) {
        thread_local AlignedVector<T> kept;  // by each thread that calls without a workspace of its own
        if (kept.size() < needed) {
            kept = {};  // first, so that old and new are never held at once
            kept.resize(needed);
        }
        return kept.data();
    }
    if (given.size() < needed)
        refuse({"workspace must have at least dense_workspace() = ", needed, " elements, got ", given.size()});
    const auto misaligned = reinterpret_cast<std::uintptr_t>(given.data()) % kCacheLine;
    return given.data() + (misaligned == 0 ? 0 : (kCacheLine - misaligned) / sizeof(T));
}

// a = g(z) for a block of each; a may be z.
template <class T>
void activate_block(Activation activation, MatrixView<const T> z, MatrixView<T> a) {
    if (activation == Activation::identity) {
        over_runs([](std::size_t n, const T* from, T* to) { std::copy_n(from, n, to); }, a, z);
    } else {
        over_runs(forward_kernel<T>(activation), a, z);
    }
}

// dz = da * g'(z), in tasks of whole rows of about kActivationTask elements; dz may be da. z is not read by the identity.
template <class T>
void backward_activation(Activation activation, MatrixView<const T> z, MatrixView<const T> da, MatrixView<T> dz) {
    const std::size_t rows = std::max<std::size_t>(kActivationTask / std::max<std::size_t>(dz.cols, 1), 1);
    fanin::parallel_for(ceil_div(dz.rows, rows), [&](std::size_t task) {
        const std::size_t i = task * rows, m = std::min(rows, dz.rows - i), n = dz.cols;
        if (n == 0) return;
        if (activation == Activation::identity) {
            over_runs([](std::size_t count, const T* from, T* to) { std::copy_n(from, count, to); }, block(dz, i, m, 0, n),
                      block(da, i, m, 0, n));
        } else {
            over_runs(backward_kernel<T>(activation), block(dz, i, m, 0, n), block(z, i, m, 0, n), block(da, i, m, 0, n));
        }
    });
}

// a b, into c. accumulate: r starts from c.
template <class T>
Product<T> matrix_product(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c, bool accumulate) {
    return {.m = a.rows,
            .n = b.cols,
            .k = a.cols,
            .a = {a.data, a.row_stride, a.col_stride},
            .b = {b.data, b.row_stride, b.col_stride},
            .init = {accumulate ? c.data : nullptr, c.row_stride, c.col_stride},
            .c = {c.data, c.row_stride, c.col_stride}};
}

// db = the sum of dz over the batch (to which db adds where accumulating), in tasks of kSumsCols columns: no sum is divided.
template <class T>
void sum_rows(MatrixView<const T> dz, VectorView<T> db, bool accumulate) {
    const auto kernel = active<DenseKernels<T>>().column_sums;
    const std::size_t cols = dz.rows * dz.cols < kSumsWork ? std::max<std::size_t>(dz.cols, 1) : kSumsCols;
    fanin::parallel_for(ceil_div(dz.cols, cols), [&](std::size_t task) {
        const std::size_t j = task * cols, n = std::min(cols, dz.cols - j);
        T* sums = &db[j];
        const Operand<const T> columns{dz.data + static_cast<std::ptrdiff_t>(j) * dz.col_stride, dz.row_stride, dz.col_stride};
        kernel(dz.rows, n, columns, accumulate ? sums : nullptr, sums, db.stride);
    });
}

// Computes p, which lacks its bias and whose c is z, and carries z through the activation while it is in the caches. `packed`
// is the weight as `kernel` packs it, or null: then `space` takes what product() packs.data.
template <class T>
void forward(Product<T> p, std::optional<VectorView<const T>> b, const DenseKernels<T>& kernel, const T* packed, T* space,
             Activation activation, MatrixView<T> a, std::optional<MatrixView<T>> out_z, DenseStats* stats) {
    if (b) {
        p.init = {.data = b->data, .row = 0, .col = b->stride};
    }
    p.halves = true;
    const MatrixView<T> z = out_z.value_or(a);
    const auto activate = [&](std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
        if (out_z || activation != Activation::identity)
            activate_block<T>(activation, block(z, i, m, j, n), block(a, i, m, j, n));
    };
    if (stats == nullptr) return product(p, kernel, packed, space, Callbacks{activate, 0, Nothing{}});

    // Block after block of the summaries: z becomes a, and both are measured, z before where a takes its place.
    RunningSummary<T> of_z(z, stats->options_z), of_a(a, stats->options_a);
    using Task = typename RunningSummary<T>::Task;
    const SummaryBlocks<T>& blocks = of_z.blocks();
    const auto measure = [&](std::size_t i, std::size_t m) {
        Task z_task(of_z), a_task(of_a);
        for (std::size_t block = blocks.blocks_before(i); block < blocks.blocks_before(i + m); ++block) {
            const auto [row, rows, col, cols] = blocks.place(block);
            if (!out_z) z_task.measure(block);
            activate(row, rows, col, cols);
            out_z ? Task::measure_both(z_task, a_task, block) : a_task.measure(block);
        }
        z_task.add();
        a_task.add();
    };
    product(p, kernel, packed, space, Callbacks{Nothing{}, blocks.rows_a_block(), measure});
    stats->z = of_z.result();
    stats->a = of_a.result();
}

}  // namespace

template <class T>
void forward_pass(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                  MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace, DenseStats* stats) {
    T* space = workspace_of(workspace, kCacheLine / sizeof(T) + product_workspace(x.rows, w.rows, w.cols));
    const Product<T> p = matrix_product<T>(x, w.transposed(), out_z.value_or(out_a), false);
    forward<T>(p, b, active<DenseKernels<T>>(), nullptr, space, activation, out_a, out_z, stats);
}

template <class T>
void forward_pass(MatrixView<const T> x, const PackedWeight<T>& w, std::optional<VectorView<const T>> b, Activation activation,
                  MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, DenseStats* stats) {
    const MatrixView<const T> shape{nullptr, w.n_out(), w.n_in()};  // only its packed copy has elements
    const Product<T> p = matrix_product<T>(x, shape.transposed(), out_z.value_or(out_a), false);
    forward<T>(p, b, w.kernel(), w.data(), nullptr, activation, out_a, out_z, stats);
}

template <class T>
void backward_pass(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                   Activation activation, const DenseGradients<T>& out, bool accumulate, std::span<T> workspace) {
    const DenseShape s{x.rows, x.cols, w.rows};
    T* space = workspace_of(workspace, dense_workspace<T>(s));
    MatrixView<const T> dz = da;
    if (out.out_dz || activation != Activation::identity) {
        const MatrixView<T> to = out.out_dz ? *out.out_dz : matrix_view(space, s.batch, s.n_out);
        if (!(same_view(da, to) && activation == Activation::identity))
            backward_activation<T>(activation, z.value_or(da), da, to);
        dz = to;
        const std::size_t line = kCacheLine / sizeof(T);
        space += ceil_div(s.batch * s.n_out, line) * line;
    }
    const Callbacks nothing{Nothing{}, 0, Nothing{}};
    const DenseKernels<T>& kernel = active<DenseKernels<T>>();
    if (out.out_db) sum_rows<T>(dz, *out.out_db, accumulate);
    if (out.out_dw) product(matrix_product<T>(dz.transposed(), x, *out.out_dw, accumulate), kernel, nullptr, space, nothing);
    if (out.out_dx) product(matrix_product<T>(dz, w, *out.out_dx, accumulate), kernel, nullptr, space, nothing);
}

template <class T>
void gradient_strips(MatrixView<const T> dz, MatrixView<const T> x, MatrixView<const T> w, TakeStrip<T> take, void* context) {
    const DenseKernels<T>& kernel = active<DenseKernels<T>>();
    T* space = workspace_of<T>({}, kCacheLine / sizeof(T) + product_workspace(w.rows, w.cols, x.rows));
    const Product<T> p = matrix_product<T>(dz.transposed(), x, {}, false);
    const std::size_t whole = kPackedElements / p.k / kernel.tile_cols * kernel.tile_cols;
    const std::size_t group = p.n + kernel.lanes <= whole ? p.n : std::min(whole, p.n);
    const std::size_t most = kStripElements / kernel.tile_rows / kernel.tile_cols * kernel.tile_cols;
    const std::size_t strips = ceil_div(p.m, kernel.tile_rows);
    const std::size_t tasks = p.m * p.n * p.k < kParallelWork ? 1 : std::min(strips, 4 * num_threads());
    for (std::size_t first = 0; first < p.n; first += group) {
        const std::size_t cols = std::min(group, p.n - first);
        pack_chunk(part(p, 0, p.m, first, cols), space, kernel);
        fanin::parallel_for(tasks, [&](std::size_t task) {
            alignas(kCacheLine) T strip[kStripElements];
            const Piece rows(task, tasks, kernel.tile_rows, p.m);
            for (std::size_t i = rows.begin; i < rows.end; i += kernel.tile_rows)
                for (std::size_t j = 0; j < cols; j += most) {
                    Product<T> now = part(p, i, std::min(kernel.tile_rows, rows.end - i), first + j, std::min(most, cols - j));
                    for (std::size_t r = 0; r < now.m; ++r)
                        for (std::size_t c = 0; c < now.n; c += kCacheLine / sizeof(T))
                            __builtin_prefetch(&w(i + r, first + j + c), 1, 2);  // to be written, into the inner cache
                    now.c = {strip, static_cast<std::ptrdiff_t>(now.n), 1};
                    kernel.multiply(now, space + j * p.k);
                    take(context, i, now.m, first + j, now.n, strip);
                }
        });
    }
}

template void gradient_strips(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>, TakeStrip<float>,
                              void*);
template void gradient_strips(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>, TakeStrip<double>,
                              void*);
template void forward_pass(MatrixView<const float>, MatrixView<const float>, std::optional<VectorView<const float>>, Activation,
                           MatrixView<float>, std::optional<MatrixView<float>>, std::span<float>, DenseStats*);
template void backward_pass(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>,
                            std::optional<MatrixView<const float>>, Activation, const DenseGradients<float>&, bool,
                            std::span<float>);
template void forward_pass(MatrixView<const double>, MatrixView<const double>, std::optional<VectorView<const double>>,
                           Activation, MatrixView<double>, std::optional<MatrixView<double>>, std::span<double>, DenseStats*);
template void backward_pass(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>,
                            std::optional<MatrixView<const double>>, Activation, const DenseGradients<double>&, bool,
                            std::span<double>);
template void forward_pass(MatrixView<const float>, const PackedWeight<float>&, std::optional<VectorView<const float>>,
                           Activation, MatrixView<float>, std::optional<MatrixView<float>>, DenseStats*);
template void forward_pass(MatrixView<const double>, const PackedWeight<double>&, std::optional<VectorView<const double>>,
                           Activation, MatrixView<double>, std::optional<MatrixView<double>>, DenseStats*);

}  // namespace fanin::detail
