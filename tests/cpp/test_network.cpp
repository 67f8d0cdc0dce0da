// `network` against the reference, bit for bit, on every instruction set; training that no thread count, piece or batch
// changes; what a step allocates.
#include <limits>
#include <thread>

#include "allocations.hpp"
#include "check.hpp"
#include "fanin/network.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "network_data.hpp"
#include "parameters.hpp"
#include "reference/random.hpp"

namespace {

using fanin::Activation;
using fanin::Loss;
using fanin::MatrixView;
using fanin::Network;
using fanin::NetworkShape;
using fanin::Optimizer;
using fanin::Sgd;
using fanin::Targets;
using fanin::VectorView;

std::vector<NetworkShape> shapes() {
    return {{{2, 1}, {}, Loss::binary_cross_entropy, true},
            {{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true},
            {{5, 17, 9, 10}, {Activation::relu, Activation::sigmoid}, Loss::cross_entropy, true},
            {{2, 3, 3, 3, 1}, {Activation::tanh, Activation::identity, Activation::relu}, Loss::hinge, false},
            {{4, 33, 3}, {Activation::sigmoid}, Loss::mean_squared_error, true},
            {{6, 40, 35, 18, 4}, {Activation::tanh, Activation::relu, Activation::sigmoid}, Loss::cross_entropy, true}};
}

template <class T>
void steps_equal_reference() {
    for (const NetworkShape& shape : shapes())
        for (const std::size_t rows : {1, 5, 32, 64, 600}) {
            const Data<T> d = data_for<T>(shape, rows);
            Network<T> net(shape, 1);
            draw(net);
            fanin::reference::Network<T> expected(shape);
            copy_parameters(net, expected);
            const std::string where = std::to_string(shape.sizes.size()) + " layers, " + std::to_string(rows) + " rows";

            std::vector<std::vector<T>> dw, db;
            std::vector<MatrixView<T>> out_dw;
            std::vector<VectorView<T>> out_db;
            for (std::size_t l = 0; l < net.layers(); ++l) {
                const MatrixView<T> w = net.weight(l);
                dw.emplace_back(w.rows * w.cols);
                db.emplace_back(w.rows);
                out_dw.push_back(fanin::matrix_view(dw[l].data(), w.rows, w.cols));
                if (shape.bias) out_db.push_back({db[l].data(), w.rows, 1});
            }
            CHECK_SAME(net.gradients(d.view(), d.targets(), out_dw, out_db), expected.gradients(rows, d.x.data(), d.targets()),
                       where);
            for (std::size_t l = 0; l < net.layers(); ++l) {
                for (std::size_t i = 0; i < dw[l].size(); ++i) CHECK_SAME(dw[l][i], expected.dw[l][i], where);
                for (std::size_t i = 0; shape.bias && i < db[l].size(); ++i) CHECK_SAME(db[l][i], expected.db[l][i], where);
            }

            std::vector<double> lr(net.layers(), 0.1);  // a rate for each layer
            lr.front() = 0.05;
            const auto three_steps = [&](const auto& rule, double clip_norm) {
                Optimizer optimizer(rule, lr, clip_norm);
                expected.forget();
                for (int step = 0; step < 3; ++step) {
                    const double loss = net.loss(d.view(), d.targets());
                    const double cost = net.step(d.view(), d.targets(), optimizer);
                    CHECK_SAME(cost, expected.step(rows, d.x.data(), d.targets(), rule, lr, clip_norm), where);
                    CHECK_SAME(cost, loss, where);
                }
            };
            three_steps(Sgd{0.9, true}, 0);
            three_steps(fanin::RmsProp{0.9, 1e-6, 0.5}, 0.01);
            three_steps(fanin::Adam{0.8, 0.99, 1e-7, 0.1}, 1);
            for (std::size_t l = 0; l < net.layers(); ++l) {
                const MatrixView<T> w = net.weight(l);
                for (std::size_t i = 0; i < expected.w[l].size(); ++i) CHECK_SAME(w.data[i], expected.w[l][i], where);
                for (std::size_t i = 0; i < net.bias(l).size; ++i) CHECK_SAME(net.bias(l)[i], expected.b[l][i], where);
            }
        }
}

// More rows than a piece has, of strided data: the reference knows no pieces.
void pieces_equal_reference() {
    const NetworkShape shape{{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true};
    const std::size_t rows = 2 * fanin::kPieceRows + 37;
    const Data<float> d = data_for<float>(shape, rows);
    std::vector<float> backwards(d.x.rbegin(), d.x.rend());
    const MatrixView<const float> view{backwards.data() + backwards.size() - 1, rows, 3, -3, -1};
    Network<float> net(shape, 1);
    draw(net);
    fanin::reference::Network<float> expected(shape);
    copy_parameters(net, expected);
    Optimizer optimizer(Sgd{}, 0.5);
    CHECK_SAME(net.step(view, d.targets(), optimizer), expected.step(rows, d.x.data(), d.targets(), Sgd{}, {0.5}), "pieces");
    for (std::size_t l = 0; l < net.layers(); ++l)
        for (std::size_t i = 0; i < expected.w[l].size(); ++i) CHECK_SAME(net.weight(l).data[i], expected.w[l][i], "pieces");
    // A row's logits do not depend on the rows beside it.
    std::vector<float> all(rows * 2), one(2);
    net.forward(view, all);
    for (const std::size_t i : {std::size_t{0}, fanin::kPieceRows - 1, fanin::kPieceRows, rows - 1}) {
        net.forward(fanin::matrix_view(d.x.data() + i * 3, 1, 3), one);
        CHECK(one[0] == all[2 * i] && one[1] == all[2 * i + 1]);
    }
}

void predictions_are_labels() {
    for (const NetworkShape& shape : shapes()) {
        const std::size_t rows = fanin::kPieceRows + 5, outputs = shape.sizes.back();
        const Data<float> d = data_for<float>(shape, rows);
        Network<float> net(shape, 1);
        draw(net);
        std::vector<float> z(rows * outputs);
        net.forward(d.view(), z);
        std::vector<std::int64_t> labels(rows, 77), few(rows - 1);
        if (shape.loss == Loss::mean_squared_error) {
            CHECK_THROWS(net.predict(d.view(), labels), std::invalid_argument);
            continue;
        }
        CHECK_THROWS(net.predict(d.view(), few), std::invalid_argument);
        net.predict(d.view(), labels);
        for (std::size_t i = 0; i < rows; ++i) {
            std::int64_t expected = z[i * outputs] > 0 ? 1 : shape.loss == Loss::hinge ? -1 : 0;
            if (shape.loss == Loss::cross_entropy) {
                expected = 0;
                for (std::size_t j = 1; j < outputs; ++j)
                    if (z[i * outputs + j] > z[i * outputs + static_cast<std::size_t>(expected)])
                        expected = static_cast<std::int64_t>(j);
            }
            CHECK(labels[i] == expected);
        }
    }
}

// fit is step after step over the rows that the permutations name, the last batch short.
void fit_is_steps() {
    const NetworkShape shape{{3, 5, 4}, {Activation::relu}, Loss::cross_entropy, true};
    const std::size_t rows = 70, batch = 16, steps = 5, epochs = 3;
    const Data<float> d = data_for<float>(shape, rows);
    for (const bool shuffle : {true, false}) {
        Network<float> fitted(shape, 77), stepped(shape, 77);
        draw(fitted);
        draw(stepped);
        Optimizer a(Sgd{0.9}, 0.1), b(Sgd{0.9}, 0.1);
        std::vector<double> costs(steps * epochs), means(epochs);
        // In two calls: the count of epochs belongs to the network.
        fitted.fit(d.view(), d.targets(), {1, batch, shuffle}, a, {costs.data(), steps}, {means.data(), 1});
        fitted.fit(d.view(), d.targets(), {2, batch, shuffle}, a, {costs.data() + steps, 2 * steps}, {means.data() + 1, 2});
        const fanin::Key key{77, fanin::detail::own_stream("fanin/shuffle")};
        for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
            std::vector<std::int64_t> order = fanin::reference::permutation(rows, key, epoch);
            double sum = 0;
            for (std::size_t begin = 0, step = 0; begin < rows; begin += batch, ++step) {
                Data<float> now{{}, {}, {}, std::min(batch, rows - begin), 3};
                for (std::size_t i = begin; i < begin + now.rows; ++i) {
                    const std::size_t row = shuffle ? static_cast<std::size_t>(order[i]) : i;
                    now.x.insert(now.x.end(), d.x.begin() + 3 * row, d.x.begin() + 3 * row + 3);
                    now.labels.push_back(d.labels[row]);
                }
                const double cost = stepped.step(now.view(), now.targets(), b);
                CHECK_SAME(costs[epoch * steps + step], cost, "fit");
                sum += cost * static_cast<double>(now.rows);
            }
            CHECK_SAME(means[epoch], sum / rows, "fit");
        }
        CHECK(parameters(fitted) == parameters(stepped));
        CHECK(fitted.epochs() == 3);
    }
}

// 200 steps of a network large enough for threads; returns its parameters.
std::vector<float> trained(const fanin::OptimizerRule& rule, double lr) {
    const NetworkShape shape{{8, 128, 110, 4}, {Activation::tanh, Activation::relu}, Loss::cross_entropy, true};
    const Data<float> d = data_for<float>(shape, 300);
    Network<float> net(shape, 5);
    draw(net);
    Optimizer optimizer(rule, lr);
    std::vector<double> costs(200), means(50);
    net.fit(d.view(), d.targets(), {50, 80, true}, optimizer, costs, means);
    CHECK(costs.back() < 0.8 * costs.front());
    return parameters(net);
}

void same_weights_everywhere() {
    static std::vector<float> first[3];
    const std::pair<fanin::OptimizerRule, double> optimizers[] = {
        {Sgd{0.9}, 0.05}, {fanin::RmsProp{}, 0.001}, {fanin::Adam{}, 0.002}};
    const bool slow = fanin::active_isa() == "generic";  // its fused multiply-adds are software: one thread count will do
    for (const std::size_t threads : {1, 2, 3}) {
        if (slow && threads != 2) continue;
        fanin::set_num_threads(threads);
        for (std::size_t i = 0; i < 3; ++i) {
            const std::vector<float> now = trained(optimizers[i].first, optimizers[i].second);
            if (first[i].empty()) first[i] = now;
            CHECK(now == first[i]);
        }
    }
}

// Wherever NaN stands, in rows that touch, in rows apart and in columns; infinities pass.
template <class T>
void nan_in_x_is_named() {
    constexpr std::size_t rows = 3, cols = 37, apart = 40;
    Network<T> net({{cols, 2}, {}, Loss::cross_entropy, true}, 1);
    std::vector<T> logits(rows * 2);
    const auto named = [&](MatrixView<const T> x) -> std::string {
        try {
            net.forward(x, logits, 10);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    for (const auto& [row, col] : {std::pair{cols, std::size_t{1}}, {apart, std::size_t{1}}, {std::size_t{1}, rows}}) {
        std::vector<T> x(rows * apart, std::numeric_limits<T>::quiet_NaN());  // between rows that are apart, too
        const MatrixView<T> view{x.data(), rows, cols, static_cast<std::ptrdiff_t>(row), static_cast<std::ptrdiff_t>(col)};
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < cols; ++j) view(i, j) = (i + j) % 2 ? std::numeric_limits<T>::infinity() : T(0);
        CHECK(named(view).empty());
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < cols; ++j) {
                const T was = std::exchange(view(i, j), std::numeric_limits<T>::quiet_NaN());
                CHECK(named(view) == "x must not hold NaN, got one at row " + std::to_string(10 + i));
                view(i, j) = was;
            }
    }
}

void a_step_allocates_nothing() {
    const NetworkShape shape{{20, 64, 64, 10}, {Activation::tanh, Activation::relu}, Loss::cross_entropy, true};
    const Data<float> d = data_for<float>(shape, 600);
    Network<float> net(shape, 5);
    draw(net);
    for (const fanin::OptimizerRule& rule : {fanin::OptimizerRule(Sgd{0.9}), {fanin::RmsProp{}}, {fanin::Adam{}}}) {
        Optimizer optimizer(rule, 0.001, 1);
        net.step(d.view(), d.targets(), optimizer);
        const long before = g_allocations;
        for (int i = 0; i < 20; ++i) net.step(d.view(), d.targets(), optimizer);
        const long after = g_allocations;
        CHECK(after == before);
    }
}

// Nor do the steps of a fit between those that are observed.
void steps_between_observed_ones_allocate_nothing() {
    struct Counter final : fanin::StepObserver<float> {
        Counter() { every = 3, options = {true, fanin::HistogramKind::none}, activations = {options, options}; }
        int calls = 0;
        void see(const Step&) override { ++calls; }
    } counter;
    Network<float> net({{20, 40, 3}, {Activation::tanh}, Loss::cross_entropy, true}, 7);
    draw(net);
    const std::vector<float> x(256 * 20, 0.5f);
    const std::vector<std::int64_t> y(256, 1);
    Optimizer sgd(Sgd{0.9}, 0.01);
    std::vector<double> costs(8), means(1);
    fanin::FitState state;
    const auto run = [&](std::size_t steps, fanin::StepObserver<float>* observer) {
        const long before = g_allocations;
        net.fit(fanin::matrix_view(x.data(), 256, 20), {y, {}}, {1, 32, true}, sgd, costs, means, state, steps, observer);
        return g_allocations - before;
    };
    CHECK(run(1, nullptr) > 0 && run(2, &counter) == 0 && run(1, &counter) > 0 && counter.calls == 1);  // steps 2 and 3, then 4
}

void copies_and_owners() {
    const NetworkShape shape{{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true};
    const Data<double> d = data_for<double>(shape, 8);
    Network<double> net(shape, 1);
    draw(net);
    Network<double> copy(net);
    CHECK(parameters(copy) == parameters(net));
    Optimizer optimizer(Sgd{}, 0.1);
    net.step(d.view(), d.targets(), optimizer);
    CHECK(parameters(copy) != parameters(net));
    const std::vector<double> before = parameters(copy);
    CHECK_THROWS(copy.step(d.view(), d.targets(), optimizer), std::invalid_argument);
    CHECK(parameters(copy) == before);
    Optimizer fresh(optimizer);
    copy.step(d.view(), d.targets(), fresh);
    CHECK(parameters(copy) == parameters(net));
    // A write through the live view is seen by the next call.
    for (std::size_t l = 0; l < 2; ++l) std::fill_n(net.weight(l).data, net.weight(l).rows * net.weight(l).cols, 0.0);
    for (std::size_t l = 0; l < 2; ++l) std::fill_n(net.bias(l).data, net.bias(l).size, 0.0);
    CHECK(std::abs(net.loss(d.view(), d.targets()) - std::log(2.0)) < 1e-15);
}

void draws_are_addressable() {
    Network<float> net({{3, 70, 2}, {Activation::relu}, Loss::cross_entropy, true}, 31);
    net.bias(0)[1] = 5;
    net.draw_weights(fanin::Law("he_normal"));
    std::vector<float> w(210);
    fanin::fill<float>(fanin::matrix_view(w.data(), 70, 3), fanin::Law("he_normal"), {31, fanin::stream_id("0.weight")});
    CHECK(std::equal(w.begin(), w.end(), net.weight(0).data));
    CHECK(net.bias(0)[1] == 5 && net.weight(1)(1, 69) != 0);
}

// An interrupt while the gradients are made leaves the parameters; one in fit keeps the steps before it.
void interrupts_keep_what_was_learned() {
    const NetworkShape shape{{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true};
    const Data<float> d = data_for<float>(shape, 64);
    Network<float> net(shape, 1);
    draw(net);
    const std::vector<float> start = parameters(net);
    Optimizer optimizer(Sgd{}, 0.1);
    std::vector<double> costs(1'000'000), means(1'000'000);
    const fanin::InterruptScope scope([](void*) { return true; });
    CHECK_THROWS(net.fit(d.view(), d.targets(), {1'000'000, 0, true}, optimizer, costs, means), fanin::Interrupted);
    CHECK(parameters(net) != start && optimizer.steps() > 0 && net.epochs() > 0);
    net.loss(d.view(), d.targets());  // and it is not left busy
}

void bad_arguments() {
    const NetworkShape shape{{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true};
    const auto made = [](NetworkShape s) { Network<float> net(std::move(s), 1); };
    CHECK_THROWS(made({{3}, {}, Loss::cross_entropy, true}), std::invalid_argument);
    CHECK_THROWS(made({{3, 0}, {}, Loss::mean_squared_error, true}), std::invalid_argument);
    CHECK_THROWS(made({{3, 4, 2}, {}, Loss::cross_entropy, true}), std::invalid_argument);
    CHECK_THROWS(made({{3, 2}, {}, Loss::hinge, true}), std::invalid_argument);
    CHECK_THROWS(made({{std::size_t{1} << 40, std::size_t{1} << 40}, {}, Loss::cross_entropy, true}), std::invalid_argument);
    Data<float> d = data_for<float>(shape, 8);
    Network<float> net(shape, 1);
    draw(net);
    const std::vector<float> before = parameters(net);
    Optimizer optimizer(Sgd{}, 0.1);
    const auto step = [&](MatrixView<const float> x) { net.step(x, d.targets(), optimizer); };
    CHECK_THROWS(step(fanin::matrix_view<const float>(d.x.data(), 6, 4)), std::invalid_argument);  // columns
    CHECK_THROWS(step(fanin::matrix_view<const float>(d.x.data(), 7, 3)), std::invalid_argument);  // rows
    CHECK_THROWS(step(fanin::matrix_view<const float>(d.x.data(), 0, 3)), std::invalid_argument);
    d.x[10] = NAN;
    CHECK_THROWS(step(d.view()), std::invalid_argument);
    d.x[10] = 0;
    d.labels[3] = 2;
    CHECK_THROWS(step(d.view()), std::invalid_argument);
    CHECK(parameters(net) == before && !optimizer.bound());
    std::vector<float> logits(3);
    CHECK_THROWS(net.forward(d.view(), logits), std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        steps_equal_reference<float>();
        steps_equal_reference<double>();
        pieces_equal_reference();
        fit_is_steps();
        same_weights_everywhere();
        nan_in_x_is_named<float>();
        nan_in_x_is_named<double>();
        a_step_allocates_nothing();
        steps_between_observed_ones_allocate_nothing();
    });
    predictions_are_labels();
    copies_and_owners();
    draws_are_addressable();
    interrupts_keep_what_was_learned();
    bad_arguments();
    return check::result();
}
