#include "fanin/dense.hpp"

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "activation_kernel.hpp"
#include "dense_arguments.hpp"
#include "dense_passes.hpp"
#include "dense_product.hpp"
#include "dense_runs.hpp"
#include "dense_stats.hpp"
#include "message.hpp"

namespace fanin {
namespace {

static_assert(kSumBlock == kProductBlock);

// A cache line, and the longest vector.
constexpr std::size_t kAlign = 64;
// Elements of z that one task carries through an activation.
constexpr std::size_t kActivationTask = std::size_t{1} << 14;
// Columns that one task sums for db, and elements from which tasks are made.
constexpr std::size_t kSumsCols = 128, kSumsWork = std::size_t{1} << 18;

// ------------------------------------------------------------------------------------------------ workspace

// Kept by each thread that calls without a workspace of its own.
template <class T>
class Scratch {
 public:
    ~Scratch() { release(); }
    std::span<T> grow(std::size_t n) {
        if (n > size_) {
            release();
            data_ = static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{kAlign}));
            size_ = n;
        }
        return {data_, size_};
    }

 private:
    void release() {
        ::operator delete(data_, std::align_val_t{kAlign});
        data_ = nullptr;
        size_ = 0;
    }
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

// The workspace to use, from a cache line's beginning on.
template <class T>
T* workspace_of(std::span<T> given, std::size_t needed) {
    if (given.empty()) {
        thread_local Scratch<T> scratch;
        return scratch.grow(needed).data();
    }
    if (given.size() < needed)
        throw std::invalid_argument("workspace must have at least dense_workspace() = " + std::to_string(needed) +
                                    " elements, got " + std::to_string(given.size()));
    const auto misaligned = reinterpret_cast<std::uintptr_t>(given.data()) % kAlign;
    return given.data() + (misaligned == 0 ? 0 : (kAlign - misaligned) / sizeof(T));
}

// ------------------------------------------------------------------------------------------------ activations

template <class T>
void activate_block(Activation activation, MatrixView<const T> z, MatrixView<T> a) {
    if (activation == Activation::identity) {
        detail::over_runs([](std::size_t n, const T* from, T* to) { std::copy_n(from, n, to); }, a, z);
    } else {
        detail::over_runs(detail::forward_kernel<T>(activation), a, z);
    }
}

// dz = da * g'(z).
template <class T>
void backward_activation(Activation activation, MatrixView<const T> z, MatrixView<const T> da, MatrixView<T> dz) {
    const std::size_t rows = std::max<std::size_t>(kActivationTask / std::max<std::size_t>(dz.cols, 1), 1);
    parallel_for(detail::ceil_div(dz.rows, rows), [&](std::size_t task) {
        const std::size_t i = task * rows, m = std::min(rows, dz.rows - i), n = dz.cols;
        if (n == 0) return;
        if (activation == Activation::identity) {
            detail::over_runs([](std::size_t count, const T* from, T* to) { std::copy_n(from, count, to); },
                              detail::block(dz, i, m, 0, n), detail::block(da, i, m, 0, n));
        } else {
            detail::over_runs(detail::backward_kernel<T>(activation), detail::block(dz, i, m, 0, n),
                              detail::block(z, i, m, 0, n), detail::block(da, i, m, 0, n));
        }
    });
}

template <class T>
bool same_view(const MatrixView<const T>& a, const MatrixView<T>& b) {
    return a.data == b.data && a.rows == b.rows && a.cols == b.cols && a.row_stride == b.row_stride &&
           a.col_stride == b.col_stride;
}

// a b, into c. accumulate: r starts from c.
template <class T>
Product<T> matrix_product(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c, bool accumulate) {
    return {a.rows,       b.cols,       a.cols,       a.data,       a.row_stride,
            a.col_stride, b.data,       b.row_stride, b.col_stride, accumulate ? c.data : nullptr,
            c.row_stride, c.col_stride, c.data,       c.row_stride, c.col_stride};
}

template <class T>
void sum_rows(MatrixView<const T> dz, VectorView<T> db, bool accumulate) {
    const auto kernel = kernels<T>().dense.column_sums;
    const std::size_t cols = dz.rows * dz.cols < kSumsWork ? std::max<std::size_t>(dz.cols, 1) : kSumsCols;
    parallel_for(detail::ceil_div(dz.cols, cols), [&](std::size_t task) {
        const std::size_t j = task * cols, n = std::min(cols, dz.cols - j);
        T* sums = &db[j];
        kernel(dz.rows, n, dz.data + static_cast<std::ptrdiff_t>(j) * dz.col_stride, dz.row_stride, dz.col_stride,
               accumulate ? sums : nullptr, sums, db.stride);
    });
}

// ------------------------------------------------------------------------------------------------ forward

template <class T>
void check_forward(const DenseShape& s, MatrixView<const T> x, const MatrixView<const T>* w,
                   std::optional<VectorView<const T>> b, MatrixView<T> out_a, std::optional<MatrixView<T>> out_z,
                   const DenseStats* stats) {
    if (b) detail::require_shape(*b, "b", "(n_out,)", s.n_out);
    detail::require_shape(out_a, "out_a", "(batch, n_out)", s.batch, s.n_out);
    if (out_z) detail::require_shape(*out_z, "out_z", "(batch, n_out)", s.batch, s.n_out);
    if (stats != nullptr) {
        validate(stats->options_z);
        validate(stats->options_a);
    }
    detail::Places<T> places;
    places.input(x, "x");
    if (w != nullptr) places.input(*w, "w");
    if (b) places.input(*b, "b");
    places.output(out_a, "out_a");
    if (out_z) places.output(*out_z, "out_z");
}

// p but for its bias; z stands in p.c.
template <class T>
void forward(Product<T> p, std::optional<VectorView<const T>> b, const DenseKernels<T>& kernel, const T* packed, T* space,
             Activation activation, MatrixView<T> a, std::optional<MatrixView<T>> out_z, DenseStats* stats) {
    if (b) {
        p.init = b->data;
        p.init_row = 0;
        p.init_col = b->stride;
    }
    const MatrixView<T> z = out_z.value_or(a);
    const auto activate = [&](std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
        if (out_z || activation != Activation::identity)
            activate_block<T>(activation, detail::block(z, i, m, j, n), detail::block(a, i, m, j, n));
    };
    if (stats == nullptr) return detail::product(p, kernel, packed, space, detail::Callbacks{activate, 0, detail::Nothing{}});

    // Block after block of the summaries: z becomes a, and both are measured, z before where a takes its place.
    detail::RunningSummary<T> of_z(z, stats->options_z), of_a(a, stats->options_a);
    using Task = typename detail::RunningSummary<T>::Task;
    const detail::SummaryBlocks<T>& blocks = of_z.blocks();
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
    detail::product(p, kernel, packed, space, detail::Callbacks{detail::Nothing{}, blocks.rows_a_block(), measure});
    stats->z = of_z.result();
    stats->a = of_a.result();
}

}  // namespace

// ------------------------------------------------------------------------------------------------ passes

template <class T>
void detail::forward_pass(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b,
                          Activation activation, MatrixView<T> out_a, std::optional<MatrixView<T>> out_z,
                          std::span<T> workspace, DenseStats* stats) {
    T* space = workspace_of(workspace, kAlign / sizeof(T) + detail::product_workspace(x.rows, w.rows, w.cols));
    const Product<T> p = matrix_product<T>(x, w.transposed(), out_z.value_or(out_a), false);
    forward<T>(p, b, kernels<T>().dense, nullptr, space, activation, out_a, out_z, stats);
}

template <class T>
void detail::backward_pass(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w,
                           std::optional<MatrixView<const T>> z, Activation activation, const DenseGradients<T>& out,
                           bool accumulate, std::span<T> workspace) {
    const DenseShape s{x.rows, x.cols, w.rows};
    T* space = workspace_of(workspace, dense_workspace<T>(s));
    MatrixView<const T> dz = da;
    if (out.out_dz || activation != Activation::identity) {
        const MatrixView<T> to = out.out_dz ? *out.out_dz : matrix_view(space, s.batch, s.n_out);
        if (!(same_view(da, to) && activation == Activation::identity))
            backward_activation<T>(activation, z.value_or(da), da, to);
        dz = to;
        const std::size_t line = kAlign / sizeof(T);
        space += detail::ceil_div(s.batch * s.n_out, line) * line;
    }
    const detail::Callbacks nothing{detail::Nothing{}, 0, detail::Nothing{}};
    const DenseKernels<T>& kernel = kernels<T>().dense;
    if (out.out_db) sum_rows<T>(dz, *out.out_db, accumulate);
    if (out.out_dw)
        detail::product(matrix_product<T>(dz.transposed(), x, *out.out_dw, accumulate), kernel, nullptr, space, nothing);
    if (out.out_dx) detail::product(matrix_product<T>(dz, w, *out.out_dx, accumulate), kernel, nullptr, space, nothing);
}

// ------------------------------------------------------------------------------------------------ the layer

template <class T>
DenseShape dense_shape(MatrixView<const T> x, MatrixView<const T> w) {
    if (w.cols != x.cols)
        throw std::invalid_argument("w must have shape (n_out, n_in) = " + detail::shape_of({w.rows, x.cols}) + ", got " +
                                    detail::shape_of({w.rows, w.cols}));
    return {x.rows, x.cols, w.rows};
}

template <class T>
std::size_t dense_workspace(const DenseShape& s) {
    const std::size_t packed =
        std::max({detail::product_workspace(s.batch, s.n_out, s.n_in), detail::product_workspace(s.batch, s.n_in, s.n_out),
                  detail::product_workspace(s.n_out, s.n_in, s.batch)});
    const std::size_t line = kAlign / sizeof(T);
    return packed + detail::ceil_div(s.batch * s.n_out, line) * line + line;
}

template <class T>
PackedWeight<T>::PackedWeight(MatrixView<const T> w) : n_in_(w.cols), n_out_(w.rows), kernel_(&kernels<T>().dense) {
    data_.resize(n_in_ * detail::ceil_div(n_out_, kernel_->lanes) * kernel_->lanes);
    if (data_.empty()) return;
    const std::size_t cols = kernel_->tile_cols;
    parallel_for(detail::ceil_div(n_out_, cols), [&](std::size_t panel) {
        const std::size_t j = panel * cols;
        kernel_->pack(n_in_, std::min(cols, n_out_ - j), &w(j, 0), w.col_stride, w.row_stride, data_.data() + j * n_in_);
    });
}

template <class T>
void dense_forward(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace, DenseStats* stats) {
    const DenseShape s = dense_shape<T>(x, w);
    check_forward<T>(s, x, &w, b, out_a, out_z, stats);
    detail::forward_pass(x, w, b, activation, out_a, out_z, workspace, stats);
}

template <class T>
void dense_forward(MatrixView<const T> x, const PackedWeight<T>& w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, DenseStats* stats) {
    const MatrixView<const T> shape{nullptr, w.n_out(), w.n_in()};
    const DenseShape s = dense_shape<T>(x, shape);
    check_forward<T>(s, x, nullptr, b, out_a, out_z, stats);
    const Product<T> p = matrix_product<T>(x, shape.transposed(), out_z.value_or(out_a), false);
    forward<T>(p, b, w.kernel(), w.data(), nullptr, activation, out_a, out_z, stats);
}

template <class T>
void dense_backward(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                    Activation activation, const DenseGradients<T>& out, bool accumulate, std::span<T> workspace) {
    const DenseShape s = dense_shape<T>(x, w);
    detail::require_shape(da, "da", "(batch, n_out)", s.batch, s.n_out);
    if (z) detail::require_shape(*z, "z", "(batch, n_out)", s.batch, s.n_out);
    else if (activation != Activation::identity)
        throw std::invalid_argument("z must be given with activation '" + activation_name(activation) +
                                    "': its derivative is evaluated from z");
    if (out.out_dx) detail::require_shape(*out.out_dx, "out_dx", "(batch, n_in)", s.batch, s.n_in);
    if (out.out_dw) detail::require_shape(*out.out_dw, "out_dw", "(n_out, n_in)", s.n_out, s.n_in);
    if (out.out_db) detail::require_shape(*out.out_db, "out_db", "(n_out,)", s.n_out);
    if (out.out_dz) detail::require_shape(*out.out_dz, "out_dz", "(batch, n_out)", s.batch, s.n_out);
    const bool dz_is_da = out.out_dz && same_view(da, *out.out_dz);
    detail::Places<T> places;
    places.input(x, "x");
    places.input(w, "w");
    if (z) places.input(*z, "z");
    if (!dz_is_da) places.input(da, "da");
    if (out.out_dz) places.output(*out.out_dz, "out_dz");
    if (out.out_dx) places.output(*out.out_dx, "out_dx");
    if (out.out_dw) places.output(*out.out_dw, "out_dw");
    if (out.out_db) places.output(*out.out_db, "out_db");
    detail::backward_pass<T>(da, x, w, z, activation, out, accumulate, workspace);
}

template void detail::forward_pass(MatrixView<const float>, MatrixView<const float>, std::optional<VectorView<const float>>,
                                   Activation, MatrixView<float>, std::optional<MatrixView<float>>, std::span<float>,
                                   DenseStats*);
template void detail::backward_pass(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>,
                                    std::optional<MatrixView<const float>>, Activation, const DenseGradients<float>&, bool,
                                    std::span<float>);
template void detail::forward_pass(MatrixView<const double>, MatrixView<const double>, std::optional<VectorView<const double>>,
                                   Activation, MatrixView<double>, std::optional<MatrixView<double>>, std::span<double>,
                                   DenseStats*);
template void detail::backward_pass(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>,
                                    std::optional<MatrixView<const double>>, Activation, const DenseGradients<double>&, bool,
                                    std::span<double>);
template DenseShape dense_shape(MatrixView<const float>, MatrixView<const float>);
template DenseShape dense_shape(MatrixView<const double>, MatrixView<const double>);
template std::size_t dense_workspace<float>(const DenseShape&);
template std::size_t dense_workspace<double>(const DenseShape&);
template class PackedWeight<float>;
template class PackedWeight<double>;
template void dense_forward(MatrixView<const float>, MatrixView<const float>, std::optional<VectorView<const float>>,
                            Activation, MatrixView<float>, std::optional<MatrixView<float>>, std::span<float>, DenseStats*);
template void dense_forward(MatrixView<const double>, MatrixView<const double>, std::optional<VectorView<const double>>,
                            Activation, MatrixView<double>, std::optional<MatrixView<double>>, std::span<double>, DenseStats*);
template void dense_forward(MatrixView<const float>, const PackedWeight<float>&, std::optional<VectorView<const float>>,
                            Activation, MatrixView<float>, std::optional<MatrixView<float>>, DenseStats*);
template void dense_forward(MatrixView<const double>, const PackedWeight<double>&, std::optional<VectorView<const double>>,
                            Activation, MatrixView<double>, std::optional<MatrixView<double>>, DenseStats*);
template void dense_backward(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>,
                             std::optional<MatrixView<const float>>, Activation, const DenseGradients<float>&, bool,
                             std::span<float>);
template void dense_backward(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>,
                             std::optional<MatrixView<const double>>, Activation, const DenseGradients<double>&, bool,
                             std::span<double>);

}  // namespace fanin
