// `predictor` against Network::forward, bit for bit, on every instruction set; what it loads; what a call allocates; threads
// that share one.
#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "fanin/predictor.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"

namespace {

using fanin::Activation;
using fanin::Network;
using fanin::NetworkShape;
using fanin::Predictor;

const NetworkShape kShapes[] = {
    {{16, 32, 32, 4}, {Activation::tanh, Activation::tanh}},
    {{1, 1, 2}, {Activation::relu}},
    {{7, 3}, {}},
    {{5, 70, 33, 129, 3}, {Activation::gelu, Activation(Activation::leaky_relu, 0.2), Activation::identity}},
    {{600, 40, 2}, {Activation::selu}, fanin::Loss::cross_entropy, false},  // more than one block of k
    {{9, 12, 12, 12, 2},
     {Activation::silu, Activation::silu, Activation::silu},
     fanin::Loss::cross_entropy,
     true,
     {0, 1, 1, 3}},
    {{20, 700, 1}, {Activation::sigmoid}, fanin::Loss::hinge},  // in pieces on the stack
};

template <class T>
Network<T> network_of(const NetworkShape& shape) {
    Network<T> network(shape, 11);
    network.draw_weights(fanin::Law("xavier_normal"));
    for (std::size_t l = 0; l < network.layers(); ++l) {
        const fanin::VectorView<T> b = network.bias(l);
        fanin::fill_normal<T>({b.data, b.size}, {11, l}, 0, T(0), T(1));
    }
    return network;
}

template <class T>
std::vector<T> rows_of(std::size_t n, std::uint64_t stream) {
    std::vector<T> x(n);
    fanin::fill_normal<T>(x, {12, stream}, 0, T(0), T(2));
    return x;
}

template <class T>
void test_bits() {
    for (const NetworkShape& shape : kShapes) {
        Network<T> network = network_of<T>(shape);
        const Predictor<T> predictor(network);
        CHECK(predictor.inputs() == shape.sizes.front() && predictor.outputs() == shape.sizes.back());
        for (const std::size_t rows : {1, 2, 3, 8, 13, 64}) {
            const std::vector<T> x = rows_of<T>(rows * predictor.inputs(), rows);
            std::vector<T> expected(rows * predictor.outputs()), got(expected.size()), space(predictor.workspace(rows));
            const auto view = fanin::matrix_view<const T>(x.data(), rows, predictor.inputs());
            network.forward(view, expected);
            for (const bool own : {false, true}) {
                std::fill(got.begin(), got.end(), T(-99));
                predictor.predict(std::span<const T>(x), got, own ? std::span<T>(space) : std::span<T>());
                CHECK(got == expected);
            }
            // Columns of another matrix, and rows in reverse.
            std::vector<T> turned(x.size());
            for (std::size_t i = 0; i < rows; ++i)
                for (std::size_t j = 0; j < view.cols; ++j) turned[j * rows + rows - 1 - i] = x[i * view.cols + j];
            predictor.predict({turned.data() + rows - 1, rows, view.cols, -1, static_cast<std::ptrdiff_t>(rows)}, got);
            CHECK(got == expected);
        }
    }
}

template <class T>
void test_files() {
    const std::string path = "test_predictor.safetensors";
    for (const NetworkShape& shape : kShapes) {
        Network<T> network = network_of<T>(shape);
        const std::vector<T> x = rows_of<T>(4 * shape.sizes.front(), 3);
        std::vector<T> expected(4 * shape.sizes.back()), got(expected.size());
        network.forward(fanin::matrix_view<const T>(x.data(), 4, shape.sizes.front()), expected);
        for (const fanin::TensorNames names : {fanin::TensorNames::fanin, fanin::TensorNames::torch}) {
            fanin::Optimizer optimizer(fanin::Adam{}, 0.1);
            network.save(path, names == fanin::TensorNames::fanin ? nullptr : &optimizer, names);
            Predictor<T>(path).predict(std::span<const T>(x), got);
            CHECK(got == expected);
            Predictor<T>(shape, fanin::SafeTensors(path)).predict(std::span<const T>(x), got);
            CHECK(got == expected);
        }
        const NetworkShape read = fanin::network_shape(fanin::SafeTensors(path));
        CHECK(read.sizes == shape.sizes && read.activations == shape.activations && read.loss == shape.loss &&
              read.bias == shape.bias && read.weight_of == shape.weight_of);
        Network<T> bare(shape, 1);
        fanin::write_safetensors(path, fanin::SafeTensors(path).tensors(), {});
        CHECK_THROWS(Predictor<T>{path}, std::invalid_argument);  // no description
        Predictor<T>(shape, fanin::SafeTensors(path)).predict(std::span<const T>(x), got);
        CHECK(got == expected);
    }
    std::remove(path.c_str());
}

template <class T>
void test_refusals() {
    const Predictor<T> predictor(network_of<T>(kShapes[0]));
    std::vector<T> x(65 * 16), out(65 * 4), space(predictor.workspace(1) - 1);
    const auto call = [&](std::size_t n_x, std::size_t n_out, std::span<T> workspace = {}) {
        predictor.predict(std::span<const T>(x).first(n_x), std::span<T>(out).first(n_out), workspace);
    };
    CHECK_THROWS(call(0, 0), std::invalid_argument);
    CHECK_THROWS(call(15, 4), std::invalid_argument);
    CHECK_THROWS(call(65 * 16, 65 * 4), std::invalid_argument);
    CHECK_THROWS(call(16, 3), std::invalid_argument);
    CHECK_THROWS(call(16, 4, space), std::invalid_argument);
    CHECK_THROWS(predictor.predict(fanin::matrix_view<const T>(x.data(), 1, 15), std::span<T>(out).first(4)),
                 std::invalid_argument);
    const std::size_t wide = fanin::kPredictStack;
    const Predictor<T> large(network_of<T>({{2, wide, 2}, {Activation::relu}}));
    CHECK_THROWS(large.predict(std::span<const T>(x).first(2), std::span<T>(out).first(2)), std::invalid_argument);
    std::vector<T> enough(large.workspace(1));
    large.predict(std::span<const T>(x).first(2), std::span<T>(out).first(2), enough);
    x[3] = std::numeric_limits<T>::quiet_NaN();
    call(16, 4);
    CHECK(out[0] != out[0]);
}

template <class T>
void test_allocations() {
    const Predictor<T> predictor(network_of<T>(kShapes[3]));
    const std::vector<T> x = rows_of<T>(64 * 5, 1);
    std::vector<T> out(64 * 3), space(predictor.workspace(64));
    const long before = g_allocations;
    for (std::size_t rows = 1; rows <= 64; ++rows) {
        predictor.predict(std::span<const T>(x).first(rows * 5), std::span<T>(out).first(rows * 3));
        predictor.predict(std::span<const T>(x).first(rows * 5), std::span<T>(out).first(rows * 3), space);
    }
    const long allocated = g_allocations - before;
    CHECK(allocated == 0);
}

template <class T>
void test_threads() {
    Network<T> network = network_of<T>(kShapes[3]);
    const Predictor<T> predictor(network);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (std::uint64_t t = 0; t < 8; ++t) {
        const std::vector<T> x = rows_of<T>(7 * 5, t);
        std::vector<T> expected(7 * 3);
        network.forward(fanin::matrix_view<const T>(x.data(), 7, 5), expected);
        threads.emplace_back([&predictor, &wrong, x, expected] {
            std::vector<T> out(7 * 3);
            const Predictor<T> copy = predictor;
            for (int i = 0; i < 300; ++i) {
                (i % 2 == 0 ? predictor : copy).predict(std::span<const T>(x), out);
                wrong += out != expected;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

template <class T>
void test_all() {
    test_bits<T>();
    test_allocations<T>();
    test_refusals<T>();
}

// A later choice of another instruction set leaves a predictor what it is.
void test_isa_of_its_own() {
    const std::vector<float> x = rows_of<float>(16, 1);
    std::vector<float> expected(4), got(4);
    const Predictor<float> predictor(network_of<float>(kShapes[0]));
    predictor.predict(std::span<const float>(x), expected);
    check::each_isa([&] {
        predictor.predict(std::span<const float>(x), got);
        CHECK(got == expected);
    });
}

}  // namespace

int main() {
    check::each_isa([] {
        test_all<float>();
        test_all<double>();
    });
    test_files<float>();
    test_files<double>();
    test_threads<float>();
    test_threads<double>();
    test_isa_of_its_own();
    return check::result();
}
