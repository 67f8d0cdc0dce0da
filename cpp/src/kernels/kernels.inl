// Every kernel, compiled for the instruction set of the including wrapper.
#include "../constants.hpp"
#include "table.hpp"
#include "vec.hpp"
// Each uses only those above it.
// clang-format off
#include "math.inl"
#include "angle.inl"
#include "erf.inl"
#include "math_arrays.inl"
// The draws alone gain from -O3, whose unrolling lets their words stay in registers (half the time); and they mix many
// independent chains, which GCC leaves in source order unless told to schedule (10 % of the time).
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#pragma GCC push_options
#pragma GCC optimize("O3", "schedule-insns", "sched-pressure")
#endif
#include "random.inl"
#include "random_truncated.inl"
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#pragma GCC pop_options
#endif
#include "rounding.inl"
#include "activation_smooth.inl"
#include "activation.inl"
#include "widening.inl"
#include "stats.inl"
#include "dense.inl"
#include "softmax.inl"
#include "loss.inl"
#include "optimizer.inl"
// clang-format on

namespace fanin::FANIN_ISA {
namespace {

// The entries of one type, in the order of Kernels.
template <class T>
constexpr Kernels<T> all_kernels() {
    return {{fill_normal<T>, fill_uniform<T>, fill_truncated<T>},
            math_kernels<T>(),
            activation_kernels<T>(),
            stats_kernels<T>(),
            dense_kernels<T>(),
            softmax_kernels<T>(),
            loss_kernels<T>(),
            optimizer_kernels<T>()};
}

}  // namespace

extern const KernelTable table;  // constexpr alone would keep it to this file
constexpr KernelTable table{philox_words,
                            {to_float16, to_bfloat16},
                            widening_kernels(),
                            {stats_narrow_block<Float16>, stats_narrow_pair<Float16>, narrow_power_slots<Float16>},
                            {stats_narrow_block<BFloat16>, stats_narrow_pair<BFloat16>, narrow_power_slots<BFloat16>},
                            all_kernels<float>(),
                            all_kernels<double>()};

}  // namespace fanin::FANIN_ISA
