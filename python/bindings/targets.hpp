// Targets of a batch from a NumPy array: the labels or values that a loss takes, in C order.
#pragma once

#include <string>

#include "arrays.hpp"
#include "fanin/loss.hpp"

namespace fanin::python {

// `y` must have one target a row: shape (batch,) for labels and for one output, else (batch, outputs); one output of
// mean_squared_error takes both.
inline void require_target_shape(const py::array& y, Loss loss, std::size_t batch, std::size_t outputs) {
    const bool row = loss != Loss::mean_squared_error || outputs == 1;
    const bool matrix = loss == Loss::mean_squared_error;
    if (row && y.ndim() == 1 && static_cast<std::size_t>(y.shape(0)) == batch) return;
    if (matrix && y.ndim() == 2 && static_cast<std::size_t>(y.shape(0)) == batch &&
        static_cast<std::size_t>(y.shape(1)) == outputs)
        return;
    const std::string expected = row ? "(batch,) = (" + std::to_string(batch) + ",)"
                                     : "(batch, outputs) = (" + std::to_string(batch) + ", " + std::to_string(outputs) + ")";
    throw py::value_error("y must have shape " + expected + ", got " + shape_text(y));
}

// The targets in an array that already has the loss's dtype (int64 labels, otherwise T) and is C-contiguous.
template <class T>
Targets<T> targets_of(const py::array& y, Loss loss) {
    const auto n = static_cast<std::size_t>(y.size());
    if (loss == Loss::cross_entropy) return {{static_cast<const std::int64_t*>(y.data()), n}, {}};
    return {{}, {static_cast<const T*>(y.data()), n}};
}

}  // namespace fanin::python
