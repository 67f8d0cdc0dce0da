// The elementary functions against their reference, bit for bit, on every instruction set and both types; special values; and
// values of 30 digits, to which the oracles of sweep_math are held too (that measures the accuracy at a million inputs each).
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.hpp"
#include "exact.hpp"
#include "inputs.hpp"
#include "kernels/table.hpp"
#include "known_math.hpp"
#include "reference/erf.hpp"
#include "reference/math.hpp"

namespace {

template <class T>
struct Function {
    const char* name;
    void (*kernel)(std::size_t n, const T* x, T* y);
    T (*reference)(T x);
    bool turns;  // defined on [0, 1)
};

template <class T>
std::vector<Function<T>> functions() {
    namespace ref = fanin::reference;
    const fanin::MathKernels<T>& k = fanin::kernels<T>().math;
    return {{"exp", k.exp, ref::exp<T>, false},
            {"log", k.log, ref::log<T>, false},
            {"log1p", k.log1p, ref::log1p<T>, false},
            {"tanh", k.tanh, ref::tanh<T>, false},
            {"sigmoid", k.sigmoid, ref::sigmoid<T>, false},
            {"erf", k.erf, ref::erf<T>, false},
            {"sin_turns", k.sin_turns, ref::sin_turns<T>, true},
            {"cos_turns", k.cos_turns, ref::cos_turns<T>, true}};
}

template <class T>
void equal_reference() {
    const std::vector<T> all = check::inputs<T>(200'000);
    for (const Function<T>& f : functions<T>()) {
        std::vector<T> x;
        for (const T value : all)
            if (!f.turns || std::isnan(value) || (value >= 0 && value < 1)) x.push_back(value);
        std::vector<T> y(x.size());
        f.kernel(x.size(), x.data(), y.data());
        for (std::size_t i = 0; i < x.size(); ++i)
            CHECK_SAME(y[i], f.reference(x[i]), f.name + (" of " + check::show(double(x[i]))));
    }
}

// Every length around those of the vectors; in place; nothing is written past the end.
template <class T>
void sizes() {
    const std::vector<T> x = check::inputs<T>(200);
    for (const Function<T>& f : functions<T>())
        for (std::size_t n = 0; n < 70; ++n) {
            std::vector<T> turns(n + 1, T(0.25)), y(n + 1, T(42));
            for (std::size_t i = 0; i < n; ++i) turns[i] = f.turns ? T(i) / 70 : x[i];
            const std::vector<T> before = turns;
            f.kernel(n, turns.data(), y.data());
            f.kernel(n, turns.data(), turns.data());
            for (std::size_t i = 0; i < n; ++i) {
                CHECK_SAME(y[i], f.reference(before[i]), f.name);
                CHECK_SAME(turns[i], y[i], f.name);
            }
            CHECK(y[n] == T(42) && turns[n] == T(0.25));
        }
}

// Zeros with their sign, infinities, NaN, the smallest numbers and the ends of the range: g(x) is exactly this.
template <class T>
void special_values() {
    constexpr T kInfinity = std::numeric_limits<T>::infinity(), kNan = std::numeric_limits<T>::quiet_NaN();
    constexpr T kTiny = std::numeric_limits<T>::denorm_min();
    struct Case {
        std::string_view function;
        std::vector<T> x, y;
    };
    const std::vector<Case> cases{
        {"exp", {0, T(-0.0), kInfinity, -kInfinity, kNan, T(1e4), T(-1e4)}, {1, 1, kInfinity, 0, kNan, kInfinity, 0}},
        {"log",
         {1, 0, T(-0.0), kInfinity, -kInfinity, -1, -kTiny, kNan},
         {0, -kInfinity, -kInfinity, kInfinity, kNan, kNan, kNan, kNan}},
        {"log1p",
         {0, T(-0.0), -1, T(-1.5), -2, kInfinity, -kInfinity, kNan, kTiny, -kTiny},
         {0, T(-0.0), -kInfinity, kNan, kNan, kInfinity, kNan, kNan, kTiny, -kTiny}},
        {"tanh",
         {0, T(-0.0), kInfinity, -kInfinity, 30, -30, kNan, kTiny, -kTiny},
         {0, T(-0.0), 1, -1, 1, -1, kNan, kTiny, -kTiny}},
        {"sigmoid", {0, T(-0.0), kInfinity, -kInfinity, kNan}, {T(0.5), T(0.5), 1, 0, kNan}},
        {"erf",
         {0, T(-0.0), kInfinity, -kInfinity, 7, -7, kNan, kTiny, -kTiny},
         {0, T(-0.0), 1, -1, 1, -1, kNan, kTiny, -kTiny}},
        {"sin_turns", {0, T(0.25), T(0.5), T(0.75), kNan}, {0, 1, 0, -1, kNan}},
        {"cos_turns", {0, T(0.25), T(0.5), T(0.75), kNan}, {1, 0, -1, 0, kNan}}};
    for (const Case& c : cases)
        for (const Function<T>& f : functions<T>())
            if (f.name == c.function) {
                std::vector<T> y(c.x.size());
                f.kernel(y.size(), c.x.data(), y.data());
                for (std::size_t i = 0; i < y.size(); ++i)
                    CHECK_SAME(y[i], c.y[i], f.name + (" of " + check::show(double(c.x[i]))));
            }
    CHECK(cases.size() == functions<T>().size());
    namespace ref = fanin::reference;
    const T far = sizeof(T) == 4 ? -100 : -740;  // e^far is subnormal, and so is sigmoid
    CHECK(ref::sigmoid(far) > 0 && ref::sigmoid(far) < std::numeric_limits<T>::min());
    CHECK(ref::tanh_derivative(T(0)) == 1 && ref::tanh_derivative(-kInfinity) == 0 && ref::sigmoid_derivative(T(0)) == T(0.25));
    // 4 e^-40 (1 - 2 e^-40 + ...) = 1.69934169... e-17
    CHECK(std::abs(ref::tanh_derivative(T(20)) - T(1.6993417021166355e-17)) <=
          T(1e-17) * std::numeric_limits<T>::epsilon() * 4);
}

// The kernels against 30 digits: 2 ULP. float64 only where long double is wider, so that it holds the digits.
constexpr bool kWide = std::numeric_limits<long double>::digits >= 64;
template <class T>
void known_values() {
    if (sizeof(T) == 8 && !kWide) return;
    for (const Function<T>& f : functions<T>()) {
        int count = 0;
        for (const check::KnownValue& known : check::kKnownValues) {
            if (std::string_view(f.name) != known.function) continue;
            const T x = static_cast<T>(known.x);
            T y = 0;
            f.kernel(1, &x, &y);
            const long double unit = std::ldexp(1.0L, std::ilogb(known.value) + 1 - std::numeric_limits<T>::digits);
            check::report(std::abs(y - known.value) <= 2 * unit, __FILE__, __LINE__,
                          f.name + (" within 2 ULP at " + check::show(known.x)));
            ++count;
        }
        CHECK(count >= 10);
    }
}

// What the sweep measures against, exact.hpp in long double, is itself within 2^-60: a hundredth of an ULP of float64.
void oracles() {
    if (!kWide) return;
    using W = long double;
    const std::vector<std::pair<std::string_view, W (*)(W)>> all{{"exp", [](W x) { return exact::exp(x); }},
                                                                 {"log", [](W x) { return exact::log(x); }},
                                                                 {"log1p", [](W x) { return exact::log1p(x); }},
                                                                 {"tanh", exact::tanh_of<W>},
                                                                 {"sigmoid", exact::sigmoid<W>},
                                                                 {"erf", [](W x) { return exact::erf(x); }},
                                                                 {"sin_turns", exact::sin_turns<W>},
                                                                 {"cos_turns", exact::cos_turns<W>},
                                                                 {"tanh_derivative", exact::tanh_derivative<W>},
                                                                 {"sigmoid_derivative", exact::sigmoid_derivative<W>}};
    for (const check::KnownValue& known : check::kKnownValues) {
        bool found = false;
        for (const auto& [name, function] : all)
            if (name == known.function) {
                found = true;
                check::report(std::abs(function(known.x) - known.value) <= std::ldexp(std::abs(known.value), -60), __FILE__,
                              __LINE__, std::string(name) + " in long double at " + check::show(known.x));
            }
        CHECK(found);
    }
}

}  // namespace

int main() {
    check::each_isa([] {
        equal_reference<float>();
        equal_reference<double>();
        sizes<float>();
        sizes<double>();
        special_values<float>();
        special_values<double>();
        known_values<float>();
        known_values<double>();
    });
    oracles();
    return check::result();
}
