// Largest error of every elementary function and of the derivatives of the activations, in units in the last place.
//
//     sweep_math f32 [stride]   every stride-th float32 (default 1: all 2^32) against the system's double functions
//     sweep_math f64 [count]    `count` stratified float64 (default 10^7) a function against its long double functions
//
// Prints one line a function and exits with 1 where a bound of P3 does not hold (2 ULP, derivatives 4).
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

#include "fanin/activation.hpp"
#include "fanin/isa.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace {

// The exact functions, in a type W wider than the one tested.
template <class W>
W exact_exp(W x) {
    return std::exp(x);
}
template <class W>
W exact_log(W x) {
    return std::log(x);
}
template <class W>
W exact_log1p(W x) {
    return std::log1p(x);
}
template <class W>
W exact_tanh(W x) {
    return std::tanh(x);
}
template <class W>
W exact_sigmoid(W x) {
    return 1 / (1 + std::exp(-x));
}
template <class W>
W exact_tanh_derivative(W x) {
    const W c = std::cosh(x);
    return 1 / c / c;
}
template <class W>
W exact_sigmoid_derivative(W x) {
    const W u = std::exp(-std::abs(x));
    return u / ((1 + u) * (1 + u));
}
// A turn minus the nearest quarter is exact in W, so that nothing is lost next to the zeros.
template <class W>
W exact_sin_turns(W x) {
    const W quarter = std::rint(4 * x), angle = static_cast<W>(6.283185307179586476925286766559005768L) * (x - quarter / 4);
    switch (static_cast<int>(quarter) & 3) {
        case 0:
            return std::sin(angle);
        case 1:
            return std::cos(angle);
        case 2:
            return -std::sin(angle);
        default:
            return -std::cos(angle);
    }
}
template <class W>
W exact_cos_turns(W x) {
    const W quarter = std::rint(4 * x), angle = static_cast<W>(6.283185307179586476925286766559005768L) * (x - quarter / 4);
    switch (static_cast<int>(quarter) & 3) {
        case 0:
            return std::cos(angle);
        case 1:
            return -std::sin(angle);
        case 2:
            return -std::cos(angle);
        default:
            return std::sin(angle);
    }
}

// |got - exact| in units of the last place that T has at `exact`. Infinity counts as the next power of two.
template <class T, class W>
double ulps(T got, W exact) {
    if (std::isnan(got) || std::isnan(exact)) return std::isnan(got) && std::isnan(exact) ? 0 : 1e300;
    const W limit = std::ldexp(W(1), std::numeric_limits<T>::max_exponent);
    const W value = std::isinf(got) ? std::copysign(limit, static_cast<W>(got)) : static_cast<W>(got);
    const W wanted = std::abs(exact) > limit ? std::copysign(limit, exact) : exact;
    if (value == wanted) return 0;
    int exponent = 0;
    std::frexp(wanted, &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent) - std::numeric_limits<T>::digits;
    return static_cast<double>(std::ldexp(std::abs(value - wanted), -exponent));
}

template <class T, class W>
struct Function {
    const char* name;
    void (*kernel)(std::size_t n, const T* x, T* y);
    W (*exact)(W x);
    double bound;
    bool turns;  // defined on [0, 1) only
};

template <class T, class W>
std::vector<Function<T, W>> functions() {
    const fanin::Kernels<T>& k = fanin::kernels<T>();
    const auto derivative = k.activation.derivative;
    return {
        {"exp", k.math.exp, exact_exp<W>, 2, false},
        {"log", k.math.log, exact_log<W>, 2, false},
        {"log1p", k.math.log1p, exact_log1p<W>, 2, false},
        {"tanh", k.math.tanh, exact_tanh<W>, 2, false},
        {"sigmoid", k.math.sigmoid, exact_sigmoid<W>, 2, false},
        {"sin_turns", k.math.sin_turns, exact_sin_turns<W>, 2, true},
        {"cos_turns", k.math.cos_turns, exact_cos_turns<W>, 2, true},
        {"tanh_derivative", derivative[int(fanin::Activation::tanh)], exact_tanh_derivative<W>, 4, false},
        {"sigmoid_derivative", derivative[int(fanin::Activation::sigmoid)], exact_sigmoid_derivative<W>, 4, false},
    };
}

// Runs f over inputs(task, i), i < kTask, for all tasks; prints the worst. True where the bound holds.
constexpr std::size_t kTask = 4096;
template <class T, class W, class Inputs>
bool sweep(const Function<T, W>& f, std::size_t tasks, Inputs&& inputs) {
    double worst = 0;
    T worst_at = 0;
    std::size_t count = 0;
    std::mutex mutex;
    fanin::parallel_for((tasks + 255) / 256, [&](std::size_t group) {
        double local_worst = 0;
        T local_at = 0;
        std::size_t local_count = 0;
        T x[kTask], y[kTask];
        for (std::size_t task = group * 256; task < std::min(tasks, group * 256 + 256); ++task) {
            std::size_t n = 0;
            for (std::size_t i = 0; i < kTask; ++i) {
                const T value = inputs(task, i);
                if (!f.turns || (value >= 0 && value < 1)) x[n++] = value;
            }
            f.kernel(n, x, y);
            local_count += n;
            for (std::size_t i = 0; i < n; ++i) {
                if (std::isnan(x[i]) && std::isnan(y[i])) continue;
                const double error = ulps<T, W>(y[i], f.exact(static_cast<W>(x[i])));
                if (error > local_worst) local_worst = error, local_at = x[i];
            }
        }
        const std::lock_guard lock(mutex);
        count += local_count;
        if (local_worst > worst) worst = local_worst, worst_at = local_at;
    });
    std::printf("%-20s %s  %11zu inputs  max %.4f ULP at %a%s\n", f.name, sizeof(T) == 4 ? "float32" : "float64", count, worst,
                static_cast<double>(worst_at), worst <= f.bound ? "" : "  ABOVE THE BOUND");
    std::fflush(stdout);
    return worst <= f.bound;
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

}  // namespace

int main(int argc, char** argv) {
    const bool narrow = argc > 1 && std::strcmp(argv[1], "f32") == 0;
    if (!narrow && (argc < 2 || std::strcmp(argv[1], "f64") != 0)) {
        std::fprintf(stderr, "usage: sweep_math f32 [stride] | f64 [count]\n");
        return 2;
    }
    const std::size_t number = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : narrow ? 1 : 10'000'000;
    bool ok = true;
    if (narrow) {
        const std::size_t tasks = (std::size_t{1} << 32) / kTask / number;
        for (const auto& f : functions<float, double>())
            ok &= sweep(f, tasks, [&](std::size_t task, std::size_t i) {
                return std::bit_cast<float>(static_cast<std::uint32_t>((task * kTask + i) * number));
            });
    } else {
        for (const auto& f : functions<double, long double>())
            ok &= sweep(f, number / kTask + 1, [&](std::size_t task, std::size_t i) {
                const double x = stratified(task * kTask + i);
                return f.turns ? std::abs(x) - std::floor(std::abs(x)) : x;
            });
    }
    return ok ? 0 : 1;
}
