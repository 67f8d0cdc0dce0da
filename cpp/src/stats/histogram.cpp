// Linear histograms without a search: a multiplication guesses the bin, and the plan proves beforehand that the guess is right
// or has the kernel correct it.
#include "stats/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "fanin/arithmetic.hpp"
#include "kernels/table.hpp"

namespace fanin {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// The slot that the kernel guesses for x: the same operations, one element at a time.
std::int64_t guess(double x, const LinearSlots& s) {
    const double distance = x - s.centre;
    const double t = std::clamp(distance * (distance < 0 ? s.scale_below : s.scale_above), s.lowest, s.highest);
    return static_cast<std::int64_t>(std::floor(t)) + s.centre_slot - (x == s.last ? 1 : 0);
}

// The guess never decreases from one element to the next larger one (nor do its difference, product and floor), the last
// edge apart. So it is right for every element if it is right on both sides of every bound and of the last edge.
template <class T>
bool right_everywhere(const LinearSlots& s) {
    constexpr T kMost = std::numeric_limits<T>::infinity();
    auto gives = [&](T x, std::size_t slot) {
        return !std::isfinite(x) || guess(static_cast<double>(x), s) == static_cast<std::int64_t>(slot);
    };
    auto least_from = [](double bound) {  // the least T that is not below the bound
        const T x = static_cast<T>(bound);
        return static_cast<double>(x) < bound ? std::nextafter(x, kMost) : x;
    };
    for (std::size_t i = 0; i <= s.bins; ++i) {
        const T at = least_from(s.bounds[i]);
        if (!gives(at, i + 1) || !gives(std::nextafter(at, -kMost), i)) return false;
    }
    return gives(std::nextafter(least_from(s.last), -kMost), s.bins);
}

// The multiplication that guesses bins of elements of T between these bounds, the last bound nudged up so that the last edge is
// inside; `exact` where it is proved right.
template <class T>
LinearSlots plan_linear(const SummaryOptions& o, const std::vector<double>& bounds) {
    const auto bins = static_cast<double>(o.bins);
    // Around the edge nearest to 0 elements are far denser than doubles near the other edges; distances from it lose
    // nothing there.
    std::size_t nearest = 0;
    for (std::size_t i = 1; i <= o.bins; ++i) {
        const double edge = i == o.bins ? o.high : bounds[i];
        if (std::abs(edge) < std::abs(nearest == o.bins ? o.high : bounds[nearest])) nearest = i;
    }
    const auto k = static_cast<double>(nearest);
    LinearSlots s{};
    s.bins = o.bins;
    s.bounds = bounds.data();
    s.centre = nearest == o.bins ? o.high : bounds[nearest];
    s.lowest = -k - 0.5;
    s.highest = bins - k + 0.5;
    s.centre_slot = static_cast<std::int64_t>(nearest) + 1;
    s.last = o.high;
    const double scale = std::min(bins / (o.high - o.low), std::numeric_limits<double>::max());
    // An element that equals an edge may be guessed just below it. A nudge away from the centre puts that right where
    // elements are sparser than the nudge is wide: always in float32.
    for (const double nudge : {0.0, 0x1p-40}) {
        s.scale_above = scale * (1 + nudge);
        s.scale_below = scale * (1 - nudge);
        s.exact = std::isfinite(s.scale_above) && right_everywhere<T>(s);
        if (s.exact) return s;
    }
    s.scale_above = s.scale_below = scale;
    return s;
}

}  // namespace

std::vector<double> detail::linear_edges(std::size_t bins, double low, double high) {
    std::vector<double> edges(bins + 1);
    const double width = (high - low) / static_cast<double>(bins);
    for (std::size_t i = 0; i < bins; ++i) {
        const double distance = static_cast<double>(i) * width;
        edges[i] = low + distance;
    }
    edges[bins] = high;
    return edges;
}

std::vector<double> Histogram::edges() const {
    const StandardArithmetic arithmetic;
    if (kind == HistogramKind::linear) return detail::linear_edges(counts.size(), low, high);
    if (kind == HistogramKind::none) return {};
    std::vector<double> edges(kPowerBins + 1, 0.0);
    for (std::size_t i = 1; i < kPowerZeroBin; ++i) {
        const double edge = std::ldexp(1.0, kPowerLowest + static_cast<int>(i));
        edges[kPowerZeroBin + 1 + i] = edge;
        edges[kPowerZeroBin - i] = -edge;
    }
    edges.front() = -kUnbounded;
    edges.back() = kUnbounded;
    return edges;
}

template <class T>
detail::SlotPlan<T>::SlotPlan(const SummaryOptions& options) : options_(options) {
    if (options.histogram == HistogramKind::powers) stride_ = kPowerSlots;
    if (options.histogram != HistogramKind::linear) return;
    stride_ = options.bins + 3;
    bounds_ = linear_edges(options.bins, options.low, options.high);
    bounds_.back() = std::nextafter(options.high, kUnbounded);
    linear_ = plan_linear<T>(options_, bounds_);
}

template <class T>
void detail::SlotPlan<T>::count(std::size_t n, const T* x, bool all_finite, std::uint32_t* tables) const {
    const StatsKernels<T>& kernel = active<StatsKernels<T>>();
    if (options_.histogram == HistogramKind::linear) kernel.linear_slots(n, x, linear_, all_finite, tables, stride_);
    if (options_.histogram == HistogramKind::powers) kernel.power_slots(n, x, tables, stride_);
}

template <class T>
Histogram detail::SlotPlan<T>::zero() const {
    Histogram h;
    h.kind = options_.histogram;
    if (h.kind == HistogramKind::powers) h.counts.resize(kPowerBins);
    if (h.kind != HistogramKind::linear) return h;
    h.low = options_.low;
    h.high = options_.high;
    h.counts.resize(options_.bins);
    return h;
}

template <class T>
void detail::SlotPlan<T>::add(const std::uint32_t* tables, Histogram& h) const {
    if (h.kind == HistogramKind::none) return;
    // A task has fewer than 2^32 elements.
    auto counted = [&](std::size_t slot) {
        std::uint32_t sum = 0;
        for (std::size_t t = 0; t < kSlotTables; ++t) sum += tables[t * stride_ + slot];
        return sum;
    };
    // Four slots at a time: of a small array most are empty.
    typedef std::uint32_t Four __attribute__((vector_size(16)));
    const std::size_t bins = h.counts.size();
    std::size_t i = 0;
    for (; i + 4 <= bins; i += 4) {
        Four sum{};
        for (std::size_t t = 0; t < kSlotTables; ++t) {
            Four table;
            std::memcpy(&table, tables + t * stride_ + i + 1, sizeof table);
            sum += table;
        }
        std::uint64_t halves[2];
        std::memcpy(halves, &sum, sizeof halves);
        if ((halves[0] | halves[1]) == 0) continue;
        for (std::size_t k = 0; k < 4; ++k) h.counts[i + k] += sum[k];
    }
    for (; i < bins; ++i) h.counts[i] += counted(i + 1);
    if (h.kind != HistogramKind::linear) return;
    h.below += counted(0);
    h.above += counted(options_.bins + 1);
}

template class detail::SlotPlan<float>;
template class detail::SlotPlan<double>;

}  // namespace fanin
