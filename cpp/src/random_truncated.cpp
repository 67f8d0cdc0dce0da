// The truncated normal draw of `random`: validation, the law's numbers, the call into the kernel table.
#include "random_truncated.hpp"

#include <cmath>
#include <limits>

#include "fanin/arithmetic.hpp"
#include "fanin/random.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "normal_law.hpp"
#include "random_tasks.hpp"

namespace fanin {
namespace {

// The kernels' functions on one number: the law's numbers have the same bits on every machine.
double core_exp(double x) {
    active<MathKernels<double>>().exp(1, &x, &x);
    return x;
}
double core_log1p(double x) {
    active<MathKernels<double>>().log1p(1, &x, &x);
    return x;
}

// mean + std z in T, rounded towards `inside`.
template <class T>
T bound(T mean, T std, double z, T inside) {
    if (std::isinf(z)) return std == 0 ? mean : z < 0 ? -std::numeric_limits<T>::max() : std::numeric_limits<T>::max();
    const double exact = std::fma(static_cast<double>(std), z, static_cast<double>(mean));
    const T rounded = static_cast<T>(exact);
    const bool outside = inside > rounded ? static_cast<double>(rounded) < exact : static_cast<double>(rounded) > exact;
    return outside ? std::nextafter(rounded, inside) : rounded;
}

}  // namespace

template <class T>
detail::TruncatedNumbers<T> detail::truncated_numbers(T mean, T std, double lower, double upper) {
    if (!std::isfinite(mean)) detail::refuse({"mean must be finite, got ", mean});
    if (!(std >= 0) || !std::isfinite(std)) detail::refuse({"std must be finite and at least 0, got ", std});
    if (!(lower < upper)) detail::refuse({"lower must be below upper, got ", lower, " and ", upper});
    constexpr double kFarthest = 1e8;  // sigmas: beyond, all of the law lies within the last place of its bound
    if (lower > kFarthest || upper < -kFarthest)
        detail::refuse({"lower and upper must leave a part of [-1e8, 1e8] sigmas, got ", lower, " and ", upper});
    const TruncatedLaw law = detail::truncated_law(lower, upper, sizeof(T) == sizeof(float), core_exp, core_log1p);
    const T infinity = std::numeric_limits<T>::infinity();
    const T lowest = bound(mean, std, lower, infinity), highest = bound(mean, std, upper, -infinity);
    if (lowest > highest)
        detail::refuse({"lower and upper must leave a number between mean + std lower and mean + std upper, got mean ", mean,
                        ", std ", std, ", lower ", lower, ", upper ", upper});
    return {law, lowest, highest};
}

template <class T>
void fill_truncated_normal(std::span<T> out, Key key, std::uint64_t first_index, T mean, T std, double lower, double upper) {
    const StandardArithmetic arithmetic(mean, std, lower, upper);
    const detail::TruncatedNumbers<T> numbers = detail::truncated_numbers(mean, std, lower, upper);
    const auto kernel = active<TruncatedKernels<T>>().fill_truncated;
    detail::in_tasks(out.size(), [&](std::size_t begin, std::size_t n) {
        kernel(key.seed, key.stream, first_index + begin, n, numbers.law, mean, std, numbers.lowest, numbers.highest,
               out.data() + begin);
    });
}

template detail::TruncatedNumbers<float> detail::truncated_numbers(float, float, double, double);
template detail::TruncatedNumbers<double> detail::truncated_numbers(double, double, double, double);
template void fill_truncated_normal(std::span<float>, Key, std::uint64_t, float, float, double, double);
template void fill_truncated_normal(std::span<double>, Key, std::uint64_t, double, double, double, double);

}  // namespace fanin
