// `optimizer` against the reference, bit for bit, on every instruction set; binding and bad arguments.
#include "check.hpp"
#include "fanin/optimizer.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "reference/optimizer.hpp"

namespace {

using fanin::Optimizer;
using fanin::Sgd;

template <class T>
std::vector<T> normal(std::size_t n, std::uint64_t stream) {
    std::vector<T> x(n);
    fanin::fill_normal<T>(x, {5, stream}, 0, 0, 1);
    return x;
}

// Three steps, so that the first velocity, the second and an old one all occur; no write past the end.
template <class T>
void steps_equal_reference() {
    const Sgd rules[] = {{0.1}, {0.1, 0.9}, {0.3, 0.5, true}};
    for (const Sgd& rule : rules)
        for (const std::size_t n : {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 1001}) {
            std::vector<T> w = normal<T>(n + 1, 0), expected = w, velocity(n);
            Optimizer optimizer(rule);
            optimizer.bind<T>(1, n);
            for (std::uint64_t step = 0; step < 3; ++step) {
                const std::vector<T> g = normal<T>(n, 10 + step);
                optimizer.update<T>(g, {w.data(), n});
                const T lr = static_cast<T>(rule.lr), momentum = static_cast<T>(rule.momentum);
                for (std::size_t i = 0; i < n; ++i)
                    if (rule.momentum == 0) fanin::reference::sgd(lr, g[i], expected[i]);
                    else fanin::reference::sgd_momentum(lr, momentum, rule.nesterov, step == 0, g[i], velocity[i], expected[i]);
            }
            for (std::size_t i = 0; i <= n; ++i) CHECK_SAME(w[i], expected[i], std::to_string(i) + " of " + std::to_string(n));
            CHECK(optimizer.steps() == 3);
        }
}

void same_bits_at_any_thread_count() {
    const std::size_t n = 300'001;
    const std::vector<float> g = normal<float>(n, 1);
    std::vector<float> one;
    for (const std::size_t threads : {1, 2, 3, 8}) {
        fanin::set_num_threads(threads);
        std::vector<float> w = normal<float>(n, 0);
        Optimizer optimizer(Sgd{0.1, 0.9, true});
        optimizer.bind<float>(1, n);
        for (int step = 0; step < 2; ++step) optimizer.update<float>(g, w);
        if (threads == 1) one = w;
        CHECK(w == one);
    }
}

void one_network() {
    Optimizer optimizer(Sgd{0.1, 0.9});
    CHECK(!optimizer.bound());
    optimizer.bind<float>(7, 3);
    optimizer.bind<float>(7, 3);
    CHECK(optimizer.bound());
    CHECK_THROWS(optimizer.bind<float>(8, 3), std::invalid_argument);
    Optimizer copy(optimizer);
    CHECK(!copy.bound() && copy.rule().momentum == 0.9);
    optimizer.reset();
    optimizer.bind<double>(8, 3);
    optimizer.set_lr(2);
    CHECK(optimizer.rule().lr == 2);
}

void bad_arguments() {
    for (const double lr : {0.0, -1.0, double(NAN), double(INFINITY)}) {
        CHECK_THROWS(Optimizer(Sgd{lr}), std::invalid_argument);
        Optimizer optimizer(Sgd{1});
        CHECK_THROWS(optimizer.set_lr(lr), std::invalid_argument);
        CHECK(optimizer.rule().lr == 1);
    }
    for (const double momentum : {-0.1, 1.0, double(NAN)}) CHECK_THROWS(Optimizer(Sgd{1, momentum}), std::invalid_argument);
    CHECK_THROWS(Optimizer(Sgd{1, 0, true}), std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        steps_equal_reference<float>();
        steps_equal_reference<double>();
        same_bits_at_any_thread_count();
    });
    one_network();
    bad_arguments();
    return check::result();
}
