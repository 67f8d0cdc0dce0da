// Summaries of 16-bit floats and of integers are those of the same values in float or double, bit for bit, on every instruction
// set; subnormal numbers are counted in the element's own type.
#include <bit>
#include <limits>
#include <random>

#include "check.hpp"
#include "fanin/stats.hpp"
#include "sixteen_bits.hpp"
#include "stats/widened.hpp"

namespace {

using fanin::ArrayView;
using fanin::BFloat16;
using fanin::Float16;
using fanin::HistogramKind;
using fanin::Summary;
using fanin::SummaryOptions;

const SummaryOptions kOptions[] = {{},
                                   {true, HistogramKind::none},
                                   {false, HistogramKind::linear, 64, -3, 3},
                                   {false, HistogramKind::none, 0, 0, 0, true, -0.5, 100}};

// The value of an element, from the definition of its format.
template <class S>
fanin::detail::Wide<S> value(S x) {
    return static_cast<fanin::detail::Wide<S>>(x);
}
float value(Float16 x) { return check::from_16_bits(x.bits, 5, 10); }
float value(BFloat16 x) { return check::from_16_bits(x.bits, 8, 7); }

template <class S>
std::uint64_t subnormals(const std::vector<S>& x) {
    std::uint64_t n = 0;
    if constexpr (fanin::detail::kSixteenBits<S>)
        for (const S v : x) {
            const int exponent = std::is_same_v<S, Float16> ? 0x7c00 : 0x7f80;
            n += (v.bits & exponent) == 0 && (v.bits & 0x7fff) != 0;
        }
    return n;
}

template <class S>
void equals_wide(const std::vector<S>& x, const std::string& where) {
    using T = fanin::detail::Wide<S>;
    std::vector<T> wide;
    for (const S v : x) wide.push_back(value(v));
    for (const SummaryOptions& options : kOptions) {
        for (const std::size_t cols : {x.size(), x.size() / 7, std::size_t{3}}) {
            const std::size_t rows = x.size() / std::max<std::size_t>(cols, 1);
            const std::size_t shape[2] = {rows, cols};
            const auto step = static_cast<std::ptrdiff_t>(cols);
            for (const bool turned : {false, true}) {
                const std::size_t turned_shape[2] = {cols, rows};
                const std::ptrdiff_t strides[2] = {turned ? 1 : step, turned ? step : 1};
                const auto& of = turned ? turned_shape : shape;
                const ArrayView<const S> narrow{x.data(), of, strides};
                const ArrayView<const T> same{wide.data(), of, strides};
                Summary expected = fanin::summarize(same, options), got = fanin::summarize(narrow, options);
                if (rows * cols == x.size()) CHECK(got.subnormals == subnormals(x));
                expected.subnormals = got.subnormals;
                CHECK(got == expected);
                if (!(got == expected)) std::printf("%s\n", where.c_str());
                const std::size_t axes[1] = {0}, columns = turned ? rows : cols;
                if (columns > 4096 && options.histogram != HistogramKind::none) continue;  // 100 MB of histograms
                const auto each = fanin::summarize(narrow, axes, options), wanted = fanin::summarize(same, axes, options);
                for (std::size_t i = 0; i < each.size(); ++i) {
                    Summary one = wanted[i];
                    one.subnormals = each[i].subnormals;
                    CHECK(each[i] == one);
                }
            }
        }
    }
}

template <class S>
void sixteen_bits(const char* name) {
    std::vector<S> all, finite, small;
    std::mt19937 generator(7);
    constexpr std::uint32_t step = check::kSanitized ? 7 : 1;  // whole in the ordinary build
    for (std::uint32_t bits = 0; bits < 0x10000; bits += step) all.push_back(S{static_cast<std::uint16_t>(bits)});
    for (int i = 0; i < 20000; ++i) finite.push_back(S{static_cast<std::uint16_t>(0x3800 + generator() % 0x400)});
    for (int i = 0; i < 9001; ++i) small.push_back(S{static_cast<std::uint16_t>(generator() % 0x900 | (generator() & 0x8000))});
    equals_wide(all, name);
    equals_wide(finite, name);
    equals_wide(small, name);
    for (std::size_t n = 1; n < 40; ++n) equals_wide(std::vector<S>(small.begin(), small.begin() + n), name);
    equals_wide(std::vector<S>(5000, S{0x3c00}), name);
}

template <class I>
void integers(const char* name) {
    std::mt19937_64 generator(5);
    std::vector<I> x;
    for (int i = 0; i < 10007; ++i) x.push_back(static_cast<I>(generator()));
    x[3] = std::numeric_limits<I>::max();
    x[4] = std::numeric_limits<I>::min();
    equals_wide(x, name);
    for (std::size_t n = 1; n < 20; ++n) equals_wide(std::vector<I>(x.begin(), x.begin() + n), name);
}

}  // namespace

int main() {
    check::each_isa([] {
        sixteen_bits<Float16>("float16");
        sixteen_bits<BFloat16>("bfloat16");
        integers<std::int8_t>("int8");
        integers<std::uint8_t>("uint8");
        integers<std::int16_t>("int16");
        integers<std::uint16_t>("uint16");
        integers<std::int32_t>("int32");
        integers<std::uint32_t>("uint32");
        integers<std::int64_t>("int64");
        integers<std::uint64_t>("uint64");
    });
    return check::result();
}
