// Largest error of every elementary function and of every activation and its derivative, in units in the last place.
//
//     sweep_math f32 [stride [name]]   every stride-th float32 (default 1: all 2^32) against double functions
//     sweep_math f64 [count [name]]    `count` stratified float64 (default 10^7) a function against long double ones, GELU
//                                      against quadruple precision (left out where the compiler has none)
//     sweep_math sample                10^6 inputs of each and all boundaries, both types: the part that the test suite runs
//
// With a name ("gelu", its derivative included; "gelu'", that alone), only that function. Prints one line a function, which
// scripts/activation_errors.py writes to docs/activations.md, and exits with 1 where a bound does not hold: 2 ULP, activations
// and derivatives 4; within 1/4 of a derivative's root the error is absolute, in units of 2^-23 (2^-52).
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exact.hpp"
#include "fanin/activation.hpp"
#include "fanin/isa.hpp"
#include "fanin/threads.hpp"
#include "inputs.hpp"
#include "kernels/table.hpp"

namespace {

// An exact value as high + low, high being the nearest long double: all that a comparison needs of a wider type.
struct Exact {
    long double high, low;
};
template <class W>
Exact parts(W x) {
    const auto high = static_cast<long double>(x);
    const bool finite = high - high == 0;
    return {high, finite ? static_cast<long double>(x - static_cast<W>(high)) : 0};
}

// |got - exact| in units of the last place that T has at `exact`. Infinity counts as the next power of two.
template <class T>
double ulps(T got, Exact exact) {
    if (std::isnan(got) || std::isnan(exact.high)) return std::isnan(got) && std::isnan(exact.high) ? 0 : 1e300;
    const long double limit = std::ldexp(1.0L, std::numeric_limits<T>::max_exponent);
    const long double value = std::isinf(got) ? std::copysign(limit, static_cast<long double>(got)) : got;
    if (std::abs(exact.high) > limit) exact = {std::copysign(limit, exact.high), 0};
    int exponent = 0;
    std::frexp(exact.high, &exponent);
    exponent =
        exact.high == 0 ? std::numeric_limits<T>::min_exponent : std::max(exponent, std::numeric_limits<T>::min_exponent);
    const long double error = std::abs((value - exact.high) - exact.low);
    return static_cast<double>(std::ldexp(error, std::numeric_limits<T>::digits - exponent));
}

// The same for float32, of which there are 2^32: from the exponent's bits.
double ulps(float got, double exact) {
    constexpr double kLimit = 0x1p128;
    if (std::isnan(got) || std::isnan(exact)) return std::isnan(got) && std::isnan(exact) ? 0 : 1e300;
    const double value = std::isinf(got) ? std::copysign(kLimit, got) : got;
    if (std::abs(exact) > kLimit) exact = std::copysign(kLimit, exact);
    const auto biased = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(exact) >> 52 & 0x7ff);
    const std::int64_t exponent = std::max<std::int64_t>(biased - 1023, -126) - 23;
    return std::abs(value - exact) * std::bit_cast<double>(static_cast<std::uint64_t>(1023 - exponent) << 52);
}
template <class T>
double distance(T got, Exact exact) {
    return static_cast<double>(std::abs((got - exact.high) - exact.low));
}
double distance(float got, double exact) { return std::abs(got - exact); }

using fanin::Activation;

template <class T>
using ExactOf = std::conditional_t<sizeof(T) == 4, double, Exact>;

template <class T>
struct Function {
    std::string name;
    void (*kernel)(std::size_t n, const T* x, T* y);  // null: the activation's
    std::function<ExactOf<T>(T x)> exact;
    double bound;
    bool turns;   // defined on [0, 1) only
    double root;  // of a derivative; NaN: none
    Activation activation;
    bool derivative;
};

// A function of W, the result in two parts where W is wider than long double can tell.
template <class T, class W>
std::function<ExactOf<T>(T)> evaluated(W (*function)(W)) {
    return [function](T x) -> ExactOf<T> {
        if constexpr (sizeof(T) == 4) return function(static_cast<W>(x));
        else return parts<W>(function(static_cast<W>(x)));
    };
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <class T, class W, class Q>
std::vector<Function<T>> functions() {
    const fanin::MathKernels<T>& k = fanin::kernels<T>().math;
    std::vector<Function<T>> all;
    const auto math = [&](const char* name, auto kernel, W (*exact)(W), bool turns = false) {
        all.push_back({name, kernel, evaluated<T, W>(exact), 2, turns, kNone, Activation::identity, false});
    };
    // tanh and sigmoid have the bound of the elementary functions.
    const auto activation = [&]<class X>(const char* name, Activation g, X (*value)(X), X (*slope)(X), double root) {
        const double bound = g == Activation::tanh || g == Activation::sigmoid ? 2 : 4;
        all.push_back({name, nullptr, evaluated<T, X>(value), bound, false, kNone, g, false});
        all.push_back({name + std::string("'"), nullptr, evaluated<T, X>(slope), 4, false, root, g, true});
    };
    math("exp", k.exp, [](W x) { return exact::exp(x); });
    math("log", k.log, [](W x) { return exact::log(x); });
    math("log1p", k.log1p, [](W x) { return exact::log1p(x); });
    math("erf", k.erf, [](W x) { return exact::erf(x); });
    math("sin_turns", k.sin_turns, exact::sin_turns<W>, true);
    math("cos_turns", k.cos_turns, exact::cos_turns<W>, true);
    exact::each_activation<W>(activation);
    if constexpr (sizeof(Q) > sizeof(T) && std::is_same_v<Q, W> == (sizeof(T) == 4))
        exact::each_rounded_activation<Q>(activation);
    return all;
}

template <class T>
void evaluate(const Function<T>& f, std::size_t n, const T* x, T* y) {
    const std::span<const T> in(x, n);
    if (f.kernel != nullptr) f.kernel(n, x, y);
    else if (f.derivative) fanin::activation_derivative<T>(f.activation, in, std::span<T>(y, n));
    else fanin::activate<T>(f.activation, in, std::span<T>(y, n));
}

struct Worst {
    double error = 0, at = 0;
    void take(double e, double x) {
        if (e > error) error = e, at = x;
    }
};

// Runs f over inputs(task, i), i < kTask, for all tasks; prints the worst. True where the bound holds.
constexpr std::size_t kTask = 4096;
template <class T, class Inputs>
bool sweep(const Function<T>& f, std::size_t tasks, Inputs&& inputs) {
    Worst worst, worst_near;
    std::size_t count = 0;
    std::mutex mutex;
    const double unit = std::ldexp(1.0, 1 - std::numeric_limits<T>::digits);  // 2^-23, 2^-52
    constexpr std::size_t kGroup = 64;
    fanin::parallel_for((tasks + kGroup - 1) / kGroup, [&](std::size_t group) {
        Worst local, local_near;
        std::size_t local_count = 0;
        T x[kTask], y[kTask];
        for (std::size_t task = group * kGroup; task < std::min(tasks, group * kGroup + kGroup); ++task) {
            std::size_t n = 0;
            for (std::size_t i = 0; i < kTask; ++i) {
                const T value = inputs(task, i);
                if (std::isfinite(value) && (!f.turns || (value >= 0 && value < 1))) x[n++] = value;
            }
            evaluate(f, n, x, y);
            local_count += n;
            for (std::size_t i = 0; i < n; ++i) {
                const ExactOf<T> exact = f.exact(x[i]);
                if (std::abs(static_cast<double>(x[i]) - f.root) <= 0.25)
                    local_near.take(distance(y[i], exact) / unit, static_cast<double>(x[i]));
                else local.take(ulps(y[i], exact), static_cast<double>(x[i]));
            }
        }
        const std::lock_guard lock(mutex);
        count += local_count;
        worst.take(local.error, local.at);
        worst_near.take(local_near.error, local_near.at);
    });
    // None of these rounds correctly throughout: a maximum of half a unit over so many inputs would be a broken measure.
    const bool measured = count < 100'000 || worst.error > 0.5;
    const bool ok = worst.error <= f.bound && worst_near.error <= 1 && measured;
    std::printf("%-11s %s  %11zu inputs  max %.4f ULP at %.9g", f.name.c_str(), sizeof(T) == 4 ? "float32" : "float64", count,
                worst.error, worst.at);
    if (!std::isnan(f.root)) std::printf(", near the root %.4f of 2^%d", worst_near.error, 1 - std::numeric_limits<T>::digits);
    std::printf("%s\n", ok ? "" : measured ? "  ABOVE THE BOUND" : "  TOO EXACT");
    std::fflush(stdout);
    return ok;
}

std::uint64_t mix(std::uint64_t x) {  // splitmix64's finalizer (Steele, Lea, Flood, OOPSLA 2014)
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

// Even positions: any exponent; odd ones: exponents -40 .. 10, where these functions bend.
double stratified(std::uint64_t index) {
    const std::uint64_t r = mix(index), fraction = r & 0xfffffffffffffull, sign = r & 1ull << 63, pick = r >> 52 & 0x7ff;
    const std::uint64_t exponent = index % 2 == 0 ? pick : 1023 - 40 + pick % 51;
    return std::bit_cast<double>(sign | exponent << 52 | fraction);
}

// A name asks for the function and its derivative.
bool asked(std::string_view name, std::string_view of) {
    return name.empty() || name == of || (of.ends_with("'") && name == of.substr(0, of.size() - 1));
}

// The ends of all binades and what lies about the seams of the implementations (inputs.hpp).
template <class T, class W, class Q>
bool sweep_boundaries() {
    if (sizeof(T) == 8 && std::numeric_limits<long double>::digits < 64) return true;
    const std::vector<T> x = check::inputs<T>(0);
    bool ok = true;
    for (const auto& f : functions<T, W, Q>())
        ok &= sweep(f, x.size() / kTask + 1, [&](std::size_t task, std::size_t i) {
            const std::size_t at = task * kTask + i;
            return at < x.size() ? x[at] : std::numeric_limits<T>::quiet_NaN();
        });
    return ok;
}

bool sweep_float32(std::size_t stride, std::string_view name) {
    bool ok = true;
    for (const auto& f : functions<float, double, double>())
        if (asked(name, f.name))
            ok &= sweep(f, (std::size_t{1} << 32) / kTask / stride, [&](std::size_t task, std::size_t i) {
                return std::bit_cast<float>(static_cast<std::uint32_t>((task * kTask + i) * stride));
            });
    return ok;
}

bool sweep_float64(std::size_t count, std::string_view name) {
    if (std::numeric_limits<long double>::digits < 64) {
        std::printf("float64 left out: long double is no wider here\n");
        return true;
    }
    bool ok = true;
    for (const auto& f : functions<double, long double, exact::Widest>())
        if (asked(name, f.name))
            ok &= sweep(f, count / kTask + 1, [&](std::size_t task, std::size_t i) {
                const double x = stratified(task * kTask + i);
                return f.turns ? std::abs(x) - std::floor(std::abs(x)) : x;
            });
    return ok;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view type = argc > 1 ? argv[1] : "", name = argc > 3 ? argv[3] : "";
    const std::size_t number = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    bool ok = true;
    if (type == "sample") {
        ok &= sweep_float32(4253, "");  // a prime, so that all parts of a binade are met
        ok &= sweep_float64(1'000'000, "");
        ok &= sweep_boundaries<float, double, double>();
        ok &= sweep_boundaries<double, long double, exact::Widest>();
    } else if (type == "f32") {
        ok = sweep_float32(number == 0 ? 1 : number, name);
    } else if (type == "f64") {
        ok = sweep_float64(number == 0 ? 10'000'000 : number, name);
    } else {
        std::fprintf(stderr, "usage: sweep_math f32 [stride [name]] | f64 [count [name]] | sample\n");
        return 2;
    }
    return ok ? 0 : 1;
}
