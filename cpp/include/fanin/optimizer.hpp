// Optimizers: how a gradient changes the parameters. An optimizer keeps its state (velocities, means of gradients and of
// their squares) and belongs to the first network that it steps.
//
// Updates are element by element, with each product fused into the sum that follows it: the same bits on every
// instruction set, at any thread count, and however the parameters are cut into arrays. Hyper-parameters are rounded to
// the network's dtype.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// The formulas are PyTorch's; g is the gradient, clipped if asked for, and t = 1, 2, ... the step.

// Stochastic gradient descent, dampening 0: v = momentum v + g (the first step: v = g), then w -= lr v; with nesterov
// w -= lr (g + momentum v) (Sutskever et al., ICML 2013, in the form of Bengio et al., 2012).
struct Sgd {
    double momentum = 0;    // in [0, 1)
    bool nesterov = false;  // needs momentum > 0
};

// v = alpha v + (1 - alpha) g^2, u = g / (sqrt(v) + eps), then w -= lr u; with momentum b = momentum b + u, w -= lr b
// (Tieleman and Hinton, lecture 6.5, 2012).
struct RmsProp {
    double alpha = 0.99;  // in [0, 1)
    double eps = 1e-8;    // >= 0, finite
    double momentum = 0;  // in [0, 1)
};

// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, both from 0; then
// w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) (Kingma and Ba, ICLR 2015, algorithm 1). weight_decay is
// decoupled: w *= 1 - lr weight_decay before (Loshchilov and Hutter, ICLR 2019, algorithm 2).
struct Adam {
    double beta1 = 0.9, beta2 = 0.999;  // in [0, 1)
    double eps = 1e-8;                  // >= 0, finite
    double weight_decay = 0;            // >= 0, finite
};

// v = v + g^2 from 0, then w -= lr g / (sqrt(v) + eps) (Duchi, Hazan and Singer, JMLR 12, 2011, figure 1, diagonal).
struct AdaGrad {
    double eps = 1e-10;  // >= 0, finite
};

using OptimizerRule = std::variant<Sgd, RmsProp, Adam, AdaGrad>;

// Hyper-parameters by name; a flag is 0 or 1.
using HyperParameters = std::vector<std::pair<std::string, double>>;

// The name of a rule ("sgd", "rmsprop", "adam", "adagrad"), and its hyper-parameters.
std::string_view optimizer_name(const OptimizerRule& rule);
HyperParameters hyper_parameters(const OptimizerRule& rule);
// The rule of a name; what is left out has its default. std::invalid_argument for an unknown name, of a rule or of a
// hyper-parameter. Values are checked by Optimizer.
OptimizerRule optimizer_rule(std::string_view name, const HyperParameters& stated);

class Optimizer {
 public:
    // lr: one learning rate (finite, > 0), or one for each layer. clip_norm: 0 (none), or the gradients of a step are
    // multiplied by clip_norm / (norm + 1e-6) where the 2-norm of all of them together is larger.
    // std::invalid_argument where a hyper-parameter is out of range.
    Optimizer(const OptimizerRule& rule, std::vector<double> lr, double clip_norm = 0);
    Optimizer(const OptimizerRule& rule, double lr, double clip_norm = 0) : Optimizer(rule, std::vector{lr}, clip_norm) {}
    // A copy has the hyper-parameters and no state, and belongs to no network.
    Optimizer(const Optimizer& other) : Optimizer(other.rule_, other.lr_, other.clip_norm_) {}
    Optimizer& operator=(const Optimizer&) = delete;

    const OptimizerRule& rule() const { return rule_; }
    std::span<const double> lr() const { return lr_; }
    double clip_norm() const { return clip_norm_; }
    // Takes effect at the next step. std::invalid_argument as above, and where a bound network has another number of layers.
    void set_lr(std::vector<double> lr);
    // Steps taken since the construction or the last reset.
    std::uint64_t steps() const { return steps_; }
    // Whether a network has been stepped.
    bool bound() const { return owner_.load() != 0; }
    // Forgets the state and the network.
    void reset();

    // Makes `owner` (not 0: a network's identity) the network of this optimizer, and room for the state of its parameters of
    // T. layer_ends: where the parameters of each layer end; they begin where those before end. std::invalid_argument where
    // it belongs to another network, or lr is for another number of layers; nothing changes then.
    template <class T>
    void bind(std::uint64_t owner, std::span<const std::size_t> layer_ends);
    // One step: changes w, all parameters, by their gradients g. After bind. In parallel, never interrupted halfway; nothing
    // is allocated. Whether all parameters are finite then.
    template <class T>
    bool update(std::span<const T> g, std::span<T> w);
    // The same step in parts, for gradients that are never all there: update_part for each element once, from `begin` of the
    // parameters on, in layer `layer`, in any order and on any thread; then finish_update. Without clip_norm, for which all
    // gradients have to be known. Whether the parameters of the part are finite then.
    template <class T>
    bool update_part(std::size_t layer, std::size_t begin, std::span<const T> g, T* w);
    void finish_update();

    // What a file keeps of an optimizer. The arrays of state of its rule by name ("velocity"; "square"; "mean"), each laid out
    // like the parameters; empty before bind, and for another T.
    std::span<const std::string_view> state_names() const;
    template <class T>
    std::span<T> state(std::size_t array) {
        return arrays_of<T>()[array];
    }
    // Adam's beta1^steps and beta2^steps, as repeated products gave them.
    std::array<double, 2> powers() const { return {power1_, power2_}; }
    // bind, with the count of steps and the powers of another run; the caller fills in the state. std::invalid_argument as
    // there, where it is bound already, or where a power is outside [0, 1].
    template <class T>
    void restore(std::uint64_t owner, std::span<const std::size_t> layer_ends, std::uint64_t steps,
                 std::array<double, 2> powers);

    // Of the last step that was clipped: the 2-norm of its gradients; 0 before.
    double gradient_norm() const { return norm_; }

 private:
    template <class T>
    std::array<std::vector<T>, 2>& arrays_of() {
        if constexpr (std::is_same_v<T, float>) return state_f32_;
        else return state_f64_;
    }
    template <class T>
    double norm_of(std::span<const T> g);
    template <class T>
    bool apply(double lr, T scale, std::size_t begin, std::size_t n, const T* g, T* w);
    void check_layers(const std::vector<double>& lr, std::size_t layers) const;

    OptimizerRule rule_;
    std::vector<double> lr_;
    double clip_norm_;
    std::atomic<std::uint64_t> owner_{0};
    std::uint64_t steps_ = 0;
    double power1_ = 1, power2_ = 1;  // beta1^steps and beta2^steps, by repeated products
    double norm_ = 0;
    std::vector<std::size_t> layer_ends_;
    std::array<std::vector<float>, 2> state_f32_;
    std::array<std::vector<double>, 2> state_f64_;
    std::vector<double> partial_;  // sums of squares, a block each
};

}  // namespace fanin FANIN_PUBLIC
