// Fits that go on where they were, that find what is not finite, and layers that share a matrix.
#include <limits>

#include "check.hpp"
#include "fanin/network.hpp"
#include "fanin/random.hpp"
#include "parameters.hpp"
#include "reference/network.hpp"

namespace {

using fanin::Activation;
using fanin::FitState;
using fanin::Loss;
using fanin::MatrixView;
using fanin::Network;
using fanin::NetworkShape;
using fanin::Nonfinite;
using fanin::Optimizer;
using fanin::Sgd;
using fanin::Targets;
using fanin::VectorView;

struct Data {
    std::vector<float> x = std::vector<float>(70 * 3);
    std::vector<std::int64_t> y;
    Data() {
        fanin::fill_normal<float>(x, {9, 1}, 0, 0, 1);
        for (std::int64_t i = 0; i < 70; ++i) y.push_back(i * 7 % 4);
    }
    MatrixView<const float> view() const { return fanin::matrix_view(x.data(), 70, 3); }
    Targets<float> targets() const { return {y, {}}; }
};

void parts_are_the_whole() {
    const NetworkShape shape{{3, 5, 4}, {Activation::relu}, Loss::cross_entropy, true};
    Data d;
    for (const std::size_t part : {1, 3, 5, 7}) {
        Network<float> whole(shape, 7), parted(shape, 7);
        whole.draw_weights(fanin::Law("he_normal"));
        parted.draw_weights(fanin::Law("he_normal"));
        Optimizer a(fanin::Adam{}, 0.01), b(fanin::Adam{}, 0.01);
        std::vector<double> costs(15), means(3), costs_b(15), means_b(3), other(5), other_mean(1);
        const FitState end = whole.fit(d.view(), d.targets(), {3, 16, true}, a, costs, means);
        CHECK(end.steps == 15 && end.epochs == 3 && !end.stopped && end.nonfinite.what == Nonfinite::What::nothing);
        FitState state;
        while (state.epochs < 3) {
            parted.fit(d.view(), d.targets(), {3, 16, true}, b, costs_b, means_b, state, part);
            // Another network's fit between them, and one of this network, change nothing but the rounds.
            Network<float> between(parted);
            Optimizer c(Sgd{}, 0.1);
            between.fit(d.view(), d.targets(), {1, 16, true}, c, other, other_mean);
        }
        CHECK(costs == costs_b && means == means_b && parameters(whole) == parameters(parted));
        CHECK(parted.epochs() == 3);
    }
    // Rows that became bad are refused before they are used.
    Network<float> net(shape, 7);
    Optimizer sgd(Sgd{}, 0.1);
    std::vector<double> costs(5), means(1);
    FitState state;
    net.fit(d.view(), d.targets(), {1, 16, false}, sgd, costs, means, state, 2);
    d.y[33] = 4;
    const auto go_on = [&] { net.fit(d.view(), d.targets(), {1, 16, false}, sgd, costs, means, state, 1); };
    CHECK_THROWS(go_on(), std::invalid_argument);
    d.y[33] = 3;
    d.x[40 * 3] = NAN;
    CHECK_THROWS(go_on(), std::invalid_argument);
    CHECK(state.steps == 2 && sgd.steps() == 2);
}

void what_is_not_finite() {
    const NetworkShape shape{{1, 1, 1, 1}, {Activation::relu, Activation::relu}, Loss::mean_squared_error, false};
    const float x[] = {1}, y[] = {0};
    const auto fitted = [&](std::array<float, 3> w, double lr, bool stop = true) {
        Network<float> net(shape, 1);
        for (std::size_t l = 0; l < 3; ++l) *net.weight(l).data = w[l];
        Optimizer sgd(Sgd{}, lr);
        std::vector<double> costs(4), means(4);
        const FitState state = net.fit(fanin::matrix_view(x, 1, 1), {{}, y}, {4, 0, true, stop}, sgd, costs, means);
        const bool kept = std::isfinite(*net.weight(0).data) && std::isfinite(*net.weight(1).data);
        return std::tuple(state.nonfinite.what, state.nonfinite.layer, state.nonfinite.step, state.steps, kept);
    };
    using What = Nonfinite::What;
    CHECK(fitted({1, 1, 1}, 0.1) == std::tuple(What::nothing, 0, 0, 4, true));
    CHECK(fitted({1e30f, 1e30f, 1}, 0.1) == std::tuple(What::cost, 1, 1, 1, true));
    CHECK(fitted({1e-30f, 1e20f, 1e20f}, 0.1) == std::tuple(What::gradient, 0, 1, 1, true));
    CHECK(fitted({1e-30f, 1e20f, 1e20f}, 0.1, false) == std::tuple(What::gradient, 0, 1, 4, false));
    CHECK(fitted({1, 10, 10}, 3e38) == std::tuple(What::parameter, 0, 1, 1, false));

    Network<float> net(shape, 1);
    for (std::size_t l = 0; l < 3; ++l) *net.weight(l).data = 1;
    Optimizer sgd(Sgd{}, 0.1), wild(Sgd{}, 3e38);
    Network<float> other(net);
    net.step(fanin::matrix_view(x, 1, 1), {{}, y}, sgd);
    CHECK(net.nonfinite().what == What::nothing);
    other.step(fanin::matrix_view(x, 1, 1), {{}, y}, wild);
    CHECK(other.nonfinite().what == What::parameter && other.nonfinite().layer == 0);

    // Any place in an array long enough for several tasks.
    Network<double> wide({{700, 700, 2}, {Activation::tanh}, Loss::cross_entropy, true}, 1);
    std::vector<double> row(700, 0.0), cost(1), mean(1);
    const std::vector<std::int64_t> label{0};
    for (const double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), double(NAN)})
        for (const auto& [i, j] : {std::pair{0, 0}, std::pair{699, 699}, std::pair{300, 17}}) {
            wide.draw_weights(fanin::Law("zeros"));
            wide.weight(0)(i, j) = bad;
            Optimizer fresh(Sgd{}, 1e-9);
            const FitState state =
                wide.fit(fanin::matrix_view<const double>(row.data(), 1, 700), {label, {}}, {1, 0, true}, fresh, cost, mean);
            // 0 * bad is NaN in z.
            CHECK(state.nonfinite.what == What::cost && state.nonfinite.layer == 0 && state.stopped);
        }
}

// NaN among the logits is taken for the largest, the first of several.
void nan_is_the_largest_logit() {
    Network<float> net({{1, 3}, {}, Loss::cross_entropy, true}, 1);
    const float x[] = {1, -1}, infinite = std::numeric_limits<float>::infinity();
    net.weight(0)(1, 0) = infinite;
    net.bias(0)[1] = -infinite;  // inf - inf, -inf - inf
    net.bias(0)[2] = 5;
    std::vector<std::int64_t> labels(2);
    net.predict(fanin::matrix_view(x, 2, 1), labels);
    CHECK(labels[0] == 1 && labels[1] == 2);
    net.bias(0)[0] = net.bias(0)[2] = static_cast<float>(NAN);
    net.predict(fanin::matrix_view(x, 2, 1), labels);
    CHECK(labels[0] == 0 && labels[1] == 0);
}

// The gradient of a shared matrix is that of its layers, added from the last to the first.
template <class T>
void shared_matrices() {
    const NetworkShape plain{
        {3, 4, 4, 4, 2}, {Activation::tanh, Activation::relu, Activation::identity}, Loss::cross_entropy, true};
    NetworkShape shape = plain;
    shape.weight_of = {0, 1, 1, 1, 4};
    CHECK_THROWS((Network<T>{shape, 1}), std::invalid_argument);  // one entry too many
    shape.weight_of = {0, 1, 1, 1};
    CHECK_THROWS((Network<T>{shape, 1}), std::invalid_argument);  // another shape
    shape.weight_of = {0, 1, 1, 3};
    for (const std::size_t rows : {1, 40, 512}) {
        Network<T> net(shape, 5);
        net.draw_weights(fanin::Law("xavier_normal"));
        CHECK(net.weight(1).data == net.weight(2).data && net.weight(1).data != net.weight(0).data);
        fanin::reference::Network<T> expected(plain);
        for (std::size_t l = 0; l < 4; ++l) {
            const MatrixView<T> w = net.weight(l);
            expected.w[l].assign(w.data, w.data + w.rows * w.cols);
        }
        std::vector<T> x(rows * 3);
        fanin::fill_normal<T>(x, {9, 1}, 0, 0, 1);
        std::vector<std::int64_t> y(rows);
        for (std::size_t i = 0; i < rows; ++i) y[i] = static_cast<std::int64_t>(i % 2);
        std::vector<std::vector<T>> dw, db;
        std::vector<MatrixView<T>> out_dw;
        std::vector<VectorView<T>> out_db;
        for (std::size_t l = 0; l < 4; ++l) {
            const MatrixView<T> w = net.weight(l);
            dw.emplace_back(w.rows * w.cols);
            db.emplace_back(w.rows);
            out_dw.push_back(fanin::matrix_view(dw[l].data(), w.rows, w.cols));
            out_db.push_back({db[l].data(), w.rows, 1});
        }
        net.gradients(fanin::matrix_view<const T>(x.data(), rows, 3), {y, {}}, out_dw, out_db);
        expected.gradients(rows, x.data(), {y, {}});
        for (std::size_t l = 0; l < 4; ++l) {
            for (std::size_t i = 0; i < dw[l].size(); ++i)
                CHECK_SAME(dw[l][i], l == 1 || l == 2 ? expected.dw[2][i] + expected.dw[1][i] : expected.dw[l][i],
                           std::to_string(rows));
            for (std::size_t i = 0; i < db[l].size(); ++i) CHECK_SAME(db[l][i], expected.db[l][i], std::to_string(rows));
        }
    }
}

}  // namespace

int main() {
    check::each_isa([] {
        parts_are_the_whole();
        what_is_not_finite();
        nan_is_the_largest_logit();
        shared_matrices<float>();
        shared_matrices<double>();
    });
    return check::result();
}
