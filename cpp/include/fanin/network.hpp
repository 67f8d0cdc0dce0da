// A fully connected network: forward, cost, gradients and whole training steps on buffers that it owns.
//
// Layer l computes z = x w^T + b, a = g(z); the last layer's activation is the identity, its z are the logits that the loss
// takes. All sums are those of dense.hpp and loss.hpp, so costs, gradients and weights have the same bits on every
// instruction set and at any thread count, and a batch of any size is worked through in pieces of kPieceRows rows without
// changing one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fanin/activation.hpp"
#include "fanin/aligned.hpp"
#include "fanin/init.hpp"
#include "fanin/loss.hpp"
#include "fanin/optimizer.hpp"
#include "fanin/view.hpp"

namespace fanin {

// Rows that are in the buffers at a time, a multiple of kSumBlock.
inline constexpr std::size_t kPieceRows = 2048;

struct NetworkShape {
    std::vector<std::size_t> sizes;       // widths, the input's first: at least two, each at least 1
    std::vector<Activation> activations;  // of the hidden layers: sizes.size() - 2
    Loss loss = Loss::cross_entropy;
    bool bias = true;
};

struct FitOptions {
    std::size_t epochs = 1;
    std::size_t batch_size = 0;  // 0: all rows; the last batch of an epoch may be short
    bool shuffle = true;
};

// Every call but the accessors refuses (std::runtime_error) to run beside another call on the same network; arguments are
// checked before anything changes. A row of x or y that holds NaN is an error that names it; infinities pass.
template <class T>
class Network {
 public:
    // All parameters 0. std::invalid_argument where the shape is impossible or the loss takes another last width.
    Network(NetworkShape shape, std::uint64_t seed);
    // Parameters, seed and the count of epochs; an identity of its own, so an optimizer of `other` is not one of the copy.
    Network(const Network& other);
    Network& operator=(const Network&) = delete;

    const NetworkShape& shape() const { return shape_; }
    std::size_t layers() const { return layers_.size(); }
    // Of layer l: its activation, and live views of w (n_out, n_in) and b (n_out; empty without biases).
    Activation activation(std::size_t l) const { return layers_[l].activation; }
    MatrixView<T> weight(std::size_t l) { return weight_in(parameters_, l); }
    VectorView<T> bias(std::size_t l) { return bias_in(parameters_, l); }
    // Draws every weight from `law`, that of layer l from (seed, stream_id("l.weight")); biases stay. std::invalid_argument,
    // before anything is written, where the law does not suit a layer (init.hpp).
    void draw_weights(const Law& law);
    std::uint64_t seed() const { return seed_; }
    // Epochs that fit has begun: the round of the next shuffle.
    std::uint64_t epochs() const { return epochs_; }

    // Writes the logits, (batch, n_out of the last layer) in C order. x: (batch, n_in of the first), any strides.
    void forward(MatrixView<const T> x, std::span<T> logits);
    // The mean cost; batch >= 1.
    double loss(MatrixView<const T> x, Targets<T> y);
    // The mean cost; writes its gradients, those that step() uses: out_dw[l] like weight(l), out_db[l] like bias(l) (no
    // out_db without biases).
    double gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                     std::span<const VectorView<T>> out_db);
    // One update; returns the cost before it. Nothing is allocated after the first step of a batch size. An interrupt
    // (threads.hpp) leaves the parameters as they were.
    double step(MatrixView<const T> x, Targets<T> y, Optimizer& optimizer);
    // Steps over all rows, epoch by epoch: in order, or by the permutation of (seed, "fanin/shuffle", round = epochs()).
    // Writes the cost of each step (steps_per_epoch * epochs of them) and of each epoch: the mean over its rows of the costs
    // before each update. A cost that is not finite does not end it; an interrupt does, between steps, and what was learned
    // stays.
    void fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer, std::span<double> costs,
             std::span<double> epoch_costs);
    static std::size_t steps_per_epoch(std::size_t rows, std::size_t batch_size);

 private:
    struct Layer {
        std::size_t n_in, n_out;
        Activation activation;
        std::size_t weight, bias;  // where they begin in the parameters
    };
    // The rows of a batch: consecutive ones, or those that `order` names.
    struct Rows {
        MatrixView<const T> x;
        Targets<T> y;
        const std::int64_t* order;
    };
    struct Busy;

    std::size_t outputs() const { return shape_.sizes.back(); }
    MatrixView<T> weight_in(detail::AlignedVector<T>& all, std::size_t l);
    VectorView<T> bias_in(detail::AlignedVector<T>& all, std::size_t l);
    void check(MatrixView<const T> x) const;
    void check(MatrixView<const T> x, Targets<T> y) const;
    void reserve(std::size_t rows, bool gather);
    Rows piece(const Rows& rows, std::size_t begin, std::size_t n);
    void forward_piece(MatrixView<const T> x, T* logits);
    void backward_piece(MatrixView<const T> x, bool accumulate);
    double pass(const Rows& rows, std::size_t begin, std::size_t n, bool with_gradients);

    NetworkShape shape_;
    std::uint64_t seed_, id_, epochs_ = 0;
    std::vector<Layer> layers_;
    std::vector<std::size_t> layer_ends_;  // where the parameters of each end
    detail::AlignedVector<T> parameters_, gradients_;

    // Buffers of `capacity_` rows; z_[l] and a_[l] point into storage_, to the same place where layer l is the identity.
    std::size_t capacity_ = 0;
    detail::AlignedVector<T> storage_, gathered_x_, gathered_values_;
    std::vector<T*> z_, a_;
    T* delta_[2] = {};
    std::vector<std::int64_t> gathered_labels_, order_;
    mutable std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace fanin
