// Reference of `activation`: value and derivative at one z, and the gradient that flows back through it.
#pragma once

#include "activation_smooth.hpp"
#include "angle.hpp"
#include "fanin/activation.hpp"

namespace fanin::reference {

// g(z): the formula of each, with a branch where the kernel selects.
template <class T>
T activate(Activation activation, T z) {
    if (std::isnan(z)) return z;
    const T parameter = static_cast<T>(activation.parameter());
    switch (activation.kind()) {
        case Activation::identity:
            return z;
        case Activation::relu:
            return z <= 0 ? T(0) : z;  // -0 becomes +0
        case Activation::leaky_relu:
            return z < 0 ? parameter * z : z;
        case Activation::elu:
            return elu(z, parameter, T(1));
        case Activation::selu:
            return elu(z, static_cast<T>(kSeluLambdaAlpha), static_cast<T>(kSeluLambda));
        case Activation::gelu:
            return gelu(z);
        case Activation::gelu_tanh:
            return gelu_tanh(z);
        case Activation::silu:
            return silu(z);
        case Activation::mish:
            return mish(z);
        case Activation::softplus:
            return softplus(z);
        case Activation::softsign:
            return softsign(z);
        case Activation::tanh:
            return tanh(z);
        case Activation::sigmoid:
            return sigmoid(z);
        case Activation::hardtanh:
            return z < -1 ? T(-1) : z > 1 ? T(1) : z;
        case Activation::relu6:
            return z <= 0 ? T(0) : z > 6 ? T(6) : z;
        case Activation::hardswish:
            return z < -3 ? T(-0.0) : z > 3 ? z : z * ((z + 3) / 6);
        case Activation::sin:
            return sin(z);
    }
    return z;
}

// g'(z), from z; the left derivative at kinks, 0 on the bounds of hardtanh and relu6.
template <class T>
T activation_derivative(Activation activation, T z) {
    if (activation == Activation::identity) return 1;
    if (std::isnan(z)) return z;
    const T parameter = static_cast<T>(activation.parameter());
    switch (activation.kind()) {
        case Activation::identity:
            return 1;
        case Activation::relu:
            return z > 0 ? T(1) : T(0);
        case Activation::leaky_relu:
            return z > 0 ? T(1) : parameter;
        case Activation::elu:
            return elu_derivative(z, parameter, T(1));
        case Activation::selu:
            return elu_derivative(z, static_cast<T>(kSeluLambdaAlpha), static_cast<T>(kSeluLambda));
        case Activation::gelu:
            return gelu_derivative(z);
        case Activation::gelu_tanh:
            return gelu_tanh_derivative(z);
        case Activation::silu:
            return silu_derivative(z);
        case Activation::mish:
            return mish_derivative(z);
        case Activation::softplus:
            return sigmoid(z);
        case Activation::softsign:
            return softsign_derivative(z);
        case Activation::tanh:
            return tanh_derivative(z);
        case Activation::sigmoid:
            return sigmoid_derivative(z);
        case Activation::hardtanh:
            return std::abs(z) < 1 ? T(1) : T(0);
        case Activation::relu6:
            return z > 0 && z < 6 ? T(1) : T(0);
        case Activation::hardswish:
            return z <= -3 ? T(0) : z > 3 ? T(1) : (2 * z + 3) / 6;
        case Activation::sin:
            return cos(z);
    }
    return z;
}

// dz = da g'(z), one rounding; so 0 times infinity is NaN and 0 times a negative number is -0.
template <class T>
T activation_backward(Activation activation, T z, T da) {
    return da * activation_derivative(activation, z);
}

}  // namespace fanin::reference
