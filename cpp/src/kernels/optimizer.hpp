// Kernels of `optimizer`: one parameter array, updated in place. Every element is independent of its place.
#pragma once

#include <cstddef>

namespace fanin {

template <class T>
struct OptimizerKernels {
    // w = fma(-lr, g, w)
    void (*sgd)(std::size_t n, T lr, const T* g, T* w);
    // v = first ? g : fma(momentum, v, g); w = fma(-lr, nesterov ? fma(momentum, v, g) : v, w)
    void (*sgd_momentum)(std::size_t n, T lr, T momentum, bool nesterov, bool first, const T* g, T* v, T* w);
};

}  // namespace fanin
