// `loss` against the reference, bit for bit, on every instruction set, and against the true values where others overflow.
#include <limits>

#include "check.hpp"
#include "fanin/loss.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "reference/loss.hpp"

namespace {

using fanin::Loss;
using fanin::Targets;

template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();

template <class T>
std::vector<T> normal(std::size_t n, std::uint64_t stream, T std) {
    std::vector<T> x(n);
    fanin::fill_normal<T>(x, {6, stream}, 0, 0, std);
    return x;
}

template <class T>
struct Batch {
    std::vector<T> z, values;
    std::vector<std::int64_t> labels;
    Targets<T> targets() const { return {labels, values}; }
};

// Logits of a spread, some of them equal, and targets that the loss allows.
template <class T>
Batch<T> batch_of(Loss loss, std::size_t batch, std::size_t outputs, T spread) {
    Batch<T> b{normal<T>(batch * outputs, 1, spread), {}, {}};
    for (std::size_t i = 0; i < b.z.size(); i += 5) b.z[i] = spread;
    for (std::size_t i = 0; i < batch; ++i) {
        const bool one = i * 7 % 5 < 2;
        if (loss == Loss::cross_entropy) b.labels.push_back(static_cast<std::int64_t>(i * 7 % outputs));
        if (loss == Loss::binary_cross_entropy) b.values.push_back(one ? 1 : 0);
        if (loss == Loss::hinge) b.values.push_back(one ? 1 : -1);
    }
    if (loss == Loss::mean_squared_error) b.values = normal<T>(batch * outputs, 2, 1);
    return b;
}

template <class T>
double expected(Loss loss, std::size_t batch, std::size_t outputs, const Batch<T>& b, std::vector<T>& dz) {
    namespace reference = fanin::reference;
    switch (loss) {
        case Loss::cross_entropy:
            return reference::cross_entropy(batch, outputs, b.z.data(), b.labels.data(), dz.data());
        case Loss::binary_cross_entropy:
            return reference::binary_cross_entropy(batch, b.z.data(), b.values.data(), dz.data());
        case Loss::mean_squared_error:
            return reference::mean_squared_error(batch * outputs, b.z.data(), b.values.data(), dz.data());
        default:
            return reference::hinge(batch, b.z.data(), b.values.data(), dz.data());
    }
}

template <class T>
void equals_reference(Loss loss, std::size_t batch, std::size_t outputs, const Batch<T>& b) {
    std::vector<T> dz(b.z.size() + 1, T(42)), dz_expected(b.z.size());
    const double cost = fanin::evaluate_loss<T>(loss, batch, outputs, b.z, b.targets(), {dz.data(), b.z.size()});
    const std::string where =
        std::string(fanin::loss_name(loss)) + " " + std::to_string(batch) + " x " + std::to_string(outputs);
    CHECK_SAME(cost, expected(loss, batch, outputs, b, dz_expected), where);
    for (std::size_t i = 0; i < dz_expected.size(); ++i) CHECK_SAME(dz[i], dz_expected[i], where);
    CHECK(dz.back() == T(42));
}

template <class T>
void costs_equal_reference() {
    for (const T spread : {T(1), T(30), T(3000)}) {
        for (const std::size_t batch : {1, 2, 3, 8, 17, 64, 511, 512, 513, 1025})
            for (const Loss loss : {Loss::binary_cross_entropy, Loss::hinge, Loss::mean_squared_error})
                equals_reference(loss, batch, 1, batch_of<T>(loss, batch, 1, spread));
        for (const std::size_t outputs : {2, 3, 7, 8, 9, 10, 16, 31, 33, 65, 513, 1030})
            for (const std::size_t batch : {1, 2, 33, 515})
                for (const Loss loss : {Loss::cross_entropy, Loss::mean_squared_error})
                    if (batch * outputs < 40'000)
                        equals_reference(loss, batch, outputs, batch_of<T>(loss, batch, outputs, spread));
    }
}

// Weights against their definition: each row alone, times its weight, over the sum of all; and whole numbers are repetitions.
template <class T>
void weights_are_applied() {
    for (const Loss loss : {Loss::cross_entropy, Loss::binary_cross_entropy, Loss::hinge, Loss::mean_squared_error})
        for (const std::size_t outputs : {1, 3, 10})
            for (const std::size_t batch : {1, 7, 513, 1030}) {
                if ((loss == Loss::cross_entropy) != (outputs != 1) && loss != Loss::mean_squared_error) continue;
                const Batch<T> b = batch_of<T>(loss, batch, outputs, T(2));
                std::vector<T> w(batch), dz(b.z.size()), plain(b.z.size()), one(outputs);
                double sum = 0, total = 0;
                for (std::size_t i = 0; i < batch; ++i) sum += w[i] = static_cast<T>(i % 4) / T(2);
                Targets<T> y = b.targets();
                y.weights = w;
                const double cost = fanin::evaluate_loss<T>(loss, batch, outputs, b.z, y, dz);
                if (sum == 0) {
                    CHECK(cost == 0 && dz[0] == 0);
                    continue;
                }
                const double eps = std::numeric_limits<T>::epsilon();
                for (std::size_t i = 0; i < batch; ++i) {
                    const std::span<const T> row(b.z.data() + i * outputs, outputs);
                    total += fanin::evaluate_loss<T>(loss, 1, outputs, row, b.targets().rows(i, 1, outputs), one) *
                             static_cast<double>(w[i]);
                    for (std::size_t j = 0; j < outputs; ++j) {
                        const double exact = static_cast<double>(one[j]) * static_cast<double>(w[i]) / sum;
                        // Each side rounds a handful of times; a difference of nearly equal probabilities loses a place more.
                        CHECK(std::abs(static_cast<double>(dz[i * outputs + j]) - exact) <= 16 * eps / sum);
                    }
                }
                CHECK(std::abs(cost - total / sum) <= 1e-13 * (1 + std::abs(cost)) * static_cast<double>(batch));
                std::fill(w.begin(), w.end(), T(1));  // the bits of no weights
                CHECK(fanin::evaluate_loss<T>(loss, batch, outputs, b.z, y, dz) ==
                      fanin::evaluate_loss<T>(loss, batch, outputs, b.z, b.targets(), plain));
                CHECK(dz == plain);
                w[0] = -1;
                CHECK_THROWS(fanin::evaluate_loss<T>(loss, batch, outputs, b.z, y, dz), std::invalid_argument);
            }
}

// NaN, infinities and the largest numbers in every place of a row.
template <class T>
void special_logits_equal_reference() {
    const T big = std::numeric_limits<T>::max(), tiny = std::numeric_limits<T>::denorm_min();
    for (const T special : {T(NAN), kInf<T>, -kInf<T>, big, -big, tiny, T(-0.0)})
        for (const std::size_t place : {0, 1, 4, 9}) {
            for (const std::size_t outputs : {2, 10, 40}) {
                Batch<T> b = batch_of<T>(Loss::cross_entropy, 20, outputs, T(1));
                b.z[place] = special;
                equals_reference(Loss::cross_entropy, 20, outputs, b);
            }
            for (const Loss loss : {Loss::binary_cross_entropy, Loss::hinge, Loss::mean_squared_error}) {
                Batch<T> b = batch_of<T>(loss, 20, 1, T(1));
                b.z[place] = special;
                equals_reference(loss, 20, 1, b);
            }
        }
}

// Finite wherever the true value is, and exact far from 0 and near it.
template <class T>
void true_values() {
    const auto cost = [](Loss loss, std::vector<T> z, Targets<T> y, std::vector<T>& dz) {
        dz.resize(z.size());
        const std::size_t outputs = loss == Loss::cross_entropy ? z.size() : 1;
        return fanin::evaluate_loss<T>(loss, z.size() / outputs, outputs, z, y, dz);
    };
    std::vector<T> dz;
    const std::int64_t zero[] = {0}, one[] = {1};
    const T on[] = {1}, off[] = {0};
    CHECK(cost(Loss::cross_entropy, {1000, 0}, {one, {}}, dz) == 1000);
    CHECK(dz[0] == 1 && dz[1] == -1);
    CHECK(cost(Loss::binary_cross_entropy, {1000}, {{}, off}, dz) == 1000);
    CHECK(cost(Loss::binary_cross_entropy, {-1000}, {{}, on}, dz) == 1000);
    CHECK(dz[0] == -1);
    // Sure and right: the cost is exp(-40) and so is the gradient, no matter that 1 - p is 0 in T.
    const double small = std::exp(-40.0), eps = 8.0 * std::numeric_limits<T>::epsilon();
    CHECK(std::abs(cost(Loss::cross_entropy, {40, 0}, {zero, {}}, dz) - small) < eps * small);
    CHECK(std::abs(dz[0] + small) < eps * small && std::abs(dz[1] - small) < eps * small);
    CHECK(std::abs(cost(Loss::binary_cross_entropy, {40}, {{}, on}, dz) - small) < eps * small);
    CHECK(std::abs(dz[0] + small) < eps * small);
    // Symmetric logits: ln C.
    std::vector<T> flat(10, T(3));
    CHECK(std::abs(cost(Loss::cross_entropy, flat, {one, {}}, dz) - std::log(10.0)) < eps);
    // A float's square may be more than a float holds.
    CHECK(std::abs(cost(Loss::mean_squared_error, {T(1e30)}, {{}, off}, dz) / 1e60 - 1) < eps);
    // At the kink the derivative is 0, and a NaN is not mistaken for a small number.
    CHECK(cost(Loss::hinge, {1}, {{}, on}, dz) == 0 && dz[0] == 0);
    CHECK(cost(Loss::hinge, {T(0.5)}, {{}, on}, dz) == 0.5 && dz[0] == -1);
    CHECK(std::isnan(cost(Loss::hinge, {T(NAN)}, {{}, on}, dz)) && std::isnan(dz[0]));
}

void same_bits_at_any_thread_count_and_in_pieces() {
    for (const Loss loss : {Loss::cross_entropy, Loss::mean_squared_error, Loss::binary_cross_entropy}) {
        const std::size_t outputs = loss == Loss::binary_cross_entropy ? 1 : 10, n = outputs == 1 ? 100'003 : 20'003;
        const Batch<float> b = batch_of<float>(loss, n, outputs, 4.0f);
        std::vector<float> one(b.z.size()), many(b.z.size());
        fanin::set_num_threads(1);
        const double cost = fanin::evaluate_loss<float>(loss, n, outputs, b.z, b.targets(), one);
        for (const std::size_t threads : {2, 3, 8}) {
            fanin::set_num_threads(threads);
            CHECK(fanin::evaluate_loss<float>(loss, n, outputs, b.z, b.targets(), many) == cost);
            CHECK(one == many);
        }
        double total = 0;
        for (std::size_t begin = 0; begin < n; begin += 1536) {
            const std::size_t rows = std::min<std::size_t>(1536, n - begin);
            fanin::detail::add_loss<float>(loss, rows, outputs, b.z.data() + begin * outputs,
                                           b.targets().rows(begin, rows, outputs), static_cast<double>(n),
                                           many.data() + begin * outputs, total);
        }
        CHECK(total / fanin::detail::mean_terms(loss, static_cast<double>(n), outputs) == cost);
        CHECK(one == many);
    }
}

void bad_arguments() {
    std::vector<float> z(6), dz(6), values{0, 1, 2};
    const std::vector<std::int64_t> labels{0, 1, 2}, low{0, -1, 1};
    const auto run = [&](Loss loss, std::size_t batch, std::size_t outputs, Targets<float> y) {
        fanin::evaluate_loss<float>(loss, batch, outputs, z, y, dz);
    };
    std::vector<double> both(12, 0.5);
    for (const std::size_t at : {0, 3, 6}) {  // the gradient over the logits, over both, over the targets
        const std::span<const double> logits(both.data(), 6), y(both.data() + 6, 6);
        CHECK_THROWS(fanin::evaluate_loss<double>(Loss::mean_squared_error, 3, 2, logits, {{}, y}, {both.data() + at, 6}),
                     std::invalid_argument);
    }
    const std::size_t flat[] = {3}, matrix[] = {3, 2};
    fanin::check_target_shape(Loss::cross_entropy, 3, 2, flat);
    fanin::check_target_shape(Loss::mean_squared_error, 3, 2, matrix);
    CHECK_THROWS(fanin::check_target_shape(Loss::cross_entropy, 3, 2, matrix), std::invalid_argument);
    CHECK_THROWS(fanin::check_target_shape(Loss::mean_squared_error, 3, 2, flat), std::invalid_argument);
    CHECK_THROWS(fanin::check_target_shape(Loss::hinge, 2, 1, flat), std::invalid_argument);
    CHECK_THROWS(run(Loss::cross_entropy, 3, 2, {labels, {}}), std::invalid_argument);  // label 2 of two classes
    CHECK_THROWS(run(Loss::cross_entropy, 3, 2, {low, {}}), std::invalid_argument);
    CHECK_THROWS(run(Loss::cross_entropy, 6, 1, {labels, {}}), std::invalid_argument);  // one output
    CHECK_THROWS(run(Loss::cross_entropy, 2, 3, {labels, {}}), std::invalid_argument);  // three labels
    CHECK_THROWS(run(Loss::cross_entropy, 0, 3, {{}, {}}), std::invalid_argument);      // no rows
    CHECK_THROWS(run(Loss::hinge, 3, 2, {{}, values}), std::invalid_argument);          // two outputs
    z.resize(3);
    dz.resize(3);
    CHECK_THROWS(run(Loss::binary_cross_entropy, 3, 1, {{}, values}), std::invalid_argument);
    CHECK_THROWS(run(Loss::hinge, 3, 1, {{}, values}), std::invalid_argument);
    values[1] = NAN;
    CHECK_THROWS(run(Loss::mean_squared_error, 3, 1, {{}, values}), std::invalid_argument);
    for (const float g : dz) CHECK(g == 0);  // nothing was written
    for (const std::string& name : fanin::loss_names()) CHECK(fanin::loss_name(fanin::loss_from_name(name)) == name);
    CHECK_THROWS(fanin::loss_from_name("crossentropy"), std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        weights_are_applied<float>();
        weights_are_applied<double>();
        costs_equal_reference<float>();
        costs_equal_reference<double>();
        special_logits_equal_reference<float>();
        special_logits_equal_reference<double>();
        true_values<float>();
        true_values<double>();
        same_bits_at_any_thread_count_and_in_pieces();
    });
    bad_arguments();
    return check::result();
}
