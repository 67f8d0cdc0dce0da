// Reference of `stats`: blocks, the two sweeps, the tree of merges and the histograms, one element at a time.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "common.hpp"
#include "fanin/stats.hpp"

namespace fanin::reference {

// The 8 accumulators of a block, and how they add up.
struct Accumulators {
    std::array<double, 8> a{};
    double total() const { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); }
};

// -0 comes before +0.
inline bool comes_before(double x, double y) { return x < y || (x == y && std::signbit(x) && !std::signbit(y)); }

// The moments of one block of at most 4096 elements.
template <class T>
Summary block_moments(const std::vector<T>& x, bool moments_only) {
    Summary s;
    Accumulators sum;
    for (std::size_t j = 0; j < x.size(); ++j) {
        ++s.count;
        s.nans += std::isnan(x[j]);
        s.infs += std::isinf(x[j]);
        s.zeros += x[j] == 0;
        s.subnormals += std::fpclassify(x[j]) == FP_SUBNORMAL;
        if (!std::isfinite(x[j])) continue;
        const auto v = static_cast<double>(x[j]);
        sum.a[j % 8] += v;
        if (std::isnan(s.min) || comes_before(v, s.min)) s.min = v;
        if (std::isnan(s.max) || comes_before(s.max, v)) s.max = v;
    }
    s.moments_only = moments_only;
    if (s.finite() == 0) return s;
    // A constant block has its value as its mean, never -0, and moments of exactly 0.
    if (s.min == s.max) {
        s.mean = s.min + 0.0;
        return s;
    }
    // The second sweep: powers of what is left of each element; delta is what the rounding of the mean left.
    const auto n = static_cast<double>(s.finite());
    const double mean = sum.total() / n;
    Accumulators s1, s2, s3, s4;
    for (std::size_t j = 0; j < x.size(); ++j) {
        if (!std::isfinite(x[j])) continue;
        const double d = static_cast<double>(x[j]) - mean;
        const double d2 = d * d;
        s1.a[j % 8] += d;
        s2.a[j % 8] += d2;
        s3.a[j % 8] += d2 * d;
        s4.a[j % 8] += d2 * d2;
    }
    const double delta = s1.total() / n, drift = s1.total() * delta;
    s.mean = mean + delta;
    s.m2 = s2.total() - drift;
    s.m3 = s3.total() - delta * (3 * s2.total() - 2 * drift);
    s.m4 = s4.total() - delta * (4 * s3.total() - delta * (6 * s2.total() - 3 * drift));
    if (s.m2 < 0) s.m2 = 0;
    if (s.m4 < 0) s.m4 = 0;
    if (moments_only) s.m3 = s.m4 = 0;
    return s;
}

// Two parts as one (the histogram apart).
inline Summary merge_moments(const Summary& a, const Summary& b) {
    Summary s = a.finite() == 0 ? b : a;
    s.count = a.count + b.count;
    s.nans = a.nans + b.nans;
    s.infs = a.infs + b.infs;
    s.zeros = a.zeros + b.zeros;
    s.subnormals = a.subnormals + b.subnormals;
    if (a.finite() == 0 || b.finite() == 0) return s;
    const auto na = static_cast<double>(a.finite()), nb = static_cast<double>(b.finite());
    const double delta = b.mean - a.mean, step = delta / (na + nb), product = delta * step * na * nb;
    s.mean = a.mean + step * nb;
    s.m2 = a.m2 + b.m2 + product;
    s.m3 = a.m3 + b.m3 + product * step * (na - nb) + 3 * step * (na * b.m2 - nb * a.m2);
    s.m4 = a.m4 + b.m4 + product * step * step * (na * na - na * nb + nb * nb) +
           6 * step * step * (na * na * b.m2 + nb * nb * a.m2) + 4 * step * (na * b.m3 - nb * a.m3);
    s.min = comes_before(b.min, a.min) ? b.min : a.min;
    s.max = comes_before(a.max, b.max) ? b.max : a.max;
    return s;
}

// The blocks of an array of rows x cols elements in C order.
template <class T>
std::vector<std::vector<T>> blocks(const std::vector<T>& x, std::size_t rows, std::size_t cols) {
    std::vector<std::vector<T>> result;
    if (rows == 0 || cols == 0) return result;
    if (cols > kSummaryBlock) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < cols; c += kSummaryBlock)
                result.emplace_back(x.begin() + static_cast<std::ptrdiff_t>(r * cols + c),
                                    x.begin() + static_cast<std::ptrdiff_t>(r * cols + std::min(cols, c + kSummaryBlock)));
        return result;
    }
    const std::size_t together = kSummaryBlock / cols;
    for (std::size_t r = 0; r < rows; r += together)
        result.emplace_back(x.begin() + static_cast<std::ptrdiff_t>(r * cols),
                            x.begin() + static_cast<std::ptrdiff_t>(std::min(rows, r + together) * cols));
    return result;
}

// Bin of the signed powers of two.
inline std::size_t power_bin(double x) {
    if (x == 0) return kPowerZeroBin;
    const int e = std::clamp(std::ilogb(x), kPowerLowest, kPowerHighest);
    const auto distance = static_cast<std::size_t>(e - kPowerLowest) + 1;
    return x < 0 ? kPowerZeroBin - distance : kPowerZeroBin + distance;
}

template <class T>
Histogram histogram(const std::vector<T>& x, const SummaryOptions& o) {
    Histogram h;
    h.kind = o.histogram;
    if (h.kind == HistogramKind::powers) {
        h.counts.assign(kPowerBins, 0);
        for (const T v : x)
            if (std::isfinite(v)) ++h.counts[power_bin(static_cast<double>(v))];
    }
    if (h.kind == HistogramKind::linear) {
        h.low = o.low;
        h.high = o.high;
        h.counts.assign(o.bins, 0);
        const double width = (o.high - o.low) / static_cast<double>(o.bins);
        auto edge = [&](std::size_t i) { return o.low + static_cast<double>(i) * width; };
        for (const T v : x) {
            if (!std::isfinite(v)) continue;
            const auto d = static_cast<double>(v);
            if (d < o.low) ++h.below;
            if (d > o.high) ++h.above;
            if (d < o.low || d > o.high) continue;
            std::size_t bin = 0;
            while (bin + 1 < o.bins && d >= edge(bin + 1)) ++bin;
            ++h.counts[bin];
        }
    }
    return h;
}

// The whole of `summarize`, of rows x cols elements in C order.
template <class T>
Summary summarize(const std::vector<T>& x, std::size_t rows, std::size_t cols, const SummaryOptions& o) {
    std::vector<Summary> level;
    for (const std::vector<T>& block : blocks(x, rows, cols)) level.push_back(block_moments(block, o.moments_only));
    while (level.size() > 1) {
        std::vector<Summary> next;
        for (std::size_t i = 0; i < level.size(); i += 2)
            next.push_back(i + 1 < level.size() ? merge_moments(level[i], level[i + 1]) : level[i]);
        level = next;
    }
    Summary s = level.empty() ? Summary{} : level[0];
    s.moments_only = o.moments_only;
    if (o.moments_only) s.m3 = s.m4 = Summary::kNaN;
    s.histogram = histogram(x, o);
    s.saturation = o.saturation;
    s.saturation_low = o.saturation_low;
    s.saturation_high = o.saturation_high;
    for (const T v : x) {
        const auto d = static_cast<double>(v);
        s.saturated += o.saturation && (d < o.saturation_low || d > o.saturation_high);
    }
    return s;
}

}  // namespace fanin::reference
