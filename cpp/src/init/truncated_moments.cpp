// Moments of the truncated normal law by quadrature: closed forms cancel where the interval is narrow or far out, sums of
// positive terms do not.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "distribution.hpp"
#include "kernels/table.hpp"

namespace fanin {
namespace {

constexpr int kPanels = 64, kNodes = 8;
// Gauss and Legendre's rule of 8 nodes on [-1, 1], the positive half.
constexpr double kNode[] = {0.1834346424956498049, 0.5255324099163289858, 0.7966664774136267396, 0.9602898564975362317};
constexpr double kWeight[] = {0.3626837833783619830, 0.3137066458778872873, 0.2223810344533744705, 0.1012285362903762591};

// A sum with its rounding errors carried along (Neumaier 1974).
struct Sum {
    double value = 0, rest = 0;
    void add(double x) {
        const double t = value + x;
        rest += std::abs(value) >= std::abs(x) ? (value - t) + x : (x - t) + value;
        value = t;
    }
    double total() const { return value + rest; }
};

}  // namespace

detail::TruncatedMoments detail::truncated_moments(double lower, double upper) {
    if (std::isinf(lower) && std::isinf(upper)) return {0, 1};
    // t counts from c, the place of the largest density in the interval: exp(-t (c + t / 2)) relative to it. Beyond
    // t = +-reach the density is below e^-45 of that.
    const double c = lower > 0 ? lower : upper < 0 ? upper : 0, away = std::abs(c);
    const double reach =
        away > 1 ? 90 / away / (1 + std::sqrt(1 + 90 / away / away)) : 90 / (away + std::sqrt(away * away + 90));
    const double first = std::max(lower - c, -reach), width = (std::min(upper - c, reach) - first) / kPanels;
    double t[kPanels * kNodes], density[kPanels * kNodes];
    for (int i = 0; i < kPanels * kNodes; ++i) {
        const int node = i % kNodes - kNodes / 2;  // -4 .. 3
        const double x = node < 0 ? -kNode[-node - 1] : kNode[node];
        const int panel = i / kNodes;
        t[i] = first + width * (panel + (1 + x) / 2);
        density[i] = -t[i] * (c + t[i] / 2);
    }
    active<MathKernels<double>>().exp(std::size(density), density, density);
    const auto weighted = [&](auto&& value) {
        Sum sum;
        for (int i = 0; i < kPanels * kNodes; ++i) {
            const int node = i % kNodes - kNodes / 2;
            sum.add(kWeight[node < 0 ? -node - 1 : node] * density[i] * value(t[i]));
        }
        return sum.total();
    };
    const double mass = weighted([](double) { return 1.0; });
    const double mean = weighted([](double x) { return x; }) / mass;
    const double variance = weighted([mean](double x) { return (x - mean) * (x - mean); }) / mass;
    return {lower == -upper ? 0 : c + mean, variance};
}

}  // namespace fanin
