// Kernels of `optimizer`: one parameter array, updated in place. Every element is independent of its place.
#pragma once

#include <cstddef>

namespace fanin {

// What a step is made of, in the network's dtype. In all of them h = g * scale is the gradient that counts: scale is 1, or
// below where the gradients are clipped.
template <class T>
struct SgdStep {
    T lr, momentum, scale;
    bool nesterov, first;  // first: v = h
};
template <class T>
struct RmsPropStep {
    T lr, alpha, alpha_rest, eps, momentum, scale;  // alpha_rest: 1 - alpha, rounded once
};
template <class T>
struct AdamStep {
    // lr: over 1 - beta1^t. correction: 1 / sqrt(1 - beta2^t). decay: 1 - lr weight_decay. The rests as above.
    T lr, beta1_rest, beta2, beta2_rest, correction, eps, decay, scale;
};

template <class T>
struct AdaGradStep {
    T lr, eps, scale;
};

// All but the last: whether every new w is finite.
template <class T>
struct OptimizerKernels {
    // w = fma(-lr, h, w)
    bool (*sgd)(std::size_t n, const SgdStep<T>& s, const T* g, T* w);
    // v = first ? h : fma(momentum, v, h); w = fma(-lr, nesterov ? fma(momentum, v, h) : v, w)
    bool (*sgd_momentum)(std::size_t n, const SgdStep<T>& s, const T* g, T* v, T* w);
    // v = fma(alpha, v, (alpha_rest h) h); u = h / (sqrt(v) + eps); w = fma(-lr, u, w)
    bool (*rmsprop)(std::size_t n, const RmsPropStep<T>& s, const T* g, T* v, T* w);
    // The same v and u; b = fma(momentum, b, u); w = fma(-lr, b, w)
    bool (*rmsprop_momentum)(std::size_t n, const RmsPropStep<T>& s, const T* g, T* v, T* b, T* w);
    // m = fma(beta1_rest, h - m, m); v = fma(beta2, v, (beta2_rest h) h); w = fma(-lr, m / fma(sqrt(v), correction, eps), decay
    // w)
    bool (*adam)(std::size_t n, const AdamStep<T>& s, const T* g, T* m, T* v, T* w);
    // v = fma(h, h, v); w = fma(-lr, h / (sqrt(v) + eps), w)
    bool (*adagrad)(std::size_t n, const AdaGradStep<T>& s, const T* g, T* v, T* w);
    // The sum of squares of at most kNormBlock elements in double: accumulator j mod 8 takes fma(x_j, x_j, .), and they add up
    // as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)).
    double (*sum_squares)(std::size_t n, const T* x);
};

inline constexpr std::size_t kNormBlock = 4096;

}  // namespace fanin
