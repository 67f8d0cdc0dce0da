// What is known of each activation besides its values: the one table that names, gains, saturation and theory read.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "fanin/activation.hpp"

namespace fanin::detail {

// A sum of two doubles, the second below half a unit in the last place of the first: some 105 bits.
struct Double2 {
    double high, low;
};

struct ActivationFacts {
    std::string_view name;
    std::string_view parameter = {};  // its name; empty where there is none

    // 1 / sqrt(E g(z)^2), z standard normal; with a parameter p, which multiplies the left side, E g^2 is 1/2 + p^2
    // `left_square` instead.
    double gain = 0;
    Double2 left_square = {0, 0};

    // The values that g comes near on its flat sides, where it saturates; in units of the parameter, if there is one. relu
    // has none: a unit at 0 is dead, which is counted apart.
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();

    // Where g or a derivative of it jumps: quadrature splits its panels there.
    std::array<double, 2> kinks = {};
    std::size_t n_kinks = 0;

    // g(z + period) = g(z); 0 where there is none. Quadrature has no panel that is wider.
    double period = 0;
};

const ActivationFacts& facts(Activation::Kind kind);

// All, in the order of Activation::Kind.
std::span<const ActivationFacts> all_facts();

}  // namespace fanin::detail
