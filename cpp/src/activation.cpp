#include "fanin/activation.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "activation_kernel.hpp"
#include "elementwise.hpp"

namespace fanin {
namespace {

constexpr double kLargestParameter = 1e6;

// The name of the kind's parameter; empty where it has none.
std::string_view parameter_name(Activation::Kind kind) {
    return kind == Activation::leaky_relu ? "slope" : kind == Activation::elu ? "alpha" : "";
}

// What other libraries call them.
struct Synonym {
    std::string_view name, meant;
};
constexpr Synonym kSynonyms[] = {{"linear", "identity"},
                                 {"none", "identity"},
                                 {"swish", "silu"},
                                 {"logistic", "sigmoid"},
                                 {"expit", "sigmoid"},
                                 {"prelu", "leaky_relu"},
                                 {"lrelu", "leaky_relu"},
                                 {"leaky", "leaky_relu"},
                                 {"gelu_new", "gelu_tanh"},
                                 {"gelu_approximate", "gelu_tanh"},
                                 {"gelu_pytorch_tanh", "gelu_tanh"},
                                 {"gelu_erf", "gelu"},
                                 {"soft_plus", "softplus"},
                                 {"soft_sign", "softsign"},
                                 {"hard_tanh", "hardtanh"},
                                 {"rectifier", "relu"}};

std::string_view trimmed(std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
}

template <class T>
auto derivative_kernel(Activation activation) {
    return [kernel = detail::backward_kernel<T>(activation)](std::size_t n, const T* z, T* d) { kernel(n, z, nullptr, d); };
}

template <class T, class Kernel>
void contiguous(Kernel kernel, std::span<const T> z, std::span<T> out) {
    const std::size_t from_shape[] = {z.size()}, to_shape[] = {out.size()};
    const std::ptrdiff_t stride[] = {1};
    detail::elementwise<T>(kernel, {z.data(), from_shape, stride}, {out.data(), to_shape, stride});
}

// A sum of two doubles, the second below half a unit in the last place of the first: some 105 bits.
struct Double2 {
    double high, low;
};
Double2 sum_of(double large, double small) {  // |large| >= |small|
    const double high = large + small;
    return {high, small - (high - large)};
}

// 1 / sqrt(1/2 + a^2 c) for the factor a left of 0 and c = E of the square there. The root of the rounded radicand, and one
// step of Newton with the residual in twice the precision: what is rounded at the end is right to some 100 bits.
double gain_of_left_factor(double a, Double2 c) {
    const double square = a * a, square_low = std::fma(a, a, -square);
    const double left = square * c.high;
    const double left_low = std::fma(square, c.high, -left) + (square * c.low + square_low * c.high);
    Double2 d = left < 0.5 ? sum_of(0.5, left) : sum_of(left, 0.5);
    d = sum_of(d.high, d.low + left_low);
    const double g = std::sqrt(1 / d.high);
    const double g2 = g * g, g2_low = std::fma(g, g, -g2);
    const double product = g2 * d.high, product_low = std::fma(g2, d.high, -product);
    const double residual = (1 - product) - (product_low + (g2 * d.low + g2_low * d.high));  // 1 - g^2 d
    return g + g * residual / 2;
}

}  // namespace

Activation::Activation(Kind kind, double parameter) : kind_(kind), parameter_(parameter + 0.0) {  // -0 becomes 0
    const std::string_view name = parameter_name(kind);
    if (name.empty())
        throw std::invalid_argument(activation_names()[kind] + " takes no parameter, got " + detail::text(parameter));
    if (!(std::abs(parameter) <= kLargestParameter))
        throw std::invalid_argument(std::string(name) + " of " + activation_names()[kind] + " must be in [-1e6, 1e6], got " +
                                    detail::text(parameter));
}

const std::vector<std::string>& activation_names() {
    static const std::vector<std::string> names{"identity", "relu", "leaky_relu", "elu",      "selu", "gelu",    "gelu_tanh",
                                                "silu",     "mish", "softplus",   "softsign", "tanh", "sigmoid", "hardtanh"};
    return names;
}

std::string activation_name(Activation activation) {
    const std::string& name = activation_names()[activation.kind()];
    return activation == activation.kind() ? name : name + "(" + detail::text(activation.parameter()) + ")";
}

Activation activation_from_name(std::string_view name) { return detail::activation_from_text("activation", name); }

Activation detail::activation_from_text(std::string_view argument, std::string_view text) {
    const std::vector<std::string>& names = activation_names();
    const std::size_t open = text.find('(');
    const std::string_view name = trimmed(text.substr(0, open));
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        const auto same = [&](const Synonym& s) { return detail::edit_distance(s.name, name) == 0; };
        const auto* synonym = std::find_if(std::begin(kSynonyms), std::end(kSynonyms), same);
        throw std::invalid_argument(
            detail::unknown_name(argument, name, names, synonym == std::end(kSynonyms) ? "" : synonym->meant));
    }
    const auto kind = static_cast<Activation::Kind>(found - names.begin());
    if (open == std::string_view::npos) return kind;
    const std::string_view parameter = parameter_name(kind);
    const auto refuse = [&](const std::string& form, const char* why = "") {
        throw std::invalid_argument(std::string(argument) + " must look like '" + form + "'" + why + ", got '" +
                                    std::string(text) + "'");
    };
    if (parameter.empty()) refuse(std::string(name), " (it takes no parameter)");
    const std::string form = std::string(name) + "(" + detail::text(Activation(kind).parameter()) + ")";
    std::string_view value = trimmed(text.substr(open + 1));
    if (value.empty() || value.back() != ')') refuse(form);
    value = trimmed(value.substr(0, value.size() - 1));
    if (value.starts_with(parameter) && trimmed(value.substr(parameter.size())).starts_with('='))
        value = trimmed(value.substr(value.find('=') + 1));
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (value.empty() || error != std::errc() || end != value.data() + value.size()) refuse(form);
    return {kind, number};
}

template <class T>
void activate(Activation activation, ArrayView<const T> z, ArrayView<T> out) {
    detail::elementwise<T>(detail::forward_kernel<T>(activation), z, out);
}
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> out) {
    contiguous<T>(detail::forward_kernel<T>(activation), z, out);
}

template <class T>
void activation_derivative(Activation activation, ArrayView<const T> z, ArrayView<T> out) {
    detail::elementwise<T>(derivative_kernel<T>(activation), z, out);
}
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> out) {
    contiguous<T>(derivative_kernel<T>(activation), z, out);
}

// 1 / sqrt of the integral of g(z)^2 exp(-z^2 / 2) / sqrt(2 pi), to 34 digits by quadrature in 40-digit arithmetic (an
// integral without closed form for most; tests/python/test_activation.py repeats it). relu: E g^2 = 1/2, He, Zhang, Ren, Sun,
// "Delving deep into rectifiers", ICCV 2015, equation 10, and leaky_relu 1/2 (1 + slope^2) likewise. elu: 1/2 + alpha^2 C with
// C = e^2 Phi(-2) - 2 e^(1/2) Phi(-1) + 1/2.
double gain(Activation activation) {
    switch (activation.kind()) {
        case Activation::identity:
            return 1.0;
        case Activation::relu:
            return 1.414213562373095048801688724209698;
        case Activation::leaky_relu:
            return gain_of_left_factor(activation.parameter(), {0.5, 0});
        case Activation::elu:
            return gain_of_left_factor(activation.parameter(), {0x1.28d9249eb2887p-3, 0x1.d9ebce4037effp-60});
        case Activation::selu:
            return 1.000000000000000016446517036453162;
        case Activation::gelu:
            return 1.533530441195535233767745505390402;
        case Activation::gelu_tanh:
            return 1.533580521666146918056821812941806;
        case Activation::silu:
            return 1.676532470331091158604257543664852;
        case Activation::mish:
            return 1.486847581273208102007612605480696;
        case Activation::softplus:
            return 1.041866835535301708043960594985481;
        case Activation::softsign:
            return 2.337533363108539659856224307171576;
        case Activation::tanh:
            return 1.592537419722831427770438846018598;
        case Activation::sigmoid:
            return 1.846228545338605412960881409669293;
        case Activation::hardtanh:
            return 1.392036140448309751323609353189898;
    }
    throw std::invalid_argument("activation must be one of the enumeration's kinds");
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
