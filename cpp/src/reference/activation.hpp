// Reference of `activation`: value and derivative at one z, and the gradient that flows back through it.
#pragma once

#include "fanin/activation.hpp"
#include "math.hpp"

namespace fanin::reference {

template <class T>
T activate(Activation activation, T z) {
    switch (activation) {
        case Activation::identity:
            return z;
        case Activation::relu:
            return z <= 0 ? T(0) : z;  // NaN is not <= 0, and -0 is
        case Activation::tanh:
            return tanh(z);
        case Activation::sigmoid:
            return sigmoid(z);
    }
    return z;
}

template <class T>
T activation_derivative(Activation activation, T z) {
    switch (activation) {
        case Activation::identity:
            return 1;
        case Activation::relu:
            return z <= 0 ? T(0) : z > 0 ? T(1) : z;
        case Activation::tanh:
            return tanh_derivative(z);
        case Activation::sigmoid:
            return sigmoid_derivative(z);
    }
    return z;
}

// dz = da g'(z), one rounding; so 0 times infinity is NaN and 0 times a negative number is -0.
template <class T>
T activation_backward(Activation activation, T z, T da) {
    return da * activation_derivative(activation, z);
}

}  // namespace fanin::reference
