// The kernel table: what every instruction set provides, as plain function pointers.
//
// A topic declares its kernels in kernels/<topic>.hpp and writes them once, over the vector type of vec.hpp, in
// kernels/<topic>.inl; each of generic.cpp, x86_64_v3.cpp and x86_64_v4.cpp compiles all of them into a table of its own.
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

struct KernelTable {
    PhiloxWords philox_words;
    RoundingKernels rounding;
    WideningKernels widening;
    NarrowStatsKernels<Float16> stats_float16;
    NarrowStatsKernels<BFloat16> stats_bfloat16;
    Kernels<float> f32;
    Kernels<double> f64;
};

// One table an instruction set, each in the namespace of its own name.
namespace generic {
extern const KernelTable table;
}
namespace x86_64_v3 {
extern const KernelTable table;
}
namespace x86_64_v4 {
extern const KernelTable table;
}

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
