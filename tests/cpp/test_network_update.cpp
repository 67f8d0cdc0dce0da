// Steps of networks that are large enough for weights to be updated as their gradients come (network/update.cpp): against the
// reference, bit for bit, on every instruction set; beside fits, observed ones too; what is not finite, and what a step
// allocates.
#include <algorithm>
#include <limits>

#include "allocations.hpp"
#include "check.hpp"
#include "fanin/network.hpp"
#include "fanin/threads.hpp"
#include "network_data.hpp"
#include "parameters.hpp"

namespace {

using fanin::Activation;
using fanin::Loss;
using fanin::Network;
using fanin::NetworkShape;
using fanin::Nonfinite;
using fanin::Optimizer;
using fanin::OptimizerRule;
using fanin::Sgd;

// Two steps of each rule from one start.
template <class T>
void steps_equal_reference(const NetworkShape& shape, std::size_t rows, std::initializer_list<OptimizerRule> rules) {
    const Data<T> d = data_for<T>(shape, rows);
    Network<T> net(shape, 1);
    draw(net);
    fanin::reference::Network<T> expected(shape);
    copy_parameters(net, expected);
    std::vector<double> lr(net.layers(), 0.1);
    lr.front() = 0.05;
    const std::string where = std::to_string(shape.sizes[1]) + " units, " + std::to_string(rows) + " rows";
    for (const OptimizerRule& rule : rules) {
        Optimizer optimizer(rule, lr);
        expected.forget();
        for (int step = 0; step < 2; ++step) {
            const double cost = net.step(d.view(), d.targets(), optimizer);
            std::visit([&](const auto& one) { CHECK_SAME(cost, expected.step(rows, d.x.data(), d.targets(), one, lr), where); },
                       rule);
        }
        CHECK(net.nonfinite().what == Nonfinite::What::nothing);
        for (std::size_t l = 0; l < net.layers(); ++l) {
            for (std::size_t i = 0; i < expected.w[l].size(); ++i) CHECK_SAME(net.weight(l).data[i], expected.w[l][i], where);
            for (std::size_t i = 0; i < net.bias(l).size; ++i) CHECK_SAME(net.bias(l)[i], expected.b[l][i], where);
        }
    }
}

const NetworkShape kRows{{130, 509, 9}, {Activation::tanh}, Loss::cross_entropy, true};           // whole rows a strip
const NetworkShape kColumns{{1201, 57, 1}, {Activation::relu}, Loss::mean_squared_error, false};  // strips cut by columns
const NetworkShape kNarrow{{3, 8000, 4, 1}, {Activation::gelu, Activation::sigmoid}, Loss::hinge, true};

void steps() {
    const bool slow = fanin::active_isa() == "generic";  // its fused multiply-adds are software
    for (const std::size_t threads : {1, 3}) {
        if (slow && threads == 1) continue;
        fanin::set_num_threads(threads);
        steps_equal_reference<float>(kRows, 19, {Sgd{}, fanin::Adam{0.8, 0.99, 1e-7, 0.1}});
        steps_equal_reference<double>(kColumns, 5, {Sgd{0.9, true}, fanin::AdaGrad{}});
        if (slow) continue;
        steps_equal_reference<float>(kColumns, 14, {fanin::RmsProp{0.9, 1e-6, 0.5}});
        steps_equal_reference<double>(kRows, 1, {fanin::RmsProp{}});
        steps_equal_reference<double>(kNarrow, 7, {Sgd{0.9}});
    }
    fanin::set_num_threads(1);
}

// A step is the update by the gradients that gradients() writes.
template <class T>
void a_step_is_an_update(const NetworkShape& shape, std::size_t rows, double clip_norm = 0) {
    const Data<T> d = data_for<T>(shape, rows);
    Network<T> net(shape, 1);
    draw(net);
    std::vector<std::vector<T>> dw, db;
    std::vector<fanin::MatrixView<T>> out_dw;
    std::vector<fanin::VectorView<T>> out_db;
    for (std::size_t l = 0; l < net.layers(); ++l) {
        const fanin::MatrixView<T> w = net.weight(l);
        out_dw.push_back(fanin::matrix_view(dw.emplace_back(w.rows * w.cols).data(), w.rows, w.cols));
        if (shape.bias) out_db.push_back({db.emplace_back(w.rows).data(), w.rows, 1});
    }
    net.gradients(d.view(), d.targets(), out_dw, out_db);
    std::vector<T> gradients, expected = parameters(net);
    for (std::size_t l = 0; l < net.layers(); ++l) {
        gradients.insert(gradients.end(), dw[l].begin(), dw[l].end());
        if (shape.bias) gradients.insert(gradients.end(), db[l].begin(), db[l].end());
    }
    Optimizer one(fanin::Adam{}, 0.01, clip_norm), other(one);
    const std::size_t end[] = {gradients.size()};
    other.bind<T>(1, end);
    other.update<T>(gradients, expected);
    net.step(d.view(), d.targets(), one);
    CHECK(parameters(net) == expected);
}

void steps_of_all_kinds() {
    a_step_is_an_update<float>(kRows, 520);       // a second chain of products
    a_step_is_an_update<double>(kColumns, 1030);  // x packed in groups of columns
    // Gradients are stored for a norm of them all, for several pieces of rows, and where an identity keeps no z.
    a_step_is_an_update<float>(kRows, 5, 0.01);
    a_step_is_an_update<float>(kColumns, fanin::kPieceRows + 3);
    NetworkShape linear{{130, 500, 9, 2}, {Activation::tanh, Activation::identity}, Loss::cross_entropy, true};
    a_step_is_an_update<float>(linear, 5);
    std::swap(linear.activations[0], linear.activations[1]);
    a_step_is_an_update<float>(linear, 5);
}

// A fit is its steps; one that is observed, too.
void fits_are_steps() {
    struct Silent final : fanin::StepObserver<float> {
        explicit Silent(std::size_t n) {
            every = n, options = {true, fanin::HistogramKind::none}, activations = {options, options};
        }
        void see(const Step&) override { ++calls; }
        int calls = 0;
    } third(3), each(1);
    const Data<float> d = data_for<float>(kRows, 40);
    std::vector<std::vector<float>> found;
    for (fanin::StepObserver<float>* observer : {static_cast<Silent*>(nullptr), &third, &each}) {
        Network<float> net(kRows, 1);
        draw(net);
        Optimizer adam(fanin::Adam{}, 0.01);
        std::vector<double> costs(8), means(2);
        fanin::FitState state;
        net.fit(d.view(), d.targets(), {2, 10, false}, adam, costs, means, state, SIZE_MAX, observer);
        found.push_back(parameters(net));
        found.back().insert(found.back().end(), costs.begin(), costs.end());
    }
    CHECK(found[0] == found[1] && found[0] == found[2] && third.calls == 3 && each.calls == 8);
    Network<float> net(kRows, 1);
    draw(net);
    Optimizer adam(fanin::Adam{}, 0.01);
    for (std::size_t step = 0; step < 8; ++step) {
        const std::size_t first = step % 4 * 10;
        net.step(fanin::matrix_view(d.x.data() + first * 130, 10, 130), {std::span(d.labels).subspan(first, 10), {}}, adam);
    }
    const std::vector<float> stepped = parameters(net);
    CHECK(std::equal(stepped.begin(), stepped.end(), found[0].begin()));
}

// Of x in each element, targets of y, weights and biases of 0: z = 0, dz = -2 y, dw = -2 x y in the last layer.
void what_is_not_finite() {
    const NetworkShape shape{{300, 240, 1}, {Activation::softplus}, Loss::mean_squared_error, true};
    using What = Nonfinite::What;
    const auto stepped = [&](float x, float y, double lr, bool fit) {
        Network<float> net(shape, 1);
        net.draw_weights(fanin::Law("zeros"));
        std::fill_n(net.weight(1).data, 240, 1e-20f);
        const std::vector<float> xs(2 * 300, x), ys(2, y), before = parameters(net);
        Optimizer sgd(Sgd{}, lr);
        Nonfinite found;
        if (fit) {
            std::vector<double> costs(1), means(1);
            found = net.fit(fanin::matrix_view(xs.data(), 2, 300), {{}, ys}, {1, 0, false}, sgd, costs, means).nonfinite;
        } else {
            net.step(fanin::matrix_view(xs.data(), 2, 300), {{}, ys}, sgd);
            found = net.nonfinite();
        }
        const std::vector<float> after = parameters(net);
        const bool finite = std::all_of(after.begin(), after.end(), [](float w) { return std::isfinite(w); });
        return std::tuple(found.what, found.layer, finite, after == before, sgd.steps());
    };
    for (const bool fit : {false, true}) {
        CHECK(stepped(1, 1, 0.1, fit) == std::tuple(What::nothing, 0, true, false, 1));
        // dz = 2e38 or more times 1e-20, times x = 1e30: layer 0's dw is infinite. A step goes on, a fit ends before its
        // update.
        CHECK(stepped(1e30f, 1e38f, 1e-30, fit) == std::tuple(What::gradient, 0, fit, fit, !fit));
        // Too large a product of norms, and yet every gradient is finite.
        CHECK(stepped(1e18f, 1e38f, 1e-30, fit) == std::tuple(What::nothing, 0, true, false, 1));
        CHECK(stepped(1, 1e10f, 1e30, fit) == std::tuple(What::parameter, 1, false, false, 1));
    }
}

void a_step_allocates_nothing() {
    const Data<float> d = data_for<float>(kRows, 50);
    Network<float> net(kRows, 5);
    draw(net);
    for (const std::size_t threads : {1, 2}) {
        fanin::set_num_threads(threads);
        for (const OptimizerRule& rule : {OptimizerRule(Sgd{0.9}), {fanin::RmsProp{}}, {fanin::Adam{}}}) {
            Optimizer optimizer(rule, 0.001);
            net.step(d.view(), d.targets(), optimizer);
            const long before = g_allocations;
            for (int i = 0; i < 5; ++i) net.step(d.view(), d.targets(), optimizer);
            CHECK(g_allocations == before);
        }
    }
    fanin::set_num_threads(1);
}

// Rows in any layout.
void x_of_any_strides() {
    const Data<float> d = data_for<float>(kRows, 12);
    std::vector<float> upright(d.x.size()), backwards(d.x.rbegin(), d.x.rend());
    for (std::size_t i = 0; i < 12; ++i)
        for (std::size_t j = 0; j < 130; ++j) upright[j * 12 + i] = d.x[i * 130 + j];
    const fanin::MatrixView<const float> views[] = {
        d.view(), {upright.data(), 12, 130, 1, 12}, {backwards.data() + backwards.size() - 1, 12, 130, -130, -1}};
    std::vector<std::vector<float>> found;
    for (const auto& view : views) {
        Network<float> net(kRows, 1);
        draw(net);
        Optimizer sgd(Sgd{}, 0.1);
        std::vector<double> costs(1), means(1);
        net.step(view, d.targets(), sgd);
        net.fit(view, d.targets(), {1, 0, false}, sgd, costs, means);
        found.push_back(parameters(net));
    }
    CHECK(found[0] == found[1] && found[0] == found[2]);
}

}  // namespace

int main() {
    check::each_isa(steps);
    steps_of_all_kinds();
    fits_are_steps();
    what_is_not_finite();
    a_step_allocates_nothing();
    x_of_any_strides();
    return check::result();
}
