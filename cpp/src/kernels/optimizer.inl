// Updates of parameters over vectors. The arrays of a large network do not fit in a cache, so each update reads and writes
// every array once; the last few elements are loaded and stored alone, with the same arithmetic.

namespace fanin::FANIN_ISA {
namespace {

// Calls update(gradient, (state)..., weight) on vectors; it changes what it takes by reference. Whether all new weights are
// finite: 0 times one that is not is NaN, and stays so in a sum.
template <class T, class Update, class... States>
FANIN_INLINE bool update_all(std::size_t n, Update&& update, const T* g, T* w, States*... states) {
    std::size_t i = 0;
    Vec<T> zeros{};
    for (; i + kLanes<T> <= n; i += kLanes<T>) {
        Vec<T> weight = load<T>(w + i);
        [&](auto... state) {
            update(load<T>(g + i), state..., weight);
            (store<T>(states + i, state), ...);
        }(load<T>(states + i)...);
        store<T>(w + i, weight);
        zeros = fma(weight, splat(T(0)), zeros);
    }
    // Lanes beyond the end hold zeros, whose updates may divide by eps alone, and are not stored.
    if (i == n) return !any_lane(zeros != zeros);
    const std::size_t rest = n - i;
    Vec<T> weight = load_first<T>(w + i, rest);
    [&](auto... state) {
        update(load_first<T>(g + i, rest), state..., weight);
        (store_first<T>(states + i, state, rest), ...);
    }(load_first<T>(states + i, rest)...);
    store_first<T>(w + i, weight, rest);
    const T* last = w + i;
    zeros = fma(load_first<T>(last, rest), splat(T(0)), zeros);  // without the other lanes
    return !any_lane(zeros != zeros);
}

// OptimizerKernels::sgd: w = w - lr h, h = scale g. Tasks of optimizer.cpp call this and what follows with disjoint ranges of
// the parameters; every update is element by element, so that the cut changes no bit.
template <class T>
bool sgd(std::size_t n, const SgdStep<T>& s, const T* g, T* w) {
    const Vec<T> step = splat(-s.lr), scale = splat(s.scale);
    return update_all<T>(n, [&](Vec<T> gradient, Vec<T>& weight) { weight = fma(step, gradient * scale, weight); }, g, w);
}

// OptimizerKernels::sgd_momentum: v = momentum v + h (h at first); the step is along v, with Nesterov along h + momentum v.
template <class T>
bool sgd_momentum(std::size_t n, const SgdStep<T>& s, const T* g, T* v, T* w) {
    const Vec<T> step = splat(-s.lr), momentum = splat(s.momentum), scale = splat(s.scale);
    return update_all<T>(
        n,
        [&](Vec<T> gradient, Vec<T>& velocity, Vec<T>& weight) {
            const Vec<T> h = gradient * scale;
            velocity = s.first ? h : fma(momentum, velocity, h);
            weight = fma(step, s.nesterov ? fma(momentum, velocity, h) : velocity, weight);
        },
        g, w, v);
}

// The new mean square in v; returns h over its root.
template <class T>
FANIN_INLINE Vec<T> over_root_mean_square(const RmsPropStep<T>& s, Vec<T> gradient, Vec<T>& v) {
    const Vec<T> h = gradient * splat(s.scale);
    v = fma(splat(s.alpha), v, splat(s.alpha_rest) * h * h);
    return h / (sqrt(v) + splat(s.eps));
}

// OptimizerKernels::rmsprop: the step is along h / (sqrt v + eps), v the running mean of h^2.
template <class T>
bool rmsprop(std::size_t n, const RmsPropStep<T>& given, const T* g, T* v, T* w) {
    const RmsPropStep<T> s = given;  // no store to w or v can change it, so that its splats leave the loop
    const Vec<T> step = splat(-s.lr);
    return update_all<T>(
        n,
        [&](Vec<T> gradient, Vec<T>& square, Vec<T>& weight) {
            weight = fma(step, over_root_mean_square<T>(s, gradient, square), weight);
        },
        g, w, v);
}

// OptimizerKernels::rmsprop_momentum: the same steps, summed up in b with a factor of `momentum`.
template <class T>
bool rmsprop_momentum(std::size_t n, const RmsPropStep<T>& given, const T* g, T* v, T* b, T* w) {
    const RmsPropStep<T> s = given;
    const Vec<T> step = splat(-s.lr), momentum = splat(s.momentum);
    return update_all<T>(
        n,
        [&](Vec<T> gradient, Vec<T>& square, Vec<T>& buffer, Vec<T>& weight) {
            buffer = fma(momentum, buffer, over_root_mean_square<T>(s, gradient, square));
            weight = fma(step, buffer, weight);
        },
        g, w, v, b);
}

// OptimizerKernels::adam: m and v are running means of h and h^2; both corrections of their start are in lr and `correction`.
// The decay of the weights, a factor, is taken before the step (AdamW); it is 1 for plain Adam.
template <class T>
bool adam(std::size_t n, const AdamStep<T>& s, const T* g, T* m, T* v, T* w) {
    const Vec<T> step = splat(-s.lr), rest1 = splat(s.beta1_rest), beta2 = splat(s.beta2), rest2 = splat(s.beta2_rest);
    const Vec<T> correction = splat(s.correction), eps = splat(s.eps), decay = splat(s.decay), scale = splat(s.scale);
    return update_all<T>(
        n,
        [&](Vec<T> gradient, Vec<T>& mean, Vec<T>& square, Vec<T>& weight) {
            const Vec<T> h = gradient * scale;
            mean = fma(rest1, h - mean, mean);
            square = fma(beta2, square, rest2 * h * h);
            weight = fma(step, mean / fma(sqrt(square), correction, eps), decay * weight);
        },
        g, w, m, v);
}

// OptimizerKernels::adagrad: v is the sum of all h^2 so far, and is not forgotten.
template <class T>
bool adagrad(std::size_t n, const AdaGradStep<T>& s, const T* g, T* v, T* w) {
    const Vec<T> step = splat(-s.lr), eps = splat(s.eps), scale = splat(s.scale);
    return update_all<T>(
        n,
        [&](Vec<T> gradient, Vec<T>& square, Vec<T>& weight) {
            const Vec<T> h = gradient * scale;
            square = fma(h, h, square);
            weight = fma(step, h / (sqrt(square) + eps), weight);
        },
        g, w, v);
}

// OptimizerKernels::sum_squares, in double: element i goes to sum i mod 8, and the eight are folded by halves, so that the
// order is that of every instruction set. The caller adds blocks up in turn.
template <class T>
double sum_squares(std::size_t n, const T* x) {
    constexpr std::size_t kSums = 8, kVectors = kSums / kLanes<double>;
    VecD sums[kVectors] = {};
    std::size_t j = 0;
    for (; j + kSums <= n; j += kSums)
        for (std::size_t p = 0; p < kVectors; ++p) {
            const VecD v = load_wide(x + j + p * kLanes<double>);
            sums[p] = fma(v, v, sums[p]);
        }
    double a[kSums];
    for (std::size_t p = 0; p < kVectors; ++p) store<double>(a + p * kLanes<double>, sums[p]);
    for (std::size_t i = 0; j < n; ++i, ++j) {
        const double v = static_cast<double>(x[j]);
        a[i] = fma(v, v, a[i]);
    }
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

// The entries, in the order of OptimizerKernels.
template <class T>
constexpr OptimizerKernels<T> optimizer_kernels() {
    return {sgd<T>, sgd_momentum<T>, rmsprop<T>, rmsprop_momentum<T>, adam<T>, adagrad<T>, sum_squares<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
