// The orthogonal law against its reference, bit for bit, on every instruction set and at any thread count; blocks, layouts
// and strides against the whole; orthonormality.
#include <algorithm>
#include <stdexcept>

#include "check.hpp"
#include "fanin/float16.hpp"
#include "fanin/init.hpp"
#include "fanin/threads.hpp"
#include "reference/orthogonal.hpp"

namespace {

using fanin::Key;
using fanin::Law;
using Sizes = std::vector<std::size_t>;

constexpr Key kKey{0x0123456789abcdefu, 0xfedcba9876543210u};

std::string name(const Sizes& shape) {
    std::string out;
    for (const std::size_t n : shape) out += std::to_string(n) + " ";
    return out;
}

template <class T>
std::vector<T> drawn(const Sizes& shape, double gain = 1, const fanin::Axes& axes = {}, Key key = kKey) {
    std::size_t size = 1;
    for (const std::size_t n : shape) size *= n;
    std::vector<T> w(size, T(42));
    fanin::fill(std::span<T>(w), shape, Law("orthogonal", {{"gain", gain}}), key, axes);
    return w;
}

// Sizes about 1, a vector, a tile, a block of reflections and a block of sums; square, wide and tall.
template <class T>
void equals_reference() {
    struct Case {
        std::size_t n, m;
    };
    for (const auto& [n, m] :
         {Case{1, 1}, Case{1, 2}, Case{2, 2}, Case{1, 700}, Case{3, 5}, Case{16, 17}, Case{33, 33}, Case{127, 128},
          Case{128, 128}, Case{129, 129}, Case{130, 257}, Case{140, 700}, Case{257, 300}}) {
        for (const double gain : {1.0, 0.7}) {
            if (gain != 1 && n > 33) continue;
            auto expected = fanin::reference::orthogonal<T>(kKey, n, m, static_cast<T>(gain));
            const std::vector<T> wide = drawn<T>({n, m}, gain), tall = drawn<T>({m, n}, gain);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < m; ++j) {
                    CHECK_SAME(wide[i * m + j], expected(i, j), name({n, m, i, j}));
                    if (n != m) CHECK_SAME(tall[j * n + i], expected(i, j), name({m, n, j, i}));
                }
        }
    }
}

void same_bits_at_any_thread_count() {
    const std::size_t threads = fanin::num_threads();
    for (const Sizes& shape : {Sizes{300, 520}, Sizes{520, 300}, Sizes{7, 5000}}) {
        fanin::set_num_threads(1);
        const std::vector<float> one = drawn<float>(shape);
        for (const std::size_t n : {2, 3, 7}) {
            fanin::set_num_threads(n);
            CHECK(drawn<float>(shape) == one);
        }
    }
    fanin::set_num_threads(threads);
}

// Kernels are flattened to (n_out, rest); other layouts are that matrix with its axes moved.
void layouts() {
    const std::vector<float> w = drawn<float>({6, 4, 3, 2}), flat = drawn<float>({6, 24});
    CHECK(w == flat);
    const std::vector<float> hwio = drawn<float>({3, 2, 4, 6}, 1, {{-2}, {-1}}), flat_hwio = drawn<float>({24, 6});
    CHECK(hwio == drawn<float>({3, 2, 4, 6}, 1, {{2}, {3}}));
    const std::vector<float> same = drawn<float>({6, 3, 2, 4});
    for (std::size_t out = 0; out < 6; ++out)
        for (std::size_t rest = 0; rest < 24; ++rest)
            CHECK_SAME(hwio[rest * 6 + out], same[out * 24 + rest], name({out, rest}));
    const std::vector<float> two = drawn<float>({2, 5, 3}, 1, {{1}, {0, 2}});  // rows are the axes 0 and 2
    const std::vector<float> matrix = drawn<float>({6, 5});
    for (std::size_t a = 0; a < 2; ++a)
        for (std::size_t j = 0; j < 5; ++j)
            for (std::size_t b = 0; b < 3; ++b)
                CHECK_SAME(two[(a * 5 + j) * 3 + b], matrix[(a * 3 + b) * 5 + j], name({a, j, b}));
    const std::vector<float> unit = drawn<float>({9}, 1, {{}, {0}}), column = drawn<float>({9, 1});
    CHECK(unit == column);
    CHECK(std::abs(drawn<double>({}, 1, {{}, {}})[0]) == 1);
    CHECK(drawn<float>({0, 4}).empty() && drawn<float>({4, 0}).empty());
}

// Each index of a batch axis is a matrix of its own: matrix b draws from index b n m on.
template <class T>
void batches_equal_reference() {
    for (const std::size_t count : {3, 20}) {  // one after the other, side by side
        const Sizes full{5, count, 9};
        const std::vector<T> w = drawn<T>(full, 1, {{2}, {0}, {1}});
        for (std::size_t b = 0; b < count; ++b) {
            auto expected = fanin::reference::orthogonal<T>(kKey, 5, 9, T(1), b * 45);
            for (std::size_t i = 0; i < 5; ++i)
                for (std::size_t j = 0; j < 9; ++j) CHECK_SAME(w[(i * count + b) * 9 + j], expected(i, j), name({b, i, j}));
        }
        const Sizes offset{1, 2, 3}, size{4, 1, 5};
        std::vector<T> part(20);
        const std::ptrdiff_t strides[] = {5, 5, 1};
        fanin::fill(fanin::ArrayView<T>{part.data(), size, strides}, Law("orthogonal"), kKey, {full, offset}, {{2}, {0}, {1}});
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 5; ++j) CHECK_SAME(part[i * 5 + j], w[((i + 1) * count + 2) * 9 + j + 3], name({i, j}));
    }
}

// The 16-bit types are the float draw, rounded once.
template <class T>
void sixteen_bits() {
    for (const Sizes& shape : {Sizes{7, 7}, Sizes{20, 50}, Sizes{50, 20}}) {
        const std::vector<float> w = drawn<float>(shape, 1.3);
        std::vector<T> expected(w.size()), got(w.size());
        fanin::round_to(w, std::span<T>(expected));
        fanin::fill(std::span<T>(got), shape, Law("orthogonal", {{"gain", 1.3}}), kKey);
        CHECK(got == expected);
        const std::size_t rows = shape[0] / 2, size[] = {rows, shape[1]}, offset[] = {shape[0] - rows, 0};
        const std::ptrdiff_t strides[] = {1, static_cast<std::ptrdiff_t>(rows)};
        std::vector<T> part(rows * shape[1]);
        fanin::fill(fanin::ArrayView<T>{part.data(), size, strides}, Law("orthogonal", {{"gain", 1.3}}), kKey, {shape, offset});
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < shape[1]; ++j)
                CHECK(part[i + j * rows] == expected[(i + shape[0] - rows) * shape[1] + j]);
    }
}

// Every part has the bits of the whole, written where the strides say and nowhere else.
template <class T>
void parts_equal_the_whole() {
    for (const Sizes& full : {Sizes{150, 170}, Sizes{170, 150}, Sizes{5, 300}, Sizes{300, 5}}) {
        const std::vector<T> whole = drawn<T>(full, 0.9);
        const Sizes lows[] = {{0, 0}, {full[0] / 3, full[1] / 4}, {full[0] - 1, 0}, {0, full[1] - 1}, {full[0] / 2, full[1]}};
        const Sizes sizes[] = {
            {full[0], full[1] / 2}, {full[0] / 2, full[1] / 2}, {1, full[1]}, {full[0], 1}, {full[0] / 2, 0}};
        for (std::size_t c = 0; c < std::size(lows); ++c) {
            const Sizes &low = lows[c], &size = sizes[c];
            const auto cols = static_cast<std::ptrdiff_t>(size[1]), rows = static_cast<std::ptrdiff_t>(size[0]);
            const std::ptrdiff_t layouts[][3] = {{cols, 1, 0}, {1, rows, 0}, {-2 * cols, 2, 2 * cols * (rows - 1)}};
            for (const auto& [row, col, first] : layouts) {
                std::vector<T> memory(2 * size[0] * size[1] + 1, T(42));
                const std::ptrdiff_t strides[] = {row, col};
                fanin::fill(fanin::ArrayView<T>{memory.data() + first, size, strides}, Law("orthogonal", {{"gain", 0.9}}), kKey,
                            {full, low});
                for (std::ptrdiff_t i = 0; i < rows; ++i)
                    for (std::ptrdiff_t j = 0; j < cols; ++j) {
                        T& got = memory[static_cast<std::size_t>(first + i * row + j * col)];
                        const std::size_t at =
                            (low[0] + static_cast<std::size_t>(i)) * full[1] + low[1] + static_cast<std::size_t>(j);
                        CHECK_SAME(got, whole[at], name(full) + "at " + std::to_string(at));
                        got = T(42);
                    }
                CHECK(std::all_of(memory.begin(), memory.end(), [](T x) { return x == T(42); }));
            }
        }
    }
}

// max |W W^T - gain^2 I| over the shorter side, summed in double.
template <class T>
double defect(const std::vector<T>& w, std::size_t n, std::size_t m, double gain) {
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < m; ++k) sum += double(w[i * m + k]) * double(w[j * m + k]);
            worst = std::max(worst, std::abs(sum - (i == j ? gain * gain : 0)));
        }
    return worst;
}

// The bars of the law: 1e-5 in float32, 1e-13 in float64, far above the few eps that a product of reflections costs.
void orthonormal() {
    for (const Sizes& s : {Sizes{1, 1}, Sizes{2, 2}, Sizes{5, 9}, Sizes{128, 128}, Sizes{400, 400}, Sizes{100, 3000}}) {
        CHECK(defect(drawn<float>(s), s[0], s[1], 1) < 1e-5);
        CHECK(defect(drawn<double>(s), s[0], s[1], 1) < 1e-13);
        CHECK(defect(drawn<float>(s, 1.5), s[0], s[1], 1.5) < 2.25e-5);
    }
    // The first vector of the law is the first Gaussian vector, normalised.
    std::vector<double> g(40);
    fanin::fill_normal(std::span<double>(g), kKey, 0, 0.0, 1.0);
    double norm = 0;
    for (const double x : g) norm += x * x;
    const std::vector<double> w = drawn<double>({7, 40});
    for (std::size_t k = 0; k < g.size(); ++k) CHECK(std::abs(w[k] - g[k] / std::sqrt(norm)) < 1e-15);
    // No draw lies outside [-gain, gain], and a gain of 0 gives +0.
    for (std::uint64_t stream = 0; stream < 200; ++stream) {
        for (const std::size_t n : {1, 2}) {
            const std::vector<float> x = drawn<float>({n, n}, 1, {}, {1, stream});
            CHECK(std::all_of(x.begin(), x.end(), [](float v) { return std::abs(v) <= 1; }));
        }
    }
    const std::vector<float> zeros = drawn<float>({9, 12}, 0);
    CHECK(std::all_of(zeros.begin(), zeros.end(), [](float v) { return v == 0 && !std::signbit(v); }));
}

void description_and_refusals() {
    const fanin::Description d = fanin::describe(Law("orthogonal", {{"gain", 2.0}}), Sizes{6, 4, 3, 2});
    CHECK(d.mean == 0 && d.std == 2 / std::sqrt(24.0) && d.low == -2 && d.high == 2 && d.fans->in == 24);
    CHECK(fanin::describe(Law("orthogonal"), Sizes{90, 10}).std == 1 / std::sqrt(90.0));
    CHECK(fanin::describe(Law("orthogonal"), Sizes{0, 3, 0}).std == 0);
    CHECK(fanin::describe(Law("orthogonal"), Sizes{9, 7, 4}, {{1}, {0}, {2}}).std == 1.0 / 3);
    std::vector<float> x(12, 42.0f);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{12}, Law("orthogonal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{3, 4}, Law("orthogonal"), kKey, {{2}, {0}}), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{3, 4}, Law("orthogonal", {{"gain", 1e39}}), kKey),
                 std::invalid_argument);
    CHECK_THROWS(fanin::fill(fanin::MatrixView<float>{x.data(), 3, 4, 2, 1}, Law("orthogonal"), kKey), std::invalid_argument);
    CHECK_THROWS(Law("orthogonal", {{"gain", -1.0}}), std::invalid_argument);
    CHECK(std::all_of(x.begin(), x.end(), [](float v) { return v == 42.0f; }));
    // A call that is interrupted ends at the next question, after at most a block; the whole takes many times as long.
    fanin::set_num_threads(2);
    std::vector<float> big(std::size_t{4000} * 4000);
    const fanin::InterruptScope scope([](void*) { return true; });
    CHECK_THROWS(fanin::fill(std::span<float>(big), Sizes{4000, 4000}, Law("orthogonal"), kKey), fanin::Interrupted);
}

}  // namespace

int main() {
    check::each_isa([] {
        equals_reference<float>();
        equals_reference<double>();
        same_bits_at_any_thread_count();
        layouts();
        batches_equal_reference<float>();
        batches_equal_reference<double>();
        sixteen_bits<fanin::Float16>();
        sixteen_bits<fanin::BFloat16>();
        parts_equal_the_whole<float>();
        parts_equal_the_whole<double>();
        orthonormal();
    });
    description_and_refusals();
    return check::result();
}
