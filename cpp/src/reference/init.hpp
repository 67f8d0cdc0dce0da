// Reference of `init`: the numbers of every law, and an array of any law drawn element by element.
#pragma once

#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "float16.hpp"
#include "random.hpp"
#include "random_truncated.hpp"

namespace fanin::reference {

// What a law draws from: the value or gain (constant, identity), mean and std (normal, truncated, sparse), or low and high
// (uniform); the bounds of a truncated law in sigmas, the zeros of a column of a sparse one and the length of that column,
// which a dirac one has too, with its groups in `zeros`.
struct LawNumbers {
    enum Kind { constant, identity, dirac, normal, uniform, truncated, sparse } kind;
    double a = 0, b = 0;
    double lower = 0, upper = 0;
    std::size_t zeros = 0, rows = 0;
};

// The standard deviation of the standard normal law cut at two sigmas.
inline constexpr double kTwoSigmaStd = 0.87962566103423975;

// The scaled laws, by name. `fan` is the fan that the law divides by: n_in, n_out, or their mean (n_in + n_out) / 2.
//   variance: lecun, xavier, glorot 1 / fan; he 2 / fan; fan_in_uniform has the bound sqrt(1 / fan)
//   Glorot and Bengio 2010 (fan_in_uniform: eq. 1; glorot: eq. 12 and 16), He et al. 2015 (he: eq. 10)
inline LawNumbers scaled_law(std::string_view name, double fan, double gain) {
    const bool he = name.substr(0, 3) == "he_";
    const double std = gain * std::sqrt((he ? 2.0 : 1.0) / fan);
    if (name.ends_with("_normal")) return {LawNumbers::normal, 0, std};
    if (name.ends_with("_truncated")) return {LawNumbers::truncated, 0, std / kTwoSigmaStd, -2, 2};
    const double bound = gain * std::sqrt((name == "fan_in_uniform" ? 1.0 : he ? 6.0 : 3.0) / fan);
    return {LawNumbers::uniform, -bound, bound};
}

// Element `index` of the normal law cut to [mean + std lower, mean + std upper]; the bounds rounded inward.
template <class T>
T truncated_normal(Key key, std::uint64_t index, T mean, T std, double lower, double upper) {
    const auto bound = [&](double z, T inside) {
        const double exact = std::fma(static_cast<double>(std), z, static_cast<double>(mean));
        const T rounded = static_cast<T>(exact);
        const bool outside = inside > rounded ? rounded < exact : rounded > exact;
        return outside ? std::nextafter(rounded, inside) : rounded;
    };
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    const T x = truncated_normal<T>(truncated_law(lower, upper, sizeof(T) == 4), key, index, mean, std);
    const T lowest = std::isinf(lower) ? -kInfinity : bound(lower, kInfinity);
    const T highest = std::isinf(upper) ? kInfinity : bound(upper, -kInfinity);
    return x < lowest ? lowest : x > highest ? highest : x;
}

// Whether an element of a sparse matrix is one of the `zeros` of its column: Fisher and Yates from the last place down,
// place i exchanged with floor(r (i + 1) / 2^64), r the 64-bit number column * rows + i of the blocks from 2^63 on. The
// places reached are the zeros; where that would be more than half of them, they are the others.
inline bool is_zero(Key key, std::size_t rows, std::size_t zeros, std::size_t row, std::size_t column) {
    const std::size_t steps = zeros <= rows - zeros ? zeros : rows - zeros;
    std::vector<std::size_t> place(rows);
    for (std::size_t i = 0; i < rows; ++i) place[i] = i;
    for (std::size_t i = rows; i-- > rows - steps;) {
        const std::uint64_t number = column * rows + i;
        const Words w = philox(key, (std::uint64_t{1} << 63) + number / 2);
        const std::uint64_t r = w[number % 2 * 2] | std::uint64_t{w[number % 2 * 2 + 1]} << 32;
        std::swap(place[i], place[static_cast<std::size_t>(static_cast<unsigned __int128>(r) * (i + 1) >> 64)]);
    }
    bool reached = false;
    for (std::size_t i = rows - steps; i < rows; ++i) reached = reached || place[i] == row;
    return reached == (steps == zeros);
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
        case LawNumbers::dirac: {  // of a matrix: a kernel of one place
            const std::size_t a_group = law.rows / law.zeros;
            return index / columns % a_group == index % columns ? T(1) : T(0);
        }
        case LawNumbers::sparse:
            if (is_zero(key, law.rows, law.zeros, index / columns, index % columns)) return 0;
            return normal(key, index, a, b);
        case LawNumbers::normal:
            return normal(key, index, a, b);
        case LawNumbers::truncated:
            return truncated_normal(key, index, a, b, law.lower, law.upper);
        default:
            return uniform(key, index, a, b);
    }
}

// The 16-bit formats: the float32 draw, rounded once.
template <>
inline Float16 law_element(const LawNumbers& law, Key key, std::uint64_t index, std::uint64_t columns) {
    return {to_float16(law_element<float>(law, key, index, columns))};
}
template <>
inline BFloat16 law_element(const LawNumbers& law, Key key, std::uint64_t index, std::uint64_t columns) {
    return {to_bfloat16(law_element<float>(law, key, index, columns))};
}

}  // namespace fanin::reference
