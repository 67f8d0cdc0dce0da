// Reference of `loss`: the mean cost of a batch and its gradient, one row after the other.
#pragma once

#include <vector>

#include "../kernels/loss.hpp"
#include "activation.hpp"
#include "common.hpp"
#include "softmax.hpp"

namespace fanin::reference {

// 1 / n, rounded to T: what the gradient of a mean over n costs is scaled by.
template <class T>
T mean_scale(std::size_t n, double factor = 1) {
    return static_cast<T>(factor / static_cast<double>(n));
}

template <class T>
double cross_entropy(std::size_t batch, std::size_t classes, const T* z, const std::int64_t* y, T* dz) {
    std::vector<double> cost(batch);
    const T scale = mean_scale<T>(batch);
    for (std::size_t i = 0; i < batch; ++i, z += classes, dz += classes) {
        const auto label = static_cast<std::size_t>(y[i]);
        const auto [top, e, rest] = exponentials(classes, z);
        cost[i] = (static_cast<double>(z[top]) - static_cast<double>(z[label])) + static_cast<double>(log1p(rest));
        const T factor = scale / (T(1) + rest);
        for (std::size_t j = 0; j < classes; ++j) dz[j] = e[j] * factor;
        dz[label] = label == top ? T(0) - rest * factor : fused(e[label], factor, -scale);
    }
    return lane_sum(cost) / static_cast<double>(batch);
}

template <class T>
double binary_cross_entropy(std::size_t n, const T* z, const T* y, T* dz) {
    std::vector<double> cost(n);
    for (std::size_t i = 0; i < n; ++i) {
        const T t = y[i] == T(1) ? -z[i] : z[i];  // large where the network is wrong
        cost[i] = static_cast<double>(t > T(0) ? t : T(0)) + static_cast<double>(log1p(exp(-std::abs(t))));
        const T g = sigmoid(t) * mean_scale<T>(n);
        dz[i] = y[i] == T(1) ? T(0) - g : g;
    }
    return lane_sum(cost) / static_cast<double>(n);
}

// n = batch * outputs elements.
template <class T>
double mean_squared_error(std::size_t n, const T* z, const T* y, T* dz) {
    std::vector<double> cost(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(z[i]) - static_cast<double>(y[i]);
        cost[i] = d * d;
        dz[i] = (z[i] - y[i]) * mean_scale<T>(n, 2);
    }
    return lane_sum(cost) / static_cast<double>(n);
}

template <class T>
double hinge(std::size_t n, const T* z, const T* y, T* dz) {
    std::vector<double> cost(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double exact = 1.0 - static_cast<double>(y[i] * z[i]);
        cost[i] = exact <= 0 ? 0 : exact;
        const T margin = T(1) - y[i] * z[i];
        dz[i] = margin <= T(0) ? T(0) : margin > T(0) ? T(0) - y[i] * mean_scale<T>(n) : margin;
    }
    return lane_sum(cost) / static_cast<double>(n);
}

}  // namespace fanin::reference
