// The golden program: a digest a section, over the corpus of golden.hpp. `golden through_c` computes the same through the C
// API. `golden modes` computes all in every rounding mode and with both flags, and fails where a digest moves. A number after
// that is the share of the corpus in percent; what is committed is the whole.
#include "golden.hpp"

#include <cstdio>
#include <cstdlib>

#include "fanin/fanin.h"
#include "fanin/fanin.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

// The control word: all rounding modes and flags that flush, none of them first.
#if defined(__x86_64__)
constexpr unsigned kRounding[] = {0, 0x2000, 0x4000, 0x6000}, kFlags[] = {0, 0x8000, 0x0040, 0x8040};
unsigned mode() { return _mm_getcsr() & 0xe040u; }
void set_mode(unsigned mode) { _mm_setcsr(0x1f80 | mode); }
#elif defined(__aarch64__)
constexpr unsigned kRounding[] = {0, 1u << 22, 2u << 22, 3u << 22}, kFlags[] = {0, 1u << 24, 1u << 25, 1u << 24 | 1u << 26};
unsigned mode() {
    unsigned long word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return static_cast<unsigned>(word);
}
void set_mode(unsigned mode) { __asm__ volatile("msr fpcr, %0" : : "r"(static_cast<unsigned long>(mode))); }
#else
constexpr unsigned kRounding[] = {0}, kFlags[] = {0};
unsigned mode() { return 0; }
void set_mode(unsigned) {}
#endif

using golden::Digest;
using golden::Numbers;

bool g_through_c = false;
std::size_t g_percent = 100;

std::size_t cases(std::size_t n) { return (n * g_percent + 99) / 100; }

template <class T>
constexpr fanin_dtype kDtype = sizeof(T) == 4 ? FANIN_FLOAT32 : FANIN_FLOAT64;

void ok(fanin_status status) {
    if (status == FANIN_OK) return;
    std::fprintf(stderr, "%s\n", fanin_last_error());
    std::exit(2);
}

template <class T>
std::vector<T> drawn(const char* law, std::vector<std::size_t> shape, std::uint64_t seed) {
    std::size_t n = 1;
    for (const std::size_t one : shape) n *= one;
    std::vector<T> out(n);
    if (g_through_c) {
        ok(fanin_fill(kDtype<T>, out.data(), shape.data(), shape.size(), law, seed, 1));
    } else {
        fanin::fill<T>(std::span<T>(out), shape, fanin::law_from_text(law), {seed, 1});
    }
    return out;
}

template <class T>
Digest sampling() {
    Numbers numbers(1);
    Digest digest;
    for (std::size_t i = 0; i < cases(200); ++i) {
        const std::size_t law = i % golden::kLawCount;
        const bool small = law == 4;  // orthogonal: cubic work
        const std::size_t rows = numbers.in(2, small ? 90 : 900), cols = numbers.in(1, small ? 90 : 700);
        digest.add(drawn<T>(golden::kLaws[law], {rows, cols}, numbers.next()));
    }
    return digest;
}

template <class T>
Digest activations() {
    Numbers numbers(2);
    Digest digest;
    for (std::size_t i = 0; i < cases(96); ++i) {
        const std::size_t n = numbers.in(1, 150000);
        const char* name = golden::kActivations[i % golden::kActivationCount];
        const char* law = i % 3 == 0 ? "normal(std=30)" : i % 3 == 1 ? "normal(std=1)" : "normal(std=1e-38)";
        const std::vector<T> z = drawn<T>(law, {n}, numbers.next());
        std::vector<T> a(n), d(n);
        if (g_through_c) {
            ok(fanin_activate(kDtype<T>, name, n, z.data(), a.data()));
            ok(fanin_activation_derivative(kDtype<T>, name, n, z.data(), d.data()));
        } else {
            const fanin::Activation g = fanin::activation_from_name(name);
            fanin::activate<T>(g, std::span<const T>(z), std::span<T>(a));
            fanin::activation_derivative<T>(g, std::span<const T>(z), std::span<T>(d));
        }
        digest.add(a), digest.add(d);
    }
    return digest;
}

template <class T>
Digest dense() {
    Numbers numbers(3);
    Digest digest;
    for (std::size_t i = 0; i < cases(120); ++i) {
        const std::size_t batch = numbers.in(1, 200), n_in = numbers.in(1, i % 8 == 0 ? 1500 : 300), n_out = numbers.in(1, 200);
        const char* name = golden::kActivations[numbers.in(0, golden::kActivationCount - 1)];
        const std::vector<T> x = drawn<T>("normal(std=1)", {batch, n_in}, numbers.next()),
                             w = drawn<T>("he_normal", {n_out, n_in}, numbers.next()),
                             b = drawn<T>("normal(std=0.1)", {n_out}, numbers.next()),
                             da = drawn<T>("normal(std=1e-3)", {batch, n_out}, numbers.next());
        std::vector<T> a(batch * n_out), z(a.size()), dx(x.size()), dw(w.size()), db(b.size());
        if (g_through_c) {
            ok(fanin_dense_forward(kDtype<T>, batch, n_in, n_out, x.data(), w.data(), b.data(), name, a.data(), z.data()));
            ok(fanin_dense_backward(kDtype<T>, batch, n_in, n_out, da.data(), x.data(), w.data(), z.data(), name, dx.data(),
                                    dw.data(), db.data()));
        } else {
            const fanin::Activation g = fanin::activation_from_name(name);
            const auto X = fanin::matrix_view(x.data(), batch, n_in), W = fanin::matrix_view(w.data(), n_out, n_in);
            const auto Z = fanin::matrix_view(z.data(), batch, n_out);
            fanin::dense_forward<T>(X, W, fanin::VectorView<const T>{b.data(), n_out}, g,
                                    fanin::matrix_view(a.data(), batch, n_out), Z);
            fanin::dense_backward<T>(fanin::matrix_view<const T>(da.data(), batch, n_out), X, W, Z, g,
                                     {fanin::matrix_view(dx.data(), batch, n_in),
                                      fanin::matrix_view(dw.data(), n_out, n_in),
                                      fanin::VectorView<T>{db.data(), n_out},
                                      {}});
        }
        digest.add(a), digest.add(z), digest.add(dx), digest.add(dw), digest.add(db);
    }
    return digest;
}

template <class T>
Digest statistics() {
    Numbers numbers(4);
    Digest digest;
    for (std::size_t i = 0; i < cases(60); ++i) {
        const std::size_t n = numbers.in(1, 200000);
        const std::vector<T> x = drawn<T>(i % 2 == 0 ? "normal(mean=0.5)" : "normal(std=1e-38)", {n}, numbers.next());
        std::vector<std::uint64_t> counts;
        std::vector<double> moments;
        if (g_through_c) {
            fanin_summary s;
            counts.resize(513);
            ok(fanin_summarize(kDtype<T>, n, x.data(), &s, counts.data()));
            moments = {s.mean, s.m2, s.m3, s.m4, s.min, s.max, s.var, s.std, s.rms};
            counts.insert(counts.end(), {s.count, s.zeros, s.subnormals});
        } else {
            const fanin::Summary s = fanin::summarize<T>(fanin::VectorView<const T>{x.data(), n});
            counts = s.histogram.counts;
            moments = {s.mean, s.m2, s.m3, s.m4, s.min, s.max, s.var(), s.std(), s.rms()};
            counts.insert(counts.end(), {s.count, s.zeros, s.subnormals});
        }
        digest.add(moments), digest.add(counts);
        digest.add(x);
    }
    return digest;
}

// 200 steps of each optimizer.
template <class T>
Digest training() {
    Numbers numbers(5);
    Digest digest;
    for (std::size_t i = 0; i < golden::kRuleCount; ++i) {
        const std::size_t sizes[] = {numbers.in(2, 60), numbers.in(2, 60), numbers.in(2, 40), numbers.in(2, 10)};
        const char* const names[] = {golden::kActivations[numbers.in(1, 12)], golden::kActivations[numbers.in(1, 12)]};
        const std::size_t rows = 64, steps = cases(200);
        const std::uint64_t seed = numbers.next();
        std::vector<T> x = drawn<T>("normal(std=1)", {rows, sizes[0]}, numbers.next()), logits(rows * sizes[3]);
        std::vector<std::int64_t> labels(rows);
        for (std::int64_t& y : labels) y = static_cast<std::int64_t>(numbers.in(0, sizes[3] - 1));
        std::vector<double> costs(steps);
        if (g_through_c) {
            fanin_network* network = nullptr;
            fanin_optimizer* optimizer = nullptr;
            ok(fanin_network_create(kDtype<T>, sizes, 4, names, "cross_entropy", 1, seed, &network));
            ok(fanin_network_draw(network, "xavier_normal(gain=0.7)"));
            ok(fanin_optimizer_create(golden::kRules[i], 0.013, nullptr, nullptr, 0, 0.9, &optimizer));
            for (double& cost : costs)
                ok(fanin_network_step(network, x.data(), rows, labels.data(), nullptr, optimizer, &cost));
            ok(fanin_network_forward(network, x.data(), rows, logits.data()));
            fanin_network_free(network);
            fanin_optimizer_free(optimizer);
        } else {
            fanin::Network<T> network(
                {{sizes, sizes + 4}, {fanin::activation_from_name(names[0]), fanin::activation_from_name(names[1])}}, seed);
            network.draw_weights(fanin::law_from_text("xavier_normal(gain=0.7)"));
            fanin::Optimizer optimizer(fanin::optimizer_rule(golden::kRules[i], {}), 0.013, 0.9);
            const auto view = fanin::matrix_view<const T>(x.data(), rows, sizes[0]);
            for (double& cost : costs) cost = network.step(view, {labels, {}}, optimizer);
            network.forward(view, logits);
        }
        digest.add(costs), digest.add(logits);
    }
    return digest;
}

struct Section {
    const char* name;
    Digest (*compute)();
};
constexpr Section kSections[] = {{"sampling float32", sampling<float>},
                                 {"sampling float64", sampling<double>},
                                 {"activations float32", activations<float>},
                                 {"activations float64", activations<double>},
                                 {"dense float32", dense<float>},
                                 {"dense float64", dense<double>},
                                 {"statistics float32", statistics<float>},
                                 {"statistics float64", statistics<double>},
                                 {"training float32", training<float>},
                                 {"training float64", training<double>}};

int print_all() {
    std::uint64_t values = 0;
    for (const Section& section : kSections) {
        const Digest digest = section.compute();
        values += digest.values();
        std::printf("%s %016llx\n", section.name, static_cast<unsigned long long>(digest.hash()));
    }
    std::fprintf(stderr, "%llu values\n", static_cast<unsigned long long>(values));
    return 0;
}

int all_modes() {
    int moved = 0;
    for (const Section& section : kSections) {
        const std::uint64_t expected = section.compute().hash();
        for (const unsigned rounding : kRounding)
            for (const unsigned flags : kFlags) {
                set_mode(rounding | flags);
                const std::uint64_t got = section.compute().hash();
                const bool kept = mode() == (rounding | flags);
                set_mode(0);
                if (got == expected && kept) continue;
                std::printf("%s moves in mode %#x\n", section.name, rounding | flags);
                ++moved;
            }
    }
    return moved != 0;
}

}  // namespace

int main(int argc, char** argv) {
    bool modes = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "through_c") g_through_c = true;
        else if (word == "modes") modes = true;
        else g_percent = std::strtoul(argv[i], nullptr, 10);
    }
    return modes ? all_modes() : print_all();
}
