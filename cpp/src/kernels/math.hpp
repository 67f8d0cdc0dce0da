// Kernels of the elementary functions: exact orders in math.inl, plain loops in reference/math.hpp.
#pragma once

#include <cstddef>

namespace fanin {

template <class T>
struct MathKernels {
    // y[i] = f(x[i]); x and y may be the same array.
    void (*exp)(std::size_t n, const T* x, T* y);
    void (*log)(std::size_t n, const T* x, T* y);
    void (*log1p)(std::size_t n, const T* x, T* y);
    void (*tanh)(std::size_t n, const T* x, T* y);
    void (*sigmoid)(std::size_t n, const T* x, T* y);
    void (*erf)(std::size_t n, const T* x, T* y);
    // sin and cos of 2 pi x, x in [0, 1) turns.
    void (*sin_turns)(std::size_t n, const T* x, T* y);
    void (*cos_turns)(std::size_t n, const T* x, T* y);
    // fma(a, b, c), for the test that compares instruction sets with hardware.
    void (*fma)(std::size_t n, const T* a, const T* b, const T* c, T* y);
};

}  // namespace fanin
