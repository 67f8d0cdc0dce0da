// Trains a network on points of two spirals and saves it: train FILE. examples/cpp/pipeline and examples/c/score then score
// with it; so does fanin.Network.load in Python.
#include <cmath>
#include <cstdio>
#include <exception>
#include <fanin/fanin.hpp>
#include <vector>

namespace {

constexpr std::size_t kRows = 1000;

// Points of two arms, the arm their label.
void two_spirals(std::vector<float>& x, std::vector<std::int64_t>& y) {
    std::vector<float> noise(2 * kRows), turn(kRows);
    fanin::fill_normal<float>(noise, {.seed = 1, .stream = fanin::stream_id("noise")}, 0, 0.0f, 0.05f);
    fanin::fill_uniform<float>(turn, {.seed = 1, .stream = fanin::stream_id("turn")}, 0, 0.2f, 2.0f);
    for (std::size_t i = 0; i < kRows; ++i) {
        y[i] = static_cast<std::int64_t>(i % 2);
        const float angle = 3.0f * turn[i] + (y[i] == 1 ? 3.14159265f : 0.0f);
        x[2 * i] = turn[i] * std::cos(angle) + noise[2 * i];
        x[2 * i + 1] = turn[i] * std::sin(angle) + noise[2 * i + 1];
    }
}

}  // namespace

int main(int argc, char** argv) try {
    const char* path = argc > 1 ? argv[1] : "spirals.safetensors";
    std::vector<float> x(2 * kRows);
    std::vector<std::int64_t> y(kRows);
    two_spirals(x, y);

    fanin::Network<float> network({.sizes = {2, 32, 32, 2}, .activations = {fanin::Activation::tanh, fanin::Activation::tanh}},
                                  7);
    network.draw_weights(fanin::Law("xavier_normal"));
    fanin::Optimizer adam(fanin::Adam{}, 0.01);
    const fanin::FitOptions options{.epochs = 200, .batch_size = 50};
    const std::size_t steps = fanin::Network<float>::steps_per_epoch(kRows, options.batch_size);
    std::vector<double> costs(steps * options.epochs), epochs(options.epochs);
    const auto view = fanin::matrix_view<const float>(x.data(), kRows, 2);
    network.fit(view, {y, {}}, options, adam, costs, epochs);

    std::vector<std::int64_t> labels(kRows);
    network.predict(view, labels);
    std::size_t right = 0;
    for (std::size_t i = 0; i < kRows; ++i) right += labels[i] == y[i];
    network.save(path, &adam);
    std::printf("cost %.4f -> %.4f, %.1f %% right, saved to %s\n", epochs.front(), epochs.back(),
                100.0 * static_cast<double>(right) / kRows, path);
    return right > kRows * 9 / 10 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
}
