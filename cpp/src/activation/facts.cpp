#include "facts.hpp"

#include <cmath>

#include "constants.hpp"
#include "fanin/arithmetic.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::ActivationFacts;
using detail::Double2;

// One row an activation, in the order of Activation::Kind. Gains to 34 digits by quadrature in 40-digit arithmetic (integrals
// without closed form for most; tests/python/core/test_activation_exact.py repeats it).
constexpr ActivationFacts kFacts[] = {
    {.name = "identity", .gain = 1},
    // E g^2 = 1/2: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10
    {.name = "relu", .gain = 1.414213562373095048801688724209698, .kinks = {0}, .n_kinks = 1},
    {.name = "leaky_relu", .parameter = "slope", .left_square = {0.5, 0}, .kinks = {0}, .n_kinks = 1},
    // e^2 Phi(-2) - 2 e^(1/2) Phi(-1) + 1/2
    {.name = "elu",
     .parameter = "alpha",
     .left_square = {0x1.28d9249eb2887p-3, 0x1.d9ebce4037effp-60},
     .low = -1,
     .kinks = {0},
     .n_kinks = 1},
    {.name = "selu", .gain = 1.000000000000000016446517036453162, .low = -kSeluLambdaAlpha, .kinks = {0}, .n_kinks = 1},
    {.name = "gelu", .gain = 1.533530441195535233767745505390402},
    {.name = "gelu_tanh", .gain = 1.533580521666146918056821812941806},
    {.name = "silu", .gain = 1.676532470331091158604257543664852},
    {.name = "mish", .gain = 1.486847581273208102007612605480696},
    {.name = "softplus", .gain = 1.041866835535301708043960594985481},
    {.name = "softsign", .gain = 2.337533363108539659856224307171576, .low = -1, .high = 1, .kinks = {0}, .n_kinks = 1},
    {.name = "tanh", .gain = 1.592537419722831427770438846018598, .low = -1, .high = 1},
    {.name = "sigmoid", .gain = 1.846228545338605412960881409669293, .low = 0, .high = 1},
    {.name = "hardtanh", .gain = 1.392036140448309751323609353189898, .low = -1, .high = 1, .kinks = {-1, 1}, .n_kinks = 2},
    // The bound of 6: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010; 0 is no bound, as for relu.
    {.name = "relu6", .gain = 1.414213565095073651449787566789541, .high = 6, .kinks = {0, 6}, .n_kinks = 2},
    // Howard et al., "Searching for MobileNetV3", ICCV 2019
    {.name = "hardswish", .gain = 1.736657212766541619654762295891531, .kinks = {-3, 3}, .n_kinks = 2},
    // sqrt(2 / (1 - e^-2)). Sitzmann, Martel, Bergman, Lindell, Wetzstein, "Implicit neural representations with periodic
    // activation functions", NeurIPS 2020. It is flat nowhere, so it has no bounds.
    {.name = "sin", .gain = 1.520866623178814883034022137435117, .period = 0x1.921fb54442d18p+2},
};
static_assert(std::size(kFacts) == Activation::kKinds);

// Of the bound: where tanh is within it, its slope is below 6 % of that at 0.
constexpr double kSaturationShare = 0.03;

// 1 / sqrt(1/2 + a^2 c) for the factor a left of 0 and c = E of the square there. The root of the rounded radicand, and one
// step of Newton with the residual in twice the precision: what is rounded at the end is right to some 100 bits.
double gain_of_left_factor(double a, Double2 c) {
    const auto sum_of = [](double large, double small) {  // |large| >= |small|
        const double high = large + small;
        return Double2{high, small - (high - large)};
    };
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

std::span<const ActivationFacts> detail::all_facts() { return kFacts; }

const ActivationFacts& detail::facts(Activation::Kind kind) {
    if (kind >= Activation::kKinds) detail::refuse({"activation must be one of the enumeration's kinds"});
    return kFacts[kind];
}

double gain(Activation activation) {
    const StandardArithmetic arithmetic(activation);
    const ActivationFacts& known = detail::facts(activation.kind());
    return known.parameter.empty() ? known.gain
                                   : arithmetic.done(gain_of_left_factor(activation.parameter(), known.left_square));
}

ActivationTraits activation_traits(Activation activation) {
    const StandardArithmetic arithmetic(activation);
    const ActivationFacts& known = detail::facts(activation.kind());
    ActivationTraits t{known.parameter, known.low, known.high, {}, {}, {known.kinks.data(), known.n_kinks}, known.period};
    if (!known.parameter.empty()) {  // a factor of the left side: only a positive one leaves a bound below
        const double factor = activation.parameter();
        t.low = factor > 0 ? factor * known.low : -std::numeric_limits<double>::infinity();
    }
    // From a bound at 0 the share is that of the range.
    t.saturated_low = t.low == 0 ? kSaturationShare * t.high : t.low * (1 - kSaturationShare);
    t.saturated_high = t.low == 0 ? t.high - kSaturationShare * t.high : t.high * (1 - kSaturationShare);
    return t;
}

}  // namespace fanin
