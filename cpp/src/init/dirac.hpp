// The ones of the dirac law.
#pragma once

#include <span>

#include "fanin/init.hpp"

namespace fanin::detail {

// Writes 1 to the elements of a dirac parameter of shape `shape` that lie in `out`, its part at `offset`: output j of each of
// the groups takes input j, both counted in C order over axes.out and axes.in, at index k / 2 of every other axis of length
// k; each index of axes.batch is a parameter of its own. `groups` divides the outputs. Costs the outputs times the batch.
template <class T>
void write_ones(ArrayView<T> out, std::span<const std::size_t> shape, const std::size_t* offset, const Axes& axes,
                std::size_t groups);

}  // namespace fanin::detail
