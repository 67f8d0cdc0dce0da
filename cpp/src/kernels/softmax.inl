// Softmax. Elementary functions run over flat arrays, whatever the number of classes, so that a softmax of two classes fills
// the vectors too; the short sums of its rows run in eight fixed lanes between them.

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

// Each once for all that take them: a call is little beside a block.
template <class T>
[[gnu::noinline]] void exp_each(std::size_t n, const T* from, T* to) {
    map_vectors<T>(n, from, nullptr, to, [](Vec<T> v) { return exp(v); });
}
template <class T>
[[gnu::noinline]] void log1p_each(std::size_t n, const T* from, T* to) {
    map_vectors<T>(n, from, nullptr, to, [](Vec<T> v) { return log1p(v); });
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

// What is known of each row: m, the first place where it stands, and the sum of the other exponentials.
template <class T>
struct SoftmaxRows {
    std::size_t top[kLossBlock];
    T largest[kLossBlock], rest[kLossBlock];
};

// e[j] = exp(z[j] - m) in rows <= kLossBlock rows; at the top 1, or NaN where m is. e may be z.
template <class T>
FANIN_INLINE void softmax_rows(std::size_t rows, std::size_t classes, const T* z, T* e, SoftmaxRows<T>& r) {
    for (std::size_t i = 0; i < rows; ++i) {
        const T* row = z + i * classes;
        T* out = e + i * classes;
        const T m = largest(classes, row);
        std::size_t k = 0;
        while (k + 1 < classes && !(row[k] == m)) ++k;
        r.top[i] = k;
        r.largest[i] = m;
        for (std::size_t j = 0; j < classes; ++j) out[j] = row[j] - m;
    }
    exp_each(rows * classes, e, e);
    // The top's exponential is 1 exactly. It stays out of the sum, so that log1p of the rest keeps the digits of a small one.
    for (std::size_t i = 0; i < rows; ++i) {
        T* row = e + i * classes;
        row[r.top[i]] = T(0);
        T sum = 0;
        for (std::size_t j = 0; j < classes; j += kLossBlock)
            sum = sum + block_sum<T>(classes - j < kLossBlock ? classes - j : kLossBlock, row + j);
        r.rest[i] = sum;
        row[r.top[i]] = r.largest[i] == r.largest[i] ? T(1) : r.largest[i];
    }
}

// SoftmaxKernels::softmax: exp(z - m) / s, s = 1 + the rest. Tasks of softmax.cpp call it with their own rows.
template <class T>
void softmax(std::size_t rows, std::size_t classes, const T* z, T* out) {
    SoftmaxRows<T> r;
    softmax_rows(rows, classes, z, out, r);
    for (std::size_t i = 0; i < rows; ++i, out += classes) {
        const T s = T(1) + r.rest[i];
        for (std::size_t j = 0; j < classes; ++j) out[j] = out[j] / s;
    }
}

// SoftmaxKernels::log_softmax: (z - m) - log1p(rest), and -log1p(rest) at the top.
template <class T>
void log_softmax(std::size_t rows, std::size_t classes, const T* z, T* scratch, T* out) {
    SoftmaxRows<T> r;
    T log_sum[kLossBlock];
    softmax_rows(rows, classes, z, scratch, r);
    log1p_each(rows, r.rest, log_sum);
    for (std::size_t i = 0; i < rows; ++i, z += classes, out += classes) {
        const T m = r.largest[i], at_top = (m == m ? T(0) : m) - log_sum[i];  // m - m is NaN where m is infinite
        for (std::size_t j = 0; j < classes; ++j) out[j] = (z[j] - m) - log_sum[i];
        out[r.top[i]] = at_top;
    }
}

// The entries, in the order of SoftmaxKernels.
template <class T>
constexpr SoftmaxKernels<T> softmax_kernels() {
    return {softmax<T>, log_softmax<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
