// One row through [16, 32, 32, 4], tanh, on one thread: the median and the 99.9th percentile of 10^6 calls, each timed alone,
// in rounds that interleave fanin and its peers. A call is timed with the processor's own counter where there is one; what
// reading it costs is measured and taken off. Some counters step by 10 ns or more: hence also the median of 1000 calls in a
// row, each of which waits for the one before.
//
// What bounds fanin here: the order of summation makes the 16, 32 and 32 fused multiply-adds of an output one chain of 80, four
// cycles each (87 ns at 3.7 GHz, 71 at 4.5), and two tanh stand between the layers (some 60 cycles each), so that 440 cycles
// are the least for one row. Eigen's tanh is a quotient of polynomials without an exponential, with errors up to 4.5 ULP (1.5
// here).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fanin/fanin.hpp>
#include <span>
#include <string>
#include <vector>

#include "peers.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace {

std::uint64_t ticks() {
#if defined(__x86_64__)
    unsigned unused = 0;
    return __rdtscp(&unused);
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

double nanoseconds_a_tick() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t first = ticks();
    std::chrono::duration<double, std::nano> passed{};
    while ((passed = std::chrono::steady_clock::now() - begin).count() < 5e7) {
    }
    return passed.count() / static_cast<double>(ticks() - first);
}

struct Contender {
    std::string name;
    PeerCall call;
    std::vector<std::uint32_t> times = {};
    std::vector<std::uint64_t> rows = {};  // of calls in a row
};

// Times `calls` calls; the input changes from call to call, and the result is used.
template <class Call>
void time(const Call& call, std::span<float> x, std::size_t calls, std::vector<std::uint32_t>& times) {
    float out[4] = {};
    for (std::size_t i = 0; i < calls; ++i) {
        x[i % 16] += 1e-3f * out[0];
        const std::uint64_t begin = ticks();
        call(x.data(), out);
        const std::uint64_t end = ticks();
        times.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(end - begin, UINT32_MAX)));
    }
}

constexpr std::size_t kInARow = 1000;

template <class Call>
void time_in_a_row(const Call& call, std::span<float> x, std::size_t calls, std::vector<std::uint64_t>& rows) {
    float out[4] = {};
    for (std::size_t row = 0; row < calls / kInARow; ++row) {
        const std::uint64_t begin = ticks();
        for (std::size_t i = 0; i < kInARow; ++i) {
            x[i % 16] += 1e-3f * out[0];
            call(x.data(), out);
        }
        rows.push_back(ticks() - begin);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rounds = argc > 1 ? std::stoul(argv[1]) : 100, calls = 10000;
    fanin::set_num_threads(1);
    fanin::Network<float> network({{16, 32, 32, 4}, {fanin::Activation::tanh, fanin::Activation::tanh}}, 1);
    network.draw_weights(fanin::Law("xavier_normal"));
    std::vector<PeerLayer> layers;
    for (std::size_t l = 0; l < 3; ++l) {
        const fanin::MatrixView<float> w = network.weight(l);
        PeerLayer layer{static_cast<int>(w.cols), static_cast<int>(w.rows), {}, {}};
        layer.w.assign(w.data, w.data + w.rows * w.cols);
        layer.b.assign(w.rows, 0.0f);
        layers.push_back(layer);
    }
    const fanin::Predictor<float> predictor(network);
    std::vector<float> space(predictor.workspace(1));
    alignas(64) std::array<float, 16> x;
    fanin::fill_normal<float>(x, {2, 2}, 0, 0.0f, 1.0f);
    EigenNetwork fixed(layers, true), dynamic(layers, false);

    std::vector<Contender> all{
        {"nothing", [](const float*, float*) {}},
        {"Predictor", [&](const float* in, float* out) { predictor.predict(std::span(in, 16), {out, 4}); }},
        {"Predictor, own workspace",
         [&](const float* in, float* out) { predictor.predict(std::span(in, 16), {out, 4}, space); }},
        {"Network::forward", [&](const float* in, float* out) { network.forward({in, 1, 16, 16, 1}, {out, 4}); }},
        {"plain loop", [&](const float* in, float* out) { plain_predict(layers, in, out); }}};
    if (EigenNetwork::available()) {
        all.push_back({"Eigen, fixed sizes", [&](const float* in, float* out) { fixed.predict(in, out); }});
        all.push_back({"Eigen, dynamic sizes", [&](const float* in, float* out) { dynamic.predict(in, out); }});
    }
#define BENCH_RTNEURAL_OVER(backend) all.push_back({"RTNeural over " #backend, rtneural_##backend(layers)});
    BENCH_RTNEURAL
    float worst = 0, reference[4], got[4];
    plain_predict(layers, x.data(), reference);
    for (const Contender& one : all) {
        if (one.name == "nothing") continue;
        one.call(x.data(), got);
        for (int i = 0; i < 4; ++i) worst = std::max(worst, std::abs(got[i] - reference[i]));
    }
    if (!(worst < 1e-4f)) return std::printf("results differ by %g\n", static_cast<double>(worst)), 1;

    for (Contender& one : all) one.times.reserve(rounds * calls);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (Contender& one : all) {
            time(one.call, x, calls, one.times);
            time_in_a_row(one.call, x, calls, one.rows);
        }
    }
    const double tick = nanoseconds_a_tick();
    double empty = 0, ours = 0;
    for (Contender& one : all) {
        std::sort(one.times.begin(), one.times.end());
        std::sort(one.rows.begin(), one.rows.end());
        const auto at = [&](double q) {
            return tick * one.times[static_cast<std::size_t>(q * static_cast<double>(one.times.size() - 1))] - empty;
        };
        const double median = at(0.5), rare = at(0.999);
        const double in_a_row = tick * static_cast<double>(one.rows[one.rows.size() / 2]) / kInARow;
        std::printf("%-26s median %6.0f ns   99.9 %% %6.0f ns (%.2f medians)   in a row %6.1f ns", one.name.c_str(), median,
                    rare, rare / median, in_a_row);
        if (one.name == "nothing") empty = median;
        if (one.name == "Predictor") ours = in_a_row;
        if (ours != 0) std::printf(", %.2f of Predictor's", in_a_row / ours);
        std::printf("\n");
    }
}
