// Random layers, sizes 0 to 300 in each dimension, any strides, all activations, both dtypes, at 1, 2, 3, 5 and 8 threads,
// against the reference bit for bit on every instruction set (the generic one up to 10^5 multiply-adds):
//     sweep_dense [count] [seed]
#include <cstdlib>

#include "check.hpp"
#include "dense_layer.hpp"
#include "fanin/threads.hpp"

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 2000;
    dense_layer::Random random(argc > 2 ? static_cast<unsigned>(std::atol(argv[2])) : 1u);
    constexpr std::size_t kThreads[] = {1, 2, 3, 5, 8};
    const auto below = [&](std::size_t n) { return dense_layer::below(random, n); };
    for (long i = 0; i < count; ++i) {
        fanin::set_num_threads(kThreads[i % 5]);
        const std::size_t batch = below(301), n_in = below(301), n_out = below(301), kind = below(5);
        const fanin::Activation activation = dense_layer::kAll[below(std::size(dense_layer::kAll))];
        if (i % 2 == 0) dense_layer::one_layer<float>(random, batch, n_in, n_out, kind, activation, 100'000);
        else dense_layer::one_layer<double>(random, batch, n_in, n_out, kind, activation, 100'000);
    }
    return check::result();
}
