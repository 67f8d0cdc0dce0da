// Activation functions: value, derivative, and the gains that laws take by name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/view.hpp"

namespace fanin {

enum class Activation { identity, relu, tanh, sigmoid };

// Names, in the order of the enumeration.
const std::vector<std::string>& activation_names();
std::string_view activation_name(Activation activation);

// The activation of that name; std::invalid_argument listing all of them (and the nearest) otherwise.
Activation activation_from_name(std::string_view name);

// out[i] = g(z[i]). `out` and `z` have one shape, at most kMaxRank axes, any strides, and are the same array or do not
// overlap; another shape is std::invalid_argument. tanh, sigmoid: 2 ULP (measured 1.75); identity, relu: exact. NaN stays NaN;
// relu(-0) = +0. In parallel; same bits everywhere.
template <class T>
void activate(Activation activation, ArrayView<const T> z, ArrayView<T> out);
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> out);

// out[i] = g'(z[i]), evaluated from z: 4 ULP (measured 2.42), also where g saturates (tanh'(20) = 1.7e-17) and where g' is
// subnormal. identity' = 1 for every z, NaN included; relu'(0) = 0; otherwise NaN stays NaN. The rest as for activate.
//
// Back through an activation goes dz = da g'(z), a plain product: where g'(z) = 0, an infinite da gives NaN.
template <class T>
void activation_derivative(Activation activation, ArrayView<const T> z, ArrayView<T> out);
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> out);

// The forward gain 1 / sqrt(E g(z)^2), z standard normal: what a law multiplies its standard deviation by, so that the
// second moment of the next pre-activation equals this one's. identity 1, relu sqrt(2) (He et al. 2015, eq. 10), tanh
// 1.5925374197228315 (PyTorch's table says 5/3), sigmoid 1.8462285453386054. Correctly rounded.
double gain(Activation activation);

}  // namespace fanin
