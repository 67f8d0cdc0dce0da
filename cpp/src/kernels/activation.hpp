// Kernels of `activation`, indexed by Activation::Kind.
#pragma once

#include <cstddef>

#include "fanin/activation.hpp"

namespace fanin {

inline constexpr std::size_t kActivations = Activation::kKinds;

// What a kernel is told of the activation's parameter: leaky_relu and elu have the factors (slope or alpha, 1) left and right
// of 0, selu (lambda alpha, lambda); the others look at neither.
template <class T>
struct ActivationFactors {
    T left, right;
};

template <class T>
struct ActivationKernels {
    // a[i] = g(z[i]); a may be z.
    void (*forward[kActivations])(std::size_t n, const T* z, T* a, ActivationFactors<T> factors);
    // dz[i] = da[i] * g'(z[i]), or g'(z[i]) where da is null; dz may be da or z.
    void (*backward[kActivations])(std::size_t n, const T* z, const T* da, T* dz, ActivationFactors<T> factors);
};

}  // namespace fanin
