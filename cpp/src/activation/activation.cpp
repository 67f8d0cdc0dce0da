// Activations by name, and evaluated over arrays: the text of one is read here, its facts come from facts.cpp, the work is
// split in elementwise.hpp.
#include "fanin/activation.hpp"

#include <charconv>
#include <cmath>

#include "activation_kernel.hpp"
#include "elementwise.hpp"
#include "facts.hpp"
#include "fanin/arithmetic.hpp"
#include "message.hpp"

namespace fanin {
namespace {

constexpr double kLargestParameter = 1e6;

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

// Without the spaces around it.
std::string_view trimmed(std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
}

// -0 becomes 0, in whatever rounding mode.
double without_sign_of_zero(double x) {
    const StandardArithmetic arithmetic(x);
    return arithmetic.done(x == 0 ? 0.0 : x);
}

// d[i] = g'(z[i]): the backward kernel without a gradient.
template <class T>
auto derivative_kernel(Activation activation) {
    return [kernel = detail::backward_kernel<T>(activation)](std::size_t n, const T* z, T* d) { kernel(n, z, nullptr, d); };
}

// elementwise() over arrays of one axis whose elements are neighbours; their sizes may differ, which it refuses.
template <class T, class Kernel>
void contiguous(Kernel kernel, std::span<const T> z, std::span<T> out) {
    const std::size_t from_shape[] = {z.size()}, to_shape[] = {out.size()};
    const std::ptrdiff_t stride[] = {1};
    detail::elementwise<T>(kernel, {z.data(), from_shape, stride}, {out.data(), to_shape, stride});
}

}  // namespace

Activation::Activation(Kind kind, double parameter) : kind_(kind), parameter_(without_sign_of_zero(parameter)) {
    const StandardArithmetic arithmetic(parameter);
    const std::string_view name = detail::facts(kind).parameter;
    if (name.empty()) detail::refuse({activation_names()[kind], " takes no parameter, got ", parameter});
    if (!(std::abs(parameter) <= kLargestParameter))
        detail::refuse({name, " of ", activation_names()[kind], " must be in [-1e6, 1e6], got ", parameter});
}

const std::vector<std::string>& activation_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const detail::ActivationFacts& known : detail::all_facts()) list.emplace_back(known.name);
        return list;
    }();
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
        detail::refuse({detail::unknown_name(argument, name, names, synonym == std::end(kSynonyms) ? "" : synonym->meant)});
    }
    // A parameter in parentheses, with its name or without; the value is checked by the constructor.
    const auto kind = static_cast<Activation::Kind>(found - names.begin());
    if (open == std::string_view::npos) return kind;
    const StandardArithmetic arithmetic;
    const std::string_view parameter = detail::facts(kind).parameter;
    const auto refuse = [&](const std::string& form, const char* why = "") {
        detail::refuse({argument, " must look like '", form, "'", why, ", got '", text, "'"});
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
    const StandardArithmetic arithmetic(activation);
    detail::elementwise<T>(detail::forward_kernel<T>(activation), z, out);
}
template <class T>
void activate(Activation activation, std::span<const T> z, std::span<T> out) {
    const StandardArithmetic arithmetic(activation);
    contiguous<T>(detail::forward_kernel<T>(activation), z, out);
}

template <class T>
void activation_derivative(Activation activation, ArrayView<const T> z, ArrayView<T> out) {
    const StandardArithmetic arithmetic(activation);
    detail::elementwise<T>(derivative_kernel<T>(activation), z, out);
}
template <class T>
void activation_derivative(Activation activation, std::span<const T> z, std::span<T> out) {
    const StandardArithmetic arithmetic(activation);
    contiguous<T>(derivative_kernel<T>(activation), z, out);
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
