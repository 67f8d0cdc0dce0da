// Elementary functions over arrays: the entries of MathKernels.

namespace fanin::FANIN_ISA {
namespace {

// Whether two vectors go together: one alone waits for its own chain of multiplications, unless each of those is a call.
inline constexpr bool kTogether = FANIN_HARDWARE_FMA != 0;

// y[i] = f(x[i]), with two vectors in flight.
template <class T, class F>
void map_unary(std::size_t n, const T* x, T* y) {
    const F f;
    for (; kTogether && n >= 2 * kLanes<T>; n -= 2 * kLanes<T>, x += 2 * kLanes<T>, y += 2 * kLanes<T>) {
        const Vec<T> low = f(load(x)), high = f(load(x + kLanes<T>));
        store(y, low);
        store(y + kLanes<T>, high);
    }
    for (; n >= kLanes<T>; n -= kLanes<T>, x += kLanes<T>, y += kLanes<T>) store(y, f(load(x)));
    if (n != 0) store_first(y, f(load_first(x, n)), n);
}

// What map_unary is handed: a function as a type.
// (A macro, since a function template is no template argument.)
#define FANIN_FUNCTION(Name, expression)       \
    struct Name {                              \
        template <class V>                     \
        FANIN_INLINE V operator()(V x) const { \
            return expression;                 \
        }                                      \
    }
FANIN_FUNCTION(Exp, exp(x));
FANIN_FUNCTION(Log, log(x));
FANIN_FUNCTION(Log1p, log1p(x));
FANIN_FUNCTION(Tanh, tanh(x));
FANIN_FUNCTION(Sigmoid, sigmoid(x));
FANIN_FUNCTION(Erf, erf(x));
FANIN_FUNCTION(SinTurns, sincos_turns(x).sin);
FANIN_FUNCTION(CosTurns, sincos_turns(x).cos);
#undef FANIN_FUNCTION

// MathKernels::fma; y may be a, b or c.
template <class T>
void fma_array(std::size_t n, const T* a, const T* b, const T* c, T* y) {
    for (; n >= kLanes<T>; n -= kLanes<T>, a += kLanes<T>, b += kLanes<T>, c += kLanes<T>, y += kLanes<T>)
        store(y, fma(load(a), load(b), load(c)));
    if (n != 0) store_first(y, fma(load_first(a, n), load_first(b, n), load_first(c, n)), n);
}

// The entries, in the order of MathKernels; each takes any n and any values, and y may be x.
template <class T>
constexpr MathKernels<T> math_kernels() {
    return {map_unary<T, Exp>, map_unary<T, Log>,      map_unary<T, Log1p>,    map_unary<T, Tanh>, map_unary<T, Sigmoid>,
            map_unary<T, Erf>, map_unary<T, SinTurns>, map_unary<T, CosTurns>, fma_array<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
