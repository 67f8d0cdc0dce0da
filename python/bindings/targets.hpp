// Targets of a batch from a NumPy array: the labels or values that a loss takes, in C order.
#pragma once

#include <vector>

#include "arrays.hpp"
#include "fanin/loss.hpp"

namespace fanin::python {

inline void require_target_shape(const py::array& y, Loss loss, std::size_t batch, std::size_t outputs) {
    const std::vector<std::size_t> shape(y.shape(), y.shape() + y.ndim());
    check_target_shape(loss, batch, outputs, shape);
}

// The targets in an array that already has the loss's dtype (int64 labels, otherwise T) and is C-contiguous.
template <class T>
Targets<T> targets_of(const py::array& y, Loss loss) {
    const auto n = static_cast<std::size_t>(y.size());
    if (loss == Loss::cross_entropy) return {{static_cast<const std::int64_t*>(y.data()), n}, {}};
    return {{}, {static_cast<const T*>(y.data()), n}};
}

}  // namespace fanin::python
