// Costs over vectors; the softmax, its sums and its loops are those of softmax.inl.

namespace fanin::FANIN_ISA {
namespace {

// weight * x, 0 for no weight whatever x is.
template <class T, class X>
FANIN_INLINE X weighted(T weight, X x) {
    return weight == T(0) ? X(0) : static_cast<X>(weight) * x;
}

template <class T>
FANIN_INLINE void weigh(std::size_t n, const T* w, double* cost, T* dz) {
    if (w == nullptr) return;
    for (std::size_t i = 0; i < n; ++i) {
        cost[i] = weighted(w[i], cost[i]);
        dz[i] = weighted(w[i], dz[i]);
    }
}

// Softmax and its cost. With m = z[k] the first largest logit, rest = the sum of exp(z[j] - m) over j != k and
// s = 1 + rest, the cost is (m - z[y]) + log1p(rest) and its gradient exp(z[j] - m) / s - [j = y]: nothing overflows, and
// nothing cancels where the network is sure of itself (-rest / s where y = k; p <= 1/2 otherwise).
template <class T>
double cross_entropy(std::size_t rows, std::size_t classes, const T* z, const std::int64_t* y, const T* w, T scale, T* dz) {
    SoftmaxRows<T> r;
    softmax_rows(rows, classes, z, dz, r);
    double cost[kLossBlock];
    T log_sum[kLossBlock];
    log1p_each(rows, r.rest, log_sum);
    for (std::size_t i = 0; i < rows; ++i) {
        T* out = dz + i * classes;
        const auto label = static_cast<std::size_t>(y[i]);
        // (p - 1) scale at the label: where that is the top, p - 1 = -rest / s and nothing cancels.
        const T factor = scale / (T(1) + r.rest[i]);
        const T at_label = label == r.top[i] ? T(0) - r.rest[i] * factor : fma(out[label], factor, -scale);
        for (std::size_t j = 0; j < classes; ++j) out[j] *= factor;
        out[label] = at_label;
        const double margin = static_cast<double>(r.largest[i]) - static_cast<double>(z[i * classes + label]);
        cost[i] = margin + static_cast<double>(log_sum[i]);
    }
    if (w != nullptr)
        for (std::size_t i = 0; i < rows; ++i) {
            cost[i] = weighted(w[i], cost[i]);
            for (std::size_t j = 0; j < classes; ++j) dz[i * classes + j] = weighted(w[i], dz[i * classes + j]);
        }
    return block_sum<double>(rows, cost);
}

// With t = z for y = 0 and -z for y = 1 the cost is max(t, 0) + log1p(exp(-|t|)), its gradient sigmoid(t) up to the sign.
template <class T>
double binary_cross_entropy(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz) {
    T positive[kLossBlock], log_sum[kLossBlock];
    double cost[kLossBlock];
    // -z where the label is 1: the rest is the same for both labels, and the signs go on last.
    for (std::size_t i = 0; i < n; ++i) positive[i] = y[i] == T(1) ? -z[i] : z[i];
    map_vectors<T>(n, positive, nullptr, log_sum, [](Vec<T> t) { return log1p(exp(-abs(t))); });
    map_vectors<T>(n, positive, nullptr, dz, [](Vec<T> t) { return sigmoid(t); });
    for (std::size_t i = 0; i < n; ++i) {
        const T t = positive[i], g = dz[i] * scale;
        dz[i] = y[i] == T(1) ? T(0) - g : g;
        cost[i] = static_cast<double>(t > T(0) ? t : T(0)) + static_cast<double>(log_sum[i]);
    }
    weigh(n, w, cost, dz);
    return block_sum<double>(n, cost);
}

// (z - y)^2 in double; the gradient in T.
template <class T>
double squared_error(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz) {
    double cost[kLossBlock];
    for (std::size_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(z[i]) - static_cast<double>(y[i]);
        cost[i] = d * d;
        dz[i] = (z[i] - y[i]) * scale;
    }
    weigh(n, w, cost, dz);
    return block_sum<double>(n, cost);
}

// max(0, 1 - y z); the gradient at the kink is 0, and a NaN stays one.
template <class T>
double hinge(std::size_t n, const T* z, const T* y, const T* w, T scale, T* dz) {
    double cost[kLossBlock];
    for (std::size_t i = 0; i < n; ++i) {
        const T score = y[i] * z[i], margin = T(1) - score;
        const double exact = 1.0 - static_cast<double>(score);
        cost[i] = exact <= 0.0 ? 0.0 : exact;
        dz[i] = margin <= T(0) ? T(0) : margin > T(0) ? T(0) - y[i] * scale : margin;
    }
    weigh(n, w, cost, dz);
    return block_sum<double>(n, cost);
}

// The entries, in the order of LossKernels: each takes at most kLossBlock rows (elements), returns their cost in double and
// writes the gradient times `scale`. loss.cpp adds blocks up in order, whichever thread had them.
template <class T>
constexpr LossKernels<T> loss_kernels() {
    return {cross_entropy<T>, binary_cross_entropy<T>, squared_error<T>, hinge<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
