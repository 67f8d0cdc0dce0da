// `init` against the reference, bit for bit, on every instruction set; its texts and refusals.
#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "check.hpp"
#include "fanin/init.hpp"
#include "fanin/threads.hpp"
#include "reference/init.hpp"

namespace {

using fanin::Axes;
using fanin::Key;
using fanin::Law;
using fanin::law_from_text;
using fanin::reference::LawNumbers;
using Sizes = std::vector<std::size_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Key kKey{0x0123456789abcdefull, 0xfedcba9876543210ull};

struct Case {
    std::string text;
    LawNumbers numbers;
};

// Every law, with the numbers that the reference gives it for n_in and n_out.
std::vector<Case> cases(double n_in, double n_out) {
    using fanin::reference::scaled_law;
    std::vector<Case> all{
        {"zeros", {LawNumbers::constant, 0}},
        {"ones", {LawNumbers::constant, 1}},
        {"constant(value=-0.3)", {LawNumbers::constant, -0.3}},
        {"identity(gain=1.5)", {LawNumbers::identity, 1.5}},
        {"dirac", {LawNumbers::dirac, 1, 0, 0, 0, 1, static_cast<std::size_t>(n_out)}},
        {"siren_uniform", {LawNumbers::uniform, -std::sqrt(6 / n_in) / 30, std::sqrt(6 / n_in) / 30}},
        {"siren_uniform(omega_0=7, first=true)", {LawNumbers::uniform, -1 / n_in, 1 / n_in}},
        {"normal", {LawNumbers::normal, 0, 1}},
        {"normal(mean=-0.1, std=0.01)", {LawNumbers::normal, -0.1, 0.01}},
        {"uniform(low=-0.1, high=0.7)", {LawNumbers::uniform, -0.1, 0.7}},
        {"truncated_normal(mean=0.1, std=0.3)", {LawNumbers::truncated, 0.1, 0.3, -2, 2}},
        {"truncated_normal(lower=-1, upper=3)", {LawNumbers::truncated, 0, 1, -1, 3}},
        {"truncated_normal(std=0.5, lower=3, upper=inf)", {LawNumbers::truncated, 0, 0.5, 3, kInfinity}},
        {"truncated_normal(std=0.02, corrected=true)",
         {LawNumbers::truncated, 0, 0.02 / fanin::reference::kTwoSigmaStd, -2, 2}},
    };
    // ceil(sparsity n_out) zeros a column: none, few, more than half, all
    const auto rows = static_cast<std::size_t>(n_out);
    for (const double sparsity : {0.0, 0.3, 0.8, 1.0})
        all.push_back({"sparse(sparsity=" + std::to_string(sparsity) + ", std=0.1, gain=2)",
                       {LawNumbers::sparse, 0, 0.2, 0, 0, static_cast<std::size_t>(std::ceil(sparsity * n_out)), rows}});
    const double mean_fan = (n_in + n_out) / 2;
    for (const char* law : {"fan_in_uniform", "xavier_normal", "xavier_uniform", "xavier_truncated", "he_normal", "he_uniform",
                            "he_truncated", "lecun_normal", "lecun_uniform", "lecun_truncated"})
        for (const char* gain : {"1", "0.3"})
            all.push_back({std::string(law) + "(gain=" + gain + ")", scaled_law(law, n_in, std::stod(gain))});
    for (const char* law : {"xavier_normal", "xavier_uniform", "he_normal", "he_uniform", "he_truncated"}) {
        all.push_back({std::string(law) + "(mode=fan_out)", scaled_law(law, n_out, 1)});
        all.push_back({std::string(law) + "(gain=2, mode=fan_avg)", scaled_law(law, mean_fan, 2)});
    }
    all.push_back({"glorot_normal", scaled_law("glorot_normal", mean_fan, 1)});
    all.push_back({"glorot_truncated", scaled_law("glorot_truncated", mean_fan, 1)});
    const double geometric = std::sqrt(n_in * n_out);
    all.push_back({"he_normal(mode=fan_geo_avg)", scaled_law("he_normal", geometric, 1)});
    all.push_back({"variance_scaling", scaled_law("lecun_normal", n_in, 1)});
    all.push_back({"variance_scaling(scale=2, gain=3, mode=fan_out)", scaled_law("he_normal", n_out, 3)});
    all.push_back({"variance_scaling(scale=2, distribution=uniform)", scaled_law("he_uniform", n_in, 1)});
    all.push_back({"variance_scaling(mode=fan_avg, distribution=truncated)", scaled_law("glorot_truncated", mean_fan, 1)});
    all.push_back({"glorot_uniform(gain=3)", scaled_law("glorot_uniform", mean_fan, 3)});
    return all;
}

Sizes c_strides(const Sizes& shape) {
    Sizes strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    return strides;
}

std::size_t product(const Sizes& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

// A number with the bits of x: 16-bit formats have no arithmetic.
template <class T>
auto number(T x) {
    if constexpr (std::is_floating_point_v<T>) return x;
    else return static_cast<double>(x.bits);
}

// Draws the block of `shape` at `offset` into memory of strides `order` (a permutation of the axes, the last the fastest;
// `sign` -1 reverses every axis; `gap` leaves that many elements between neighbours) and compares it with the reference.
template <class T>
void block_equals_reference(const Case& c, const Sizes& full, const Sizes& offset, const Sizes& shape, const Sizes& order,
                            int sign, std::size_t gap) {
    const Sizes index_strides = c_strides(full);
    std::vector<std::ptrdiff_t> strides(shape.size());
    std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(gap + 1), first = 0;
    for (std::size_t i = order.size(); i-- > 0; stride *= static_cast<std::ptrdiff_t>(shape[order[i]])) {
        strides[order[i]] = sign * stride;
        if (sign < 0 && shape[order[i]] > 0) first += stride * (static_cast<std::ptrdiff_t>(shape[order[i]]) - 1);
    }
    const std::size_t n = product(shape);
    std::vector<T> memory(n * (gap + 1) + 1, T{42});
    fanin::fill(fanin::ArrayView<T>{memory.data() + first, shape, strides}, law_from_text(c.text), kKey, {full, offset});
    std::size_t touched = 0;
    for (std::size_t p = 0; p < n; ++p) {
        std::size_t rest = p, index = 0;
        std::ptrdiff_t at = first;
        for (std::size_t i = shape.size(); i-- > 0; rest /= shape[i]) {
            index += (offset[i] + rest % shape[i]) * index_strides[i];
            at += static_cast<std::ptrdiff_t>(rest % shape[i]) * strides[i];
        }
        const T expected = fanin::reference::law_element<T>(c.numbers, kKey, index, full.empty() ? 1 : full.back());
        CHECK_SAME(number(memory[static_cast<std::size_t>(at)]), number(expected), c.text + " index " + std::to_string(index));
        memory[static_cast<std::size_t>(at)] = T{42};
        ++touched;
    }
    CHECK(touched == n && std::all_of(memory.begin(), memory.end(), [](T x) { return x == T{42}; }));  // nothing else written
}

// Matrices whose sizes straddle the vector lengths; whole, as a block, transposed, reversed, with gaps.
template <class T>
void laws_equal_reference() {
    for (const Sizes& full : {Sizes{1, 1}, Sizes{3, 5}, Sizes{17, 31}, Sizes{33, 65}, Sizes{2, 700}})
        for (const Case& c : cases(static_cast<double>(full[1]), static_cast<double>(full[0]))) {
            block_equals_reference<T>(c, full, {0, 0}, full, {0, 1}, 1, 0);
            block_equals_reference<T>(c, full, {0, 0}, full, {1, 0}, -1, 1);
            const Sizes offset{full[0] / 3, full[1] / 4}, part{full[0] - full[0] / 3, full[1] / 2};
            block_equals_reference<T>(c, full, offset, part, {0, 1}, 1, 0);
            block_equals_reference<T>(c, full, offset, {part[0], 1}, {0, 1}, -1, 2);  // one column
        }
}

bool is_matrix_law(const Case& c) {
    return c.numbers.kind == LawNumbers::identity || c.numbers.kind == LawNumbers::dirac ||
           c.numbers.kind == LawNumbers::sparse;
}

// Ranks 0, 1, 3 and 4; kernels have receptive fields, blocks cut every axis.
template <class T>
void other_ranks_equal_reference() {
    const Case normal{"normal(mean=1, std=2)", {LawNumbers::normal, 1, 2}};
    block_equals_reference<T>(normal, {}, {}, {}, {}, 1, 0);
    for (const std::size_t n : {0, 1, 7, 64, 65, 1000}) {
        block_equals_reference<T>(normal, {n}, {0}, {n}, {0}, 1, 0);
        block_equals_reference<T>(normal, {n}, {n / 2}, {n - n / 2}, {0}, -1, 1);
    }
    for (const Case& c : cases(5 * 3 * 3, 4 * 3 * 3)) {
        if (is_matrix_law(c)) continue;
        block_equals_reference<T>(c, {4, 5, 3, 3}, {0, 0, 0, 0}, {4, 5, 3, 3}, {0, 1, 2, 3}, 1, 0);
        block_equals_reference<T>(c, {4, 5, 3, 3}, {1, 2, 0, 1}, {3, 2, 3, 2}, {2, 3, 0, 1}, 1, 0);
        block_equals_reference<T>(c, {4, 5, 3, 3}, {1, 2, 0, 1}, {3, 0, 3, 2}, {0, 1, 2, 3}, 1, 0);
    }
    for (const Case& c : cases(6 * 9, 2 * 9)) {
        if (is_matrix_law(c)) continue;
        block_equals_reference<T>(c, {2, 6, 9}, {1, 3, 2}, {1, 3, 7}, {1, 0, 2}, -1, 0);
    }
}

// dirac against the loops of torch.nn.init.dirac_, as (n_out, n_in, *kernel), with the axes moved, and in parts.
template <class T>
void dirac_is_the_identity_of_convolutions() {
    for (const Sizes& shape :
         {Sizes{6, 4}, Sizes{6, 3, 5}, Sizes{4, 8, 2, 3}, Sizes{12, 2, 3, 4, 1}, Sizes{6, 0, 3}, Sizes{2, 2, 0}})
        for (const std::size_t groups : {1, 2, 3}) {
            if (shape[0] % groups != 0) continue;
            const Law law("dirac", {{"groups", static_cast<double>(groups)}});
            const std::size_t a_group = shape[0] / groups, n = product(shape);
            std::vector<double> expected(n, 0.0);
            const Sizes step = c_strides(shape);
            for (std::size_t g = 0; n != 0 && g < groups; ++g)
                for (std::size_t d = 0; d < std::min(a_group, shape[1]); ++d) {
                    std::size_t at = (g * a_group + d) * step[0] + d * step[1];
                    for (std::size_t axis = 2; axis < shape.size(); ++axis) at += shape[axis] / 2 * step[axis];
                    expected[at] = 1;
                }
            const T one = fanin::reference::law_element<T>({LawNumbers::constant, 1}, kKey, 0, 1);
            std::vector<T> got(n, T{42});
            fanin::fill(std::span<T>(got), shape, law, kKey);
            for (std::size_t i = 0; i < n; ++i) CHECK_SAME(number(got[i]), number(expected[i] == 1 ? one : T{}), law.text());
            const double ones = std::accumulate(expected.begin(), expected.end(), 0.0);
            const fanin::Description d = fanin::describe(law, shape);
            CHECK(n == 0 || std::abs(d.mean - ones / static_cast<double>(n)) < 1e-15);

            // (*kernel, n_in, n_out), as Keras has it.
            Sizes moved(shape.begin() + 2, shape.end());
            moved.insert(moved.end(), {shape[1], shape[0]});
            std::vector<T> keras(n, T{42});
            fanin::fill(std::span<T>(keras), moved, law, kKey, {{-2}, {-1}});
            const std::size_t receptive = shape[0] * shape[1] == 0 ? 0 : n / (shape[0] * shape[1]);
            for (std::size_t o = 0; o < shape[0]; ++o)
                for (std::size_t i = 0; i < shape[1]; ++i)
                    for (std::size_t k = 0; k < receptive; ++k)
                        CHECK_SAME(number(keras[(k * shape[1] + i) * shape[0] + o]),
                                   number(got[(o * shape[1] + i) * receptive + k]), law.text());

            // The second half of the outputs alone.
            const std::size_t half = shape[0] / 2, rest = n / shape[0] * (shape[0] - half);
            Sizes part = shape, offset(shape.size(), 0);
            part[0] -= half;
            offset[0] = half;
            std::vector<T> own(rest, T{42});
            std::vector<std::ptrdiff_t> strides(step.begin(), step.end());
            fanin::fill(fanin::ArrayView<T>{own.data(), part, strides}, law, kKey, {shape, offset});
            for (std::size_t i = 0; i < rest; ++i) CHECK_SAME(number(own[i]), number(got[n - rest + i]), law.text());
        }
    CHECK_THROWS(fanin::describe(Law("dirac", {{"groups", 4.0}}), Sizes{6, 4, 3}), std::invalid_argument);
    CHECK_THROWS(fanin::describe(Law("dirac"), Sizes{6}), std::invalid_argument);
}

// More than one task, rows that straddle tasks, at every thread count: whole, transposed and as blocks.
void same_bits_at_any_thread_count() {
    const std::size_t rows = 601, cols = 523;
    const Law law("he_normal");
    std::vector<float> one(rows * cols), many(one.size());
    fanin::set_num_threads(1);
    fanin::fill(fanin::matrix_view(one.data(), rows, cols), law, kKey);
    for (const std::size_t threads : {1, 2, 3, 8}) {
        fanin::set_num_threads(threads);
        std::fill(many.begin(), many.end(), 0.0f);
        fanin::fill(fanin::matrix_view(many.data(), rows, cols), law, kKey);
        CHECK(one == many);
        fanin::fill(fanin::MatrixView<float>{many.data(), rows, cols, 1, static_cast<std::ptrdiff_t>(rows)}, law, kKey);
        bool same = true;
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < cols; ++j) same = same && many[j * rows + i] == one[i * cols + j];
        CHECK(same);
        std::fill(many.begin(), many.end(), 0.0f);
        for (const std::size_t half : {0, 1}) {  // the columns in two shards, written where they belong
            const std::size_t full[] = {rows, cols}, offset[] = {0, half * 200}, part[] = {rows, half == 0 ? 200 : cols - 200};
            const std::ptrdiff_t strides[] = {static_cast<std::ptrdiff_t>(cols), 1};
            fanin::fill(fanin::ArrayView<float>{many.data() + half * 200, part, strides}, law, kKey, {full, offset});
        }
        CHECK(one == many);
    }
}

void texts() {
    for (const char* text : {"zeros", "constant(value=0.5)", "identity(gain=-2)", "normal", "normal(mean=1, std=0.01)",
                             "he_normal", "truncated_normal(std=0.02, lower=-inf, corrected=true)", "sparse(sparsity=0.9)",
                             "variance_scaling(scale=2, mode=fan_geo_avg, distribution=truncated)", "uniform(low=-1, high=2)",
                             "xavier_uniform(gain=tanh, mode=fan_out)", "glorot_normal(gain=1e-30)"}) {
        CHECK(law_from_text(text).text() == text);
        CHECK(law_from_text(law_from_text(text).text()) == law_from_text(text));
    }
    CHECK(law_from_text(" he_normal( gain = 'relu' ,mode=\"fan_in\" ) ").text() == "he_normal(gain=relu)");
    CHECK(law_from_text("he_normal(gain=1, mode=fan_in)") == Law("he_normal"));
    CHECK(law_from_text("he_normal(gain=identity)") == Law("he_normal"));
    CHECK(!(Law("he_normal") == Law("he_uniform")) && !(Law("normal") == Law("normal", {{"std", 2.0}})));
    CHECK(law_from_text("truncated_normal(corrected=True)") == Law("truncated_normal", {{"corrected", "true"}}));
    CHECK(!(law_from_text("truncated_normal(corrected=True)") == Law("truncated_normal")));
    CHECK(law_from_text("constant(value=-0)").text() == "constant(value=0)");
    for (const char* text : {"",
                             "he_norml",
                             "he_normal(",
                             "he_normal)",
                             "he_normal(2)",
                             "he_normal(gain=)",
                             "he_normal(gain=2, gain=3)",
                             "he_normal(std=2)",
                             "he_normal(gain=rleu)",
                             "he_normal(gain=-1)",
                             "he_normal(gain=nan)",
                             "he_normal(mode=fan)",
                             "he_normal(mode=2)",
                             "normal(std=-1)",
                             "normal(mean=inf)",
                             "normal(std=big)",
                             "uniform",
                             "uniform(low=0)",
                             "uniform(low=1, high=1)",
                             "uniform(low=nan, high=1)",
                             "truncated_normal(lower=2, upper=2)",
                             "truncated_normal(lower=nan)",
                             "truncated_normal(std=-1)",
                             "truncated_normal(corrected=1)",
                             "truncated_normal(corrected=yes)",
                             "sparse",
                             "sparse(sparsity=1.5)",
                             "sparse(sparsity=nan)",
                             "variance_scaling(scale=-1)",
                             "variance_scaling(distribution=cauchy)",
                             "variance_scaling(mode=fan_geo)",
                             "constant",
                             "dirac(groups=0)",
                             "dirac(groups=1.5)",
                             "siren_uniform(omega_0=0)",
                             "siren_uniform(first=1)",
                             "zeros(value=0)",
                             "he_normal((gain=2)"})
        CHECK_THROWS(law_from_text(text), std::invalid_argument);
    CHECK(fanin::unknown_law("kaiming_normal").ends_with("got 'kaiming_normal': did you mean 'he_normal'?"));
    const std::vector<Case> known = cases(3, 5);
    for (const std::string& name : fanin::law_names()) {
        const fanin::LawTraits traits = fanin::law_traits(name);
        const Law law = law_from_text(traits.example);
        CHECK(law.text() == traits.example && law.name() == name);
        bool required = false;
        for (const fanin::LawParameter& p : traits.parameters) required |= p.required;
        CHECK(required == (traits.example != name));
        const bool tested =
            std::any_of(known.begin(), known.end(), [&](const Case& c) { return law_from_text(c.text).name() == name; });
        CHECK(tested || name == "orthogonal");  // which has a test of its own
    }
    CHECK_THROWS(fanin::law_traits("he_norml"), std::invalid_argument);
}

void refusals() {
    std::vector<float> x(12, 42.0f);
    const auto matrix = fanin::matrix_view(x.data(), 3, 4);
    CHECK_THROWS(fanin::fill(fanin::MatrixView<float>{x.data(), 3, 4, 0, 1}, Law("normal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(fanin::MatrixView<float>{x.data(), 3, 4, 2, 1}, Law("normal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(matrix, Law("normal", {{"std", 1e300}}), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(matrix, Law("constant", {{"value", -1e39}}), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(matrix, Law("uniform", {{"low", 1.0}, {"high", 1 + 1e-9}}), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{3, 5}, Law("normal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{12}, Law("he_normal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(x), Sizes{3, 2, 2}, Law("identity"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(), Sizes{3, 0}, Law("he_normal"), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span<float>(), Sizes{0, 0}, Law("glorot_normal"), kKey), std::invalid_argument);
    const std::size_t shape[] = {3, 4}, full[] = {4, 4}, far[] = {2, 0}, wrap[] = {~std::size_t{0}, 0};
    const std::ptrdiff_t strides[] = {4, 1};
    const fanin::ArrayView<float> view{x.data(), shape, strides};
    CHECK_THROWS(fanin::fill(view, Law("normal"), kKey, {full, far}), std::invalid_argument);
    CHECK_THROWS(fanin::fill(view, Law("normal"), kKey, {full, wrap}), std::invalid_argument);
    CHECK_THROWS(fanin::fill(view, Law("normal"), kKey, {Sizes{4}, Sizes{0}}), std::invalid_argument);
    CHECK(std::all_of(x.begin(), x.end(), [](float v) { return v == 42.0f; }));
    std::vector<fanin::Float16> half(12);
    CHECK_THROWS(fanin::fill(std::span(half), Sizes{3, 4}, Law("normal", {{"std", 1e4}}), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span(half), Sizes{3, 4}, Law("constant", {{"value", 65520.0}}), kKey), std::invalid_argument);
    CHECK_THROWS(fanin::fill(std::span(x), Sizes{3, 4}, Law("normal", {{"std", 1e38}}), kKey), std::invalid_argument);
    const std::size_t flat[] = {12};
    const std::ptrdiff_t step[] = {1};
    CHECK_THROWS(fanin::check_fill(fanin::ArrayView<float>{x.data(), flat, step},
                                   law_from_text("truncated_normal(lower=1e9, upper=2e9)")),
                 std::invalid_argument);
    fanin::fill(std::span<float>(), Sizes{0, 4}, Law("he_normal"), kKey);  // empty, but its fan is not
    fanin::fill(matrix, Law("he_uniform", {{"gain", 0.0}}), kKey);
    CHECK(std::all_of(x.begin(), x.end(), [](float v) { return v == 0.0f && !std::signbit(v); }));
}

// An array of no element takes no memory, however long its other axes.
void nothing_of_much() {
    const std::size_t shape[] = {0, std::size_t{1} << 61};
    const std::ptrdiff_t strides[] = {1, 1};
    for (const char* law : {"orthogonal", "sparse(sparsity=0.5)", "normal(std=1)", "identity", "dirac", "lecun_normal"})
        fanin::fill(fanin::ArrayView<float>{nullptr, shape, strides}, fanin::law_from_text(law), {1, 2});
}

}  // namespace

int main() {
    check::each_isa([] {
        laws_equal_reference<float>();
        laws_equal_reference<double>();
        laws_equal_reference<fanin::Float16>();
        laws_equal_reference<fanin::BFloat16>();
        other_ranks_equal_reference<float>();
        other_ranks_equal_reference<double>();
        dirac_is_the_identity_of_convolutions<float>();
        dirac_is_the_identity_of_convolutions<double>();
        dirac_is_the_identity_of_convolutions<fanin::Float16>();
        dirac_is_the_identity_of_convolutions<fanin::BFloat16>();
        same_bits_at_any_thread_count();
    });
    texts();
    refusals();
    nothing_of_much();
    return check::result();
}
