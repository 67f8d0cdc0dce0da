// Activation functions: value, derivative, and the gains that laws take by name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanin {

enum class Activation { identity, relu, tanh, sigmoid };

// Names, in the order of the enumeration.
const std::vector<std::string>& activation_names();
std::string_view activation_name(Activation activation);

// The activation of that name; std::invalid_argument listing all of them (and the nearest) otherwise.
Activation activation_from_name(std::string_view name);

// a[i] = g(z[i]). `a` and `z` have one length and are the same array or do not overlap. tanh, sigmoid: 2 ULP; identity,
// relu: exact. NaN stays NaN; relu(-0) = +0. Same bits everywhere.
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> a);

// d[i] = g'(z[i]), evaluated from z: 4 ULP, also where g saturates (tanh'(20) = 1.7e-17). relu'(0) = 0.
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> d);

// The forward gain 1 / sqrt(E g(z)^2), z standard normal: what a law multiplies its standard deviation by, so that the
// second moment of the next pre-activation equals this one's. identity 1, relu sqrt(2) (He et al. 2015, eq. 10), tanh
// 1.5925 (PyTorch's table says 5/3), sigmoid 1.8462.
double gain(Activation activation);

}  // namespace fanin
