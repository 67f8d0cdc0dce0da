// All parameters of a network in one array, to compare whole networks by.
#pragma once

#include <vector>

#include "fanin/network.hpp"

template <class T>
std::vector<T> parameters(fanin::Network<T>& net) {
    std::vector<T> all;
    for (std::size_t l = 0; l < net.layers(); ++l) {
        const fanin::MatrixView<T> w = net.weight(l);
        all.insert(all.end(), w.data, w.data + w.rows * w.cols);
        const fanin::VectorView<T> b = net.bias(l);
        all.insert(all.end(), b.data, b.data + b.size);
    }
    return all;
}
