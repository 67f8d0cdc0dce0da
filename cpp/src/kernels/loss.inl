// Costs over vectors. Elementary functions run over flat arrays, whatever the number of classes, so that a softmax of two
// classes fills the vectors too; the short sums of its rows run in eight fixed lanes between them.

namespace fanin::FANIN_ISA {
namespace {

// Eight lanes, the same on every instruction set; the compiler splits or joins registers.
typedef float EightF __attribute__((vector_size(8 * sizeof(float))));
typedef double EightD __attribute__((vector_size(8 * sizeof(double))));
template <class T>
struct EightOf;
template <>
struct EightOf<float> {
    using Lanes = EightF;
};
template <>
struct EightOf<double> {
    using Lanes = EightD;
};

// The sum of n <= kLossBlock terms, none of them -0: lane l adds the terms l, l + 8, ..., and the lanes are folded by
// halves. Terms that are missing at the end count as +0, which changes no sum.
template <class T>
FANIN_INLINE T block_sum(std::size_t n, const T* terms) {
    using Lanes = typename EightOf<T>::Lanes;
    Lanes sum{};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        Lanes v;
        __builtin_memcpy(&v, terms + i, sizeof v);
        sum += v;
    }
    for (std::size_t lane = 0; i < n; ++i, ++lane) sum[lane] += terms[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// to[i] = f(from[i]) for n elements; the end goes through a buffer.
template <class T, class F>
FANIN_INLINE void map(std::size_t n, const T* from, T* to, F&& f) {
    std::size_t i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) store<T>(to + i, f(load<T>(from + i)));
    if (i < n) store_first<T>(to + i, f(load_first<T>(from + i, n - i)), n - i);
}

// The largest of n >= 1 numbers. Where there is a NaN the result is NaN or not: the row's cost is NaN either way.
template <class T>
FANIN_INLINE T largest(std::size_t n, const T* z) {
    std::size_t j = 1;
    T m = z[0];
    if (n >= 2 * kLanes<T>) {
        Vec<T> lanes = load<T>(z);
        for (j = kLanes<T>; j + kLanes<T> <= n; j += kLanes<T>) {
            const Vec<T> v = load<T>(z + j);
            lanes = v > lanes ? v : lanes;
        }
        m = lanes[0];
        for (std::size_t lane = 1; lane < kLanes<T>; ++lane) m = lanes[lane] > m ? lanes[lane] : m;
    }
    for (; j < n; ++j) m = z[j] > m ? z[j] : m;
    return m;
}

// Softmax and its cost. With m = z[k] the first largest logit, rest = the sum of exp(z[j] - m) over j != k and
// s = 1 + rest, the cost is (m - z[y]) + log1p(rest) and its gradient exp(z[j] - m) / s - [j = y]: nothing overflows, and
// nothing cancels where the network is sure of itself (-rest / s where y = k; p <= 1/2 otherwise).
template <class T>
double cross_entropy(std::size_t rows, std::size_t classes, const T* z, const std::int64_t* y, T scale, T* dz) {
    std::size_t top[kLossBlock];
    double cost[kLossBlock];
    T rest[kLossBlock], log_sum[kLossBlock];
    for (std::size_t i = 0; i < rows; ++i) {
        const T* row = z + i * classes;
        T* out = dz + i * classes;
        const T m = largest(classes, row);
        std::size_t k = 0;
        while (k + 1 < classes && !(row[k] == m)) ++k;
        top[i] = k;
        cost[i] = static_cast<double>(m) - static_cast<double>(row[y[i]]);
        for (std::size_t j = 0; j < classes; ++j) out[j] = row[j] - m;
    }
    map<T>(rows * classes, dz, dz, [](Vec<T> v) { return exp(v); });
    for (std::size_t i = 0; i < rows; ++i) {
        T* e = dz + i * classes;
        e[top[i]] = T(0);
        T sum = 0;
        for (std::size_t j = 0; j < classes; j += kLossBlock)
            sum = sum + block_sum<T>(classes - j < kLossBlock ? classes - j : kLossBlock, e + j);
        rest[i] = sum;
        e[top[i]] = T(1);
    }
    map<T>(rows, rest, log_sum, [](Vec<T> v) { return log1p(v); });
    for (std::size_t i = 0; i < rows; ++i) {
        T* out = dz + i * classes;
        const auto label = static_cast<std::size_t>(y[i]);
        const T factor = scale / (T(1) + rest[i]);
        const T at_label = label == top[i] ? T(0) - rest[i] * factor : fma(out[label], factor, -scale);
        for (std::size_t j = 0; j < classes; ++j) out[j] *= factor;
        out[label] = at_label;
        cost[i] += static_cast<double>(log_sum[i]);
    }
    return block_sum<double>(rows, cost);
}

// With t = z for y = 0 and -z for y = 1 the cost is max(t, 0) + log1p(exp(-|t|)), its gradient sigmoid(t) up to the sign.
template <class T>
double binary_cross_entropy(std::size_t n, const T* z, const T* y, T scale, T* dz) {
    T positive[kLossBlock], log_sum[kLossBlock];
    double cost[kLossBlock];
    for (std::size_t i = 0; i < n; ++i) positive[i] = y[i] == T(1) ? -z[i] : z[i];
    map<T>(n, positive, log_sum, [](Vec<T> t) { return log1p(exp(-abs(t))); });
    map<T>(n, positive, dz, [](Vec<T> t) { return sigmoid(t); });
    for (std::size_t i = 0; i < n; ++i) {
        const T t = positive[i], g = dz[i] * scale;
        dz[i] = y[i] == T(1) ? T(0) - g : g;
        cost[i] = static_cast<double>(t > T(0) ? t : T(0)) + static_cast<double>(log_sum[i]);
    }
    return block_sum<double>(n, cost);
}

template <class T>
double squared_error(std::size_t n, const T* z, const T* y, T scale, T* dz) {
    double cost[kLossBlock];
    for (std::size_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(z[i]) - static_cast<double>(y[i]);
        cost[i] = d * d;
        dz[i] = (z[i] - y[i]) * scale;
    }
    return block_sum<double>(n, cost);
}

// max(0, 1 - y z); the gradient at the kink is 0, and a NaN stays one.
template <class T>
double hinge(std::size_t n, const T* z, const T* y, T scale, T* dz) {
    double cost[kLossBlock];
    for (std::size_t i = 0; i < n; ++i) {
        const T score = y[i] * z[i], margin = T(1) - score;
        const double exact = 1.0 - static_cast<double>(score);
        cost[i] = exact <= 0.0 ? 0.0 : exact;
        dz[i] = margin <= T(0) ? T(0) : margin > T(0) ? T(0) - y[i] * scale : margin;
    }
    return block_sum<double>(n, cost);
}

template <class T>
constexpr LossKernels<T> loss_kernels() {
    return {cross_entropy<T>, binary_cross_entropy<T>, squared_error<T>, hinge<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
