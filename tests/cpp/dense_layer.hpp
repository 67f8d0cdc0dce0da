// A dense layer of any shape, strides and operands against the reference: what test_dense and sweep_dense are made of.
#pragma once

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "fanin/dense.hpp"
#include "fanin/isa.hpp"
#include "reference/dense.hpp"

namespace dense_layer {

using fanin::Activation;
using fanin::DenseGradients;
using fanin::MatrixView;
using fanin::VectorView;

using Random = std::mt19937;
// Every kind as it stands, and leaky_relu once more with another slope.
inline const std::vector<Activation> kAll = [] {
    std::vector<Activation> all{{Activation::leaky_relu, 0.2}};
    for (std::size_t kind = 0; kind < Activation::kKinds; ++kind) all.push_back(static_cast<Activation::Kind>(kind));
    return all;
}();

inline std::size_t below(Random& random, std::size_t n) { return random() % n; }

// A matrix somewhere in a buffer of its own, with any strides; the rest of the buffer must keep its value.
template <class T>
struct Box {
    static constexpr T kUntouched = T(-77.25);
    std::vector<T> buffer;
    MatrixView<T> view;

    // layout: 0 row-major, 1 column-major, 2 padded rows, 3 both strides above one, 4 reversed; 5 and 6 repeat the first
    // row or column (inputs only).
    Box(std::size_t rows, std::size_t cols, std::size_t layout) {
        const auto r = static_cast<std::ptrdiff_t>(rows), c = static_cast<std::ptrdiff_t>(cols);
        std::ptrdiff_t row = c, col = 1;
        if (layout == 1) row = 1, col = r;
        if (layout == 2) row = c + 3;
        if (layout == 3) row = 2 * c + 1, col = 2;
        if (layout == 4) row = -(c + 1), col = -1;
        if (layout == 5) row = 0;
        if (layout == 6) row = 1, col = 0;
        buffer.assign(std::size_t(2 * (r + 1) * (c + 2) + 9), kUntouched);
        std::ptrdiff_t start = 5;  // unaligned
        if (row < 0) start += -row * r - col * c;
        view = {buffer.data() + start, rows, cols, row, col};
    }
    MatrixView<const T> input() const { return view; }
    template <class F>
    void fill(F&& f) {
        for (std::size_t i = 0; i < view.rows; ++i)
            for (std::size_t j = 0; j < view.cols; ++j) view(i, j) = f();
    }
    VectorView<T> row() const { return {view.data, view.cols, view.col_stride}; }
    // How many elements of the buffer lie outside the view and are as they were.
    bool rest_untouched() const {
        std::vector<T> copy = buffer;
        for (std::size_t i = 0; i < view.rows; ++i)
            for (std::size_t j = 0; j < view.cols; ++j) copy[std::size_t(&view(i, j) - buffer.data())] = kUntouched;
        for (const T x : copy)
            if (!(x == kUntouched)) return false;
        return true;
    }
};

// Operands: uniform; with zeros of both signs; subnormal; or with infinities and NaN here and there.
template <class T>
T operand(Random& random, std::size_t kind) {
    const T u = T(random() % 2001) / T(1000) - 1;
    if (kind == 1 && below(random, 4) == 0) return below(random, 2) == 0 ? T(0) : -T(0);
    if (kind == 2) return u * std::numeric_limits<T>::min() * T(4);
    if (kind == 3 && below(random, 100) == 0)
        return below(random, 2) == 0 ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::quiet_NaN();
    if (kind == 4) return u * std::sqrt(std::numeric_limits<T>::min());  // products round to +-0 and subnormals
    return u;
}

template <class T>
void same(const MatrixView<T>& got, const MatrixView<T>& expected, const char* what, const std::string& where) {
    for (std::size_t i = 0; i < got.rows; ++i)
        for (std::size_t j = 0; j < got.cols; ++j)
            CHECK_SAME(got(i, j), expected(i, j),
                       std::string(what) + "[" + std::to_string(i) + "," + std::to_string(j) + "], " + where);
}
template <class T>
void same(const VectorView<T>& got, const VectorView<T>& expected, const char* what, const std::string& where) {
    same(MatrixView<T>{got.data, 1, got.size, 0, got.stride},
         MatrixView<T>{expected.data, 1, expected.size, 0, expected.stride}, what, where);
}

// Forward of a packed weight, and what is measured on the way: the bits of the reference and of summarize().
template <class T>
void packed_and_measured(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> bias,
                         Activation activation, const Box<T>& z, const Box<T>& a, std::size_t layout,
                         const std::string& where) {
    const fanin::PackedWeight<T> packed(w);
    Box<T> got_z(z.view.rows, z.view.cols, layout), got_a(z.view.rows, z.view.cols, (layout + 1) % 5);
    fanin::DenseStats stats;
    stats.options_a = {false, fanin::HistogramKind::linear, 7, -1, 1};
    const fanin::Summary of_z = fanin::summarize(z.input(), stats.options_z),
                         of_a = fanin::summarize(a.input(), stats.options_a);
    fanin::dense_forward<T>(x, packed, bias, activation, got_a.view, got_z.view);
    same(got_a.view, a.view, "a of packed w", where);
    same(got_z.view, z.view, "z of packed w", where);
    fanin::dense_forward<T>(x, packed, bias, activation, got_a.view, std::nullopt, &stats);
    same(got_a.view, a.view, "a, z measured and not kept", where);
    CHECK(stats.z == of_z && stats.a == of_a);
    stats.z = stats.a = {};
    fanin::dense_forward<T>(x, w, bias, activation, got_a.view, got_z.view, {}, &stats);
    CHECK(stats.z == of_z && stats.a == of_a);
    CHECK(got_a.rest_untouched() && got_z.rest_untouched());
}

// One layer of random strides and operands, forward and backward, held against the reference on every instruction set
// (the generic one only where it is not too slow).
template <class T>
void one_layer(Random& random, std::size_t batch, std::size_t n_in, std::size_t n_out, std::size_t kind, Activation activation,
               std::size_t generic_work = std::size_t{1} << 40) {
    const std::string where = "batch " + std::to_string(batch) + ", n_in " + std::to_string(n_in) + ", n_out " +
                              std::to_string(n_out) + ", operands " + std::to_string(kind) + ", activation " +
                              fanin::activation_name(activation);
    const auto value = [&] { return operand<T>(random, kind); };
    Box<T> x(batch, n_in, below(random, 7)), w(n_out, n_in, below(random, 7)), b(1, n_out, below(random, 5));
    Box<T> da(batch, n_out, below(random, 7));
    x.fill(value), w.fill(value), b.fill(value), da.fill(value);
    std::optional<VectorView<const T>> bias;
    if (below(random, 3) != 0) bias = b.row();
    const bool accumulate = below(random, 2) == 0, separate_z = below(random, 3) != 0;

    Box<T> z(batch, n_out, 0), a(batch, n_out, 0), dz(batch, n_out, 0), dx(batch, n_in, 0), dw(n_out, n_in, 0), db(1, n_out, 0);
    Box<T> old_dx(batch, n_in, 0), old_dw(n_out, n_in, 0), old_db(1, n_out, 0);
    if (accumulate) old_dx.fill(value), old_dw.fill(value), old_db.fill(value);
    else
        for (Box<T>* old : {&old_dx, &old_dw, &old_db}) old->fill([] { return T(0); });
    for (auto [to, from] : {std::pair{&dx, &old_dx}, {&dw, &old_dw}, {&db, &old_db}}) to->buffer = from->buffer;
    fanin::reference::dense_forward<T>(x.input(), w.input(), bias, activation, z.view, a.view);
    fanin::reference::dense_backward<T>(da.input(), x.input(), w.input(), z.input(), activation, dz.view, dx.view, dw.view,
                                        db.row());

    const std::size_t layouts[] = {below(random, 5), below(random, 5), below(random, 5),
                                   below(random, 5), below(random, 5), below(random, 5)};
    check::each_isa([&] {
        if (fanin::active_isa() == "generic" && batch * n_in * n_out > generic_work) return;
        packed_and_measured<T>(x.input(), w.input(), bias, activation, z, a, layouts[0], where);
        Box<T> got_z(batch, n_out, layouts[0]), got_a(batch, n_out, layouts[1]);
        fanin::dense_forward<T>(x.input(), w.input(), bias, activation, got_a.view,
                                separate_z ? std::optional(got_z.view) : std::nullopt);
        same(got_a.view, a.view, "a", where);
        if (separate_z) same(got_z.view, z.view, "z", where);
        CHECK(got_a.rest_untouched() && got_z.rest_untouched());

        Box<T> got_dz(batch, n_out, layouts[2]), got_dx(batch, n_in, layouts[3]), got_dw(n_out, n_in, layouts[4]),
            got_db(1, n_out, layouts[5]);
        auto copy = [](const Box<T>& from, Box<T>& to) {
            for (std::size_t i = 0; i < from.view.rows; ++i)
                for (std::size_t j = 0; j < from.view.cols; ++j) to.view(i, j) = from.view(i, j);
        };
        if (accumulate) copy(old_dx, got_dx), copy(old_dw, got_dw), copy(old_db, got_db);
        DenseGradients<T> out{got_dx.view, got_dw.view, got_db.row(), std::nullopt};
        if (separate_z) out.out_dz = got_dz.view;
        fanin::dense_backward<T>(da.input(), x.input(), w.input(), z.input(), activation, out, accumulate);
        if (separate_z) same(got_dz.view, dz.view, "dz", where);
        same(got_dx.view, dx.view, "dx", where);
        same(got_dw.view, dw.view, "dw", where);
        same(got_db.row(), db.row(), "db", where);
        CHECK(got_dz.rest_untouched() && got_dx.rest_untouched() && got_dw.rest_untouched() && got_db.rest_untouched());
    });
}

}  // namespace dense_layer
