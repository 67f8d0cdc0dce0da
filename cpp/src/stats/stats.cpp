// Summaries: blocks measured, merged in one tree, and what two summaries give together.
#include "fanin/stats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string>

#include "division.hpp"
#include "fanin/aligned.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "stats/blocks.hpp"
#include "stats/histogram.hpp"
#include "stats/widened.hpp"

namespace fanin {
namespace {

// The most blocks that a task takes (2^18 elements, some 150 us at the 1.8 elements a nanosecond of one core): a whole subtree
// of the tree of merges, so that tasks can be merged in its upper levels.
constexpr std::size_t kGroupBlocks = 64;

// The blocks of a task: fewer than kGroupBlocks where threads would go without, still a power of two and at least 2.
std::size_t group_blocks(std::size_t blocks) {
    std::size_t group = kGroupBlocks;
    while (group > 2 && blocks < 2 * group * num_threads()) group /= 2;
    return group;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Elements that moments are of.
std::uint64_t finite(const BlockMoments& b) { return b.count - b.nans - b.infs; }

// a and b as one. Pebay 2008, eq. 3.1 for p = 2, 3, 4; the mean as Chan, Golub and LeVeque write it.
BlockMoments merge_moments(const BlockMoments& a, const BlockMoments& b) {
    BlockMoments r = a;
    if (finite(a) == 0) r = b;
    r.count = a.count + b.count;
    r.nans = a.nans + b.nans;
    r.infs = a.infs + b.infs;
    r.zeros = a.zeros + b.zeros;
    r.subnormals = a.subnormals + b.subnormals;
    r.saturated = a.saturated + b.saturated;
    if (finite(a) == 0 || finite(b) == 0) return r;
    const auto na = static_cast<double>(finite(a)), nb = static_cast<double>(finite(b));
    const double n = na + nb, delta = b.mean - a.mean, step = delta / n, product = delta * step * na * nb;
    // b's mean as a step from a's, weighed by the counts: exact where both are equal.
    r.mean = a.mean + step * nb;
    r.m2 = (a.m2 + b.m2) + product;
    r.m3 = ((a.m3 + b.m3) + product * step * (na - nb)) + 3 * step * (na * b.m2 - nb * a.m2);
    r.m4 = (((a.m4 + b.m4) + product * step * step * (na * na - na * nb + nb * nb)) +
            6 * step * step * (na * na * b.m2 + nb * nb * a.m2)) +
           4 * step * (na * b.m3 - nb * a.m3);
    // -0 is less than +0, so that extremes do not depend on the order of blocks.
    auto before = [](double x, double y) { return x < y || (x == y && std::signbit(x) && !std::signbit(y)); };
    if (before(b.min, r.min)) r.min = b.min;
    if (before(r.max, b.max)) r.max = b.max;
    return r;
}

// A block as a summary without a histogram; mean, min and max stay NaN where nothing is finite.
Summary from_moments(const BlockMoments& m, bool moments_only) {
    Summary s;
    s.saturated = m.saturated;
    s.count = m.count;
    s.nans = m.nans;
    s.infs = m.infs;
    s.zeros = m.zeros;
    s.subnormals = m.subnormals;
    s.m2 = m.m2;
    s.m3 = moments_only ? Summary::kNaN : m.m3;
    s.m4 = moments_only ? Summary::kNaN : m.m4;
    s.moments_only = moments_only;
    if (finite(m) == 0) return s;
    s.mean = m.mean;
    s.min = m.min;
    s.max = m.max;
    return s;
}

// The way back, for merging; saturation bounds and histogram stay behind.
BlockMoments to_moments(const Summary& s) {
    return {s.count, s.nans, s.infs, s.zeros, s.subnormals, s.mean, s.m2, s.m3, s.m4, s.min, s.max, s.saturated};
}

// (low, high), as Python writes it.
std::string range_text(double low, double high) {
    std::string text = detail::text(low);
    text.insert(text.begin(), '(');
    return text + ", " + detail::text(high) + ")";
}

// A histogram in words, for the message that two differ.
std::string describe(const Histogram& h) {
    if (h.kind == HistogramKind::none) return "no histogram";
    if (h.kind == HistogramKind::powers) return "signed powers of two";
    return std::to_string(h.counts.size()) + " bins over " + range_text(h.low, h.high);
}

std::string bounds_text(const Summary& s) { return s.saturation ? range_text(s.saturation_low, s.saturation_high) : "none"; }

// What an empty array is: the neutral element of merge_moments.
constexpr BlockMoments kNothing{0, 0, 0, 0, 0, 0, 0, 0, 0, kInfinity, -kInfinity, 0};

}  // namespace

detail::BlockPlaces::BlockPlaces(std::span<const std::size_t> shape, std::span<const std::ptrdiff_t> strides) {
    if (shape.size() != strides.size() || shape.size() > kMaxRank)
        detail::refuse({"x must have as many strides as axes, at most ", kMaxRank, ", got ", shape.size(), " axes and ",
                        strides.size(), " strides"});
    if (!shape.empty()) {
        cols_ = shape.back();
        col_stride_ = cols_ == 1 ? 1 : strides.back();
    }
    for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) rows_ *= shape[axis];
    if (rows_ == 0 || cols_ == 0) return;  // strides may be anything then
    for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) {
        const std::size_t size = shape[axis];
        if (size == 1) continue;
        const std::ptrdiff_t stride = strides[axis];
        if (axes_ > 0 && stride_[axes_ - 1] == stride * static_cast<std::ptrdiff_t>(size)) {
            size_[axes_ - 1] *= size;
            stride_[axes_ - 1] = stride;
        } else {
            size_[axes_] = size;
            stride_[axes_++] = stride;
        }
    }
    flat_ = col_stride_ == 1 && (axes_ == 0 || (axes_ == 1 && stride_[0] == static_cast<std::ptrdiff_t>(cols_)));
    rows_a_block_ = std::max<std::size_t>(1, kSummaryBlock / cols_);
    blocks_a_row_ = ceil_div(cols_, kSummaryBlock);
    blocks_ = blocks_a_row_ > 1 ? rows_ * blocks_a_row_ : ceil_div(rows_, rows_a_block_);
}

template <std::size_t size>
std::span<const std::byte> detail::BlockPlaces::bytes_of_block(std::size_t index, const std::byte* data,
                                                               std::byte* buffer) const {
    const auto [row, rows, col, cols] = place(index);
    constexpr auto bytes = static_cast<std::ptrdiff_t>(size);
    if (flat_) return {data + (row * cols_ + col) * size, rows * cols * size};
    if (rows == 1 && col_stride_ == 1) return {data + row_offset(row) * bytes + col * size, cols * size};
    for (std::size_t r = 0; r < rows; ++r) {
        const std::byte* from = data + (row_offset(row + r) + static_cast<std::ptrdiff_t>(col) * col_stride_) * bytes;
        std::byte* to = buffer + r * cols * size;
        if (col_stride_ == 1) std::memcpy(to, from, cols * size);
        else
            for (std::size_t c = 0; c < cols; ++c)
                std::memcpy(to + c * size, from + static_cast<std::ptrdiff_t>(c) * col_stride_ * bytes, size);
    }
    return {buffer, rows * cols * size};
}
template std::span<const std::byte> detail::BlockPlaces::bytes_of_block<1>(std::size_t, const std::byte*, std::byte*) const;
template std::span<const std::byte> detail::BlockPlaces::bytes_of_block<2>(std::size_t, const std::byte*, std::byte*) const;
template std::span<const std::byte> detail::BlockPlaces::bytes_of_block<4>(std::size_t, const std::byte*, std::byte*) const;
template std::span<const std::byte> detail::BlockPlaces::bytes_of_block<8>(std::size_t, const std::byte*, std::byte*) const;

void detail::merge_tree(BlockMoments* parts, std::size_t n) {
    for (; n > 1; n = (n + 1) / 2)
        for (std::size_t i = 0; i < n; i += 2) parts[i / 2] = i + 1 < n ? merge_moments(parts[i], parts[i + 1]) : parts[i];
}

std::string_view histogram_kind_name(HistogramKind kind) {
    return kind == HistogramKind::none ? "none" : kind == HistogramKind::linear ? "linear" : "powers";
}

HistogramKind histogram_kind_from_name(std::string_view name) {
    for (const HistogramKind kind : {HistogramKind::none, HistogramKind::linear, HistogramKind::powers})
        if (name == histogram_kind_name(kind)) return kind;
    detail::refuse({"histogram must be 'none', 'linear' or 'powers', got '", name, "'"});
}

void validate(const Histogram& h) {
    validate(SummaryOptions{false, h.kind, h.counts.size(), h.low, h.high});
    if (h.kind == HistogramKind::powers && h.counts.size() != kPowerBins)
        detail::refuse({"counts must have ", kPowerBins, " entries, got ", h.counts.size()});
}

void validate(const SummaryOptions& o) {
    const StandardArithmetic arithmetic;
    if (o.saturation && !(o.saturation_low <= o.saturation_high))
        detail::refuse(
            {"saturation must be (low, high) with low <= high, got ", range_text(o.saturation_low, o.saturation_high)});
    if (o.histogram != HistogramKind::linear) return;
    if (o.bins < 1 || o.bins > kMaxBins) detail::refuse({"bins must be in 1 .. ", kMaxBins, ", got ", o.bins});
    const std::string range = range_text(o.low, o.high);
    if (!(o.low < o.high) || !std::isfinite(o.high - o.low))
        detail::refuse({"range must be (low, high), finite with low < high, got ", range});
    const std::vector<double> edges = detail::linear_edges(o.bins, o.low, o.high);
    if (std::adjacent_find(edges.begin(), edges.end(), [](double a, double b) { return a >= b; }) != edges.end())
        detail::refuse({"range must be wide enough for bins of different edges, got ", range, " for ", o.bins, " bins"});
}

Summary detail::summary_of(std::vector<BlockMoments>& parts, Histogram histogram, const SummaryOptions& options) {
    merge_tree(parts.data(), parts.size());
    Summary s = from_moments(parts.empty() ? kNothing : parts[0], options.moments_only);
    s.histogram = std::move(histogram);
    s.saturation = options.saturation;
    s.saturation_low = options.saturation_low;
    s.saturation_high = options.saturation_high;
    return s;
}

template <class T>
void detail::count_block(std::size_t n, const T* x, const Measure<T>& how, BlockMoments& part) {
    how.plan.count(n, x, part.nans + part.infs == 0, how.tables);
    const SummaryOptions& o = how.options;
    if (o.saturation) part.saturated = active<StatsKernels<T>>().count_outside(n, x, o.saturation_low, o.saturation_high);
}

template <class T>
BlockMoments detail::measure_block(std::size_t n, const T* x, const SummaryOptions& options, const SlotPlan<T>& plan,
                                   std::uint32_t* tables) {
    BlockMoments part;
    active<StatsKernels<T>>().block(n, x, !options.moments_only, &part);
    count_block(n, x, {options, plan, tables}, part);
    return part;
}

template <class T>
std::array<BlockMoments, 2> detail::measure_pair(std::size_t n, const T* x, const Measure<T>& of_x, const T* y,
                                                 const Measure<T>& of_y) {
    std::array<BlockMoments, 2> parts;
    const bool whole[2] = {!of_x.options.moments_only, !of_y.options.moments_only};
    const StatsKernels<T>& kernel = active<StatsKernels<T>>();
    if (whole[0] == whole[1]) {
        kernel.pair(n, x, y, whole[0], parts.data());
    } else {
        kernel.block(n, x, whole[0], &parts[0]);
        kernel.block(n, y, whole[1], &parts[1]);
    }
    count_block(n, x, of_x, parts[0]);
    count_block(n, y, of_y, parts[1]);
    return parts;
}

// A task takes a group of neighbouring blocks, two at a time where they have one size, and merges them; the groups, whole
// subtrees, are merged at the end. So the tree is the same for any group size and any number of threads.
Summary detail::summary_of_elements(const Elements& x, const SummaryOptions& options) {
    const std::size_t group_size = group_blocks(x.blocks());
    std::vector<BlockMoments> groups(detail::ceil_div(x.blocks(), group_size));
    Histogram histogram = x.zero();
    std::mutex histogram_lock;  // integers add up to the same in any order
    fanin::parallel_for(groups.size(), [&](std::size_t group) {
        alignas(detail::kCacheLine) std::byte room[detail::Elements::kRoom];
        BlockMoments parts[kGroupBlocks];
        std::vector<std::uint32_t> tables(x.table_size());
        const std::size_t begin = group * group_size, n = std::min(group_size, x.blocks() - begin);
        for (std::size_t i = 0; i < n;) {
            const std::size_t end = std::min(n, i + detail::Elements::kNear);
            const std::size_t first = i;
            x.before(begin + first, end - first);
            while (i + 2 <= end && x.measure_pair(begin + i, room, tables.data(), parts + i)) i += 2;
            for (; i < end; ++i) parts[i] = x.measure(begin + i, 0, room, tables.data());
            x.after(begin + first, end - first, parts + first);
        }
        detail::merge_tree(parts, n);
        groups[group] = parts[0];
        const std::lock_guard guard(histogram_lock);
        x.add(tables.data(), histogram);
    });
    return detail::summary_of(groups, std::move(histogram), options);
}

template <class S>
Summary summarize(ArrayView<const S> x, const SummaryOptions& options) {
    const StandardArithmetic arithmetic;
    validate(options);
    return detail::summary_of_elements(detail::ElementsOf<S>(x, options), options);
}

template <class T>
Histogram histogram_of(ArrayView<const T> x, const SummaryOptions& options, bool all_finite) {
    const StandardArithmetic arithmetic;
    validate(options);
    const detail::SummaryBlocks<T> blocks(x);
    const detail::SlotPlan<T> plan(options);
    Histogram histogram = plan.zero();
    std::mutex lock;
    const std::size_t group_size = group_blocks(blocks.blocks());
    parallel_for(detail::ceil_div(blocks.blocks(), group_size), [&](std::size_t group) {
        T gathered[kSummaryBlock];
        std::vector<std::uint32_t> tables(plan.table_size());
        const std::size_t end = std::min(blocks.blocks(), (group + 1) * group_size);
        for (std::size_t i = group * group_size; i < end; ++i) {
            const auto block = blocks.block(i, gathered);
            plan.count(block.size, block.data, all_finite, tables.data());
        }
        const std::lock_guard guard(lock);
        plan.add(tables.data(), histogram);
    });
    return histogram;
}

Summary merge(const Summary& left, const Summary& right) {
    const StandardArithmetic arithmetic;
    const Histogram &a = left.histogram, &b = right.histogram;
    if (a.kind != b.kind || a.counts.size() != b.counts.size() || a.low != b.low || a.high != b.high)
        detail::refuse({"summaries must have the same histogram bins to be added, got ", describe(a), " and ", describe(b)});
    if (left.saturation != right.saturation || left.saturation_low != right.saturation_low ||
        left.saturation_high != right.saturation_high)
        detail::refuse({"summaries must have the same saturation bounds to be added, got ", bounds_text(left), " and ",
                        bounds_text(right)});
    Summary s = from_moments(merge_moments(to_moments(left), to_moments(right)), left.moments_only || right.moments_only);
    s.histogram = a;
    for (std::size_t i = 0; i < b.counts.size(); ++i) s.histogram.counts[i] += b.counts[i];
    s.histogram.below += b.below;
    s.histogram.above += b.above;
    s.saturation = left.saturation;
    s.saturation_low = left.saturation_low;
    s.saturation_high = left.saturation_high;
    return s;
}

bool operator==(const Summary& a, const Summary& b) {
    auto same = [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) || (std::isnan(x) && std::isnan(y));
    };
    return a.count == b.count && a.nans == b.nans && a.infs == b.infs && a.zeros == b.zeros && a.subnormals == b.subnormals &&
           same(a.mean, b.mean) && same(a.m2, b.m2) && same(a.m3, b.m3) && same(a.m4, b.m4) && same(a.min, b.min) &&
           same(a.max, b.max) && a.moments_only == b.moments_only && a.histogram == b.histogram &&
           a.saturation == b.saturation && a.saturation_low == b.saturation_low && a.saturation_high == b.saturation_high &&
           a.saturated == b.saturated;
}

double Summary::var() const {
    const StandardArithmetic arithmetic;
    return arithmetic.done(m2 / static_cast<double>(finite()));
}
double Summary::std() const {
    const StandardArithmetic arithmetic;
    return arithmetic.done(std::sqrt(var()));
}
double Summary::rms() const {
    const StandardArithmetic arithmetic;
    const double square = mean * mean;
    return arithmetic.done(std::sqrt(square + var()));
}
double Summary::skewness() const {
    const StandardArithmetic arithmetic;
    const double v = var();
    return arithmetic.done(v == 0 ? kNaN : m3 / static_cast<double>(finite()) / v / std::sqrt(v));
}
double Summary::kurtosis() const {
    const StandardArithmetic arithmetic;
    const double v = var();
    return arithmetic.done(v == 0 ? kNaN : m4 / static_cast<double>(finite()) / v / v);
}

template std::array<BlockMoments, 2> detail::measure_pair(std::size_t, const float*, const Measure<float>&, const float*,
                                                          const Measure<float>&);
template BlockMoments detail::measure_block(std::size_t, const float*, const SummaryOptions&, const SlotPlan<float>&,
                                            std::uint32_t*);
template std::array<BlockMoments, 2> detail::measure_pair(std::size_t, const double*, const Measure<double>&, const double*,
                                                          const Measure<double>&);
template BlockMoments detail::measure_block(std::size_t, const double*, const SummaryOptions&, const SlotPlan<double>&,
                                            std::uint32_t*);
template void detail::count_block(std::size_t, const float*, const Measure<float>&, BlockMoments&);
template Histogram histogram_of(ArrayView<const float>, const SummaryOptions&, bool);
template Histogram histogram_of(ArrayView<const double>, const SummaryOptions&, bool);
#define FANIN_SUMMARIZE(S)                \
    template class detail::ElementsOf<S>; \
    template Summary summarize(ArrayView<const S>, const SummaryOptions&);
FANIN_EACH_ELEMENT(FANIN_SUMMARIZE)
#undef FANIN_SUMMARIZE

}  // namespace fanin
