#include "fanin/float16.hpp"

#include "fanin/arithmetic.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

namespace fanin {
namespace {

template <class T>
void round_span(std::span<const float> x, std::span<T> out, RoundingKernel kernel) {
    const StandardArithmetic arithmetic;
    if (x.size() != out.size()) detail::refuse({"out must have as many elements as x, ", x.size(), ", got ", out.size()});
    kernel(x.size(), x.data(), reinterpret_cast<std::uint16_t*>(out.data()));
}

}  // namespace

void round_to(std::span<const float> x, std::span<Float16> out) { round_span(x, out, active<RoundingKernels>().to_float16); }
void round_to(std::span<const float> x, std::span<BFloat16> out) { round_span(x, out, active<RoundingKernels>().to_bfloat16); }

}  // namespace fanin
