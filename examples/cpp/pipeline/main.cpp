// A real-time loop: loads a saved network once, then scores batches of 1 to 8 rows and tells how long they took: pipeline FILE
// [calls]. Everything that can fail or wait, loading and the workspace, comes before the loop; inside, nothing is allocated.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fanin/fanin.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t kMost = 8;
    const std::size_t calls = argc > 2 ? std::stoul(argv[2]) : 100000;
    const fanin::Predictor<float> predictor(std::string(argc > 1 ? argv[1] : "spirals.safetensors"));
    const std::size_t inputs = predictor.inputs(), outputs = predictor.outputs();

    std::vector<float> x(kMost * inputs), logits(kMost * outputs), workspace(predictor.workspace(kMost));
    fanin::fill_normal<float>(x, {.seed = 3, .stream = 1}, 0, 0.0f, 1.0f);
    std::vector<double> nanoseconds(calls);
    for (std::size_t rows = 1; rows <= kMost; rows *= 2) {
        const std::span<const float> in(x.data(), rows * inputs);
        const std::span<float> out(logits.data(), rows * outputs);
        double sum = 0;
        for (double& took : nanoseconds) {
            const auto begin = Clock::now();
            predictor.predict(in, out, workspace);
            took = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
            x[0] = -x[0];  // the next sample
            sum += static_cast<double>(out[0]);
        }
        std::sort(nanoseconds.begin(), nanoseconds.end());
        const auto at = [&](double q) { return nanoseconds[static_cast<std::size_t>(q * static_cast<double>(calls - 1))]; };
        std::printf("%zu rows: median %.0f ns, 99 %% %.0f ns, 99.9 %% %.0f ns, slowest %.0f ns (sum of scores %.3f)\n", rows,
                    at(0.5), at(0.99), at(0.999), nanoseconds.back(), sum);
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
}
