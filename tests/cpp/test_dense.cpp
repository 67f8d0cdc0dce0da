// `dense` against the reference, bit for bit, on every instruction set: random shapes, strides and operands; rows alone,
// shards of the batch, thread counts, workspaces; what must be refused.
#include <optional>
#include <stdexcept>

#include "check.hpp"
#include "dense_layer.hpp"
#include "fanin/dense.hpp"
#include "fanin/threads.hpp"
#include "overlap.hpp"

namespace {

using namespace dense_layer;

template <class T>
void layers_equal_reference() {
    Random random(20);
    for (int i = 0; i < 250; ++i)
        one_layer<T>(random, below(random, 71), below(random, 71), below(random, 71), below(random, 5),
                     kAll[below(random, std::size(kAll))]);
    for (int i = 0; i < 60; ++i)  // thin ones
        one_layer<T>(random, 1 + below(random, 4), below(random, 40), below(random, 40), below(random, 5),
                     kAll[below(random, std::size(kAll))]);
    // Beyond one block in each dimension, and at its edge.
    for (const std::size_t k : {511, 512, 513, 1024, 1025, 1500})
        for (int role = 0; role < 3; ++role) {
            std::size_t shape[] = {1 + below(random, 20), 1 + below(random, 20), 1 + below(random, 20)};
            shape[role] = k;
            one_layer<T>(random, shape[0], shape[1], shape[2], below(random, 5), kAll[below(random, std::size(kAll))]);
        }
    for (int i = 0; i < 40; ++i)  // few columns under many rows, and few of both over a long batch
        one_layer<T>(random, 20 + below(random, 200), 1 + below(random, 18), 1 + below(random, 18), below(random, 5),
                     kAll[below(random, std::size(kAll))]);
    for (const std::size_t n : {64, 100, 127, 128, 129, 260})  // several panels at once; columns that alias (512 apart)
        for (std::size_t batch = 1; batch < 4; ++batch) one_layer<T>(random, batch, 1024, n, 0, Activation::tanh);
    for (const std::size_t batch : {16, 32})  // whole vectors of rows under twice as many columns: turned
        for (const std::size_t k : {128, 141, 520})
            for (int i = 0; i < 6; ++i)
                one_layer<T>(random, batch, k, 2 * batch + below(random, 20), below(random, 5),
                             kAll[below(random, std::size(kAll))]);
    for (const std::size_t batch : {131, 132, 133})  // the last one whose w is read in place for dx, with AVX-512
        for (const std::size_t n_in : {17, 64, 95})
            one_layer<T>(random, batch, n_in, 10 + below(random, 50), 0, Activation::relu);
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
    for (const std::size_t threads : {2, 3, 5, 8}) {
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
        const bool may = fanin::detail::may_overlap(fanin::detail::extent(a), fanin::detail::extent(b));
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
