// Optimizers: how a gradient changes the parameters. An optimizer keeps its state (here the velocity) and belongs to the
// first network that it steps.
//
// Updates are element by element, with each product fused into the sum that follows it: the same bits on every
// instruction set, at any thread count, and however the parameters are cut into arrays. Hyper-parameters are rounded to
// the network's dtype.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fanin {

// Stochastic gradient descent (PyTorch's formulas, dampening 0): v = momentum v + g (the first step: v = g), then
// w -= lr v; with nesterov w -= lr (g + momentum v) (Sutskever et al., ICML 2013, in the form of Bengio et al., 2012).
struct Sgd {
    double lr = 0;          // > 0, finite
    double momentum = 0;    // in [0, 1)
    bool nesterov = false;  // needs momentum > 0
};

class Optimizer {
 public:
    // std::invalid_argument where a hyper-parameter is out of range.
    explicit Optimizer(const Sgd& rule);
    // A copy has the hyper-parameters and no state, and belongs to no network.
    Optimizer(const Optimizer& other) : Optimizer(other.rule_) {}
    Optimizer& operator=(const Optimizer&) = delete;

    const Sgd& rule() const { return rule_; }
    // Takes effect at the next step; std::invalid_argument unless > 0 and finite.
    void set_lr(double lr);
    // Steps taken since the construction or the last reset.
    std::uint64_t steps() const { return steps_; }
    // Whether a network has been stepped.
    bool bound() const { return owner_.load() != 0; }
    // Forgets the state and the network.
    void reset();

    // Makes `owner` (not 0: a network's identity) the network of this optimizer, and room for the state of n parameters
    // of T. std::invalid_argument where it belongs to another one; nothing changes then.
    template <class T>
    void bind(std::uint64_t owner, std::size_t n);
    // One step: changes w, all n parameters, by their gradients g. After bind. In parallel, never interrupted halfway.
    template <class T>
    void update(std::span<const T> g, std::span<T> w);

 private:
    template <class T>
    std::vector<T>& velocity();

    Sgd rule_;
    std::atomic<std::uint64_t> owner_{0};
    std::uint64_t steps_ = 0;
    std::vector<float> velocity_f32_;
    std::vector<double> velocity_f64_;
};

}  // namespace fanin
