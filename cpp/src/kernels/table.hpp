// The kernel table: what every instruction set provides, as plain function pointers.
//
// A topic declares its kernels in kernels/<topic>.hpp and writes them once, over the vector type of vec.hpp, in
// kernels/<topic>.inl; a wrapper for each instruction set compiles all of them into tables of its own, in the namespace of its
// name (CMakeLists.txt lists the instruction sets, isa.cpp says which CPUs have one).
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

// Every table that an instruction set has: X(type, name), by parts. Each part is a file of its own for each instruction set
// (CMakeLists.txt), and the active tables of a part are another, so that a program links the kernels that it uses and no
// others.
// clang-format off
#define FANIN_TABLES_random(X) \
    X(WordKernels, words) X(RoundingKernels, rounding) X(RandomKernels<float>, random_f32) X(RandomKernels<double>, random_f64) \
    X(NarrowRandomKernels<Float16>, random_f16) X(NarrowRandomKernels<BFloat16>, random_bf16)
#define FANIN_TABLES_random_truncated(X) X(TruncatedKernels<float>, truncated_f32) X(TruncatedKernels<double>, truncated_f64)
#define FANIN_TABLES_activation(X) \
    X(MathKernels<float>, math_f32) X(MathKernels<double>, math_f64) \
    X(ActivationKernels<float>, activation_f32) X(ActivationKernels<double>, activation_f64)
#define FANIN_TABLES_stats(X) \
    X(WideningKernels, widening) \
    X(NarrowStatsKernels<Float16>, stats_f16) X(NarrowStatsKernels<BFloat16>, stats_bf16) \
    X(StatsKernels<float>, stats_f32) X(StatsKernels<double>, stats_f64)
#define FANIN_TABLES_dense_f32(X) X(DenseKernels<float>, dense_f32)
#define FANIN_TABLES_dense_f64(X) X(DenseKernels<double>, dense_f64)
#define FANIN_TABLES_training(X) \
    X(SoftmaxKernels<float>, softmax_f32) X(SoftmaxKernels<double>, softmax_f64) \
    X(LossKernels<float>, loss_f32) X(LossKernels<double>, loss_f64) \
    X(OptimizerKernels<float>, optimizer_f32) X(OptimizerKernels<double>, optimizer_f64)
#define FANIN_EACH_TABLE(X) \
    FANIN_TABLES_random(X) FANIN_TABLES_random_truncated(X) FANIN_TABLES_activation(X) FANIN_TABLES_stats(X) \
    FANIN_TABLES_dense_f32(X) FANIN_TABLES_dense_f64(X) FANIN_TABLES_training(X)
// clang-format on

// What isa.cpp knows of an instruction set: its place in the lists of tables (tables.cpp.in).
struct KernelTable {
    std::size_t index;
};

// The tables of one instruction set, in the namespace of its own name: for the files that make them and that collect them.
#define FANIN_DECLARE_TABLE(type, name) extern const type name;
#define FANIN_DECLARE_ISA(isa)            \
    namespace isa {                       \
    FANIN_EACH_TABLE(FANIN_DECLARE_TABLE) \
    }

// The instruction set in use (isa.cpp).
const KernelTable& kernel_table();

// A table of it: active<DenseKernels<float>>().
template <class Table>
const Table& active();

// All tables of a type of numbers, for tests that go through them.
template <class T>
struct Kernels {
    const RandomKernels<T>& random = active<RandomKernels<T>>();
    const MathKernels<T>& math = active<MathKernels<T>>();
    const ActivationKernels<T>& activation = active<ActivationKernels<T>>();
    const StatsKernels<T>& stats = active<StatsKernels<T>>();
    const DenseKernels<T>& dense = active<DenseKernels<T>>();
    const SoftmaxKernels<T>& softmax = active<SoftmaxKernels<T>>();
    const LossKernels<T>& loss = active<LossKernels<T>>();
    const OptimizerKernels<T>& optimizer = active<OptimizerKernels<T>>();
};
template <class T>
Kernels<T> kernels() {
    return {};
}

}  // namespace fanin
