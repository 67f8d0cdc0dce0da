// Laws of weights: zeros, ones, constant, identity, dirac, normal, uniform, truncated normal, sparse, orthogonal, and the
// scaled laws (xavier, glorot, he, lecun, siren, fan_in_uniform, variance_scaling), drawn into any array at addressable
// positions.
//
// Element i of a parameter is a function of (seed, stream, i, law, dtype) and of nothing else, i being the C-order
// position in the parameter's own full shape: same bits for any order of calls, thread count, instruction set, strides
// of the array, and for a part of the parameter as for the whole.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fanin/export.hpp"
#include "fanin/float16.hpp"
#include "fanin/random.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

// ------------------------------------------------------------------------------------------------ laws

class Law;
struct Axes;
namespace detail {
struct Distribution;
Distribution distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes);
}  // namespace detail

// A parameter of a law, stated: a number, or a word where the parameter takes words (gain: an activation's name; mode;
// distribution; corrected and first: true or false).
struct Argument {
    std::string name;
    std::variant<double, std::string> value;
};

// A law and its parameters; a value that never changes.
//
//   zeros, ones, constant(value), identity(gain=1)
//   dirac(groups=1)                    the identity of a convolution (PyTorch's dirac_): with n_out / groups outputs a group,
//                                      output i of each group passes on input i, at the centre (k / 2) of the kernel: 1
//                                      there, 0 elsewhere
//   orthogonal(gain=1)                 gain times a Haar-distributed matrix; its rows are the axes.out, its columns all others
//   normal(mean=0, std=1), uniform(low, high)
//   truncated_normal(mean=0, std=1, lower=-2, upper=2, corrected=false)   N(mean, std^2) inside [mean + std lower,
//                                      mean + std upper]; corrected: std becomes the standard deviation of the draw
//   sparse(sparsity, std=0.01, gain=1) N(0, (gain std)^2), but ceil(sparsity * n_out) elements of each column are 0
//   variance_scaling(scale=1, gain=1, mode=fan_in, distribution=normal)   variance gain^2 scale / fan; or uniform, truncated
//   fan_in_uniform(gain=1)             U(-b, b), b = gain / sqrt(n_in)
//   xavier_*(gain=1, mode=fan_in)      variance gain^2 / n_in    (fan_out: n_out; fan_avg, fan_geo_avg: their means)
//   glorot_*(gain=1)                   variance gain^2 2 / (n_in + n_out)
//   he_*(gain=1, mode=fan_in)          variance gain^2 2 / n_in  (the 2 is the law's own; a gain multiplies it)
//   lecun_*(gain=1)                    variance gain^2 / n_in
//   siren_uniform(omega_0=30, first=false)  U(-b, b), b = sqrt(6 / n_in) / omega_0; first: b = 1 / n_in. Sitzmann, Martel,
//                                      Bergman, Lindell, Wetzstein, "Implicit neural representations with periodic activation
//                                      functions", NeurIPS 2020, section 3.2: layers sin(omega_0 (W x + b))
//
// where * is normal, N(0, variance); uniform, U(-b, b) with b = sqrt(3 variance); or truncated, a normal law cut at two of
// its standard deviations, itself of this variance: |w| <= 2.2737 sqrt(variance). The numbers are computed in double in the
// order  s = gain * sqrt(k / fan)  (k: 1, 2, scale, or three times that for a uniform law's bound), for truncated laws
// divided by the standard deviation of N(0, 1) cut at two sigmas, and rounded once to the dtype of the array (float32 for
// the 16-bit ones). A gain is a number, at least 0 (identity: any), or the name of an activation.
class Law {
 public:
    // std::invalid_argument for an unknown law or parameter (with what was probably meant), a value out of range or not
    // finite, a parameter stated twice, and a parameter left out that has no default.
    explicit Law(std::string_view name, std::vector<Argument> arguments = {});

    std::string_view name() const;
    // All parameters, in the order above, as stated or by default.
    const std::vector<Argument>& arguments() const { return arguments_; }
    // The same, the words of gains as numbers: equal laws have equal ones.
    std::vector<Argument> resolved() const;
    // The value of a parameter, a gain's word resolved; std::invalid_argument where the law has no such number.
    double number(std::string_view parameter) const;
    // The value of a parameter that takes words alone; std::invalid_argument where the law has no such word.
    const std::string& word(std::string_view parameter) const;
    // Whether the numbers of the law depend on the fans.
    bool needs_fans() const;
    // "he_normal(gain=2, mode=fan_out)": defaults are left out, words stand as stated. law_from_text reads it back.
    std::string text() const;

    // Same law, same values; gain=relu equals gain=1.4142135623730951.
    friend bool operator==(const Law& a, const Law& b);
    friend detail::Distribution detail::distribution(const Law&, std::span<const std::size_t>, const Axes&);

 private:
    std::size_t definition_;
    std::vector<Argument> arguments_;
};

// The law that a text states: "he_normal", "normal(std=0.01)", "xavier_uniform(gain=tanh)"; words may stand in quotes.
Law law_from_text(std::string_view text);

// Names of all laws.
const std::vector<std::string>& law_names();

// What is known of a law besides its numbers.
struct LawParameter {
    std::string name;
    bool required;  // it has no default
    bool flag;      // its words are true and false
};
struct LawTraits {
    std::string example;  // a text that draws, parameters without a default stated: "uniform(low=-1, high=3)"
    bool needs_fans;      // its numbers depend on the fans
    bool needs_shape;     // its moments depend on the shape, though not on fans: identity, dirac, sparse, orthogonal
    bool whole;           // a part costs more than its share of the array: orthogonal, sparse
    std::vector<LawParameter> parameters;
};
// std::invalid_argument, as `unknown_law` has it, for a name that is no law.
LawTraits law_traits(std::string_view name);

// What is said of a name that is no law: all laws, and the one that was probably meant (other libraries' names included).
std::string unknown_law(std::string_view name);

// ------------------------------------------------------------------------------------------------ fans

// Which axes of a parameter count its inputs and outputs, and which number independent parameters (a batch; heads, experts)
// that no fan counts. Negative numbers count from the end, empty lists are allowed. The other axes are the receptive field
// of a kernel. The default is the layout (n_out, n_in, *kernel).
struct Axes {
    std::vector<std::ptrdiff_t> in = {1};
    std::vector<std::ptrdiff_t> out = {0};
    std::vector<std::ptrdiff_t> batch = {};

    friend bool operator==(const Axes&, const Axes&) = default;
};

struct Fans {
    std::size_t in = 0;         // inputs of one output: the product over axes.in times the receptive field
    std::size_t out = 0;        // outputs of one input
    std::size_t receptive = 1;  // the product over the other axes
};

// The fans of a shape. std::invalid_argument for an axis out of range or stated twice, a shape of 2^63 elements or more,
// and a shape with fewer than two axes under the default axes, which says what to write.
Fans fans(std::span<const std::size_t> shape, const Axes& axes = {});

// What a law would draw into a shape. `fans` is empty where the shape has none under `axes` and the law needs none.
struct Description {
    std::optional<Fans> fans;
    double mean = 0, variance = 0, std = 0;     // of the law; identity: over the elements of the matrix
    double low = 0, high = 0;                   // no draw lies outside; infinite for the normal laws
    double bound = 0;                           // the larger of |low| and |high|
    std::optional<double> n_in_var, n_out_var;  // n_in Var(w), n_out Var(w): what a linear layer multiplies the variance by,
                                                // forward and backward
};
Description describe(const Law& law, std::span<const std::size_t> shape, const Axes& axes = {});

// ------------------------------------------------------------------------------------------------ drawing

// Where an array stands in its parameter: from `offset` on in a parameter of shape `shape`. Both empty: it is the whole.
struct Part {
    std::span<const std::size_t> shape;
    std::span<const std::size_t> offset;
};

// Draws `law` into `out` (float, double, Float16 or BFloat16: the last two equal the float draw rounded once), an array of
// any strides whose elements do not overlap, in parallel. identity and sparse take a matrix; a part of a sparse one costs
// min(k, n_out - k) more 64-bit draws for each column that it touches, k the zeros of a column.
// std::invalid_argument, before anything is written, for what `fans` refuses where the law needs fans, a fan of 0 that the
// law divides by, a part outside the shape, numbers that T cannot hold (an infinite std, draws beyond the largest number of
// T, no number between low and high), and overlapping elements.
template <class T>
void fill(ArrayView<T> out, const Law& law, Key key, const Part& part = {}, const Axes& axes = {});

// Throws what `fill` would throw, and writes nothing.
template <class T>
void check_fill(ArrayView<T> out, const Law& law, const Part& part = {}, const Axes& axes = {});

// The same for a whole matrix of weights, shape (n_out, n_in).
template <class T>
void fill(MatrixView<T> out, const Law& law, Key key) {
    const std::size_t shape[] = {out.rows, out.cols};
    const std::ptrdiff_t strides[] = {out.row_stride, out.col_stride};
    fill(ArrayView<T>{out.data, shape, strides}, law, key);
}

// The same for a whole parameter of shape `shape` in C order; `out` has as many elements.
template <class T>
void fill(std::span<T> out, std::span<const std::size_t> shape, const Law& law, Key key, const Axes& axes = {});

// The same for a parameter of one axis, which laws with fans refuse.
template <class T>
void fill(std::span<T> out, const Law& law, Key key) {
    const std::size_t shape[] = {out.size()};
    fill(out, std::span<const std::size_t>(shape), law, key);
}

}  // namespace fanin FANIN_PUBLIC
