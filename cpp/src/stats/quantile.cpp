// Quantiles from histograms, with the bounds that they prove.
#include <algorithm>
#include <cmath>

#include "fanin/arithmetic.hpp"
#include "fanin/stats.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// Where the order statistic of rank k (from 0) lies, and the place that even spacing inside its bin gives it.
Quantile order_statistic(const Summary& s, const std::vector<double>& edges, std::uint64_t k) {
    if (k == 0) return {s.min, s.min, s.min};
    if (k + 1 == s.finite()) return {s.max, s.max, s.max};
    const Histogram& h = s.histogram;
    // The bin's edges, drawn in to min and max; rank k spread evenly among its elements.
    const auto in_bin = [&](double low, double high, std::uint64_t before, std::uint64_t count) {
        low = std::clamp(low, s.min, s.max);
        high = std::clamp(high, s.min, s.max);
        const double place = (static_cast<double>(k - before) + 0.5) / static_cast<double>(count);
        const double value = low * (1 - place) + high * place;  // high - low may overflow
        return Quantile{std::clamp(value, low, high), low, high};
    };
    std::uint64_t before = 0;
    if (k < h.below) return in_bin(s.min, h.low, 0, h.below);
    before += h.below;
    for (std::size_t i = 0; i < h.counts.size(); before += h.counts[i++])
        if (k - before < h.counts[i]) return in_bin(edges[i], edges[i + 1], before, h.counts[i]);
    return in_bin(h.high, s.max, before, h.above);
}

}  // namespace

Quantile quantile(const Summary& s, double q) {
    const StandardArithmetic arithmetic(q);
    if (!(q >= 0 && q <= 1)) detail::refuse({"q must be in [0, 1], got ", q});
    if (s.histogram.kind == HistogramKind::none)
        detail::refuse({"quantiles must have a histogram to be read from, got a summary with bins=None"});
    if (s.finite() == 0) return {Summary::kNaN, Summary::kNaN, Summary::kNaN};
    // Between two order statistics, as numpy.quantile takes it by default; the bounds are the outer two.
    const double place = q * static_cast<double>(s.finite() - 1);
    const auto k = static_cast<std::uint64_t>(place);
    const double between = place - std::floor(place);
    const std::vector<double> edges = s.histogram.edges();
    const Quantile low = order_statistic(s, edges, k);
    if (between == 0) return low;
    const Quantile high = order_statistic(s, edges, k + 1);
    return arithmetic.done(Quantile{low.value * (1 - between) + high.value * between, low.low, high.high});
}

}  // namespace fanin
