#include "fanin/dense.hpp"

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "dense_product.hpp"
#include "message.hpp"
#include "overlap.hpp"

namespace fanin {
namespace {

static_assert(kSumBlock == kProductBlock);

// A cache line, and the longest vector.
constexpr std::size_t kAlign = 64;
// Elements of z that one task carries through an activation.
constexpr std::size_t kActivationTask = std::size_t{1} << 14;
// Columns that one task sums for db, and elements from which tasks are made.
constexpr std::size_t kSumsCols = 128, kSumsWork = std::size_t{1} << 18;

// ------------------------------------------------------------------------------------------------ checks

std::string shape_of(std::initializer_list<std::size_t> shape) { return detail::shape_text({shape.begin(), shape.size()}); }

template <class T>
void require_shape(const MatrixView<T>& v, const char* name, const char* words, std::size_t rows, std::size_t cols) {
    if (v.rows != rows || v.cols != cols)
        throw std::invalid_argument(std::string(name) + " must have shape " + words + " = " + shape_of({rows, cols}) +
                                    ", got " + shape_of({v.rows, v.cols}));
}
template <class T>
void require_shape(const VectorView<T>& v, const char* name, const char* words, std::size_t size) {
    if (v.size != size)
        throw std::invalid_argument(std::string(name) + " must have shape " + words + " = " + shape_of({size}) + ", got " +
                                    shape_of({v.size}));
}

// What an output is checked against: the views named so far, inputs first, then the outputs before it.
template <class T>
class Places {
 public:
    void input(MatrixView<const T> v, const char* name) { add(detail::extent(v), name); }
    void input(VectorView<const T> v, const char* name) { input(detail::as_matrix(v), name); }
    void output(MatrixView<T> v, const char* name) {
        detail::require_distinct(v, name);
        const detail::Extent e = detail::extent(v);
        for (std::size_t i = 0; i < count_; ++i)
            if (detail::may_overlap(e, extents_[i], sizeof(T)))
                throw std::invalid_argument(std::string(name) + " must not overlap " + names_[i]);
        add(e, name);
    }
    void output(VectorView<T> v, const char* name) { output(detail::as_matrix(v), name); }

 private:
    void add(const detail::Extent& e, const char* name) {
        extents_[count_] = e;
        names_[count_++] = name;
    }
    detail::Extent extents_[8];
    const char* names_[8];
    std::size_t count_ = 0;
};

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

// Calls run(n, (pointers)...) on contiguous runs that cover the m x n views: the whole, or rows, or pieces of rows that
// were copied together. The last view is written.
template <class T, class Run, class... Inputs>
void over_runs(Run&& run, MatrixView<T> out, Inputs... in) {
    const std::size_t m = out.rows, n = out.cols;
    if (m == 0 || n == 0) return;
    const auto adjacent = [](const auto& v) { return v.col_stride == 1 || v.cols == 1; };
    const auto whole = [&](const auto& v) { return v.rows == 1 || v.row_stride == static_cast<std::ptrdiff_t>(n); };
    if (adjacent(out) && (adjacent(in) && ...)) {
        if (whole(out) && (whole(in) && ...)) return run(m * n, in.data..., out.data);
        for (std::size_t i = 0; i < m; ++i) run(n, &in(i, 0)..., &out(i, 0));
        return;
    }
    constexpr std::size_t kPiece = 256;
    T buffers[sizeof...(in) + 1][kPiece];
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t first = 0; first < n; first += kPiece) {
            const std::size_t count = std::min(kPiece, n - first);
            std::size_t next = 0;
            const auto gather = [&](const auto& v) -> const T* {
                T* to = buffers[next++];
                for (std::size_t j = 0; j < count; ++j) to[j] = v(i, first + j);
                return to;
            };
            T* result = buffers[sizeof...(in)];
            [&](auto... pointers) { run(count, pointers..., result); }(gather(in)...);
            for (std::size_t j = 0; j < count; ++j) out(i, first + j) = result[j];
        }
}

template <class T>
MatrixView<T> block(const MatrixView<T>& v, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    return {&v(i, j), m, n, v.row_stride, v.col_stride};
}

template <class T>
void activate_block(Activation activation, MatrixView<const T> z, MatrixView<T> a) {
    if (activation == Activation::identity) {
        over_runs([](std::size_t n, const T* from, T* to) { std::copy_n(from, n, to); }, a, z);
    } else {
        over_runs(kernels<T>().activation.forward[static_cast<std::size_t>(activation)], a, z);
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
            over_runs([](std::size_t count, const T* from, T* to) { std::copy_n(from, count, to); }, block(dz, i, m, 0, n),
                      block(da, i, m, 0, n));
        } else {
            over_runs(kernels<T>().activation.backward[static_cast<std::size_t>(activation)], block(dz, i, m, 0, n),
                      block(z, i, m, 0, n), block(da, i, m, 0, n));
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

}  // namespace

// ------------------------------------------------------------------------------------------------ the layer

template <class T>
DenseShape dense_shape(MatrixView<const T> x, MatrixView<const T> w) {
    if (w.cols != x.cols)
        throw std::invalid_argument("w must have shape (n_out, n_in) = " + shape_of({w.rows, x.cols}) + ", got " +
                                    shape_of({w.rows, w.cols}));
    return {x.rows, x.cols, w.rows};
}

template <class T>
std::size_t dense_workspace(const DenseShape& s) {
    const std::size_t packed = std::max({detail::product_workspace(s.n_out, s.n_in), detail::product_workspace(s.n_in, s.n_out),
                                         detail::product_workspace(s.n_in, s.batch)});
    const std::size_t line = kAlign / sizeof(T);
    return packed + detail::ceil_div(s.batch * s.n_out, line) * line + line;
}

template <class T>
void dense_forward(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace) {
    const DenseShape s = dense_shape<T>(x, w);
    if (b) require_shape(*b, "b", "(n_out,)", s.n_out);
    require_shape(out_a, "out_a", "(batch, n_out)", s.batch, s.n_out);
    if (out_z) require_shape(*out_z, "out_z", "(batch, n_out)", s.batch, s.n_out);
    Places<T> places;
    places.input(x, "x");
    places.input(w, "w");
    if (b) places.input(*b, "b");
    places.output(out_a, "out_a");
    if (out_z) places.output(*out_z, "out_z");
    T* space = workspace_of(workspace, dense_workspace<T>({0, s.n_in, s.n_out}));

    const MatrixView<T> z = out_z.value_or(out_a);
    Product<T> p = matrix_product<T>(x, w.transposed(), z, false);
    if (b) {
        p.init = b->data;
        p.init_row = 0;
        p.init_col = b->stride;
    }
    const bool activates = out_z.has_value() || activation != Activation::identity;
    detail::product(p, space, [&](std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
        if (activates) activate_block<T>(activation, block(z, i, m, j, n), block(out_a, i, m, j, n));
    });
}

template <class T>
void dense_backward(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                    Activation activation, const DenseGradients<T>& out, bool accumulate, std::span<T> workspace) {
    const DenseShape s = dense_shape<T>(x, w);
    require_shape(da, "da", "(batch, n_out)", s.batch, s.n_out);
    if (z) require_shape(*z, "z", "(batch, n_out)", s.batch, s.n_out);
    else if (activation != Activation::identity)
        throw std::invalid_argument("z must be given with activation '" + std::string(activation_name(activation)) +
                                    "': its derivative is evaluated from z");
    if (out.out_dx) require_shape(*out.out_dx, "out_dx", "(batch, n_in)", s.batch, s.n_in);
    if (out.out_dw) require_shape(*out.out_dw, "out_dw", "(n_out, n_in)", s.n_out, s.n_in);
    if (out.out_db) require_shape(*out.out_db, "out_db", "(n_out,)", s.n_out);
    if (out.out_dz) require_shape(*out.out_dz, "out_dz", "(batch, n_out)", s.batch, s.n_out);
    const bool dz_is_da = out.out_dz && same_view(da, *out.out_dz);
    Places<T> places;
    places.input(x, "x");
    places.input(w, "w");
    if (z) places.input(*z, "z");
    if (!dz_is_da) places.input(da, "da");
    if (out.out_dz) places.output(*out.out_dz, "out_dz");
    if (out.out_dx) places.output(*out.out_dx, "out_dx");
    if (out.out_dw) places.output(*out.out_dw, "out_dw");
    if (out.out_db) places.output(*out.out_db, "out_db");
    T* space = workspace_of(workspace, dense_workspace<T>(s));

    MatrixView<const T> dz = da;
    if (out.out_dz || activation != Activation::identity) {
        const MatrixView<T> to = out.out_dz ? *out.out_dz : matrix_view(space, s.batch, s.n_out);
        if (!(dz_is_da && activation == Activation::identity)) backward_activation<T>(activation, z.value_or(da), da, to);
        dz = to;
        const std::size_t line = kAlign / sizeof(T);
        space += detail::ceil_div(s.batch * s.n_out, line) * line;
    }
    const auto nothing = [](std::size_t, std::size_t, std::size_t, std::size_t) {};
    if (out.out_db) sum_rows<T>(dz, *out.out_db, accumulate);
    if (out.out_dw) detail::product(matrix_product<T>(dz.transposed(), x, *out.out_dw, accumulate), space, nothing);
    if (out.out_dx) detail::product(matrix_product<T>(dz, w, *out.out_dx, accumulate), space, nothing);
}

template DenseShape dense_shape(MatrixView<const float>, MatrixView<const float>);
template DenseShape dense_shape(MatrixView<const double>, MatrixView<const double>);
template std::size_t dense_workspace<float>(const DenseShape&);
template std::size_t dense_workspace<double>(const DenseShape&);
template void dense_forward(MatrixView<const float>, MatrixView<const float>, std::optional<VectorView<const float>>,
                            Activation, MatrixView<float>, std::optional<MatrixView<float>>, std::span<float>);
template void dense_forward(MatrixView<const double>, MatrixView<const double>, std::optional<VectorView<const double>>,
                            Activation, MatrixView<double>, std::optional<MatrixView<double>>, std::span<double>);
template void dense_backward(MatrixView<const float>, MatrixView<const float>, MatrixView<const float>,
                             std::optional<MatrixView<const float>>, Activation, const DenseGradients<float>&, bool,
                             std::span<float>);
template void dense_backward(MatrixView<const double>, MatrixView<const double>, MatrixView<const double>,
                             std::optional<MatrixView<const double>>, Activation, const DenseGradients<double>&, bool,
                             std::span<double>);

}  // namespace fanin
