// `stats` against the reference, bit for bit, on every instruction set, at any thread count and for any strides; merging;
// and the histogram at the edges.
#include <algorithm>
#include <limits>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "reference/stats.hpp"

namespace {

using fanin::ArrayView;
using fanin::Histogram;
using fanin::HistogramKind;
using fanin::Summary;
using fanin::SummaryOptions;

SummaryOptions linear(std::size_t bins, double low, double high) { return {false, HistogramKind::linear, bins, low, high}; }

const SummaryOptions kOptions[] = {
    {},
    {true, HistogramKind::none},
    {false, HistogramKind::none},
    linear(64, -1, 1),    // a product finds every bin
    linear(60, -3, 3),    // edges that are no floats, some that are
    linear(7, 0.1, 0.7),  // all on one side of 0
    linear(5, -0.3, -0.1),
    linear(1, -1e30, 1e30),
    linear(1000, -1e-3, 2e-3),
    {false, HistogramKind::none, 0, 0, 0, true, -0.1, 0.97},
    {true, HistogramKind::powers, 0, 0, 0, true, -INFINITY, 0.1},
};

template <class T>
std::vector<T> normal_sample(std::size_t n, double mean, double std, unsigned seed) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> law(mean, std);
    std::vector<T> x(n);
    for (T& v : x) v = static_cast<T>(law(generator));
    return x;
}

// Elements where something happens: zeros of both signs, subnormals, powers of two, edges, and with `all` also infinities
// and NaN.
template <class T>
void salt(std::vector<T>& x, unsigned seed, bool all) {
    using Limits = std::numeric_limits<T>;
    std::vector<T> grains = {T(0),
                             -T(0),
                             Limits::denorm_min(),
                             -Limits::denorm_min(),
                             Limits::min() / 2,
                             -Limits::min(),
                             T(1),
                             T(-1),
                             T(0.5),
                             T(0.1),
                             T(-0.1),
                             T(3),
                             T(-3),
                             T(0x1p-127),
                             T(0x1p-128),
                             T(-0x1p-126),
                             T(2.5),
                             std::nextafter(T(0.5), T(0)),
                             T(-0.25),
                             T(1e-30)};
    if (all) grains.insert(grains.end(), {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()});
    std::mt19937_64 generator(seed);
    for (T& v : x)
        if (generator() % 4 == 0) v = grains[generator() % grains.size()];
}

template <class T>
void check_same(const Summary& got, const Summary& expected, const std::string& where) {
    CHECK_SAME(got.count, expected.count, where);
    CHECK_SAME(got.nans, expected.nans, where);
    CHECK_SAME(got.infs, expected.infs, where);
    CHECK_SAME(got.zeros, expected.zeros, where);
    CHECK_SAME(got.subnormals, expected.subnormals, where);
    CHECK_SAME(got.mean, expected.mean, where);
    CHECK_SAME(got.m2, expected.m2, where);
    CHECK_SAME(got.m3, expected.m3, where);
    CHECK_SAME(got.m4, expected.m4, where);
    CHECK_SAME(got.min, expected.min, where);
    CHECK_SAME(got.max, expected.max, where);
    check::report(got.histogram == expected.histogram, __FILE__, __LINE__, "histogram at " + where);
    check::report(got == expected, __FILE__, __LINE__, "== at " + where);
}

// The summary; the histogram alone is the same.
template <class T>
Summary of(const T* data, std::vector<std::size_t> shape, std::vector<std::ptrdiff_t> strides, const SummaryOptions& o = {}) {
    const ArrayView<const T> view{data, shape, strides};
    Summary s = fanin::summarize(view, o);
    CHECK(fanin::histogram_of(view, o) == s.histogram);
    if (s.nans + s.infs == 0) CHECK(fanin::histogram_of(view, o, true) == s.histogram);
    return s;
}

template <class T>
void equals_reference() {
    const std::pair<std::size_t, std::size_t> shapes[] = {
        {1, 1},    {1, 2},    {1, 7},    {1, 8},    {1, 9},    {1, 15}, {1, 16}, {1, 17},   {1, 31},    {1, 33},
        {1, 4095}, {1, 4096}, {1, 4097}, {3, 5000}, {1000, 7}, {0, 5},  {5, 0},  {4097, 1}, {70, 4000}, {129, 2049}};
    unsigned seed = 0;
    for (const auto& [rows, cols] : shapes)
        for (int kind = 0; kind < 4; ++kind) {
            std::vector<T> x = normal_sample<T>(rows * cols, kind == 0 ? 0 : 0.3, kind == 1 ? 1e-3 : 1.2, ++seed);
            if (kind >= 2) salt(x, seed, kind == 3);
            for (const SummaryOptions& o : kOptions) {
                const std::string where = std::to_string(rows) + " x " + std::to_string(cols) + " kind " +
                                          std::to_string(kind) + " bins " + std::to_string(o.bins);
                check_same<T>(of<T>(x.data(), {rows, cols}, {std::ptrdiff_t(cols), 1}, o),
                              fanin::reference::summarize(x, rows, cols, o), where);
            }
        }
}

// One array in many clothes: transposed, reversed, spread out, off alignment, of higher rank.
template <class T>
void strides_do_not_matter() {
    constexpr std::size_t kRows = 37, kCols = 300;
    std::vector<T> x = normal_sample<T>(kRows * kCols, 0.1, 1, 5);
    salt(x, 5, true);
    const Summary whole = of<T>(x.data(), {kRows, kCols}, {kCols, 1});
    std::vector<T> columns(x.size()), reversed(x.rbegin(), x.rend()), spread(6 * x.size()), shifted(x.size() + 1);
    for (std::size_t i = 0; i < kRows; ++i)
        for (std::size_t j = 0; j < kCols; ++j) {
            columns[j * kRows + i] = x[i * kCols + j];
            spread[i * 6 * kCols + j * 3] = x[i * kCols + j];
        }
    std::copy(x.begin(), x.end(), shifted.begin() + 1);
    CHECK(of<T>(columns.data(), {kRows, kCols}, {1, kRows}) == whole);
    CHECK(of<T>(&reversed.back(), {kRows, kCols}, {-std::ptrdiff_t(kCols), -1}) == whole);
    CHECK(of<T>(spread.data(), {kRows, kCols}, {6 * kCols, 3}) == whole);
    CHECK(of<T>(shifted.data() + 1, {kRows, kCols}, {kCols, 1}) == whole);
    CHECK(of<T>(x.data(), {1, kRows, 1, kCols}, {0, kCols, 12345, 1}) == whole);
    CHECK(of<T>(spread.data(), {kRows, 2, kCols / 2}, {6 * kCols, 3 * kCols / 2, 3}) ==
          fanin::reference::summarize(x, 2 * kRows, kCols / 2, {}));
    // Rows of two axes that follow one another as one axis would.
    CHECK(of<T>(spread.data(), {4, 9, kCols}, {9 * 6 * kCols, 6 * kCols, 3}) ==
          fanin::reference::summarize(std::vector<T>(x.begin(), x.begin() + 36 * kCols), 36, kCols, {}));
    const std::vector<T> apart7{x[0], x[1], x[4], x[5], x[8], x[9], x[7], x[8], x[11], x[12], x[15], x[16]};  // 7 is 4 + 3
    CHECK(of<T>(x.data(), {2, 3, 2}, {7, 4, 1}) == fanin::reference::summarize(apart7, 6, 2, {}));
    // A stride of 0 repeats; rows longer than a block, gathered and not.
    const std::vector<T> long_row = normal_sample<T>(5000, 0, 1, 6);
    std::vector<T> twice(long_row), apart(10000);
    twice.insert(twice.end(), long_row.begin(), long_row.end());
    for (std::size_t i = 0; i < 5000; ++i) apart[2 * i] = long_row[i];
    CHECK(of<T>(long_row.data(), {2, 5000}, {0, 1}) == fanin::reference::summarize(twice, 2, 5000, {}));
    CHECK(of<T>(apart.data(), {2, 5000}, {0, 2}) == fanin::reference::summarize(twice, 2, 5000, {}));
    CHECK(of<T>(long_row.data(), {}, {}) == fanin::reference::summarize(std::vector<T>{long_row[0]}, 1, 1, {}));
    CHECK(fanin::summarize(fanin::MatrixView<const T>{columns.data(), kRows, kCols, 1, kRows}) == whole);
    CHECK(fanin::summarize(fanin::VectorView<const T>{apart.data(), 5000, 2}) ==
          fanin::reference::summarize(long_row, 1, 5000, {}));
}

// More than one group of 64 blocks, an odd number of groups.
template <class T>
void same_bits_at_any_thread_count() {
    constexpr std::size_t kRows = 290, kCols = 3000;
    const std::vector<T> x = normal_sample<T>(kRows * kCols, 2, 0.5, 7);
    for (const SummaryOptions& o : {SummaryOptions{}, linear(64, -1, 1)}) {
        const Summary expected = fanin::reference::summarize(x, kRows, kCols, o);
        for (const std::size_t threads : {1, 2, 3, 8}) {
            fanin::set_num_threads(threads);
            check_same<T>(of<T>(x.data(), {kRows, kCols}, {kCols, 1}, o), expected, std::to_string(threads) + " threads");
        }
    }
}

// Every edge of many histograms, and its neighbours on either side.
template <class T>
void edges_are_exact() {
    std::mt19937_64 generator(8);
    for (int trial = 0; trial < 300; ++trial) {
        const double unit = std::ldexp(1.0, static_cast<int>(generator() % 40) - 20);
        const std::size_t bins = 1 + generator() % 200;
        double low = (static_cast<double>(generator() % 2001) - 1000) / 100 * unit;
        double high = low + static_cast<double>(1 + generator() % 2000) / 100 * unit;
        if (trial % 3 == 0) low = -high;
        if (low >= high) continue;
        const SummaryOptions o = linear(bins, low, high);
        Histogram empty{HistogramKind::linear, low, high, std::vector<std::uint64_t>(bins), 0, 0};
        std::vector<T> x = {T(0),
                            -T(0),
                            std::numeric_limits<T>::denorm_min(),
                            -std::numeric_limits<T>::denorm_min(),
                            std::numeric_limits<T>::max(),
                            std::numeric_limits<T>::lowest()};
        for (const double e : empty.edges()) {
            const T at = static_cast<T>(e);
            x.insert(x.end(), {at, std::nextafter(at, T(1e30)), std::nextafter(at, T(-1e30))});
        }
        CHECK(of<T>(x.data(), {x.size()}, {1}, o).histogram == fanin::reference::histogram(x, o));
    }
    // Ranges as narrow and as wide as they get.
    for (const auto& [low, high] :
         {std::pair{1.0, 1 + 0x1p-50}, {-0x1p-1074, 0x1p-1073}, {-8e307, 8e307}, {0.0, 0x1p-1060}, {-1e300, -1e-300}}) {
        const SummaryOptions o = linear(3, low, high);
        std::vector<T> x = {T(low),
                            T(high),
                            T(low / 2 + high / 2),
                            0,
                            1,
                            -1,
                            std::nextafter(T(1), T(2)),
                            std::numeric_limits<T>::max(),
                            std::numeric_limits<T>::denorm_min(),
                            -std::numeric_limits<T>::denorm_min()};
        CHECK(of<T>(x.data(), {x.size()}, {1}, o).histogram == fanin::reference::histogram(x, o));
    }
    const std::vector<double> e = Histogram{HistogramKind::powers, 0, 0, {}, 0, 0}.edges();
    CHECK(e.size() == fanin::kPowerBins + 1 && e[256] == 0 && e[257] == 0 && e[258] == 0x1p-127 && e[512] == 0x1p127 &&
          e[1] == -0x1p127);
}

template <class T>
void constants_and_zeros() {
    for (const T value : {T(0.1), T(0), -T(0), T(-3e20)})
        for (const std::size_t n : {1, 9, 4097, 10000}) {
            const std::vector<T> x(n, value);
            const Summary s = of<T>(x.data(), {n}, {1});
            CHECK_SAME(s.mean, double(value) + 0.0, std::to_string(n));
            CHECK_SAME(s.min, double(value), std::to_string(n));
            CHECK(s.m2 == 0 && s.m3 == 0 && s.m4 == 0 && s.var() == 0 && std::isnan(s.kurtosis()) && std::isnan(s.skewness()));
        }
    for (const std::size_t n : {2, 20, 4096}) {
        std::vector<T> x(n, T(0));
        x[n - 1] = -T(0);
        const Summary s = of<T>(x.data(), {n}, {1});
        CHECK(s.zeros == n && std::signbit(s.min) && !std::signbit(s.max) && s.histogram.counts[fanin::kPowerZeroBin] == n);
    }
    const std::vector<T> lost(20, std::numeric_limits<T>::quiet_NaN());
    const Summary s = of<T>(lost.data(), {20}, {1});
    CHECK(s.count == 20 && s.nans == 20 && s.finite() == 0 && std::isnan(s.mean) && std::isnan(s.min) && std::isnan(s.var()));
}

// Shards merged in any split: exact counts, power sums within 1e-13 n std^r.
void merging() {
    const std::vector<float> x = normal_sample<float>(100'000, 0.2, 1.5, 9);
    const SummaryOptions o = linear(50, -2, 2);
    const Summary whole = of<float>(x.data(), {x.size()}, {1}, o);
    std::mt19937_64 generator(10);
    for (int trial = 0; trial < 20; ++trial) {
        Summary sum = of<float>(x.data(), {0}, {1}, o);
        for (std::size_t begin = 0; begin < x.size();) {
            const std::size_t n = std::min<std::size_t>(x.size() - begin, generator() % 30'000);
            sum = fanin::merge(sum, of<float>(x.data() + begin, {n}, {1}, o));
            begin += n;
        }
        CHECK(sum.count == whole.count && sum.min == whole.min && sum.max == whole.max && sum.histogram == whole.histogram);
        const double n = 1e5, std = whole.std();
        CHECK(std::abs(sum.mean - whole.mean) <= 1e-13 * std);
        CHECK(std::abs(sum.m2 - whole.m2) <= 1e-13 * n * std * std);
        CHECK(std::abs(sum.m3 - whole.m3) <= 1e-13 * n * std * std * std);
        CHECK(std::abs(sum.m4 - whole.m4) <= 1e-13 * n * std * std * std * std);
    }
    const Summary two = of<float>(x.data(), {5000}, {1}, {true, HistogramKind::none});
    const Summary other = of<float>(x.data(), {5000}, {1}, {false, HistogramKind::none});
    CHECK(fanin::merge(two, other).moments_only && std::isnan(fanin::merge(two, other).m3));
    CHECK(fanin::merge(two, two).var() == two.var());
    CHECK_THROWS(fanin::merge(whole, other), std::invalid_argument);
    CHECK_THROWS(fanin::merge(whole, of<float>(x.data(), {5}, {1}, linear(50, -2, 3))), std::invalid_argument);
    // -0 is less than +0, whichever block has it.
    std::vector<float> zeros(2 * 4096);
    for (const std::size_t at : {0, 4096}) {
        std::fill(zeros.begin(), zeros.end(), 0.0f);
        zeros[at] = -0.0f;
        const Summary signs = of<float>(zeros.data(), {2, 4096}, {4096, 1});
        CHECK(std::signbit(signs.min) && !std::signbit(signs.max));
    }
    const double numbers[] = {0, 0, 0, 1};  // m2 = 3/4, m3 = 3/8, m4 = 21/64
    const Summary four = of<double>(numbers, {4}, {1});
    CHECK(std::abs(four.skewness() - 0.09375 / (0.1875 * std::sqrt(0.1875))) < 1e-14);
    CHECK(std::abs(four.kurtosis() - 7.0 / 3) < 1e-14);
    CHECK(four.std() == std::sqrt(0.1875) && four.rms() == 0.5);
    const Summary bins = of<float>(x.data(), {5}, {1}, linear(50, -2, 3));
    CHECK(fanin::merge(bins, bins).count == 10);
    for (const SummaryOptions& other_bins : {linear(49, -2, 3), linear(50, -1, 3), linear(50, -2, 4)})
        CHECK_THROWS(fanin::merge(bins, of<float>(x.data(), {5}, {1}, other_bins)), std::invalid_argument);
}

// Every choice of axes of a strided array: each summary is that of its slice, copied out.
template <class T>
void axes_equal_slices() {
    constexpr std::size_t shape[] = {7, 70, 19};
    std::vector<T> x = normal_sample<T>(7 * 70 * 19, 0.1, 1, 12);
    salt(x, 13, true);
    const std::ptrdiff_t c_order[] = {70 * 19, 19, 1}, mirrored[] = {19, -7 * 19, 1};
    for (const std::ptrdiff_t* s : {c_order, mirrored})
        for (unsigned chosen = 0; chosen < 8; ++chosen) {
            const T* begin = s == c_order ? x.data() : x.data() + 69 * 7 * 19;
            std::vector<std::size_t> axes, kept, slice_shape;
            for (std::size_t axis = 0; axis < 3; ++axis) (chosen >> axis & 1 ? axes : kept).push_back(axis);
            for (const std::size_t axis : axes) slice_shape.push_back(shape[axis]);
            const SummaryOptions o = kOptions[(chosen + (s == c_order ? 0 : 4)) % std::size(kOptions)];
            const std::vector<Summary> got = fanin::summarize(ArrayView<const T>{begin, shape, {s, 3}}, axes, o);
            std::size_t count = 1;
            for (const std::size_t axis : kept) count *= shape[axis];
            CHECK(got.size() == count);
            for (std::size_t i = 0; i < count; ++i) {
                std::ptrdiff_t offset = 0;
                std::size_t rest = i;
                for (std::size_t a = kept.size(); a-- > 0; rest /= shape[kept[a]])
                    offset += static_cast<std::ptrdiff_t>(rest % shape[kept[a]]) * s[kept[a]];
                std::vector<std::ptrdiff_t> slice_strides;
                for (const std::size_t axis : axes) slice_strides.push_back(s[axis]);
                CHECK(got[i] == fanin::summarize(ArrayView<const T>{begin + offset, slice_shape, slice_strides}, o));
            }
        }
    const std::size_t twice[] = {0, 0}, beyond[] = {3};
    CHECK_THROWS(fanin::summarize(ArrayView<const T>{x.data(), shape, c_order}, twice, {}), std::invalid_argument);
    CHECK_THROWS(fanin::summarize(ArrayView<const T>{x.data(), shape, c_order}, beyond, {}), std::invalid_argument);
}

// Sorted data say whether the quantile of the elements lies between the bounds.
void quantiles_hold() {
    std::vector<double> x = normal_sample<double>(5001, 0.3, 1.5, 14);
    for (const SummaryOptions& o : {SummaryOptions{}, linear(64, -1, 1), linear(200, -10, 10)}) {
        const Summary s = of<double>(x.data(), {x.size()}, {1}, o);
        std::vector<double> sorted = x;
        std::sort(sorted.begin(), sorted.end());
        for (int i = 0; i <= 1000; ++i) {
            const double place = i / 1000.0 * 5000, f = place - std::floor(place);
            const auto k = static_cast<std::size_t>(place);
            const double exact = f == 0 ? sorted[k] : sorted[k] * (1 - f) + sorted[k + 1] * f;
            const fanin::Quantile q = fanin::quantile(s, i / 1000.0);
            CHECK(q.low <= exact && exact <= q.high && q.low <= q.value && q.value <= q.high);
            if (i == 0 || i == 1000) CHECK(q.low == exact && q.high == exact && q.value == exact);
            if (o.bins == 200) CHECK(q.high - q.low <= 0.2 + 1e-12);  // two bins at most, where elements are dense
        }
    }
    const std::vector<double> lost(3, NAN), few{0, 1, 1, 1, 1, 2};  // rank 2 is 1.5 fifths into the bin of 1 to 2
    CHECK(std::abs(fanin::quantile(of<double>(few.data(), {6}, {1}, linear(2, 0, 2)), 0.4).value - 1.3) < 1e-15);
    CHECK(std::isnan(fanin::quantile(of<double>(lost.data(), {3}, {1}), 0.5).value));
    CHECK_THROWS(fanin::quantile(of<double>(x.data(), {9}, {1}, {false, HistogramKind::none}), 0.5), std::invalid_argument);
    for (const double q : {-0.1, 1.1, static_cast<double>(NAN)})
        CHECK_THROWS(fanin::quantile(of<double>(x.data(), {9}, {1}), q), std::invalid_argument);
}

void streams() {
    const std::vector<float> x = normal_sample<float>(10'000, 0.2, 1.5, 15);
    fanin::Summarizer left(linear(50, -2, 2)), right(linear(50, -2, 2));
    const auto part = [&](std::size_t begin, const std::size_t& n) {
        static constexpr std::ptrdiff_t kOne = 1;
        return ArrayView<const float>{x.data() + begin, {&n, 1}, {&kOne, 1}};
    };
    const std::size_t n = 5000;
    left.update(part(0, n));
    right.update(part(5000, n));
    CHECK(left.summary() == of<float>(x.data(), {n}, {1}, linear(50, -2, 2)));
    const Summary both = fanin::merge(left.summary(), right.summary());
    left.merge(right.summary());
    CHECK(left.summary() == both && both.count == 10'000);
    CHECK_THROWS(left.merge(Summary{}), std::invalid_argument);
    CHECK_THROWS(fanin::Summarizer(linear(0, -1, 1)), std::invalid_argument);
    CHECK(fanin::Summarizer().summary() == of<float>(x.data(), {0}, {1}));
}

void bad_arguments() {
    const std::vector<float> x(10);
    for (const SummaryOptions& o : {linear(0, -1, 1), linear(fanin::kMaxBins + 1, -1, 1), linear(4, 1, 1), linear(4, 1, -1),
                                    linear(4, NAN, 1), linear(4, 0, INFINITY), linear(4, -1e308, 1e308),
                                    linear(64, 1, 1 + 1e-15), SummaryOptions{false, HistogramKind::none, 0, 0, 0, true, 1, 0},
                                    SummaryOptions{false, HistogramKind::none, 0, 0, 0, true, NAN, 0}})
        CHECK_THROWS(of<float>(x.data(), {10}, {1}, o), std::invalid_argument);
    CHECK_THROWS(of<float>(x.data(), {10}, {}), std::invalid_argument);
    CHECK_THROWS(of<float>(x.data(), std::vector<std::size_t>(33, 1), std::vector<std::ptrdiff_t>(33, 1)),
                 std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        equals_reference<float>();
        equals_reference<double>();
        strides_do_not_matter<float>();
        strides_do_not_matter<double>();
        same_bits_at_any_thread_count<float>();
        same_bits_at_any_thread_count<double>();
        edges_are_exact<float>();
        edges_are_exact<double>();
        constants_and_zeros<float>();
        constants_and_zeros<double>();
        axes_equal_slices<float>();
        axes_equal_slices<double>();
    });
    merging();
    quantiles_hold();
    streams();
    bad_arguments();
    return check::result();
}
