// The same bits, and the caller's control word back, whatever rounding mode and flags the caller's thread and the threads of
// its pool have set.
#include <cfenv>
#include <chrono>
#include <cstring>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "check.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/fanin.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

using fanin::MatrixView;

#if defined(__x86_64__)
constexpr unsigned kRounding[] = {0x0000, 0x2000, 0x4000, 0x6000};  // nearest, down, up, towards zero
constexpr unsigned kFlags[] = {0, 0x8000, 0x0040, 0x8040};          // none, flush to zero, denormals are zeros, both
constexpr unsigned kControl = 0xffc0;                               // all but what has been raised
unsigned control_word() { return _mm_getcsr() & kControl; }
void set_control_word(unsigned rounding, unsigned flags) { _mm_setcsr(0x1f80 | rounding | flags); }
#elif defined(__aarch64__)
constexpr unsigned kRounding[] = {0, 2u << 22, 1u << 22, 3u << 22};
constexpr unsigned kFlags[] = {0, 1u << 24, 0, 1u << 24};
unsigned control_word() {
    std::uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return static_cast<unsigned>(word);
}
void set_control_word(unsigned rounding, unsigned flags) {
    __asm__ volatile("msr fpcr, %0" : : "r"(std::uint64_t{rounding | flags}));
}
#endif

// Bytes of results, one after the other.
struct Bytes {
    std::vector<unsigned char> all;
    template <class T>
    void add(std::span<const T> values) {
        const auto* from = reinterpret_cast<const unsigned char*>(values.data());
        all.insert(all.end(), from, from + values.size_bytes());
    }
    template <class T>
    void add(const std::vector<T>& values) {
        add(std::span<const T>(values));
    }
    void add(double x) { add(std::span<const double>(&x, 1)); }
    void add(const fanin::Summary& s) {
        // As they are: Clang turns 0 into -0 when it converts a uint64_t to double while the word rounds down.
        const std::uint64_t counts[] = {s.count, s.nans, s.infs, s.zeros, s.subnormals, s.saturated};
        add(std::span<const std::uint64_t>(counts));
        for (const double x : {s.mean, s.m2, s.m3, s.m4, s.min, s.max, s.var(), s.std(), s.rms(), s.skewness(), s.kurtosis()})
            add(x);
        add(s.histogram.counts);
        add(s.histogram.edges());
    }
};

struct Case {
    const char* name;
    std::function<void(Bytes&)> run;
};

// x[i] spread over all exponents, subnormals among them: what flushing and rounding change most.
template <class T>
std::vector<T> wide(std::size_t n) {
    const fanin::StandardArithmetic arithmetic;
    std::vector<std::uint32_t> words(2 * n);
    fanin::philox_words(words, {.seed = 3, .stream = 5});
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) {
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        auto bits = static_cast<Bits>(std::uint64_t{words[2 * i]} << 32 | words[2 * i + 1]);
        if (i % 3 == 0) bits &= ~Bits{0} >> (sizeof(T) == 4 ? 9 : 12);  // subnormal
        const Bits exponent = sizeof(T) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ff0000000000000u);
        if ((bits & exponent) == exponent) bits &= ~exponent;
        std::memcpy(&x[i], &bits, sizeof bits);
    }
    return x;
}
template <class T>
std::vector<T> normals(std::size_t n, std::uint64_t stream, T scale = T(1)) {
    std::vector<T> x(n);
    fanin::fill_normal<T>(x, {.seed = 9, .stream = stream}, 0, T(0), scale);
    return x;
}

constexpr std::size_t kMany = (std::size_t{1} << 16) + 3;  // elements: more than one task of every call

template <class T>
void draw(Bytes& out) {
    std::vector<T> w(kMany);
    for (const T std : {T(1), T(0.1), T(1e-40), T(1e-310)}) {
        fanin::fill_normal<T>(w, {7, 1}, 0, T(0.1), std);
        out.add(w);
    }
    fanin::fill_uniform<T>(w, {7, 1}, 0, T(-0.1), T(0.7));
    out.add(w);
    fanin::fill_truncated_normal<T>(w, {7, 1}, 0, T(0.1), T(0.3), -1.3, 2.1);
    out.add(w);
    const std::size_t shape[] = {83, 91};
    w.resize(83 * 91);
    for (const char* law : {"he_normal", "glorot_uniform(gain=tanh)", "truncated_normal(std=0.02, corrected=true)",
                            "lecun_truncated", "orthogonal(gain=0.3)", "sparse(sparsity=0.9)", "normal(std=1e-40)",
                            "variance_scaling(scale=0.1, mode=fan_avg, distribution=uniform)", "identity(gain=1e-40)"}) {
        fanin::fill<T>(std::span<T>(w), shape, fanin::law_from_text(law), {7, 3});
        out.add(w);
        const fanin::Description d = fanin::describe(fanin::law_from_text(law), shape);
        for (const double x : {d.mean, d.variance, d.std, d.low, d.high, d.bound}) out.add(x);
    }
}

template <class T>
void activations(Bytes& out) {
    std::vector<T> z = wide<T>(kMany), a(z.size());
    const std::vector<T> ordinary = normals<T>(kMany, 11, T(5));
    for (std::size_t i = 0; i < z.size(); i += 2) z[i] = ordinary[i];
    for (const char* name : {"gelu", "tanh", "leaky_relu(0.1)", "elu(0.3)", "silu", "mish", "softplus", "selu", "hardswish"}) {
        const fanin::Activation g = fanin::activation_from_name(name);
        fanin::activate<T>(g, std::span<const T>(z), std::span<T>(a));
        out.add(a);
        fanin::activation_derivative<T>(g, std::span<const T>(z), std::span<T>(a));
        out.add(a);
        out.add(fanin::gain(g));
        out.add(fanin::activation_traits(g).saturated_low);
    }
    const std::size_t shape[] = {kMany / 37, 37};
    const std::ptrdiff_t strides[] = {37, 1};
    fanin::softmax<T>({z.data(), shape, strides}, {a.data(), shape, strides});
    out.add(a);
    fanin::log_softmax<T>({z.data(), shape, strides}, {a.data(), shape, strides});
    out.add(a);
}

template <class T>
void dense(Bytes& out) {
    constexpr std::size_t batch = 130, n_in = 257, n_out = 131;
    const std::vector<T> x = normals<T>(batch * n_in, 21), b = normals<T>(n_out, 23), da = wide<T>(batch * n_out);
    std::vector<T> w = normals<T>(n_out * n_in, 22);
    const std::vector<T> small = normals<T>(w.size(), 24, T(1e-38));  // products below the smallest normal number
    for (std::size_t i = 0; i < w.size(); i += 5) w[i] = small[i];
    std::vector<T> a(batch * n_out), z(a.size()), dx(x.size()), dw(w.size()), db(b.size());
    const auto X = fanin::matrix_view(x.data(), batch, n_in), W = fanin::matrix_view<const T>(w.data(), n_out, n_in);
    const auto Z = fanin::matrix_view(z.data(), batch, n_out), A = fanin::matrix_view(a.data(), batch, n_out);
    fanin::DenseStats stats;
    fanin::dense_forward<T>(X, W, fanin::VectorView<const T>{b.data(), n_out}, fanin::Activation::gelu, A, Z, {}, &stats);
    out.add(a), out.add(z), out.add(stats.z), out.add(stats.a);
    fanin::dense_forward<T>(X, fanin::PackedWeight<T>(W), std::nullopt, fanin::Activation::tanh, A);
    out.add(a);
    fanin::dense_backward<T>(fanin::matrix_view(da.data(), batch, n_out), X, W, Z, fanin::Activation::gelu,
                             {fanin::matrix_view(dx.data(), batch, n_in),
                              fanin::matrix_view(dw.data(), n_out, n_in),
                              fanin::VectorView<T>{db.data(), n_out},
                              {}});
    out.add(dx), out.add(dw), out.add(db);
}

template <class T>
void statistics(Bytes& out) {
    const std::vector<T> x = wide<T>(kMany), y = normals<T>(kMany, 31);
    const std::size_t shape[] = {kMany / 64, 64}, rows[] = {0};
    const std::ptrdiff_t strides[] = {64, 1};
    for (const std::vector<T>* values : {&x, &y}) {
        const fanin::ArrayView<const T> view{values->data(), shape, strides};
        const fanin::Summary s = fanin::summarize<T>(view);
        out.add(s);
        out.add(fanin::merge(s, s));
        const fanin::Quantile q = fanin::quantile(s, 0.3);
        out.add(q.value);
        out.add(fanin::summarize<T>(view, {.histogram = fanin::HistogramKind::linear, .bins = 30, .low = -1, .high = 1}));
        for (const fanin::Summary& one : fanin::summarize<T>(view, rows, {})) out.add(one);
    }
}

template <class T>
void training(Bytes& out) {
    const std::vector<T> x = normals<T>(300 * 40, 41);
    std::vector<std::int64_t> y(300);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::int64_t>(i % 7);
    const MatrixView<const T> rows = fanin::matrix_view(x.data(), 300, 40);
    for (const char* rule : {"sgd", "rmsprop", "adam", "adagrad"}) {
        fanin::Network<T> network({{40, 60, 50, 7}, {fanin::Activation::tanh, fanin::Activation::silu}}, 5);
        network.draw_weights(fanin::law_from_text("xavier_normal(gain=0.7)"));
        fanin::Optimizer optimizer(fanin::optimizer_rule(rule, {}), 0.013, 0.9);
        std::vector<double> costs(6), means(2);
        network.fit(rows, {y, {}}, {.epochs = 2, .batch_size = 100}, optimizer, costs, means);
        out.add(costs), out.add(means), out.add(optimizer.gradient_norm());
        std::vector<T> logits(300 * 7);
        network.forward(rows, logits);
        out.add(logits);
        out.add(network.loss(rows, {y, {}}));
    }
}

void halves(Bytes& out) {
    std::vector<fanin::Float16> half(kMany);
    std::vector<fanin::BFloat16> brain(kMany);
    fanin::round_to(wide<float>(kMany), half);
    fanin::round_to(wide<float>(kMany), brain);
    out.add(half), out.add(brain);
}

const Case kCases[] = {{"draws", draw<float>},
                       {"draws in float64", draw<double>},
                       {"activations", activations<float>},
                       {"activations in float64", activations<double>},
                       {"dense", dense<float>},
                       {"dense in float64", dense<double>},
                       {"statistics", statistics<float>},
                       {"statistics in float64", statistics<double>},
                       {"training", training<float>},
                       {"training in float64", training<double>},
                       {"16 bits", halves}};

// Starts the pool's workers in a thread that has the word set, from which they take it over.
void start_workers(unsigned rounding, unsigned flags, std::size_t n) {
    std::thread([&] {
        set_control_word(rounding, flags);
        fanin::set_num_threads(n);
        fanin::parallel_for(64, [](std::size_t) { std::this_thread::sleep_for(std::chrono::microseconds(100)); });
    }).join();
}

// All words on the fastest instruction set, one of each rounding mode on the others.
void test_cases(bool all) {
    for (const Case& one : kCases) {
        set_control_word(0, 0);
        fanin::set_num_threads(1);
        Bytes expected;
        one.run(expected);
        for (std::size_t i = 0; i < 16; ++i) {
            const std::size_t mode = i / 4, flag = i % 4;
            if (!all && flag != 3 - mode) continue;
            fanin::set_num_threads(i % 2 == 0 ? 3 : 1);
            Bytes got;
            set_control_word(kRounding[mode], kFlags[flag]);
            const unsigned before = control_word();
            one.run(got);
            const unsigned after = control_word();
            set_control_word(0, 0);
            CHECK(before == after);
            check::report(got.all == expected.all, __FILE__, __LINE__,
                          std::string(one.name) + ", rounding " + std::to_string(mode) + ", flags " + std::to_string(flag));
        }
    }
}

void test_exceptions() {
    for (const unsigned rounding : kRounding)
        for (const unsigned flags : kFlags) {
            set_control_word(rounding, flags);
            const unsigned before = control_word();
            std::vector<float> x(8);
            CHECK_THROWS(fanin::fill_normal<float>(x, {}, 0, 0.0f, -1.0f), std::invalid_argument);
            CHECK(control_word() == before);
            CHECK_THROWS(fanin::parallel_for(100,
                                             [](std::size_t i) {
                                                 if (i == 50) throw std::runtime_error("a task");
                                             }),
                         std::runtime_error);
            CHECK(control_word() == before);
            set_control_word(0, 0);
        }
}

// A task sees standard arithmetic, on the caller's thread and on the others.
void test_tasks() {
    for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
        fanin::set_num_threads(threads);
        std::vector<unsigned> seen(200);
        set_control_word(kRounding[2], kFlags[3]);
        fanin::parallel_for(seen.size(), [&](std::size_t i) { seen[i] = control_word(); });
        set_control_word(0, 0);
        const unsigned standard = control_word();
        for (const unsigned word : seen) CHECK(word == standard);
    }
}

void test_examples() {
    set_control_word(0, kFlags[3]);
    const double z = -13.5;
    const float small = -13.5f;
    double a = 0;
    float b = 0;
    fanin::activate<double>(fanin::Activation::gelu, std::span(&z, 1), std::span(&a, 1));
    fanin::activate<float>(fanin::Activation::gelu, std::span(&small, 1), std::span(&b, 1));
    std::vector<float> drawn(1000);
    fanin::fill<float>(std::span(drawn), fanin::law_from_text("normal(std=1e-40)"), {});
    std::vector<float> subnormal(std::size_t{1} << 20, std::bit_cast<float>(std::uint32_t{12345}));
    const fanin::Summary s = fanin::summarize<float>(fanin::VectorView<const float>{subnormal.data(), subnormal.size()});
    set_control_word(0, 0);
    CHECK(a < 0 && a > -1e-38);
    CHECK(std::bit_cast<std::uint32_t>(b) != 0x80000000u && b < 0 && b > -1.06e-40f && b < -1.05e-40f);
    std::size_t zeros = 0;
    for (const float x : drawn) zeros += x == 0;
    CHECK(zeros == 0);
    CHECK(s.zeros == 0 && s.subnormals == subnormal.size());
}

// What a call costs more: a guard alone, in the word that it needs and in another. Times are printed, not asserted.
void time_guard() {
    constexpr int kCalls = 1000000;
    for (const unsigned flags : {kFlags[0], kFlags[3]}) {
        double best = 1e9;
        for (int round = 0; round < 20; ++round) {
            set_control_word(0, flags);
            const auto begin = std::chrono::steady_clock::now();
            for (int i = 0; i < kCalls; ++i) const fanin::StandardArithmetic arithmetic;
            const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
            set_control_word(0, 0);
            best = std::min(best, took.count() / kCalls);
        }
        std::printf("a guard costs %.2f ns where flags are %#x\n", best, flags);
    }
}

}  // namespace

int main() {
    start_workers(kRounding[1], kFlags[3], 3);
    test_examples();
    check::each_isa([] {
        test_cases(!check::kSanitized && fanin::active_isa() == fanin::available_isas().back());
        test_exceptions();
        test_tasks();
    });
    time_guard();
    return check::result();
}
