// Data for a network of any shape, a start for it, and the same start for the reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "fanin/network.hpp"
#include "fanin/random.hpp"
#include "reference/network.hpp"

template <class T>
struct Data {
    std::vector<T> x, values;
    std::vector<std::int64_t> labels;
    std::size_t rows, n_in;
    fanin::MatrixView<const T> view() const { return fanin::matrix_view(x.data(), rows, n_in); }
    fanin::Targets<T> targets() const { return {labels, values}; }
};

template <class T>
Data<T> data_for(const fanin::NetworkShape& shape, std::size_t rows) {
    Data<T> d{std::vector<T>(rows * shape.sizes.front()), {}, {}, rows, shape.sizes.front()};
    fanin::fill_normal<T>(d.x, {9, 1}, 0, 0, 1);
    for (std::size_t i = 0; i < rows; ++i) {
        const bool on = d.x[i * d.n_in] > 0;
        if (shape.loss == fanin::Loss::cross_entropy) d.labels.push_back(static_cast<std::int64_t>(i * 7 % shape.sizes.back()));
        if (shape.loss == fanin::Loss::binary_cross_entropy) d.values.push_back(on ? 1 : 0);
        if (shape.loss == fanin::Loss::hinge) d.values.push_back(on ? 1 : -1);
    }
    if (shape.loss == fanin::Loss::mean_squared_error) {
        d.values.resize(rows * shape.sizes.back());
        fanin::fill_normal<T>(d.values, {9, 2}, 0, 0, 1);
    }
    return d;
}

// Normal weights of variance 1 / n_in, biases of 0.1, written through the live views.
template <class T>
void draw(fanin::Network<T>& net) {
    for (std::size_t l = 0; l < net.layers(); ++l) {
        const fanin::MatrixView<T> w = net.weight(l);
        const T std = std::sqrt(T(1) / static_cast<T>(w.cols));
        fanin::fill_normal<T>({w.data, w.rows * w.cols}, {8, l}, 0, 0, std);
        const fanin::VectorView<T> b = net.bias(l);
        for (std::size_t i = 0; i < b.size; ++i) b[i] = T(0.1);
    }
}

template <class T>
void copy_parameters(fanin::Network<T>& net, fanin::reference::Network<T>& to) {
    for (std::size_t l = 0; l < net.layers(); ++l) {
        const fanin::MatrixView<T> w = net.weight(l);
        to.w[l].assign(w.data, w.data + w.rows * w.cols);
        const fanin::VectorView<T> b = net.bias(l);
        if (b.size != 0) to.b[l].assign(b.data, b.data + b.size);
    }
}
