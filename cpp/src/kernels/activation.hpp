// Kernels of `activation`, indexed by the enumeration Activation.
#pragma once

#include <cstddef>

namespace fanin {

inline constexpr std::size_t kActivations = 4;  // identity, relu, tanh, sigmoid

template <class T>
struct ActivationKernels {
    // a[i] = g(z[i]); a may be z.
    void (*forward[kActivations])(std::size_t n, const T* z, T* a);
    // d[i] = g'(z[i]).
    void (*derivative[kActivations])(std::size_t n, const T* z, T* d);
    // dz[i] = da[i] * g'(z[i]) (identity: dz = da); dz may be da.
    void (*backward[kActivations])(std::size_t n, const T* z, const T* da, T* dz);
};

}  // namespace fanin
