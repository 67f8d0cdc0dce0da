// Reference of softmax: one row at a time.
#pragma once

#include <vector>

#include "../kernels/loss.hpp"
#include "math.hpp"

namespace fanin::reference {

// The order of every sum of the losses and of softmax: r = +0; for each block of kLossBlock terms, eight lanes from +0, lane l
// adding the terms l, l + 8, ... in turn, folded by halves into s; r = r + s.
template <class T>
T lane_sum(const std::vector<T>& terms) {
    T r = 0;
    for (std::size_t begin = 0; begin < terms.size(); begin += kLossBlock) {
        T lane[8] = {};
        for (std::size_t i = begin; i < terms.size() && i < begin + kLossBlock; ++i) lane[(i - begin) % 8] += terms[i];
        for (const std::size_t half : {4, 2, 1})
            for (std::size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
        r += lane[0];
    }
    return r;
}

// exp(z[j] - m) for a row, 1 at the first largest (NaN for NaN), and the sum of the others.
template <class T>
struct Exponentials {
    std::size_t top;
    std::vector<T> e;
    T rest;
};

template <class T>
Exponentials<T> exponentials(std::size_t classes, const T* z) {
    std::size_t top = 0;
    for (std::size_t j = 1; j < classes; ++j)
        if (z[j] > z[top]) top = j;
    std::vector<T> e(classes);
    for (std::size_t j = 0; j < classes; ++j) e[j] = j == top ? T(0) : exp(z[j] - z[top]);
    const T rest = lane_sum(e);
    e[top] = std::isnan(z[top]) ? z[top] : T(1);
    return {top, std::move(e), rest};
}

template <class T>
void softmax(std::size_t classes, const T* z, T* out) {
    const auto [top, e, rest] = exponentials(classes, z);
    for (std::size_t j = 0; j < classes; ++j) out[j] = e[j] / (T(1) + rest);
}

template <class T>
void log_softmax(std::size_t classes, const T* z, T* out) {
    const auto [top, e, rest] = exponentials(classes, z);
    for (std::size_t j = 0; j < classes; ++j) out[j] = (j == top && !std::isnan(z[top]) ? T(0) : z[j] - z[top]) - log1p(rest);
}

}  // namespace fanin::reference
