#include "fanin/stats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "stats_histogram.hpp"

namespace fanin {
namespace {

// Blocks a task takes: a whole subtree of the tree of merges, so that tasks can be merged in its upper levels.
constexpr std::size_t kGroupBlocks = 64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

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
    if (finite(a) == 0 || finite(b) == 0) return r;
    const auto na = static_cast<double>(finite(a)), nb = static_cast<double>(finite(b));
    const double n = na + nb, delta = b.mean - a.mean, step = delta / n, product = delta * step * na * nb;
    r.mean = a.mean + step * nb;
    r.m2 = (a.m2 + b.m2) + product;
    r.m3 = ((a.m3 + b.m3) + product * step * (na - nb)) + 3 * step * (na * b.m2 - nb * a.m2);
    r.m4 = (((a.m4 + b.m4) + product * step * step * (na * na - na * nb + nb * nb)) +
            6 * step * step * (na * na * b.m2 + nb * nb * a.m2)) +
           4 * step * (na * b.m3 - nb * a.m3);
    auto before = [](double x, double y) { return x < y || (x == y && std::signbit(x) && !std::signbit(y)); };
    if (before(b.min, r.min)) r.min = b.min;
    if (before(r.max, b.max)) r.max = b.max;
    return r;
}

// Merges parts[0 .. n - 1] pairwise, level by level, into parts[0].
void merge_tree(BlockMoments* parts, std::size_t n) {
    for (; n > 1; n = (n + 1) / 2)
        for (std::size_t i = 0; i < n; i += 2) parts[i / 2] = i + 1 < n ? merge_moments(parts[i], parts[i + 1]) : parts[i];
}

// An array as rows of its last axis, and the blocks that they form. Axes of one element are dropped, leading axes
// that lie in memory like one are joined.
template <class T>
class Rows {
 public:
    explicit Rows(ArrayView<const T> x) : data_(x.data) {
        if (x.shape.size() != x.strides.size() || x.shape.size() > kMaxRank)
            throw std::invalid_argument("x must have as many strides as axes, at most " + std::to_string(kMaxRank) + ", got " +
                                        std::to_string(x.shape.size()) + " axes and " + std::to_string(x.strides.size()) +
                                        " strides");
        if (!x.shape.empty()) {
            cols_ = x.shape.back();
            col_stride_ = cols_ == 1 ? 1 : x.strides.back();
        }
        for (std::size_t axis = 0; axis + 1 < x.shape.size(); ++axis) {
            const std::size_t size = x.shape[axis];
            rows_ *= size;
            if (size == 1) continue;
            const std::ptrdiff_t stride = x.strides[axis];
            if (axes_ > 0 && stride_[axes_ - 1] == stride * static_cast<std::ptrdiff_t>(size)) {
                size_[axes_ - 1] *= size;
                stride_[axes_ - 1] = stride;
            } else {
                size_[axes_] = size;
                stride_[axes_++] = stride;
            }
        }
        if (rows_ == 0 || cols_ == 0) return;
        flat_ = col_stride_ == 1 && (axes_ == 0 || (axes_ == 1 && stride_[0] == static_cast<std::ptrdiff_t>(cols_)));
        rows_a_block_ = std::max<std::size_t>(1, kSummaryBlock / cols_);
        blocks_a_row_ = (cols_ + kSummaryBlock - 1) / kSummaryBlock;
        blocks_ = blocks_a_row_ > 1 ? rows_ * blocks_a_row_ : (rows_ + rows_a_block_ - 1) / rows_a_block_;
    }

    std::size_t blocks() const { return blocks_; }

    struct Block {
        const T* data;
        std::size_t size;
    };
    // The elements of a block, in `buffer` (kSummaryBlock of them) where they do not lie side by side.
    Block block(std::size_t index, T* buffer) const {
        const std::size_t row = blocks_a_row_ > 1 ? index / blocks_a_row_ : index * rows_a_block_;
        const std::size_t rows = std::min(rows_a_block_, rows_ - row);
        const std::size_t col = index % blocks_a_row_ * kSummaryBlock;
        const std::size_t cols = std::min(cols_ - col, kSummaryBlock);
        if (flat_) return {data_ + row * cols_ + col, rows * cols};
        if (rows == 1 && col_stride_ == 1) return {row_data(row) + col, cols};
        for (std::size_t r = 0; r < rows; ++r) {
            const T* from = row_data(row + r) + static_cast<std::ptrdiff_t>(col) * col_stride_;
            for (std::size_t c = 0; c < cols; ++c) buffer[r * cols + c] = from[static_cast<std::ptrdiff_t>(c) * col_stride_];
        }
        return {buffer, rows * cols};
    }

 private:
    const T* row_data(std::size_t row) const {
        std::ptrdiff_t offset = 0;
        for (std::size_t axis = axes_; axis-- > 0; row /= size_[axis])
            offset += static_cast<std::ptrdiff_t>(row % size_[axis]) * stride_[axis];
        return data_ + offset;
    }

    const T* data_;
    std::size_t rows_ = 1, cols_ = 1;
    std::ptrdiff_t col_stride_ = 1;
    std::size_t axes_ = 0;  // leading ones
    std::size_t size_[kMaxRank];
    std::ptrdiff_t stride_[kMaxRank];
    bool flat_ = false;
    std::size_t rows_a_block_ = 1, blocks_a_row_ = 1, blocks_ = 0;
};

constexpr BlockMoments kNothing{0, 0, 0, 0, 0, 0, 0, 0, 0, kInfinity, -kInfinity};

Summary from_moments(const BlockMoments& m, bool moments_only) {
    Summary s;
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

BlockMoments to_moments(const Summary& s) {
    return {s.count, s.nans, s.infs, s.zeros, s.subnormals, s.mean, s.m2, s.m3, s.m4, s.min, s.max};
}

std::string range_text(double low, double high) {
    std::string text = detail::text(low);
    text.insert(text.begin(), '(');
    return text + ", " + detail::text(high) + ")";
}

std::string describe(const Histogram& h) {
    if (h.kind == HistogramKind::none) return "no histogram";
    if (h.kind == HistogramKind::powers) return "signed powers of two";
    return std::to_string(h.counts.size()) + " bins over " + range_text(h.low, h.high);
}

}  // namespace

std::string_view histogram_kind_name(HistogramKind kind) {
    return kind == HistogramKind::none ? "none" : kind == HistogramKind::linear ? "linear" : "powers";
}

void validate(const SummaryOptions& o) {
    if (o.histogram != HistogramKind::linear) return;
    if (o.bins < 1 || o.bins > kMaxBins)
        throw std::invalid_argument("bins must be in 1 .. " + std::to_string(kMaxBins) + ", got " + std::to_string(o.bins));
    const std::string range = range_text(o.low, o.high);
    if (!(o.low < o.high) || !std::isfinite(o.high - o.low))
        throw std::invalid_argument("range must be (low, high), finite with low < high, got " + range);
    const std::vector<double> edges = detail::linear_edges(o.bins, o.low, o.high);
    if (std::adjacent_find(edges.begin(), edges.end(), [](double a, double b) { return a >= b; }) != edges.end())
        throw std::invalid_argument("range must be wide enough for bins of different edges, got " + range + " for " +
                                    std::to_string(o.bins) + " bins");
}

template <class T>
Summary summarize(ArrayView<const T> x, const SummaryOptions& options) {
    validate(options);
    const Rows<T> rows(x);
    const detail::SlotPlan<T> plan(options);
    const StatsKernels<T>& kernel = kernels<T>().stats;
    std::vector<BlockMoments> groups((rows.blocks() + kGroupBlocks - 1) / kGroupBlocks);
    Histogram histogram = plan.zero();
    std::mutex histogram_lock;  // integers add up to the same in any order
    parallel_for(groups.size(), [&](std::size_t group) {
        T buffer[kSummaryBlock];
        BlockMoments parts[kGroupBlocks];
        std::vector<std::uint32_t> tables(plan.table_size());
        const std::size_t begin = group * kGroupBlocks, n = std::min(kGroupBlocks, rows.blocks() - begin);
        for (std::size_t i = 0; i < n; ++i) {
            const auto [data, size] = rows.block(begin + i, buffer);
            kernel.block(size, data, !options.moments_only, &parts[i]);
            plan.count(size, data, parts[i].nans + parts[i].infs == 0, tables.data());
        }
        merge_tree(parts, n);
        groups[group] = parts[0];
        const std::lock_guard guard(histogram_lock);
        plan.add(tables.data(), histogram);
    });
    merge_tree(groups.data(), groups.size());
    Summary s = from_moments(groups.empty() ? kNothing : groups[0], options.moments_only);
    s.histogram = std::move(histogram);
    return s;
}

Summary merge(const Summary& left, const Summary& right) {
    const Histogram &a = left.histogram, &b = right.histogram;
    if (a.kind != b.kind || a.counts.size() != b.counts.size() || a.low != b.low || a.high != b.high)
        throw std::invalid_argument("summaries must have the same histogram bins to be added, got " + describe(a) + " and " +
                                    describe(b));
    Summary s = from_moments(merge_moments(to_moments(left), to_moments(right)), left.moments_only || right.moments_only);
    s.histogram = a;
    for (std::size_t i = 0; i < b.counts.size(); ++i) s.histogram.counts[i] += b.counts[i];
    s.histogram.below += b.below;
    s.histogram.above += b.above;
    return s;
}

bool operator==(const Summary& a, const Summary& b) {
    auto same = [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) || (std::isnan(x) && std::isnan(y));
    };
    return a.count == b.count && a.nans == b.nans && a.infs == b.infs && a.zeros == b.zeros && a.subnormals == b.subnormals &&
           same(a.mean, b.mean) && same(a.m2, b.m2) && same(a.m3, b.m3) && same(a.m4, b.m4) && same(a.min, b.min) &&
           same(a.max, b.max) && a.moments_only == b.moments_only && a.histogram == b.histogram;
}

double Summary::var() const { return m2 / static_cast<double>(finite()); }
double Summary::std() const { return std::sqrt(var()); }
double Summary::rms() const {
    const double square = mean * mean;
    return std::sqrt(square + var());
}
double Summary::skewness() const {
    const double v = var();
    return v == 0 ? kNaN : m3 / static_cast<double>(finite()) / v / std::sqrt(v);
}
double Summary::kurtosis() const {
    const double v = var();
    return v == 0 ? kNaN : m4 / static_cast<double>(finite()) / v / v;
}

template Summary summarize(ArrayView<const float>, const SummaryOptions&);
template Summary summarize(ArrayView<const double>, const SummaryOptions&);

}  // namespace fanin
