// `optimizer` against the reference, bit for bit, on every instruction set; binding and bad arguments.
#include <limits>
#include <variant>

#include "check.hpp"
#include "fanin/optimizer.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "reference/optimizer.hpp"

namespace {

using fanin::AdaGrad;
using fanin::Adam;
using fanin::Optimizer;
using fanin::OptimizerRule;
using fanin::RmsProp;
using fanin::Sgd;

const OptimizerRule kRules[] = {Sgd{},
                                Sgd{0.9},
                                Sgd{0.5, true},
                                RmsProp{},
                                RmsProp{0.9, 1e-4, 0.7},
                                RmsProp{0, 0, 0},
                                Adam{},
                                Adam{0.5, 0.9, 1e-3, 0.1},
                                Adam{0, 0, 1, 0},
                                AdaGrad{},
                                AdaGrad{0.1}};

template <class T>
std::vector<T> normal(std::size_t n, std::uint64_t stream) {
    std::vector<T> x(n);
    fanin::fill_normal<T>(x, {5, stream}, 0, 0, 1);
    return x;
}

// Three steps, so that the first state, the second and an old one all occur; no write past the end. With `clip`, a norm that
// some steps exceed.
// A step in parts of odd sizes, last first, is the whole step; each part says whether it is finite.
template <class T>
void parts_equal_the_whole() {
    constexpr std::size_t n = 101;
    const std::size_t ends[] = {40, n}, cuts[] = {0, 1, 18, 40, 40, 57, n};
    for (const OptimizerRule& rule : kRules) {
        std::vector<T> whole = normal<T>(n, 0), parts = whole;
        Optimizer one(rule, {0.1, 0.3}), other(rule, {0.1, 0.3});
        one.bind<T>(1, ends);
        other.bind<T>(2, ends);
        for (std::uint64_t step = 1; step <= 3; ++step) {
            const std::vector<T> g = normal<T>(n, 10 + step);
            CHECK(one.update<T>(g, whole));
            for (std::size_t i = std::size(cuts) - 1; i-- > 0;)
                CHECK(other.update_part<T>(cuts[i] >= 40, cuts[i], {&g[cuts[i]], cuts[i + 1] - cuts[i]}, &parts[cuts[i]]));
            other.finish_update();
            CHECK(whole == parts && one.steps() == other.steps() && one.powers() == other.powers());
        }
    }
    for (const OptimizerRule& rule : kRules)
        for (const T bad :
             {std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()})
            for (std::size_t i = 0; i < n; ++i) {
                std::vector<T> w = normal<T>(n, 0);
                const std::vector<T> g(n, T(1));
                w[i] = bad;
                Optimizer optimizer(rule, 0.1);
                optimizer.bind<T>(1, ends);
                CHECK(!optimizer.update<T>(g, w));
                CHECK(optimizer.update_part<T>(0, 0, {&g[0], i}, &w[0]));
                CHECK(optimizer.update_part<T>(0, i + 1, {g.data() + i + 1, n - i - 1}, w.data() + i + 1));
            }
}

template <class T>
void steps_equal_reference() {
    for (const OptimizerRule& rule : kRules)
        for (const std::size_t n : {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 1001, 9000})
            for (const double clip : {0.0, 6.0}) {
                if (clip == 0 && n == 9000) continue;
                std::vector<T> w = normal<T>(n + 1, 0), expected = w;
                std::vector<fanin::reference::ParameterState<T>> states(n);
                const std::size_t ends[] = {n / 3, n};
                const double lr[] = {0.1, 0.3};
                Optimizer optimizer(rule, {0.1, 0.3}, clip);
                optimizer.bind<T>(1, ends);
                for (std::uint64_t step = 1; step <= 3; ++step) {
                    const std::vector<T> g = normal<T>(n, 10 + step);
                    optimizer.update<T>(g, {w.data(), n});
                    const double norm = fanin::reference::gradient_norm(g);
                    if (clip != 0) CHECK_SAME(optimizer.gradient_norm(), norm, "norm");
                    const T scale = fanin::reference::clip_scale<T>(norm, clip);
                    for (std::size_t i = 0; i < n; ++i)
                        std::visit(
                            [&](const auto& one) {
                                fanin::reference::update(one, lr[i >= n / 3], step, g[i] * scale, states[i], expected[i]);
                            },
                            rule);
                }
                for (std::size_t i = 0; i <= n; ++i)
                    CHECK_SAME(w[i], expected[i],
                               std::to_string(i) + " of " + std::to_string(n) + ", rule " + std::to_string(rule.index()));
                CHECK(optimizer.steps() == 3);
            }
}

void same_bits_at_any_thread_count() {
    const std::size_t n = 300'001;
    const std::vector<float> g = normal<float>(n, 1);
    for (const OptimizerRule& rule : kRules) {
        std::vector<float> one;
        for (const std::size_t threads : {1, 2, 3, 8}) {
            fanin::set_num_threads(threads);
            std::vector<float> w = normal<float>(n, 0);
            Optimizer optimizer(rule, 0.1, 10);
            optimizer.bind<float>(1, {{n}});
            for (int step = 0; step < 2; ++step) optimizer.update<float>(g, w);
            if (threads == 1) one = w;
            CHECK(w == one);
        }
    }
}

void one_network() {
    Optimizer optimizer(Sgd{0.9}, 0.1);
    const std::size_t ends[] = {2, 3};
    CHECK(!optimizer.bound());
    optimizer.bind<float>(7, ends);
    optimizer.bind<float>(7, ends);
    CHECK(optimizer.bound());
    CHECK_THROWS(optimizer.bind<float>(8, ends), std::invalid_argument);
    Optimizer copy(optimizer);
    CHECK(!copy.bound() && std::get<Sgd>(copy.rule()).momentum == 0.9);
    CHECK_THROWS(optimizer.set_lr({1, 2, 3}), std::invalid_argument);
    optimizer.set_lr({1, 2});
    CHECK(optimizer.lr()[1] == 2);
    optimizer.reset();
    optimizer.bind<double>(8, ends);
    optimizer.set_lr({2});
    CHECK(optimizer.lr().size() == 1 && optimizer.lr()[0] == 2);
    Optimizer three(Sgd{}, {1, 2, 3});
    CHECK_THROWS(three.bind<float>(7, ends), std::invalid_argument);
    CHECK(!three.bound());
}

void bad_arguments() {
    for (const double lr : {0.0, -1.0, double(NAN), double(INFINITY)}) {
        CHECK_THROWS(Optimizer(Sgd{}, lr), std::invalid_argument);
        CHECK_THROWS(Optimizer(Adam{}, {1, lr}), std::invalid_argument);
        Optimizer optimizer(Sgd{}, 1);
        CHECK_THROWS(optimizer.set_lr({lr}), std::invalid_argument);
        CHECK(optimizer.lr()[0] == 1);
    }
    CHECK_THROWS(Optimizer(Sgd{}, std::vector<double>{}), std::invalid_argument);
    for (const double bad : {-0.1, 1.0, double(NAN)}) {
        CHECK_THROWS(Optimizer(Sgd{bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(RmsProp{bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(RmsProp{0.9, 1e-8, bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(Adam{bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(Adam{0.9, bad}, 1), std::invalid_argument);
    }
    for (const double bad : {-0.1, double(NAN), double(INFINITY)}) {
        CHECK_THROWS(Optimizer(Sgd{}, 1.0, bad), std::invalid_argument);
        CHECK_THROWS(Optimizer(RmsProp{0.9, bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(Adam{0.9, 0.99, bad}, 1), std::invalid_argument);
        CHECK_THROWS(Optimizer(Adam{0.9, 0.99, 1e-8, bad}, 1), std::invalid_argument);
    }
    CHECK_THROWS(Optimizer(Sgd{0, true}, 1), std::invalid_argument);
    CHECK_THROWS(Optimizer(AdaGrad{-1}, 1), std::invalid_argument);
    CHECK_THROWS(fanin::optimizer_rule("lion", {}), std::invalid_argument);
    CHECK_THROWS(fanin::optimizer_rule("adam", {{"momentum", 0.5}}), std::invalid_argument);
}

// Names and hyper-parameters say the whole rule.
void by_name() {
    for (const OptimizerRule& rule : kRules) {
        const auto stated = fanin::hyper_parameters(rule);
        const OptimizerRule again = fanin::optimizer_rule(fanin::optimizer_name(rule), stated);
        CHECK(again.index() == rule.index() && fanin::hyper_parameters(again) == stated);
    }
    const auto nesterov = std::get<Sgd>(fanin::optimizer_rule("sgd", {{"nesterov", 1}, {"momentum", 0.5}}));
    CHECK(nesterov.nesterov && nesterov.momentum == 0.5);
}

}  // namespace

int main() {
    check::each_isa([] {
        steps_equal_reference<float>();
        steps_equal_reference<double>();
        parts_equal_the_whole<float>();
        parts_equal_the_whole<double>();
        same_bits_at_any_thread_count();
    });
    one_network();
    bad_arguments();
    by_name();
    return check::result();
}
