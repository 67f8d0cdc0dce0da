// Polynomials over vectors, one or several side by side.

namespace fanin::FANIN_ISA {
namespace {

// c[0] + c[1] x + ... by Horner's rule, one fused multiply-add a term.
template <std::size_t n, class T, class V>
FANIN_INLINE V horner(const T (&c)[n], V x) {
    V r = splat(c[n - 1]);
#pragma GCC unroll 32
    for (std::size_t i = 1; i < n; ++i) r = fma(r, x, splat(c[n - 1 - i]));
    return r;
}

// The same of m numbers side by side, so that no term waits for the one before it.
template <std::size_t n, std::size_t m, class T, class V>
FANIN_INLINE void horner(const T (&c)[n], const V (&x)[m], V (&r)[m]) {
    for (std::size_t j = 0; j < m; ++j) r[j] = splat(c[n - 1]);
#pragma GCC unroll 32
    for (std::size_t i = 1; i < n; ++i)
#pragma GCC unroll 8
        for (std::size_t j = 0; j < m; ++j) r[j] = fma(r[j], x[j], splat(c[n - 1 - i]));
}

}  // namespace
}  // namespace fanin::FANIN_ISA
