// Summaries of arrays: counts, moments to the fourth, extremes and a histogram, in one pass and mergeable.
//
// Definition. The rows of the last axis, in C order of the leading ones, form blocks: as many whole rows as fit in 4096
// elements, and a longer row is cut at 4096, 8192, ... (the cut restarts at every row). An array of rank 0 is one block.
// Moments, extremes and the histogram are those of the finite elements; the others are counted only.
//   Inside a block, in double: element j belongs to accumulator j mod 8, and the accumulators add up as
//   ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). A first sweep gives the mean, a second the sums of powers of x - mean
//   (products and sums, never fused), and a correction takes off what the rounding of that mean left. A block whose
//   finite elements are all equal has that mean and central moments 0, exactly.
//   Blocks merge pairwise by index, level by level, an odd one carried up: (0 1) (2 3) 4 -> ((0 1) (2 3)) 4 -> all, with
//   the formulas of Chan, Golub, LeVeque (1979) and Pebay (Sandia report SAND2008-6212, eq. 2.1 and 3.1) for m2, m3, m4.
// So the bits depend on the shape and the elements alone: not on strides, instruction set or number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/export.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

inline constexpr std::size_t kSummaryBlock = 4096;
inline constexpr std::size_t kMaxBins = 65536;

// The histogram over signed powers of two: bin kPowerZeroBin holds the zeros; on either side, from the inside out, one
// bin for each exponent e in [-128, 127], 2^e <= |x| < 2^(e + 1). Smaller magnitudes fall into the innermost of these
// bins, larger ones into the outermost.
inline constexpr int kPowerLowest = -128, kPowerHighest = 127;
inline constexpr std::size_t kPowerZeroBin = 256, kPowerBins = 513;

enum class HistogramKind { none, linear, powers };

// "none", "linear", "powers".
std::string_view histogram_kind_name(HistogramKind kind);
// The kind of that name; std::invalid_argument for others.
HistogramKind histogram_kind_from_name(std::string_view name);

// Where the finite elements lie. Infinities and NaNs are in no bin.
struct Histogram {
    HistogramKind kind = HistogramKind::none;
    double low = 0, high = 0;            // the range of a linear one, else 0
    std::vector<std::uint64_t> counts;   // linear: counts[i] = #{e_i <= x < e_(i + 1)}, the last bin with its upper edge
    std::uint64_t below = 0, above = 0;  // finite elements outside the range of a linear one

    // The counts.size() + 1 edges. linear: e_i = low + i ((high - low) / bins), product and sum each rounded to double,
    // and the last edge is high: numpy.linspace. powers: -inf, -2^127, ..., -2^-127, 0, 0, 2^-127, ..., 2^127, inf.
    std::vector<double> edges() const;

    bool operator==(const Histogram&) const = default;
};

struct SummaryOptions {
    bool moments_only = false;  // count, mean, m2, min, max only: m3 and m4 are NaN, and cheaper
    HistogramKind histogram = HistogramKind::powers;
    std::size_t bins = 0;  // of a linear histogram: 1 .. kMaxBins bins over [low, high]
    double low = 0, high = 0;
    bool saturation = false;  // count what lies outside these bounds, compared in double
    double saturation_low = 0, saturation_high = 0;
};

struct Summary {
    std::uint64_t count = 0;  // all elements
    std::uint64_t nans = 0, infs = 0, zeros = 0;
    std::uint64_t subnormals = 0;   // of the element's own type, zeros not included
    double mean = kNaN;             // NaN where no element is finite, as min and max
    double m2 = 0, m3 = 0, m4 = 0;  // sums of (x - mean)^r; m3 and m4 are NaN under moments_only
    double min = kNaN, max = kNaN;  // -0 counts as less than +0
    bool moments_only = false;
    Histogram histogram;
    bool saturation = false;  // whether the next was asked for, and between which bounds
    double saturation_low = 0, saturation_high = 0;
    std::uint64_t saturated = 0;  // elements below saturation_low or above saturation_high, infinities too

    std::uint64_t finite() const { return count - nans - infs; }
    double var() const;  // m2 / finite(): divides by n
    double std() const;
    double rms() const;       // sqrt(mean^2 + var)
    double skewness() const;  // (m3 / n) / std^3; NaN where var is 0
    double kurtosis() const;  // (m4 / n) / var^2, 3 for a normal law; NaN where var is 0

    static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
};

// Equal in every field, bit for bit; any NaN equals any NaN.
bool operator==(const Summary& a, const Summary& b);

// Throws std::invalid_argument unless a linear histogram has 1 .. kMaxBins bins over finite low < high whose edges are
// all different in double, and unless saturation_low <= saturation_high (either may be infinite).
void validate(const SummaryOptions& options);
// The same for a histogram that comes from elsewhere: its range, and how many counts it has.
void validate(const Histogram& histogram);

// Elements are float, double, Float16, BFloat16 or integers of 8 to 64 bits. A summary of what is narrower than float is that
// of the same values as float; of integers of 32 bits and more, as double (beyond 2^53 rounded to nearest even): bit for bit,
// but for `subnormals`, which are those of the element's own type. Nothing of the array's size is copied.
//
// Summarizes an array of any rank up to kMaxRank and any strides (zero and negative ones too); in parallel. Elements of
// the array are only read. Relative to n std^r, m_r is right to about 1e-15 times the square root of the blocks. In
// float64, powers beyond the range of double overflow as IEEE says (m4 from about 1e77 on).
// std::invalid_argument as validate(), and where shape and strides differ in length.
template <class T>
Summary summarize(ArrayView<const T> x, const SummaryOptions& options = {});

template <class T>
Summary summarize(MatrixView<const T> x, const SummaryOptions& options = {}) {
    const std::array<std::size_t, 2> shape{x.rows, x.cols};
    const std::array<std::ptrdiff_t, 2> strides{x.row_stride, x.col_stride};
    return summarize(ArrayView<const T>{x.data, shape, strides}, options);
}
template <class T>
Summary summarize(VectorView<const T> x, const SummaryOptions& options = {}) {
    return summarize(ArrayView<const T>{x.data, {&x.size, 1}, {&x.stride, 1}}, options);
}

// The histogram alone, as summarize() gives it for the same options: for elements whose moments are known. T is float or
// double. all_finite: x is known to hold no NaN and no infinity, which saves looking for them. In parallel.
template <class T>
Histogram histogram_of(ArrayView<const T> x, const SummaryOptions& options, bool all_finite = false);

// Summaries over some axes of x, one for each index of the others, in C order: per unit of a batch (axes = {0}), per sample
// (axes = {1}). Each has the bits of summarize() of its slice. `axes` are different and below the rank, in any order;
// std::invalid_argument otherwise. In parallel.
template <class T>
std::vector<Summary> summarize(ArrayView<const T> x, std::span<const std::size_t> axes, const SummaryOptions& options);

// An array that lies in a file as it would in memory: in C order, little-endian, from a byte on.
struct StoredArray {
    std::string path;          // UTF-8 where the system wants a text
    std::uint64_t offset = 0;  // the bytes before it
    std::string_view dtype;    // "F64", "F32", "F16" or "BF16", as safetensors.hpp has them
    std::span<const std::size_t> shape;
};

// What can be had of an array in a file beside its summary, for it is dear to read again.
struct StoredDetails {
    // The array is a row of units of so many elements each (0: nothing of this). The first `kept` of each, or all if there are
    // fewer, are copied to `heads`, those of unit u from element u * kept on.
    std::size_t unit = 0, kept = 0;
    void* heads = nullptr;
    // Finite elements more than so many standard deviations from the mean are counted (0: no): the blocks that have some are
    // read once more.
    double deviations = 0;
    std::uint64_t outliers = 0;
};

// The summary of an array in a file, with the bits of summarize() of it in memory. The file is mapped and measured in parallel,
// 2^16 elements at a time; some 100 MB of it at most are in this process's memory at once. A file that became shorter is an
// error where that is seen, before each such piece; one that gets shorter in the microseconds in which a piece is measured, or
// whose disk fails, ends the process on POSIX, as with every mapped file. std::invalid_argument as validate(), for another
// dtype, and where the file ends inside the array; std::system_error where the system refuses.
Summary summarize(const StoredArray& x, const SummaryOptions& options = {}, StoredDetails* details = nullptr);

// A quantile as far as a histogram tells it: the one of the elements lies in [low, high]; value is the guess that elements
// are spread evenly inside their bins.
struct Quantile {
    double value, low, high;
};

// The q-quantile of the finite elements, 0 <= q <= 1, between order statistics as NumPy's "linear" method takes it (Hyndman
// and Fan 1996, definition 7). 0 and 1 give min and max exactly. NaN where no element is finite. std::invalid_argument
// without a histogram or for another q.
Quantile quantile(const Summary& s, double q);

// The summary of the elements of both: what was measured of shards, put together by the formula that merges blocks.
// Counts, extremes and histogram are exact. m3 and m4 are NaN where one side has none. std::invalid_argument unless both
// have histograms of the same bins, or none, and the same saturation bounds, or none.
Summary merge(const Summary& left, const Summary& right);

// Summarizes what comes piece by piece: data larger than memory, a stream. Pieces merge in the order of the calls.
class Summarizer {
 public:
    // std::invalid_argument as validate().
    explicit Summarizer(const SummaryOptions& options = {});
    // Adds the elements of x.
    template <class T>
    void update(ArrayView<const T> x);
    // Adds what another has seen, or a summary of the same options; std::invalid_argument as merge().
    void merge(const Summary& other);
    // Of everything so far.
    const Summary& summary() const { return summary_; }

 private:
    SummaryOptions options_;
    Summary summary_;
};

}  // namespace fanin FANIN_PUBLIC
