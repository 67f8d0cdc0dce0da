// Reference of `optimizer`: one element of one update, and the norm that gradients are clipped by.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "common.hpp"
#include "fanin/optimizer.hpp"

namespace fanin::reference {

// The optimizer's state of one parameter: velocity; mean square and buffer; mean and mean square; sum of
// squares.
template <class T>
struct ParameterState {
    T first = 0, second = 0;
};

// The element's update at step t = 1, 2, ...: h is the gradient, clipped, lr that of the layer.
template <class T>
void update(const Sgd& rule, double lr, std::uint64_t t, T h, ParameterState<T>& s, T& w) {
    const T momentum = static_cast<T>(rule.momentum), step = static_cast<T>(lr);
    T& v = s.first;
    v = t == 1 || rule.momentum == 0 ? h : fused(momentum, v, h);
    w = fused(-step, rule.nesterov ? fused(momentum, v, h) : v, w);
}

template <class T>
void update(const RmsProp& rule, double lr, std::uint64_t, T h, ParameterState<T>& s, T& w) {
    T &v = s.first, &b = s.second;
    const T scaled = static_cast<T>(1 - rule.alpha) * h;
    v = fused(static_cast<T>(rule.alpha), v, scaled * h);
    const T u = h / (std::sqrt(v) + static_cast<T>(rule.eps));
    b = rule.momentum == 0 ? u : fused(static_cast<T>(rule.momentum), b, u);
    w = fused(-static_cast<T>(lr), b, w);
}

template <class T>
void update(const Adam& rule, double lr, std::uint64_t t, T h, ParameterState<T>& s, T& w) {
    double power1 = 1, power2 = 1;
    for (std::uint64_t i = 0; i < t; ++i) {
        power1 *= rule.beta1;
        power2 *= rule.beta2;
    }
    T &m = s.first, &v = s.second;
    const T scaled = static_cast<T>(1 - rule.beta2) * h;
    m = fused(static_cast<T>(1 - rule.beta1), h - m, m);
    v = fused(static_cast<T>(rule.beta2), v, scaled * h);
    const T root = std::sqrt(v), correction = static_cast<T>(1 / std::sqrt(1 - power2));
    const T kept = static_cast<T>(1 - lr * rule.weight_decay) * w;
    w = fused(-static_cast<T>(lr / (1 - power1)), m / fused(root, correction, static_cast<T>(rule.eps)), kept);
}

template <class T>
void update(const AdaGrad& rule, double lr, std::uint64_t, T h, ParameterState<T>& s, T& w) {
    T& v = s.first;
    v = fused(h, h, v);
    w = fused(-static_cast<T>(lr), h / (std::sqrt(v) + static_cast<T>(rule.eps)), w);
}

// The 2-norm of all gradients as they lie in memory: blocks of 4096, each in 8 accumulators, added in ascending order.
template <class T>
double gradient_norm(const std::vector<T>& g) {
    double sum = 0;
    for (std::size_t begin = 0; begin < g.size(); begin += 4096) {
        std::array<double, 8> a{};
        for (std::size_t j = begin; j < std::min(begin + 4096, g.size()); ++j) {
            const auto x = static_cast<double>(g[j]);
            a[(j - begin) % 8] = fused(x, x, a[(j - begin) % 8]);
        }
        sum = sum + (((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])));
    }
    return std::sqrt(sum);
}

// What gradients are multiplied by before a step.
template <class T>
T clip_scale(double norm, double clip_norm) {
    return clip_norm == 0 ? T(1) : static_cast<T>(std::min(1.0, clip_norm / (norm + 1e-6)));
}

}  // namespace fanin::reference
