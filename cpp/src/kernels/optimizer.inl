// Stochastic gradient descent over vectors. The arrays of a large network do not fit in a cache, so each update reads
// and writes every array once; the last few elements go through a buffer with the same arithmetic.

namespace fanin::FANIN_ISA {
namespace {

template <class T>
void sgd(std::size_t n, T lr, const T* g, T* w) {
    const Vec<T> step = splat(-lr);
    std::size_t i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) store<T>(w + i, fma(step, load<T>(g + i), load<T>(w + i)));
    for (; i < n; ++i) w[i] = fma(-lr, g[i], w[i]);
}

// One vector (or one element) of the update with momentum: returns the new w, leaves the new velocity in v.
template <class V>
FANIN_INLINE V momentum_update(V step, V momentum, bool nesterov, bool first, V g, V& v, V w) {
    v = first ? g : fma(momentum, v, g);
    return fma(step, nesterov ? fma(momentum, v, g) : v, w);
}

template <class T>
void sgd_momentum(std::size_t n, T lr, T momentum, bool nesterov, bool first, const T* g, T* v, T* w) {
    const Vec<T> step = splat(-lr), factor = splat(momentum);
    std::size_t i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) {
        Vec<T> velocity = load<T>(v + i);
        store<T>(w + i, momentum_update(step, factor, nesterov, first, load<T>(g + i), velocity, load<T>(w + i)));
        store<T>(v + i, velocity);
    }
    for (; i < n; ++i) w[i] = momentum_update(-lr, momentum, nesterov, first, g[i], v[i], w[i]);
}

template <class T>
constexpr OptimizerKernels<T> optimizer_kernels() {
    return {sgd<T>, sgd_momentum<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
