// The kernel table: what every instruction set provides, as plain function pointers.
//
// A topic declares its kernels in kernels/<topic>.hpp and writes them once, over the vector type of vec.hpp, in
// kernels/<topic>.inl; a wrapper for each instruction set compiles all of them into a table of its own, `table` in the
// namespace of its name (CMakeLists.txt lists the instruction sets, isa.cpp collects the tables).
#pragma once

#include "activation.hpp"
#include "dense.hpp"
#include "loss.hpp"
#include "math.hpp"
#include "optimizer.hpp"
#include "random.hpp"
#include "rounding.hpp"
#include "softmax.hpp"
#include "stats.hpp"
#include "widening.hpp"

namespace fanin {

// The kernels of one element type, by topic; a topic's header states the contract of each.
template <class T>
struct Kernels {
    RandomKernels<T> random;
    MathKernels<T> math;
    ActivationKernels<T> activation;
    StatsKernels<T> stats;
    DenseKernels<T> dense;
    SoftmaxKernels<T> softmax;
    LossKernels<T> loss;
    OptimizerKernels<T> optimizer;
};

// What one instruction set provides: constant data, chosen at run time by isa.cpp.
struct KernelTable {
    PhiloxWords philox_words;
    RoundingKernels rounding;
    WideningKernels widening;
    NarrowStatsKernels<Float16> stats_float16;
    NarrowStatsKernels<BFloat16> stats_bfloat16;
    Kernels<float> f32;
    Kernels<double> f64;
};

// The table in use (isa.cpp).
const KernelTable& kernel_table();

template <class T>
const Kernels<T>& kernels();
template <>
inline const Kernels<float>& kernels<float>() {
    return kernel_table().f32;
}
template <>
inline const Kernels<double>& kernels<double>() {
    return kernel_table().f64;
}

}  // namespace fanin
