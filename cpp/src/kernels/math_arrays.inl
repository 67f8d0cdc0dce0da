// Elementary functions over arrays: the entries of MathKernels.

namespace fanin::FANIN_ISA {
namespace {

// y[i] = f(x[i]).
template <class T, class F>
void map_unary(std::size_t n, const T* x, T* y) {
    map_vectors<T>(n, x, nullptr, y, F{});
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
