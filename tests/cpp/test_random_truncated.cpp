// The truncated normal draw against the reference, bit for bit, and its inversion against long double.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "reference/random_truncated.hpp"

namespace {

using fanin::Key;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Bounds {
    double lower, upper;
};
// Both sides, one side, slivers, tails on either side of every change of path, infinite ends.
const Bounds kBounds[] = {{-2, 2},
                          {-2.5, 2.5},
                          {-1, 0.5},
                          {0, 1},
                          {1, 2},
                          {-2.5, -2.4},
                          {-3, 3},
                          {-2.6, 1},
                          {0, 4},
                          {-6, -1},
                          {4, 5},
                          {8, 9},
                          {-38, -29},
                          {29.9, 31},
                          {30, kInfinity},
                          {40, 41},
                          {-kInfinity, -100},
                          {1e4, 2e4},
                          {-9, 9},
                          {-kInfinity, 3},
                          {-1, kInfinity},
                          {1, 1 + 1e-6},
                          {-kInfinity, kInfinity},
                          {50, 50.0000001},
                          {-1e6, -9e5}};

template <class T>
void draws_equal_reference() {
    const Key key{0x0123456789abcdefull, 0xfedcba9876543210ull};
    const T mean = T(0.25), std = T(1.5);
    for (const Bounds& b : kBounds) {
        const fanin::TruncatedLaw law = fanin::reference::truncated_law(b.lower, b.upper, sizeof(T) == 4);
        for (const std::size_t n : {0, 1, 5, 16, 33, 300}) {
            std::vector<T> x(n + 1, T(42));
            fanin::fill_truncated_normal<T>({x.data(), n}, key, 3, mean, std, b.lower, b.upper);
            CHECK(x[n] == T(42));
            for (std::size_t i = 0; i < n; ++i) {
                const T free = fanin::reference::truncated_normal<T>(law, key, 3 + i, mean, std);
                const double low = std::fma(double(std), b.lower, double(mean)),
                             high = std::fma(double(std), b.upper, double(mean));
                CHECK(double(x[i]) >= low && double(x[i]) <= high);
                const bool inside = double(free) >= low && double(free) <= high;
                if (inside) CHECK_SAME(x[i], free, std::to_string(b.lower) + " .. " + std::to_string(b.upper));
                else CHECK(std::abs(double(x[i]) - double(free)) <= 4e-7 * std::max(1.0, std::abs(low)));
            }
        }
    }
}

// Q(z) in long double: erfc is right to a few ULP of 64 bits, and far below where float64 underflows.
long double tail(long double z) { return std::erfc(z / std::sqrt(2.0L)) / 2; }

// The probability of the draw, back from z, against the u that it was made from: the error in sigmas is the difference
// over the density. One word decides, so words around both ends, the middle and at even steps are all the cases there are.
void inversion_is_accurate() {
    for (const Bounds& b : kBounds) {
        const long double from = b.lower > 0 ? tail(b.lower) : 0, whole = b.lower > 0 ? from - tail(b.upper) : 0;
        const long double lower_tail = tail(-(long double)b.lower),
                          width = b.lower > 0 ? whole : tail(-(long double)b.upper) - lower_tail;
        for (const bool narrow : {true, false}) {
            const fanin::TruncatedLaw law = fanin::reference::truncated_law(b.lower, b.upper, narrow);
            double worst = 0;
            for (int i = 0; i < 4000; ++i) {
                std::uint64_t word = static_cast<std::uint64_t>(i) * 0x00106131u;
                if (i < 40) word = static_cast<std::uint64_t>(i);
                else if (i < 80) word = 0xffffffffu - static_cast<std::uint64_t>(i - 40);
                else if (i < 120) word = 0x80000000u + static_cast<std::uint64_t>(i) - 100;
                word &= 0xffffffffu;
                const long double u = (static_cast<long double>(word) + 0.5L) * 0x1p-32L, rest = 1 - u;
                const auto p = fanin::reference::unit_pair<double>(word, 32);
                double z;
                if (law.path == fanin::TruncatedPath::central)
                    z = fanin::reference::truncated_central(law, static_cast<std::uint32_t>(word));
                else if (law.path == fanin::TruncatedPath::far) z = fanin::reference::truncated_far(law, p);
                else z = fanin::reference::truncated_general(law, p);
                if (!(std::abs(z) < 100)) continue;  // further out even long double underflows
                const long double density = std::exp(-(long double)z * z / 2) / std::sqrt(2 * 3.14159265358979323846264338L);
                // d = the probability that the draw is off by, from the side that is not near 1
                const long double d =
                    b.lower > 0 ? (tail(b.upper) + rest * width) - tail(z) : tail(-(long double)z) - (lower_tail + u * width);
                worst = std::max(worst, static_cast<double>(std::abs(d / density)));
            }
            // Far out, float64's own u has 2^-54 relative spacing near 1: the last draws are uncertain by that over z.
            const double bound = law.path == fanin::TruncatedPath::central ? 5e-7 : 1e-12;
            check::report(worst <= bound, __FILE__, __LINE__,
                          "inversion on " + std::to_string(b.lower) + " .. " + std::to_string(b.upper) + ": " +
                              std::to_string(worst * 1e12) + "e-12");
        }
    }
}

// Every word of a central law stays inside its bounds and is finite: a stratified part here, all of them in the slow suite.
void all_threads_and_bad_arguments() {
    std::vector<float> one(200'001), many(one.size());
    fanin::set_num_threads(1);
    fanin::fill_truncated_normal<float>(one, {3, 4}, 5, 0, 1, -2, 2);
    fanin::set_num_threads(3);
    fanin::fill_truncated_normal<float>(many, {3, 4}, 5, 0, 1, -2, 2);
    CHECK(one == many);
    const std::vector<float> before = one;
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 0, 1, 2, 2), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 0, 1, 3, 2), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 0, 1, NAN, 2), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 0, -1, -2, 2), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, NAN, 1, -2, 2), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 0, 1, 1e9, 2e9), std::invalid_argument);
    CHECK_THROWS(fanin::fill_truncated_normal<float>(one, {}, 0, 1e8f, 1, 0.25, 0.5), std::invalid_argument);
    CHECK(one == before);
}

}  // namespace

int main() {
    check::each_isa([] {
        draws_equal_reference<float>();
        draws_equal_reference<double>();
    });
    inversion_is_accurate();
    all_threads_and_bad_arguments();
    return check::result();
}
