// Losses on logits: the mean cost of a batch and its gradient, finite wherever the true value is.
//
// The costs of single rows are doubles, whatever T. Sums, the softmax's too, have one order: r = +0; for each block of 512
// terms, eight lanes from +0, lane l adding the block's terms l, l + 8, ... in turn; s = ((l0 + l4) + (l2 + l6)) +
// ((l1 + l5) + (l3 + l7)); r = r + s. Terms are rows, for mean_squared_error elements in C order. The same bits on every
// instruction set, at any thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// Costs of a row with logits z:
//   cross_entropy         -log softmax(z)[y], y a label in 0 .. outputs - 1; at least two outputs
//   binary_cross_entropy  -log(y s(z) + (1 - y) (1 - s(z))), s the sigmoid, y 0 or 1; one output
//   mean_squared_error    the mean over the outputs of (z - y)^2, without a half
//   hinge                 max(0, 1 - y z), y -1 or +1; one output; its derivative at the kink is 0
enum class Loss { cross_entropy, binary_cross_entropy, mean_squared_error, hinge };

// Names, in the order of the enumeration.
const std::vector<std::string>& loss_names();
std::string_view loss_name(Loss loss);
// The loss of that name; std::invalid_argument listing all of them otherwise.
Loss loss_from_name(std::string_view name);

// What a batch should have given: labels for cross_entropy, one a row; values for the others, (batch, outputs) in C order.
// With weights, one a row, finite and at least 0, every mean over rows is the weighted one, sum w c / sum w: the weights of a
// batch add up in double in the order of its rows, and a row's cost and gradient are multiplied by its weight last (a row of
// weight 0 counts for nothing, whatever its cost). A batch of weights 0 alone has cost and gradient 0.
template <class T>
struct Targets {
    std::span<const std::int64_t> labels;
    std::span<const T> values;
    std::span<const T> weights = {};

    // Rows begin .. begin + n - 1.
    Targets rows(std::size_t begin, std::size_t n, std::size_t outputs) const {
        const std::span<const T> w = weights.empty() ? weights : weights.subspan(begin, n);
        return labels.empty() ? Targets{{}, values.subspan(begin * outputs, n * outputs), w}
                              : Targets{labels.subspan(begin, n), {}, w};
    }
};

// std::invalid_argument unless `loss` takes networks of so many outputs.
void check_outputs(Loss loss, std::size_t outputs);

// std::invalid_argument unless `shape` is that of targets for such a batch: (batch,) for labels and for one output, otherwise
// (batch, outputs); one output of mean_squared_error takes both.
void check_target_shape(Loss loss, std::size_t batch, std::size_t outputs, std::span<const std::size_t> shape);

// std::invalid_argument, naming the row, unless `y` has `batch` rows of allowed targets and weights; NaN never is.
template <class T>
void check_targets(Loss loss, std::size_t batch, std::size_t outputs, Targets<T> y);

// Returns the mean cost of the logits z, (batch, outputs) in C order, and writes its gradient to dz, of the same shape.
// batch >= 1; dz overlaps neither z nor the targets, which is checked. What check_outputs and check_targets refuse is refused
// first. NaN and infinite logits
// give the cost (and, for NaN, the gradient) that IEEE arithmetic gives. In parallel where that pays.
template <class T>
double evaluate_loss(Loss loss, std::size_t batch, std::size_t outputs, std::span<const T> z, Targets<T> y, std::span<T> dz);

namespace detail {
// A batch of n rows in pieces: adds the piece's costs to `total`, and writes dz for the mean over all n rows. Every
// piece but the last has a multiple of 512 rows; then total / mean_terms is what evaluate_loss returns for the whole, bit
// for bit. Nothing is checked. `weight` is that of the whole batch: its rows, or the sum of their weights.
template <class T>
void add_loss(Loss loss, std::size_t rows, std::size_t outputs, const T* z, Targets<T> y, double weight, T* dz, double& total);
double mean_terms(Loss loss, double weight, std::size_t outputs);
// total / mean_terms; 0 where nothing has a weight.
double mean_loss(Loss loss, double total, double weight, std::size_t outputs);
}  // namespace detail

}  // namespace fanin FANIN_PUBLIC
