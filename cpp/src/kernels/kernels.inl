// The kernels of one part (table.hpp), compiled for the instruction set of the including wrapper.
#include "../constants.hpp"
#include "table.hpp"
#include "vec.hpp"
// Each uses only those above it.
// clang-format off
#include "vec_first.inl"
#include "polynomial.inl"
#include "math.inl"
#if defined(FANIN_PART_random) || defined(FANIN_PART_random_truncated)
#include "rounding.inl"
#include "random.inl"
#if defined(FANIN_PART_random_truncated)
#include "random_truncated.inl"
#endif
#endif
#if defined(FANIN_PART_stats)
#include "rounding.inl"
#endif
#if defined(FANIN_PART_activation) || defined(FANIN_PART_training)
#include "map.inl"
#endif
#if defined(FANIN_PART_activation)
#include "angle.inl"
#include "erf.inl"
#include "math_arrays.inl"
#include "activation_smooth.inl"
#include "activation.inl"
#endif
#if defined(FANIN_PART_stats)
#include "widening.inl"
#include "stats.inl"
#endif
#if defined(FANIN_PART_dense_f32) || defined(FANIN_PART_dense_f64)
#include "dense.inl"
#endif
#if defined(FANIN_PART_training)
#include "softmax.inl"
#include "loss.inl"
#include "optimizer.inl"
#endif
// clang-format on

namespace fanin {
FANIN_DECLARE_ISA(FANIN_ISA)
}

namespace fanin::FANIN_ISA {

#if defined(FANIN_PART_random)
constexpr WordKernels words{philox_words};
constexpr RoundingKernels rounding{to_float16, to_bfloat16};
constexpr RandomKernels<float> random_f32{fill_normal<float>, fill_uniform<float>};
constexpr RandomKernels<double> random_f64{fill_normal<double>, fill_uniform<double>};
constexpr NarrowRandomKernels<Float16> random_f16{fill_narrow_normal<Float16>, fill_narrow_uniform<Float16>};
constexpr NarrowRandomKernels<BFloat16> random_bf16{fill_narrow_normal<BFloat16>, fill_narrow_uniform<BFloat16>};
#elif defined(FANIN_PART_random_truncated)
constexpr TruncatedKernels<float> truncated_f32{fill_truncated<float>};
constexpr TruncatedKernels<double> truncated_f64{fill_truncated<double>};
#elif defined(FANIN_PART_activation)
constexpr MathKernels<float> math_f32 = math_kernels<float>();
constexpr MathKernels<double> math_f64 = math_kernels<double>();
constexpr ActivationKernels<float> activation_f32 = activation_kernels<float>();
constexpr ActivationKernels<double> activation_f64 = activation_kernels<double>();
#elif defined(FANIN_PART_stats)
constexpr WideningKernels widening = widening_kernels();
constexpr NarrowStatsKernels<Float16> stats_f16{stats_narrow_block<Float16>, stats_narrow_pair<Float16>,
                                                narrow_power_slots<Float16>};
constexpr NarrowStatsKernels<BFloat16> stats_bf16{stats_narrow_block<BFloat16>, stats_narrow_pair<BFloat16>,
                                                  narrow_power_slots<BFloat16>};
constexpr StatsKernels<float> stats_f32 = stats_kernels<float>();
constexpr StatsKernels<double> stats_f64 = stats_kernels<double>();
#elif defined(FANIN_PART_dense_f32)
constexpr DenseKernels<float> dense_f32 = dense_kernels<float>();
#elif defined(FANIN_PART_dense_f64)
constexpr DenseKernels<double> dense_f64 = dense_kernels<double>();
#elif defined(FANIN_PART_training)
constexpr SoftmaxKernels<float> softmax_f32 = softmax_kernels<float>();
constexpr SoftmaxKernels<double> softmax_f64 = softmax_kernels<double>();
constexpr LossKernels<float> loss_f32 = loss_kernels<float>();
constexpr LossKernels<double> loss_f64 = loss_kernels<double>();
constexpr OptimizerKernels<float> optimizer_f32 = optimizer_kernels<float>();
constexpr OptimizerKernels<double> optimizer_f64 = optimizer_kernels<double>();
#else
#error "kernels.inl is compiled for a part of table.hpp"
#endif

}  // namespace fanin::FANIN_ISA
