// Kernels of softmax and its logarithm over contiguous rows: the order of softmax() in activation.hpp.
#pragma once

#include <cstddef>

namespace fanin {

// rows <= kLossBlock (loss.hpp), classes >= 1.
template <class T>
struct SoftmaxKernels {
    // out may be z.
    void (*softmax)(std::size_t rows, std::size_t classes, const T* z, T* out);
    // `scratch` has the size of z and is neither z nor out; out may be z.
    void (*log_softmax)(std::size_t rows, std::size_t classes, const T* z, T* scratch, T* out);
};

}  // namespace fanin
