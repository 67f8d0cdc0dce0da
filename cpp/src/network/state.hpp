// What a network is made of: its parameters, its buffers, and the passes over them.
//
// network.cpp checks arguments and answers the public calls, passes.cpp carries batches forward and backward,
// update.cpp updates weights as their gradients come, observe.cpp measures a pass, fit.cpp trains, file.cpp reads and writes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "division.hpp"
#include "fanin/aligned.hpp"
#include "fanin/network.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "network/observe.hpp"

namespace fanin {
namespace detail {

// Rounded up to whole cache lines, so that every array begins at one.
template <class T>
std::size_t padded(std::size_t n) {
    return round_up(n, kCacheLine / sizeof(T));
}

template <class T>
MatrixView<const T> rows_of(MatrixView<const T> x, std::size_t begin, std::size_t n) {
    x.data += static_cast<std::ptrdiff_t>(begin) * x.row_stride;
    x.rows = n;
    return x;
}

// In double, so that for float32 it overflows only where an element is infinite.
template <class T>
double sum_squares(const T* p, std::size_t n) {
    double sum = 0;
    for (std::size_t i = 0; i < n; i += kNormBlock)
        sum += active<OptimizerKernels<T>>().sum_squares(std::min(kNormBlock, n - i), p + i);
    return sum;
}

template <class T>
double sum_squares(MatrixView<const T> x) {
    if (x.row_stride == 1) x = x.transposed();
    if (x.col_stride == 1 && (x.row_stride == static_cast<std::ptrdiff_t>(x.cols) || x.rows == 1))
        return sum_squares(x.data, x.rows * x.cols);
    double sum = 0;
    for (std::size_t i = 0; i < x.rows; ++i)
        if (x.col_stride == 1) sum += sum_squares(&x(i, 0), x.cols);
        else
            for (std::size_t j = 0; j < x.cols; ++j) sum += static_cast<double>(x(i, j)) * static_cast<double>(x(i, j));
    return sum;
}

template <class T>
void check_no_nan(MatrixView<const T> x, std::size_t first_row) {
    const auto any_nan = active<DenseKernels<T>>().any_nan;
    if (x.col_stride == 1 && x.row_stride == static_cast<std::ptrdiff_t>(x.cols) && !any_nan(x.rows * x.cols, x.data)) return;
    for (std::size_t i = 0; i < x.rows; ++i) {
        bool nan = x.col_stride == 1 && any_nan(x.cols, &x(i, 0));
        for (std::size_t j = 0; x.col_stride != 1 && j < x.cols; ++j) nan = nan || x(i, j) != x(i, j);
        if (nan) refuse({"x must not hold NaN, got one at row ", first_row + i});
    }
}

}  // namespace detail

template <class T>
struct Network<T>::State {
    State(NetworkShape shape, std::uint64_t seed);

    std::size_t layers() const { return layers_.size(); }
    MatrixView<T> weight(std::size_t l) { return weight_in(parameters_.data(), l); }
    VectorView<T> bias(std::size_t l) { return bias_in(parameters_.data(), l); }
    void draw(std::span<const std::optional<Law>> weights, std::span<const std::optional<Law>> biases);
    void forward(MatrixView<const T> x, std::span<T> logits, std::size_t first_row);
    void predict(MatrixView<const T> x, std::span<std::int64_t> labels, std::size_t first_row);
    double loss(MatrixView<const T> x, Targets<T> y);
    double gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                     std::span<const VectorView<T>> out_db);
    double step(MatrixView<const T> x, Targets<T> y, Optimizer& optimizer);
    void fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer, std::span<double> costs,
             std::span<double> epoch_costs, FitState& state, std::size_t max_steps, StepObserver<T>* observer);
    void save(const std::string& path, Optimizer* optimizer, TensorNames names, const Metadata& more);
    void load(const SafeTensors& file);
    void load_optimizer(const SafeTensors& file, Optimizer& optimizer);

    struct Layer {
        std::size_t n_in, n_out;
        Activation activation;
        std::size_t weight, bias;  // where they begin in the parameters
        bool adds;                 // its dw is added to that of a later layer, whose matrix it shares
    };
    // The rows of a batch: consecutive ones, or those that `order` names.
    struct Rows {
        MatrixView<const T> x;
        Targets<T> y;
        const std::int64_t* order;
    };
    // An update that a pass may do by itself (update.cpp).
    struct Update {
        Optimizer& optimizer;
        bool bounded = true;  // whether it is for finite gradients alone
        bool done = false;    // otherwise gradients_ are there
        bool finite = true;   // and so are all parameters
    };

    Metadata describe() const;
    void read_tensors(const SafeTensors& file, const std::string& prefix, T* all) const;
    std::size_t outputs() const { return shape_.sizes.back(); }
    // Of layer l in an array laid out like the parameters.
    MatrixView<T> rows_in(T* buffer, std::size_t rows, std::size_t l, bool watched) const;
    MatrixView<T> weight_in(T* all, std::size_t l) const {
        return matrix_view(all + layers_[l].weight, layers_[l].n_out, layers_[l].n_in);
    }
    VectorView<T> bias_in(T* all, std::size_t l) const {
        return {all + layers_[l].bias, shape_.bias ? layers_[l].n_out : 0, 1};
    }
    // The layer whose matrix layer l uses.
    std::size_t owner(std::size_t l) const { return shape_.weight_of.empty() ? l : shape_.weight_of[l]; }
    void check(MatrixView<const T> x, std::size_t first_row = 0) const;
    void check(MatrixView<const T> x, Targets<T> y) const;
    void reserve(std::size_t rows, bool gather);
    Rows piece(const Rows& rows, std::size_t begin, std::size_t n);
    void forward_piece(MatrixView<const T> x, T* logits, Watch<T>* watch = nullptr);
    void backward_piece(MatrixView<const T> x, bool accumulate, Watch<T>* watch = nullptr);
    double pass(const Rows& rows, std::size_t begin, std::size_t n, bool with_gradients, Watch<T>* watch = nullptr,
                Update* update = nullptr);
    bool can_update(std::size_t rows, const Optimizer& optimizer) const;
    void backward_updating(MatrixView<const T> x, Update& update);
    void show(StepObserver<T>& observer, Watch<T>& watch, std::size_t number, const Rows& rows, std::size_t begin,
              std::size_t n, double cost);
    void check_again(const Rows& rows, std::size_t begin, std::size_t n) const;
    const std::int64_t* order_of(std::size_t rows, std::uint64_t round);
    Nonfinite find_nonfinite(double cost, const Rows& rows, std::size_t begin, std::size_t n);
    std::size_t first_nonfinite_parameter() const;

    NetworkShape shape_;
    std::uint64_t seed_, id_, epochs_ = 0;
    std::vector<Layer> layers_;
    std::vector<std::size_t> layer_ends_;  // where the parameters of each end
    detail::AlignedVector<T> parameters_, gradients_;

    // Buffers of `capacity_` rows; z_[l] and a_[l] point into storage_, to the same place where layer l is the identity.
    std::size_t capacity_ = 0;
    detail::AlignedVector<T> storage_, gathered_x_, gathered_values_, gathered_weights_;
    std::vector<T*> z_, a_;
    T* delta_[2] = {};
    std::vector<std::int64_t> gathered_labels_, order_;
    double batch_weight_ = 0;        // of the last pass: its rows, or the sum of their weights
    std::uint64_t order_round_ = 0;  // that order_ is the permutation of
    Nonfinite nonfinite_;
    std::vector<std::pair<const T*, const T*>> trusted_;  // memory without NaN: beginnings and ends
    mutable std::atomic_flag busy_ = ATOMIC_FLAG_INIT;

    // Held while a call is at work.
    struct Busy {
        explicit Busy(std::atomic_flag& flag_of_network) : flag(flag_of_network) {
            if (flag.test_and_set(std::memory_order_acquire))
                throw std::runtime_error("this network is at work in another call; give each thread a copy() of its own");
        }
        ~Busy() { flag.clear(std::memory_order_release); }
        std::atomic_flag& flag;
    };
};

}  // namespace fanin
