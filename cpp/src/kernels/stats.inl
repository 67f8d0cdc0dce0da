// Kernels of `stats`.
// clang-format off
#include "stats_elements.inl"
#include "stats_moments.inl"
#include "stats_histogram.inl"
// clang-format on

namespace fanin::FANIN_ISA {
namespace {

template <class T>
constexpr StatsKernels<T> stats_kernels() {
    return {stats_block<T>, stats_pair<T>, linear_slots<T>, power_slots<T>, count_outside<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
