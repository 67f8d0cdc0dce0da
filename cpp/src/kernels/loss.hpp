// Kernels of `loss`: the costs of one block of rows, summed, and the gradient of the mean cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// Rows (cross_entropy) or elements (the others) of a block; the sums of classes are cut in blocks of as many.
inline constexpr std::size_t kLossBlock = 512;

// Each returns the sum of the block's costs in the order of loss.hpp and writes dz = scale * d cost / dz. `z`, `y` and
// `dz` are contiguous, row-major; dz is not z. With `w` (a row's weight, or an element's; null for none) costs and dz are
// multiplied by it last, and are 0 where it is 0.
template <class T>
struct LossKernels {
    // rows <= kLossBlock, classes >= 2, labels in range.
    double (*cross_entropy)(std::size_t rows, std::size_t classes, const T* z, const std::int64_t* y, const T* w, T scale,
                            T* dz);
    // n <= kLossBlock elements.
    double (*binary_cross_entropy)(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz);
    // The cost (z - y)^2; its factor 2 is part of `scale`.
    double (*squared_error)(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz);
    double (*hinge)(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz);
};

}  // namespace fanin
