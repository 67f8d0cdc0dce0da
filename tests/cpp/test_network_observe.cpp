// Observed fits: what an observer is shown, and that a fit has the same bits with one.
#include <algorithm>

#include "check.hpp"
#include "fanin/dense.hpp"
#include "fanin/network.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "parameters.hpp"

namespace {

using fanin::Activation;
using fanin::LayerSummaries;
using fanin::Loss;
using fanin::MatrixView;
using fanin::Network;
using fanin::NetworkShape;
using fanin::Optimizer;
using fanin::Summary;
using fanin::SummaryOptions;

constexpr std::size_t kInputs = 6;

template <class T>
struct Data {
    explicit Data(std::size_t rows) : x(rows * kInputs), y(rows) {
        fanin::fill_normal<T>(x, {9, 1}, 0, 0, 1);
        for (std::size_t i = 0; i < rows; ++i) y[i] = static_cast<std::int64_t>(i * 7 % 3);
    }
    MatrixView<const T> view() const { return fanin::matrix_view(x.data(), y.size(), kInputs); }
    std::vector<T> x;
    std::vector<std::int64_t> y;
};

// Keeps what it is shown; computes every summary again from the parameters of the moment and the rows of the step.
template <class T>
struct Recorder : fanin::StepObserver<T> {
    Recorder(Network<T>& network, const Data<T>& all, std::size_t step) : net(network), data(all) {
        this->every = step;
        this->options.moments_only = true;
        this->options.histogram = fanin::HistogramKind::none;
        this->activations.assign(net.layers(), this->options);
    }

    void see(const typename fanin::StepObserver<T>::Step& step) override {
        numbers.push_back(step.number);
        costs.push_back(step.cost);
        std::vector<T> rows;
        for (std::size_t i = 0; i < step.batch; ++i) {
            const std::size_t row = step.rows.empty() ? step.first_row + i : static_cast<std::size_t>(step.rows[i]);
            rows.insert(rows.end(), &data.x[row * kInputs], &data.x[row * kInputs] + kInputs);
        }
        if (step.batch > fanin::kPieceRows) return;
        MatrixView<const T> input = fanin::matrix_view<const T>(rows.data(), step.batch, kInputs);
        CHECK(fanin::summarize<T>(input, this->options) == step.x);
        std::vector<std::vector<T>> kept;
        for (std::size_t l = 0; l < net.layers(); ++l) {
            const LayerSummaries& found = step.layers[l];
            const MatrixView<const T> w = net.weight(l);
            const std::size_t n = w.rows;
            kept.emplace_back(2 * step.batch * n);
            const MatrixView<T> z = fanin::matrix_view(kept.back().data(), step.batch, n);
            const MatrixView<T> a = fanin::matrix_view(kept.back().data() + step.batch * n, step.batch, n);
            fanin::dense_forward<T>(input, w, fanin::VectorView<const T>(net.bias(l)), net.activation(l), a, z);
            CHECK(fanin::summarize<T>(MatrixView<const T>(z), this->options) == found.z);
            CHECK(fanin::summarize<T>(MatrixView<const T>(a), this->options) == found.a);
            CHECK(fanin::summarize<T>(w, this->options) == found.w);
            CHECK(fanin::summarize<T>(step.dw[l], this->options) == found.dw);
            std::size_t dead = 0;
            for (std::size_t j = 0; j < n; ++j) {
                bool all = true;
                for (std::size_t i = 0; i < step.batch; ++i) all = all && a(i, j) == 0;
                dead += all;
            }
            CHECK(dead == found.dead);
            CHECK(found.da.count == step.batch * n && found.dz.count == step.batch * n && found.db.count == n);
            if (net.activation(l) == Activation::identity) CHECK(found.da == found.dz);
            input = a;
        }
    }

    Network<T>& net;
    const Data<T>& data;
    std::vector<std::size_t> numbers;
    std::vector<double> costs;
};

// Batches of one piece and of two, in order and shuffled; narrow layers that lie unit by unit, and identities.
template <class T>
void same_bits_with_an_observer() {
    const NetworkShape shape{{kInputs, 33, 2, 20, 3}, {Activation::relu, Activation::tanh, Activation::identity}};
    for (const std::size_t batch : {std::size_t{7}, std::size_t{64}, fanin::kPieceRows + 5})
        for (const bool shuffle : {false, true}) {
            const Data<T> data(batch * 2 + 1);
            const std::size_t steps = Network<T>::steps_per_epoch(data.y.size(), batch) * 2;
            std::vector<double> costs[2], means[2];
            std::vector<T> parameters_of[2];
            for (const bool observed : {false, true}) {
                Network<T> net(shape, 3);
                net.draw_weights(fanin::Law("he_normal"));
                Optimizer adam(fanin::Adam{}, 0.01);
                Recorder<T> recorder(net, data, 2);
                costs[observed].resize(steps);
                means[observed].resize(2);
                fanin::FitState state;
                net.fit(data.view(), {data.y, {}}, {2, batch, shuffle}, adam, costs[observed], means[observed], state, SIZE_MAX,
                        observed ? &recorder : nullptr);
                parameters_of[observed] = parameters(net);
                if (!observed) continue;
                CHECK(recorder.numbers.size() == (steps + 1) / 2);
                for (std::size_t i = 0; i < recorder.numbers.size(); ++i) {
                    CHECK(recorder.numbers[i] == 1 + 2 * i);
                    CHECK_SAME(recorder.costs[i], costs[observed][2 * i], "cost");
                }
            }
            CHECK(costs[0] == costs[1] && means[0] == means[1] && parameters_of[0] == parameters_of[1]);
        }
}

// Of layers that share a matrix each has its own dw, and theirs add up to the matrix's.
template <class T>
struct OwnGradients : fanin::StepObserver<T> {
    explicit OwnGradients(std::size_t layers) { this->activations.resize(layers); }
    void see(const typename fanin::StepObserver<T>::Step& step) override {
        for (const MatrixView<const T>& one : step.dw) dw.emplace_back(one.data, one.data + one.rows * one.cols);
    }
    std::vector<std::vector<T>> dw;
};

template <class T>
void shared_matrices() {
    NetworkShape shape{{kInputs, 4, 4, 4, 3}, {Activation::tanh, Activation::tanh, Activation::tanh}};
    shape.weight_of = {0, 1, 1, 3};
    for (const std::size_t rows : {std::size_t{40}, fanin::kPieceRows + 3}) {
        const Data<T> data(rows);
        Network<T> net(shape, 5);
        net.draw_weights(fanin::Law("xavier_normal"));
        const std::vector<T> before = parameters(net);
        Network<T> plain_net({shape.sizes, shape.activations}, 5);
        for (std::size_t l = 0; l < 4; ++l) {
            const MatrixView<T> from = net.weight(l), to = plain_net.weight(l);
            std::copy_n(from.data, from.rows * from.cols, to.data);
        }
        OwnGradients<T> shared_seen(4), plain_seen(4);
        std::vector<double> costs(1), means(1);
        for (auto [network, seen] : {std::pair(&net, &shared_seen), std::pair(&plain_net, &plain_seen)}) {
            Optimizer sgd(fanin::Sgd{}, 0.1);
            fanin::FitState state;
            network->fit(data.view(), {data.y, {}}, {1, 0, false}, sgd, costs, means, state, SIZE_MAX, seen);
        }
        CHECK(shared_seen.dw == plain_seen.dw);
    }
}

struct Thrower : fanin::StepObserver<float> {
    void see(const Step&) override { throw std::runtime_error("seen enough"); }
};

void an_observer_ends_the_fit_by_throwing() {
    const Data<float> data(10);
    Network<float> net({{kInputs, 3}, {}}, 1);
    Thrower thrower;
    thrower.activations.resize(1);
    Optimizer sgd(fanin::Sgd{}, 0.1);
    std::vector<double> costs(2), means(1);
    fanin::FitState state;
    const auto fit = [&] { net.fit(data.view(), {data.y, {}}, {1, 5, false}, sgd, costs, means, state, SIZE_MAX, &thrower); };
    CHECK_THROWS(fit(), std::runtime_error);
    CHECK(sgd.steps() == 0 && net.loss(data.view(), {data.y, {}}) > 0);  // not left at work
}

}  // namespace

int main() {
    check::each_isa([] {
        for (const std::size_t threads : {1, 2, 3}) {
            fanin::set_num_threads(threads);
            same_bits_with_an_observer<float>();
            same_bits_with_an_observer<double>();
        }
        shared_matrices<float>();
        shared_matrices<double>();
    });
    an_observer_ends_the_fit_by_throwing();
    return check::result();
}
