// The kernels of an activation with its parameter bound: what dense layers call.
#pragma once

#include <string_view>

#include "constants.hpp"
#include "fanin/activation.hpp"
#include "kernels/table.hpp"

namespace fanin::detail {

template <class T>
ActivationFactors<T> activation_factors(Activation activation) {
    if (activation.kind() == Activation::selu) return {static_cast<T>(kSeluLambdaAlpha), static_cast<T>(kSeluLambda)};
    return {static_cast<T>(activation.parameter()), T(1)};
}

// a[i] = g(z[i]), i < n; a may be z.
template <class T>
auto forward_kernel(Activation activation) {
    return [kernel = active<ActivationKernels<T>>().forward[activation.kind()], factors = activation_factors<T>(activation)](
               std::size_t n, const T* z, T* a) { kernel(n, z, a, factors); };
}
// dz[i] = da[i] g'(z[i]), i < n; dz may be da.
template <class T>
auto backward_kernel(Activation activation) {
    return [kernel = active<ActivationKernels<T>>().backward[activation.kind()], factors = activation_factors<T>(activation)](
               std::size_t n, const T* z, const T* da, T* dz) { kernel(n, z, da, dz, factors); };
}

// activation_from_name, where the argument that is read has another name than `activation`.
Activation activation_from_text(std::string_view argument, std::string_view text);

}  // namespace fanin::detail
