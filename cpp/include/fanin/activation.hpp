// Activation functions: value, derivative, and the gains that laws take by name.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/export.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

// An activation function: its kind, and the parameter of those that have one. A kind converts by itself, so that
// `Activation::relu` is an Activation; `Activation(Activation::leaky_relu, 0.2)` states a parameter. Two are equal where kind
// and parameter are.
//
//     identity                                 z
//     relu                                     max(z, 0)
//     leaky_relu   slope (0.01)                z < 0 ? slope z : z
//     elu          alpha (1)                   z < 0 ? alpha (e^z - 1) : z      Clevert, Unterthiner, Hochreiter, ICLR 2016
//     selu                                     lambda elu(z), alpha = 1.6732632423543772, lambda = 1.0507009873554805
//                                                                               Klambauer et al., NIPS 2017, eq. 14
//     gelu                                     z Phi(z), Phi the normal law     Hendrycks, Gimpel 2016
//     gelu_tanh                                z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))       the same
//     silu                                     z sigmoid(z), also called swish  Elfwing, Uchibe, Doya 2017
//     mish                                     z tanh(softplus(z))              Misra 2019
//     softplus                                 ln(1 + e^z)
//     softsign                                 z / (1 + |z|)
//     tanh, sigmoid                            sigmoid: 1 / (1 + e^-z)
//     hardtanh                                 min(max(z, -1), 1)
//     relu6                                    min(max(z, 0), 6)
//     hardswish                                z min(max(z + 3, 0), 6) / 6      Howard et al., ICCV 2019
//     sin                                      z in radians                     Sitzmann et al., NeurIPS 2020
class Activation {
 public:
    enum Kind : unsigned char {
        identity,
        relu,
        leaky_relu,
        elu,
        selu,
        gelu,
        gelu_tanh,
        silu,
        mish,
        softplus,
        softsign,
        tanh,
        sigmoid,
        hardtanh,
        relu6,
        hardswish,
        sin
    };
    static constexpr std::size_t kKinds = sin + 1;  // the last, and one

    constexpr Activation(Kind kind = identity)  // with the parameter above, if it has one
        : kind_(kind),
          parameter_(kind == leaky_relu ? 0.01
                     : kind == elu      ? 1.0
                                        : 0.0) {}
    // leaky_relu's slope or elu's alpha, in [-1e6, 1e6]; std::invalid_argument otherwise, and for another kind.
    Activation(Kind kind, double parameter);

    constexpr Kind kind() const { return kind_; }
    constexpr double parameter() const { return parameter_; }  // 0 where there is none
    friend constexpr bool operator==(const Activation&, const Activation&) = default;

 private:
    Kind kind_;
    double parameter_;
};

// What is known of an activation besides its values.
struct ActivationTraits {
    std::string_view parameter;            // the name of its parameter, "slope" or "alpha"; empty where it has none
    double low, high;                      // the values that it comes near on its flat sides; infinite where none is flat.
                                           // relu has none: a unit at 0 is dead, not saturated
    double saturated_low, saturated_high;  // outside these values it counts as saturated: within 3 % of a bound (with a lower
                                           // bound of 0, 3 % of the range)
    std::span<const double> kinks;         // where g or a derivative of it jumps, ascending; lives as long as the program
    double period;                         // of a periodic function (sin: 2 pi); 0 where there is none
};
ActivationTraits activation_traits(Activation activation);

// Names, in the order of Activation::Kind.
const std::vector<std::string>& activation_names();

// "relu", "leaky_relu", "leaky_relu(0.2)": the parameter where it is not the usual one. activation_from_name reads it back.
std::string activation_name(Activation activation);

// The activation of that name, with its parameter in parentheses if there is one: "leaky_relu(0.2)", "leaky_relu(slope=0.2)";
// std::invalid_argument listing all names (and the nearest) otherwise.
Activation activation_from_name(std::string_view name);

// out[i] = g(z[i]). `out` and `z` have one shape, at most kMaxRank axes, any strides, and are the same array or do not
// overlap; std::invalid_argument otherwise. tanh, sigmoid: 2 ULP; the others: 4 ULP (what was measured is in
// docs/activations.md), also far left, where gelu, silu and mish follow e^z into the subnormals. A parameter is rounded to T
// first. NaN stays NaN; -0 stays -0 where g(0) = 0, but relu(-0) = relu6(-0) = +0; the values at infinity are the limits
// (gelu(-inf) = -0); sin is right at any size and NaN at infinities, as is its derivative. In parallel; same bits everywhere.
template <class T>
void activate(Activation activation, ArrayView<const T> z, ArrayView<T> out);
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> out);

// out[i] = g'(z[i]), evaluated from z: 4 ULP, also where g saturates (tanh'(20) = 1.7e-17) and where g' is subnormal; within
// 1/4 of the roots of gelu', gelu_tanh', silu' and mish' the error is below 2^-23 (2^-52). At a kink it is the left
// derivative: relu'(0) = 0, leaky_relu'(0) = slope, elu'(0) = alpha, selu'(0) = lambda alpha; hardtanh'(-1) = hardtanh'(1) =
// relu6'(6) = 0; hardswish'(-3) = 0, hardswish'(3) = 3/2. identity' = 1 for every z, NaN included; otherwise NaN stays NaN. The
// rest as for activate.
//
// Back through an activation goes dz = da g'(z), a plain product: where g'(z) = 0, an infinite da gives NaN.
template <class T>
void activation_derivative(Activation activation, ArrayView<const T> z, ArrayView<T> out);
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> out);

// The forward gain 1 / sqrt(E g(z)^2), z standard normal: what a law multiplies its standard deviation by, so that the
// second moment of the next pre-activation equals this one's. identity 1, relu sqrt(2) (He et al. 2015, eq. 10), leaky_relu
// sqrt(2 / (1 + slope^2)), selu 1, tanh 1.5925374197228315 (PyTorch's table says 5/3), sigmoid 1.8462285453386054.
// Correctly rounded, at any slope and alpha too.
double gain(Activation activation);

// Over the last axis of z, in rows: out[j] = e^(z[j] - m) / s and out[j] = (z[j] - m) - ln s, m being the largest of the row
// and s the sum of e^(z[j] - m). Shapes, strides and errors as for activate; z has at least one axis. Order: k is the first
// place where z[k] = m; rest is the sum of e^(z[j] - m) over j != k, in blocks of 512 classes, each in eight lanes that are
// folded by halves, as everywhere in loss.hpp; s = 1 + rest, ln s = log1p(rest). A few ULP, beside the rounding of
// z[j] - m, which is worth |z[j] - m| / 2 ULP; log_softmax likewise, absolutely where z[j] - m and ln s cancel nothing.
// A row with a NaN is NaN; one +infinity is 1 (0), the others then 0 (-infinity); with two, or only -infinity in a row of
// several classes, the row is NaN. In parallel; same bits everywhere.
template <class T>
void softmax(ArrayView<const T> z, ArrayView<T> out);
template <class T>
void log_softmax(ArrayView<const T> z, ArrayView<T> out);

}  // namespace fanin FANIN_PUBLIC
