// Calls every kernel at n and at 2 n elements, and asks callgrind for the instructions of each call: their difference over n is
// what an element costs, without the price of the call. count.py runs this and reads the dumps.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <fanin/fanin.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kElements = 4096, kIn = 64;

// The instructions of call(n) for n and 2 n, as dumps "name n".
void count(const std::string& name, const std::function<void(std::size_t)>& call) {
    for (const std::size_t n : {kElements, 2 * kElements}) {
        call(n);  // what the first call sets up is left out
        const std::string title = name + " " + std::to_string(n);
        CALLGRIND_ZERO_STATS;
        call(n);
        CALLGRIND_DUMP_STATS_AT(title.c_str());
    }
}

template <class T>
void count_all(const std::string& type) {
    const std::size_t most = 2 * kElements;
    std::vector<T> x(most * kIn), y(most * kIn), dx(most * kIn), w(kIn * kIn), dw(kIn * kIn), b(kIn), db(kIn);
    fanin::fill_normal<T>(x, {1, 1}, 0, T(0), T(1));
    fanin::fill_normal<T>(w, {1, 2}, 0, T(0), T(0.1));
    const auto first = [](std::vector<T>& v, std::size_t n) { return std::span<T>(v.data(), n); };

    count("random: normal " + type, [&](std::size_t n) { fanin::fill_normal<T>(first(y, n), {2, 2}, 0, T(0), T(1)); });
    count("random: uniform " + type, [&](std::size_t n) { fanin::fill_uniform<T>(first(y, n), {2, 2}, 0, T(0), T(1)); });
    for (const char* text : {"truncated_normal(std=1)", "truncated_normal(std=1, lower=3, upper=4)"}) {
        const fanin::Law law = fanin::law_from_text(text);
        count("init: " + std::string(text) + " " + type, [&](std::size_t n) { fanin::fill<T>(first(y, n), law, {3, 3}); });
    }
    for (const char* name : {"relu", "leaky_relu(0.1)", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "softplus",
                             "softsign", "tanh", "sigmoid", "hardtanh", "relu6", "hardswish", "sin"}) {
        const fanin::Activation g = fanin::activation_from_name(name);
        count("activation: " + std::string(name) + " " + type,
              [&](std::size_t n) { fanin::activate<T>(g, std::span<const T>(x.data(), n), first(y, n)); });
        count("activation: derivative of " + std::string(name) + " " + type,
              [&](std::size_t n) { fanin::activation_derivative<T>(g, std::span<const T>(x.data(), n), first(y, n)); });
    }
    fanin::SummaryOptions plain, linear, powers;
    plain.histogram = fanin::HistogramKind::none;
    linear.histogram = fanin::HistogramKind::linear, linear.bins = 64, linear.low = -4, linear.high = 4;
    powers.histogram = fanin::HistogramKind::powers;
    for (const auto& [name, options] : {std::pair{"moments", plain}, {"moments, 64 bins", linear}, {"moments, powers", powers}})
        count("stats: " + std::string(name) + " " + type,
              [&, o = options](std::size_t n) { fanin::summarize<T>(fanin::VectorView<const T>{x.data(), n}, o); });

    std::map<std::string, std::unique_ptr<fanin::Optimizer>> optimizers;
    for (const std::string name : {"sgd", "rmsprop", "adam", "adagrad"})
        count("optimizer: " + name + " " + type, [&](std::size_t n) {
            std::unique_ptr<fanin::Optimizer>& optimizer = optimizers[name + std::to_string(n)];
            if (optimizer == nullptr) {  // the first call, which is not counted
                optimizer = std::make_unique<fanin::Optimizer>(fanin::optimizer_rule(name, {}), 1e-6);
                optimizer->bind<T>(1, {&n, 1});
            }
            optimizer->update<T>(std::span<const T>(x.data(), n), first(y, n));
        });
    const std::vector<std::int64_t> labels(most, 3);
    count("loss: cross_entropy " + type, [&](std::size_t n) {  // an element is a logit, of ten a row
        const std::size_t rows = n / 10;
        fanin::evaluate_loss<T>(fanin::Loss::cross_entropy, rows, 10, {x.data(), rows * 10}, {{labels.data(), rows}, {}},
                                first(y, rows * 10));
    });

    // Of products an element is one of the output, which takes 64 multiply-adds.
    const fanin::Activation tanh = fanin::activation_from_name("tanh");
    const auto W = fanin::matrix_view<const T>(w.data(), kIn, kIn);
    const fanin::VectorView<const T> B{b.data(), kIn};
    count("dense: forward " + type, [&](std::size_t n) {
        const std::size_t rows = n / kIn;
        fanin::dense_forward<T>(fanin::matrix_view<const T>(x.data(), rows, kIn), W, B, tanh,
                                fanin::matrix_view(y.data(), rows, kIn), fanin::matrix_view(dx.data(), rows, kIn));
    });
    count("dense: backward " + type, [&](std::size_t n) {
        const std::size_t rows = n / kIn;
        const auto X = fanin::matrix_view<const T>(x.data(), rows, kIn);
        fanin::dense_backward<T>(X, X, W, X, tanh,
                                 {fanin::matrix_view(y.data(), rows, kIn),
                                  fanin::matrix_view(dw.data(), kIn, kIn),
                                  fanin::VectorView<T>{db.data(), kIn},
                                  {}});
    });
}

}  // namespace

int main() {
    fanin::set_num_threads(1);
    std::fprintf(stderr, "%s\n", fanin::active_isa().c_str());
    count_all<float>("float32");
    count_all<double>("float64");
}
