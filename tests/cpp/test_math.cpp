// The elementary functions against their reference, bit for bit, on every instruction set and both types; known answers
// and the accuracy of a sample (sweep_math measures all of it).
#include <limits>

#include "check.hpp"
#include "inputs.hpp"
#include "kernels/table.hpp"
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

template <class T>
void known_answers() {
    namespace ref = fanin::reference;
    constexpr T kInfinity = std::numeric_limits<T>::infinity(), kTiny = std::numeric_limits<T>::denorm_min();
    CHECK(ref::exp(T(0)) == 1 && ref::exp(-kInfinity) == 0 && ref::exp(kInfinity) == kInfinity);
    CHECK(ref::exp(T(1e4)) == kInfinity && ref::exp(T(-1e4)) == 0);
    CHECK(ref::log(T(1)) == 0 && ref::log(T(0)) == -kInfinity && ref::log(T(-0.0)) == -kInfinity &&
          ref::log(kInfinity) == kInfinity);
    CHECK(std::isnan(ref::log(T(-1))) && std::isnan(ref::log(-kInfinity)) && std::isnan(ref::log(-kTiny)));
    CHECK(ref::log1p(T(-1)) == -kInfinity && std::isnan(ref::log1p(T(-1.5))) && ref::log1p(kTiny) == kTiny);
    CHECK_SAME(ref::log1p(T(-0.0)), T(-0.0), "log1p(-0)");
    CHECK_SAME(ref::tanh(T(-0.0)), T(-0.0), "tanh(-0)");
    CHECK(ref::tanh(kTiny) == kTiny && ref::tanh(-kTiny) == -kTiny && ref::tanh(kInfinity) == 1 && ref::tanh(T(-30)) == -1);
    CHECK(ref::sigmoid(T(0)) == T(0.5) && ref::sigmoid(kInfinity) == 1 && ref::sigmoid(-kInfinity) == 0);
    CHECK(ref::sigmoid(T(sizeof(T) == 4 ? -100 : -740)) > 0 &&
          ref::sigmoid(T(sizeof(T) == 4 ? -100 : -740)) < std::numeric_limits<T>::min());
    CHECK(ref::tanh_derivative(T(0)) == 1 && ref::tanh_derivative(-kInfinity) == 0 && ref::sigmoid_derivative(T(0)) == T(0.25));
    // 4 e^-40 (1 - 2 e^-40 + ...) = 1.69934169... e-17
    CHECK(std::abs(ref::tanh_derivative(T(20)) - T(1.6993417021166355e-17)) <=
          T(1e-17) * std::numeric_limits<T>::epsilon() * 4);
    CHECK_SAME(ref::erf(T(-0.0)), T(-0.0), "erf(-0)");
    CHECK(ref::erf(kInfinity) == 1 && ref::erf(-kInfinity) == -1 && ref::erf(kTiny) == kTiny && ref::erf(T(7)) == 1);
    CHECK_SAME(ref::sin_turns(T(0)), T(0), "sin 0");
    CHECK_SAME(ref::sin_turns(T(0.5)), T(0), "sin of half a turn");
    CHECK_SAME(ref::cos_turns(T(0.25)), T(0), "cos of a quarter");
    CHECK_SAME(ref::cos_turns(T(0.75)), T(0), "cos of three quarters");
    CHECK(ref::sin_turns(T(0.25)) == 1 && ref::sin_turns(T(0.75)) == -1 && ref::cos_turns(T(0)) == 1 &&
          ref::cos_turns(T(0.5)) == -1);
    for (const Function<T>& f : functions<T>()) CHECK(std::isnan(f.reference(std::numeric_limits<T>::quiet_NaN())));
}

}  // namespace

int main() {
    check::each_isa([] {
        equal_reference<float>();
        equal_reference<double>();
        sizes<float>();
        sizes<double>();
    });
    known_answers<float>();
    known_answers<double>();
    return check::result();
}
