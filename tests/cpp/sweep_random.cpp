// All 2^32 words through every float32 draw that one word decides:
//
//     sweep_random
//
// The uniform number, the radius of Box and Muller, and truncated normals. The words go straight into the code of the kernels,
// compiled here once more, for AVX2 on x86 (any instruction set has the same bits: test_random, test_random_truncated).
// Prints the range reached, how many draws are NaN, infinite or out of bounds, and the largest error of every 257th word
// against float64, in sigmas. Exits with 1 where a bound does not hold.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <mutex>

#include "fanin/threads.hpp"

#define FANIN_ISA sweep
#if defined(__AVX2__) && defined(__FMA__)
#define FANIN_VECTOR_BYTES 32
#else
#define FANIN_VECTOR_BYTES 16
#endif
// clang-format off
#include "constants.hpp"
#include "kernels/table.hpp"
#include "kernels/vec.hpp"
#include "kernels/vec_first.inl"
#include "kernels/polynomial.inl"
#include "kernels/math.inl"
#include "kernels/rounding.inl"
#include "kernels/random.inl"
#include "kernels/random_truncated.inl"
// clang-format on
#include "random_truncated.hpp"

namespace {

using namespace fanin::sweep;
constexpr std::uint64_t kWords = std::uint64_t{1} << 32, kTask = std::uint64_t{1} << 22, kErrorStep = 257;
bool good = true;

struct Range {
    float low = std::numeric_limits<float>::infinity(), high = -low;
    double error = 0;
    std::uint64_t bad = 0;
};

// draw(words) for all words, exact(u) with u = (word + 1/2) 2^-32 in float64; x is good where lowest <= x <= highest.
template <class Draw, class Exact>
void sweep(const char* name, float lowest, float highest, double bound, Draw&& draw, Exact&& exact) {
    Range all;
    std::mutex mutex;
    fanin::parallel_for(kWords / kTask, [&](std::size_t task) {
        Range r;
        VecU32 words;
        for (std::size_t i = 0; i < kLanes<float>; ++i) words[i] = static_cast<std::uint32_t>(task * kTask + i);
        VecF low = splat(r.low), high = splat(r.high);
        VecI32 bad{};
        for (std::uint64_t done = 0; done < kTask; done += kLanes<float>, words += kLanes<float>) {
            const VecF x = draw(words);
            low = x < low ? x : low;
            high = x > high ? x : high;
            bad += ~((x >= splat(lowest)) & (x <= splat(highest)));  // -1 for each draw that is not inside, a NaN included
            if (words[0] % kErrorStep < kLanes<float>)
                r.error = std::max(r.error, std::abs(static_cast<double>(x[0]) - exact((words[0] + 0.5) * 0x1p-32)));
        }
        for (std::size_t i = 0; i < kLanes<float>; ++i) {
            r.low = std::min(r.low, low[i]);
            r.high = std::max(r.high, high[i]);
            r.bad += static_cast<std::uint64_t>(-bad[i]);
        }
        const std::lock_guard lock(mutex);
        all.low = std::min(all.low, r.low);
        all.high = std::max(all.high, r.high);
        all.error = std::max(all.error, r.error);
        all.bad += r.bad;
    });
    const bool holds = all.bad == 0 && all.error <= bound;
    good = good && holds;
    std::printf("%-28s %.9g to %.9g, %llu outside, error %.2e%s\n", name, static_cast<double>(all.low),
                static_cast<double>(all.high), static_cast<unsigned long long>(all.bad), all.error, holds ? "" : "   FAILS");
    std::fflush(stdout);
}

void sweep_truncated(double lower, double upper) {
    const auto numbers = fanin::detail::truncated_numbers<float>(0.0f, 1.0f, lower, upper);
    const fanin::TruncatedLaw& law = numbers.law;
    char name[64];
    std::snprintf(name, sizeof name, "truncated %g to %g", lower, upper);
    // z back from u, to float64's accuracy, by the kernel's own wide inversion (test_random_truncated: within 1e-12).
    auto exact = [&](double u) {
        const UnitPair<VecD> p{splat(u), splat(1 - u)};
        return general_inverse(law, p)[0];
    };
    if (law.path == fanin::TruncatedPath::central) {
        with_central(law, 0.0f, 1.0f, numbers.lowest, numbers.highest, [&](const auto& central) {
            auto draw = [&](VecU32 words) {
                const VecU32 one[] = {words};
                VecF z[1];
                central.elements(one, z);
                return z[0];
            };
            sweep(name, numbers.lowest, numbers.highest, 1e-6, draw, exact);
        });
    } else {
        const TruncatedWide<float, false> wide{law, 0.0f, 1.0f, numbers.lowest, numbers.highest};
        // Against the same in float64: one rounding.
        sweep(name, numbers.lowest, numbers.highest, 1e-6, [&](VecU32 words) { return wide.elements(words); }, exact);
    }
}

}  // namespace

int main() {
    const Uniform<float> uniform{0.0f, 1.0f, std::nextafter(-1.0f, 1.0f), std::nextafter(1.0f, -1.0f)};
    sweep(
        "uniform -1 to 1", uniform.lowest, uniform.highest, 0x1p-23,
        [&](VecU32 words) { return uniform.scale<float>(uniform.base(words)); }, [](double u) { return 2 * u - 1; });
    const Uniform<float> narrow{1.5f, 0.5f, std::nextafter(1.0f, 2.0f), std::nextafter(2.0f, 1.0f)};
    sweep(
        "uniform 1 to 2", narrow.lowest, narrow.highest, 0x1p-22,
        [&](VecU32 words) { return narrow.scale<float>(narrow.base(words)); }, [](double u) { return 1 + u; });
    sweep(
        "radius of the normal", 0.0f, 6.77f, 1e-6, [](VecU32 words) { return radius(words); },
        [](double u) { return std::sqrt(u > 0.5 ? -2 * std::log1p(-(1 - u)) : -2 * std::log(u)); });
    const double infinity = std::numeric_limits<double>::infinity();
    for (const auto& [lower, upper] :
         {std::pair{-2.0, 2.0}, {-2.5, 2.5}, {-1.0, 0.5}, {1.0, 2.0}, {-3.0, 3.0}, {0.0, infinity}})
        sweep_truncated(lower, upper);
    return good ? 0 : 1;
}
