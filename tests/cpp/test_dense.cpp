// `dense` against the reference, bit for bit, on every instruction set: random shapes, strides and operands; rows alone,
// shards of the batch, thread counts, workspaces; what must be refused.
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "fanin/dense.hpp"
#include "fanin/threads.hpp"
#include "overlap.hpp"
#include "reference/dense.hpp"

namespace {

using fanin::Activation;
using fanin::DenseGradients;
using fanin::MatrixView;
using fanin::VectorView;

using Random = std::mt19937;
constexpr Activation kAll[] = {Activation::identity, Activation::relu, Activation::tanh, Activation::sigmoid};

std::size_t below(Random& random, std::size_t n) { return random() % n; }

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

// One layer of random strides and operands, forward and backward, held against the reference on every instruction set.
template <class T>
void one_layer(Random& random, std::size_t batch, std::size_t n_in, std::size_t n_out, std::size_t kind,
               Activation activation) {
    const std::string where = "batch " + std::to_string(batch) + ", n_in " + std::to_string(n_in) + ", n_out " +
                              std::to_string(n_out) + ", operands " + std::to_string(kind) + ", activation " +
                              std::to_string(int(activation));
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

template <class T>
void layers_equal_reference() {
    Random random(20);
    for (int i = 0; i < 250; ++i)
        one_layer<T>(random, below(random, 71), below(random, 71), below(random, 71), below(random, 5), kAll[below(random, 4)]);
    for (int i = 0; i < 60; ++i)  // thin ones
        one_layer<T>(random, 1 + below(random, 4), below(random, 40), below(random, 40), below(random, 5),
                     kAll[below(random, 4)]);
    // Beyond one block in each dimension, and at its edge.
    for (const std::size_t k : {511, 512, 513, 1024, 1025, 1500})
        for (int role = 0; role < 3; ++role) {
            std::size_t shape[] = {1 + below(random, 20), 1 + below(random, 20), 1 + below(random, 20)};
            shape[role] = k;
            one_layer<T>(random, shape[0], shape[1], shape[2], below(random, 5), kAll[below(random, 4)]);
        }
    // Beyond what is packed at a time, in k and in columns; enough work for threads.
    one_layer<T>(random, 40, 2100, 300, 0, Activation::tanh);
    for (int i = 0; i < 4; ++i) one_layer<T>(random, 2100, 30, 20, 0, Activation::relu);
}

template <class T>
std::vector<T> numbers(Random& random, std::size_t n) {
    std::vector<T> v(n);
    for (T& x : v) x = operand<T>(random, 0);
    return v;
}

// What a caller computes depends neither on threads, nor on the workspace, nor on the batch around a row.
template <class T>
void same_bits_however_computed() {
    Random random(21);
    const std::size_t batch = 101, n_in = 600, n_out = 130;
    const std::vector<T> x = numbers<T>(random, batch * n_in), w = numbers<T>(random, n_out * n_in),
                         b = numbers<T>(random, n_out), da = numbers<T>(random, batch * n_out);
    const auto xv = fanin::matrix_view(x.data(), batch, n_in), wv = fanin::matrix_view(w.data(), n_out, n_in),
               dav = fanin::matrix_view(da.data(), batch, n_out);
    const VectorView<const T> bv{b.data(), n_out};
    struct Results {
        std::vector<T> a, z, dx, dw, db;
        bool operator==(const Results&) const = default;
    };
    const auto compute = [&](std::span<T> workspace) {
        Results r{std::vector<T>(batch * n_out), std::vector<T>(batch * n_out), std::vector<T>(batch * n_in),
                  std::vector<T>(n_out * n_in), std::vector<T>(n_out)};
        fanin::dense_forward<T>(xv, wv, bv, Activation::tanh, fanin::matrix_view(r.a.data(), batch, n_out),
                                fanin::matrix_view(r.z.data(), batch, n_out), workspace);
        const DenseGradients<T> out{fanin::matrix_view(r.dx.data(), batch, n_in), fanin::matrix_view(r.dw.data(), n_out, n_in),
                                    VectorView<T>{r.db.data(), n_out}, std::nullopt};
        fanin::dense_backward<T>(dav, xv, wv, fanin::matrix_view<const T>(r.z.data(), batch, n_out), Activation::tanh, out,
                                 false, workspace);
        return r;
    };
    fanin::set_num_threads(1);
    const Results alone = compute({});
    for (const std::size_t threads : {2, 3, 8}) {
        fanin::set_num_threads(threads);
        CHECK(compute({}) == alone);
    }
    // A caller's workspace of just the stated size, unaligned, between two sentinels.
    const std::size_t size = fanin::dense_workspace<T>({batch, n_in, n_out});
    std::vector<T> space(size + 2, T(7));
    CHECK(compute({space.data() + 1, size}) == alone);
    CHECK(space.front() == T(7) && space.back() == T(7));
    CHECK_THROWS(compute({space.data(), size - 1}), std::invalid_argument);
    CHECK(fanin::dense_workspace<T>({3, n_in, n_out}) <= size);

    for (const std::size_t i : {std::size_t{0}, std::size_t{57}, batch - 1}) {
        std::vector<T> a(n_out), z(n_out), dx(n_in);
        fanin::dense_forward<T>(fanin::matrix_view(x.data() + i * n_in, 1, n_in), wv, bv, Activation::tanh,
                                fanin::matrix_view(a.data(), 1, n_out), fanin::matrix_view(z.data(), 1, n_out));
        DenseGradients<T> out;
        out.out_dx = fanin::matrix_view(dx.data(), 1, n_in);
        fanin::dense_backward<T>(fanin::matrix_view(da.data() + i * n_out, 1, n_out),
                                 fanin::matrix_view(x.data() + i * n_in, 1, n_in), wv,
                                 fanin::matrix_view<const T>(z.data(), 1, n_out), Activation::tanh, out);
        CHECK(std::equal(a.begin(), a.end(), alone.a.begin() + std::ptrdiff_t(i * n_out)));
        CHECK(std::equal(z.begin(), z.end(), alone.z.begin() + std::ptrdiff_t(i * n_out)));
        CHECK(std::equal(dx.begin(), dx.end(), alone.dx.begin() + std::ptrdiff_t(i * n_in)));
    }
}

// dw and db of shards of the batch, cut at multiples of kSumBlock and accumulated in order, equal the whole's.
template <class T>
void shards_equal_the_whole() {
    Random random(22);
    const std::size_t batch = 1300, n_in = 19, n_out = 11;
    const std::vector<T> x = numbers<T>(random, batch * n_in), w = numbers<T>(random, n_out * n_in),
                         dz = numbers<T>(random, batch * n_out);
    const auto wv = fanin::matrix_view(w.data(), n_out, n_in);
    std::vector<T> dw(n_out * n_in), db(n_out), dw_shards(dw.size()), db_shards(n_out);
    const auto add = [&](std::size_t begin, std::size_t end, std::vector<T>& to_dw, std::vector<T>& to_db) {
        DenseGradients<T> out;
        out.out_dw = fanin::matrix_view(to_dw.data(), n_out, n_in);
        out.out_db = VectorView<T>{to_db.data(), n_out};
        fanin::dense_backward<T>(fanin::matrix_view(dz.data() + begin * n_out, end - begin, n_out),
                                 fanin::matrix_view(x.data() + begin * n_in, end - begin, n_in), wv, std::nullopt,
                                 Activation::identity, out, true);
    };
    add(0, batch, dw, db);
    add(0, fanin::kSumBlock, dw_shards, db_shards);
    add(fanin::kSumBlock, 2 * fanin::kSumBlock, dw_shards, db_shards);
    add(2 * fanin::kSumBlock, batch, dw_shards, db_shards);
    CHECK(dw == dw_shards && db == db_shards);
}

// A product that is -0 gives +0, and without any term the bias stands as it is, -0 too.
void zeros() {
    const float x[] = {0.0f}, w[] = {-1.0f}, minus[] = {-0.0f};
    float z[] = {7.0f};
    const auto forward = [&](std::size_t n_in, std::optional<VectorView<const float>> b) {
        fanin::dense_forward<float>({x, 1, n_in, 1, 1}, {w, 1, n_in, 1, 1}, b, Activation::identity,
                                    fanin::matrix_view(z, 1, 1));
        return z[0];
    };
    const VectorView<const float> b{minus, 1};
    CHECK_SAME(forward(1, std::nullopt), 0.0f, "no bias");
    CHECK_SAME(forward(1, b), 0.0f, "bias -0");
    CHECK_SAME(forward(0, b), -0.0f, "bias -0, no inputs");
    CHECK_SAME(forward(0, std::nullopt), 0.0f, "no bias, no inputs");
}

// Views that share an element are never taken to be apart, against a list of all addresses; and the test is sharp enough
// to tell apart a good part of those that share none.
void overlap_is_never_missed() {
    Random random(23);
    static float memory[400];
    int apart = 0, told = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto any = [&] {
            const auto stride = [&] { return static_cast<std::ptrdiff_t>(below(random, 25)) - 12; };
            return MatrixView<float>{memory + 150 + below(random, 40), below(random, 5), below(random, 5), stride(), stride()};
        };
        const MatrixView<float> a = any(), b = any();
        bool shared = false;
        for (std::size_t p = 0; p < a.rows * a.cols; ++p)
            for (std::size_t q = 0; q < b.rows * b.cols; ++q)
                shared |= &a(p / a.cols, p % a.cols) == &b(q / b.cols, q % b.cols);
        const bool may = fanin::detail::may_overlap(fanin::detail::extent(a), fanin::detail::extent(b), sizeof(float));
        CHECK(may || !shared);
        apart += !shared;
        told += !may;
    }
    CHECK(told > apart / 2);
}

void refused() {
    std::vector<double> memory(1000, 3.0);
    const std::vector<double> before = memory;
    double* p = memory.data();
    const auto m = [&](std::size_t at, std::size_t rows, std::size_t cols, std::ptrdiff_t row, std::ptrdiff_t col) {
        return MatrixView<double>{p + at, rows, cols, row, col};
    };
    const auto x = m(0, 4, 3, 3, 1), w = m(20, 2, 3, 3, 1), a = m(40, 4, 2, 2, 1), z = m(60, 4, 2, 2, 1),
               dx = m(80, 4, 3, 3, 1);
    const auto forward = [&](MatrixView<double> x_, MatrixView<double> w_, MatrixView<double> a_,
                             std::optional<MatrixView<double>> z_, std::size_t n_bias = 2) {
        fanin::dense_forward<double>(x_, w_, VectorView<const double>{p + 100, n_bias}, Activation::relu, a_, z_);
    };
    CHECK_THROWS(forward(x, w.transposed(), a, z), std::invalid_argument);
    CHECK_THROWS(forward(x, w, a.transposed(), z), std::invalid_argument);
    CHECK_THROWS(forward(x, w, a, z.transposed()), std::invalid_argument);
    CHECK_THROWS(forward(x, w, a, z, 3), std::invalid_argument);
    CHECK_THROWS(forward(x, w, x, z), std::invalid_argument);
    CHECK_THROWS(forward(x, w, a, a), std::invalid_argument);
    CHECK_THROWS(forward(x, w, m(5, 4, 2, 2, 1), z), std::invalid_argument);   // over x's end and w's beginning
    CHECK_THROWS(forward(x, w, m(40, 4, 2, 0, 1), z), std::invalid_argument);  // zero stride
    CHECK_THROWS(forward(x, w, m(40, 4, 2, 1, 1), z), std::invalid_argument);  // sliding window
    CHECK_THROWS(forward(x, w, m(49, 4, 2, -2, -1), m(41, 4, 2, 2, 1)), std::invalid_argument);
    const auto backward = [&](MatrixView<double> da, std::optional<MatrixView<const double>> z_, DenseGradients<double> out) {
        fanin::dense_backward<double>(da, x, w, z_, Activation::tanh, out);
    };
    CHECK_THROWS(backward(a.transposed(), z, {dx, {}, {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, std::nullopt, {dx, {}, {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z.transposed(), {dx, {}, {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z, {x, {}, {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z, {w, {}, {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z, {dx, m(90, 2, 3, 3, 1), {}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z, {{}, {}, VectorView<double>{p + 100, 3}, {}}), std::invalid_argument);
    CHECK_THROWS(backward(a, z, {{}, {}, {}, m(41, 4, 2, 2, 1)}), std::invalid_argument);
    CHECK(memory == before);

    // Apart although their address ranges meet: interleaved columns, column ranges of one matrix, mirrored rows.
    forward(x, w, m(200, 4, 2, 4, 2), m(201, 4, 2, 4, 2));
    forward(x, w, m(200, 4, 2, 10, 1), m(202, 4, 2, 10, 1));
    forward(x, w, m(200, 4, 2, 10, 1), m(238, 4, 2, -10, 1));
    CHECK(memory[20] == 3.0 && memory[100] == 3.0);
    backward(a, z, {{}, {}, {}, a});  // dz in place of da
}

}  // namespace

int main() {
    layers_equal_reference<float>();
    layers_equal_reference<double>();
    check::each_isa([] {
        same_bits_however_computed<float>();
        same_bits_however_computed<double>();
        shards_equal_the_whole<float>();
        shards_equal_the_whole<double>();
        zeros();
    });
    overlap_is_never_missed();
    refused();
    return check::result();
}
