// The public functions of `dense`: they check, then call the passes.
#include "fanin/dense.hpp"

#include <algorithm>

#include "dense/arguments.hpp"
#include "dense/passes.hpp"
#include "dense/product.hpp"
#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// What dense_forward refuses; `w` null: packed, so that no output can share its memory.
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

}  // namespace

template <class T>
DenseShape dense_shape(MatrixView<const T> x, MatrixView<const T> w) {
    if (w.cols != x.cols)
        detail::refuse({"w must have shape (n_out, n_in) = ", detail::Term::shape({w.rows, x.cols}), ", got ",
                        detail::Term::shape({w.rows, w.cols})});
    return {x.rows, x.cols, w.rows};
}

template <class T>
std::size_t dense_workspace(const DenseShape& s) {
    const std::size_t packed =
        std::max({detail::product_workspace(s.batch, s.n_out, s.n_in), detail::product_workspace(s.batch, s.n_in, s.n_out),
                  detail::product_workspace(s.n_out, s.n_in, s.batch)});
    const std::size_t line = detail::kCacheLine / sizeof(T);
    return packed + detail::ceil_div(s.batch * s.n_out, line) * line + line;
}

template <class T>
void dense_forward(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, std::span<T> workspace, DenseStats* stats) {
    const StandardArithmetic arithmetic;
    const DenseShape s = dense_shape<T>(x, w);
    check_forward<T>(s, x, &w, b, out_a, out_z, stats);
    detail::forward_pass(x, w, b, activation, out_a, out_z, workspace, stats);
}

template <class T>
void dense_forward(MatrixView<const T> x, const PackedWeight<T>& w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z, DenseStats* stats) {
    const StandardArithmetic arithmetic;
    const MatrixView<const T> shape{nullptr, w.n_out(), w.n_in()};
    const DenseShape s = dense_shape<T>(x, shape);
    check_forward<T>(s, x, nullptr, b, out_a, out_z, stats);
    detail::forward_pass(x, w, b, activation, out_a, out_z, stats);
}

template <class T>
void dense_backward(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                    Activation activation, const DenseGradients<T>& out, bool accumulate, std::span<T> workspace) {
    const StandardArithmetic arithmetic;
    const DenseShape s = dense_shape<T>(x, w);
    detail::require_shape(da, "da", "(batch, n_out)", s.batch, s.n_out);
    if (z) detail::require_shape(*z, "z", "(batch, n_out)", s.batch, s.n_out);
    else if (activation != Activation::identity)
        detail::refuse(
            {"z must be given with activation '", activation_name(activation), "': its derivative is evaluated from z"});
    if (out.out_dx) detail::require_shape(*out.out_dx, "out_dx", "(batch, n_in)", s.batch, s.n_in);
    if (out.out_dw) detail::require_shape(*out.out_dw, "out_dw", "(n_out, n_in)", s.n_out, s.n_in);
    if (out.out_db) detail::require_shape(*out.out_db, "out_db", "(n_out,)", s.n_out);
    if (out.out_dz) detail::require_shape(*out.out_dz, "out_dz", "(batch, n_out)", s.batch, s.n_out);
    const bool dz_is_da = out.out_dz && detail::same_view(da, *out.out_dz);
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

template DenseShape dense_shape(MatrixView<const float>, MatrixView<const float>);
template DenseShape dense_shape(MatrixView<const double>, MatrixView<const double>);
template std::size_t dense_workspace<float>(const DenseShape&);
template std::size_t dense_workspace<double>(const DenseShape&);
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
