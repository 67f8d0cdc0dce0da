#include "fanin/activation.hpp"

#include <stdexcept>

#include "elementwise.hpp"
#include "kernels/table.hpp"

namespace fanin {
namespace {

std::size_t number_of(Activation activation) { return static_cast<std::size_t>(activation); }

template <class T>
void contiguous(void (*kernel)(std::size_t, const T*, T*), std::span<const T> z, std::span<T> out) {
    const std::size_t from_shape[] = {z.size()}, to_shape[] = {out.size()};
    const std::ptrdiff_t stride[] = {1};
    detail::elementwise<T>(kernel, {z.data(), from_shape, stride}, {out.data(), to_shape, stride});
}

}  // namespace

const std::vector<std::string>& activation_names() {
    static const std::vector<std::string> names{"identity", "relu", "tanh", "sigmoid"};
    return names;
}

std::string_view activation_name(Activation activation) { return activation_names()[number_of(activation)]; }

Activation activation_from_name(std::string_view name) {
    const std::vector<std::string>& names = activation_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<Activation>(i);
    throw std::invalid_argument(detail::unknown_name("activation", name, names));
}

template <class T>
void activate(Activation activation, ArrayView<const T> z, ArrayView<T> out) {
    detail::elementwise<T>(kernels<T>().activation.forward[number_of(activation)], z, out);
}
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> out) {
    contiguous(kernels<T>().activation.forward[number_of(activation)], z, out);
}

template <class T>
void activation_derivative(Activation activation, ArrayView<const T> z, ArrayView<T> out) {
    detail::elementwise<T>(kernels<T>().activation.derivative[number_of(activation)], z, out);
}
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> out) {
    contiguous(kernels<T>().activation.derivative[number_of(activation)], z, out);
}

// 1 / sqrt of the integral of g(z)^2 exp(-z^2 / 2) / sqrt(2 pi), to 34 digits by quadrature in 50-digit arithmetic (an
// integral without closed form for tanh and sigmoid; tests/python/test_activation.py repeats it); relu: E g^2 = 1/2, He,
// Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.
double gain(Activation activation) {
    switch (activation) {
        case Activation::identity:
            return 1.0;
        case Activation::relu:
            return 1.414213562373095048801688724209698;
        case Activation::tanh:
            return 1.592537419722831427770438846018598;
        case Activation::sigmoid:
            return 1.846228545338605412960881409669293;
    }
    throw std::invalid_argument("activation must be one of the enumeration's values");
}

template void activate(Activation, ArrayView<const float>, ArrayView<float>);
template void activate(Activation, ArrayView<const double>, ArrayView<double>);
template void activate(Activation, std::span<const float>, std::span<float>);
template void activate(Activation, std::span<const double>, std::span<double>);
template void activation_derivative(Activation, ArrayView<const float>, ArrayView<float>);
template void activation_derivative(Activation, ArrayView<const double>, ArrayView<double>);
template void activation_derivative(Activation, std::span<const float>, std::span<float>);
template void activation_derivative(Activation, std::span<const double>, std::span<double>);

}  // namespace fanin
