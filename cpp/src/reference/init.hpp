// Reference of `init`: the numbers of every law, and an array of any law drawn element by element.
#pragma once

#include <string_view>

#include "random.hpp"

namespace fanin::reference {

// What a law draws from: the value or gain (constant, identity), mean and std (normal), or low and high (uniform).
struct LawNumbers {
    enum Kind { constant, identity, normal, uniform } kind;
    double a = 0, b = 0;
};

// The scaled laws, by name. `fan` is the fan that the law divides by: n_in, n_out, or their mean (n_in + n_out) / 2.
//   variance: lecun, xavier, glorot 1 / fan; he 2 / fan; fan_in_uniform has the bound sqrt(1 / fan)
//   Glorot and Bengio 2010 (fan_in_uniform: eq. 1; glorot: eq. 12 and 16), He et al. 2015 (he: eq. 10)
inline LawNumbers scaled_law(std::string_view name, double fan, double gain) {
    const bool he = name.substr(0, 3) == "he_";
    if (name.ends_with("_normal")) return {LawNumbers::normal, 0, gain * std::sqrt((he ? 2.0 : 1.0) / fan)};
    const double bound = gain * std::sqrt((name == "fan_in_uniform" ? 1.0 : he ? 6.0 : 3.0) / fan);
    return {LawNumbers::uniform, -bound, bound};
}

// Element `index` (C order) of a parameter whose last axis has `columns` elements. The numbers are rounded to T first.
template <class T>
T law_element(const LawNumbers& law, Key key, std::uint64_t index, std::uint64_t columns) {
    const T a = static_cast<T>(law.a), b = static_cast<T>(law.b);
    switch (law.kind) {
        case LawNumbers::constant:
            return a;
        case LawNumbers::identity:
            return index / columns == index % columns ? a : T(0);
        case LawNumbers::normal:
            return normal(key, index, a, b);
        default:
            return uniform(key, index, a, b);
    }
}

}  // namespace fanin::reference
