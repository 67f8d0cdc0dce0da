// Training: single steps, whole fits, and what in them is not finite.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "division.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "message.hpp"
#include "network/state.hpp"

namespace fanin {
namespace {

constexpr std::size_t kFitTask = std::size_t{1} << 17;  // some 10 us

// A sum of squares in double is finite where all elements are, but for float64 beyond 1e154: then each is looked at.
template <class T>
bool all_finite_here(const T* p, std::size_t n) {
    return std::isfinite(detail::sum_squares(p, n)) || std::all_of(p, p + n, [](T x) { return std::isfinite(x); });
}

template <class T>
bool all_finite(const T* p, std::size_t n) {
    if (n <= kFitTask) return all_finite_here(p, n);
    std::atomic<bool> finite{true};
    const InterruptScope uninterrupted(nullptr);
    parallel_for(detail::ceil_div(n, kFitTask), [&](std::size_t task) {
        const std::size_t first = task * kFitTask;
        if (!all_finite_here(p + first, std::min(kFitTask, n - first))) finite.store(false, std::memory_order_relaxed);
    });
    return finite.load();
}

}  // namespace

template <class T>
Nonfinite Network<T>::State::find_nonfinite(double cost, const Rows& rows, std::size_t begin, std::size_t n) {
    using What = Nonfinite::What;
    if (std::isfinite(cost)) {
        if (all_finite(gradients_.data(), gradients_.size())) return {};
        for (std::size_t l = layers(); l-- > 0;) {
            const MatrixView<T> dw = weight_in(gradients_.data(), l);
            const VectorView<T> db = bias_in(gradients_.data(), l);
            if (!all_finite(dw.data, dw.rows * dw.cols) || !all_finite(db.data, db.size)) return {What::gradient, l, 1};
        }
    }
    std::size_t first = layers();
    for (std::size_t done = 0; done < n; done += kPieceRows) {
        const std::size_t count = std::min(kPieceRows, n - done);
        forward_piece(piece(rows, begin + done, count).x, z_.back());
        for (std::size_t l = 0; l < first; ++l)
            if (!all_finite(z_[l], count * layers_[l].n_out)) first = l;
    }
    return {What::cost, first, 1};
}

// layers() where all are finite.
template <class T>
std::size_t Network<T>::State::first_nonfinite_parameter() const {
    if (all_finite(parameters_.data(), parameters_.size())) return layers();
    std::size_t l = 0, begin = 0;
    for (; all_finite(parameters_.data() + begin, layer_ends_[l] - begin); ++l) begin = layer_ends_[l];
    return l;
}

template <class T>
double Network<T>::State::step(MatrixView<const T> x, Targets<T> y, Optimizer& optimizer) {
    check(x, y);
    const Busy busy(busy_);
    optimizer.bind<T>(id_, layer_ends_);
    reserve(x.rows, false);
    const Rows rows{x, y, nullptr};
    Update update{.optimizer = optimizer, .bounded = false};
    const double cost = pass(rows, 0, x.rows, true, nullptr, &update);
    nonfinite_ = std::isfinite(cost) ? Nonfinite{} : find_nonfinite(cost, rows, 0, x.rows);
    if (!update.done) update.finite = optimizer.update<T>(gradients_, parameters_);
    if (!std::isfinite(cost) || update.finite) return cost;
    // An infinite gradient reaches the parameters.
    nonfinite_ = find_nonfinite(cost, rows, 0, x.rows);
    if (nonfinite_.what == Nonfinite::What::nothing) nonfinite_ = {Nonfinite::What::parameter, first_nonfinite_parameter(), 1};
    return cost;
}

// The permutation of a round, drawn once.
template <class T>
const std::int64_t* Network<T>::State::order_of(std::size_t rows, std::uint64_t round) {
    if (order_.size() != rows || order_round_ != round) {
        order_.resize(rows);
        permutation(order_, {seed_, detail::own_stream("fanin/shuffle")}, round);
        order_round_ = round;
    }
    return order_.data();
}

// The rows of one batch: the caller may have written to them since the fit began.
template <class T>
void Network<T>::State::check_again(const Rows& rows, std::size_t begin, std::size_t n) const {
    for (std::size_t i = begin; i < begin + n; ++i) {
        const std::size_t row = rows.order == nullptr ? i : static_cast<std::size_t>(rows.order[i]);
        detail::check_no_nan(detail::rows_of(rows.x, row, 1), row);
        check_targets(shape_.loss, 1, outputs(), rows.y.rows(row, 1, outputs()));
    }
}

template <class T>
void Network<T>::State::fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer,
                            std::span<double> costs, std::span<double> epoch_costs, FitState& state, std::size_t max_steps,
                            StepObserver<T>* observer) {
    const std::size_t steps = Network::steps_per_epoch(x.rows, options.batch_size);
    const std::size_t batch_size = steps == 1 ? x.rows : options.batch_size;
    // A call of a step or two looks at its own rows, any other at all of them.
    const bool check_rows = max_steps < steps && state.steps != 0;
    if (!check_rows) check(x, y);
    else if (x.cols != shape_.sizes.front() || (y.labels.empty() ? y.values.size() / outputs() : y.labels.size()) != x.rows)
        detail::refuse({"x and y must be those that the fit began with"});
    if (costs.size() != steps * options.epochs || epoch_costs.size() != options.epochs)
        detail::refuse({"costs and epoch_costs must have ", steps * options.epochs, " and ", options.epochs, " elements, got ",
                        costs.size(), " and ", epoch_costs.size()});
    const Busy busy(busy_);
    optimizer.bind<T>(id_, layer_ends_);
    reserve(batch_size, options.shuffle);
    Nonfinite& found = state.nonfinite;
    const auto check_parameters = [&] {
        if (found.what != Nonfinite::What::nothing) return;
        const std::size_t layer = first_nonfinite_parameter();
        if (layer != layers()) found = {Nonfinite::What::parameter, layer, state.steps};
    };
    while (state.epochs < options.epochs && max_steps != 0 && !state.stopped) {
        if (state.row == 0) {
            state.round = epochs_++;
            state.sum = state.weight = 0;
        }
        const Rows rows{x, y, options.shuffle ? order_of(x.rows, state.round) : nullptr};
        for (; state.row < x.rows && max_steps != 0; --max_steps) {
            const std::size_t n = std::min(batch_size, x.rows - state.row);
            check_interrupt();
            if (check_rows) check_again(rows, state.row, n);
            const bool seen = observer != nullptr && state.steps % observer->every == 0;
            std::optional<Watch<T>> watch;
            if (seen) watch.emplace(*observer, layers());
            Update update{.optimizer = optimizer};
            const double cost = pass(rows, state.row, n, true, seen ? &*watch : nullptr, seen ? nullptr : &update);
            const double weight = batch_weight_;
            if (seen) show(*observer, *watch, state.steps + 1, rows, state.row, n, cost);
            costs[state.steps++] = cost;
            const bool known =
                update.done || (seen && shape_.weight_of.empty() && std::isfinite(cost) && watch->finite_gradients());
            if (found.what == Nonfinite::What::nothing && !known) {
                found = find_nonfinite(cost, rows, state.row, n);
                if (found.what != Nonfinite::What::nothing) {
                    found.step = state.steps;
                    // Was it the update before?
                    const std::size_t layer = state.steps > 1 ? first_nonfinite_parameter() : layers();
                    if (layer != layers()) found = {Nonfinite::What::parameter, layer, state.steps - 1};
                }
            }
            if (found.what != Nonfinite::What::nothing && options.stop_at_nonfinite) {
                state.stopped = true;
                return;
            }
            if (!update.done) optimizer.update<T>(gradients_, parameters_);
            state.sum += cost * weight;
            state.weight += weight;
            state.row += n;
        }
        if (state.row == x.rows) {
            epoch_costs[state.epochs++] = state.weight == 0 ? 0 : state.sum / state.weight;
            state.row = 0;
        }
        check_parameters();
        state.stopped = found.what != Nonfinite::What::nothing && options.stop_at_nonfinite;
    }
}

}  // namespace fanin
