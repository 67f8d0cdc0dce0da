// Kernels of `loss`: cost of each row and gradient of the mean cost, from logits z (row-major, contiguous).
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// cost[i]: cost of row i, not yet divided; dz[i, j] = scale * d cost[i] / d z[i, j], skipped where dz is null.
template <class T>
struct LossKernels {
    void (*cross_entropy)(std::size_t batch, std::size_t classes, const T* z, const std::int64_t* y, T scale, T* cost, T* dz);
    void (*binary_cross_entropy)(std::size_t n, const T* z, const T* y, T scale, T* cost, T* dz);
    void (*squared_error)(std::size_t n, const T* z, const T* y, T scale, T* cost, T* dz);  // cost (z - y)^2
    void (*hinge)(std::size_t n, const T* z, const T* y, T scale, T* cost, T* dz);
};

}  // namespace fanin
