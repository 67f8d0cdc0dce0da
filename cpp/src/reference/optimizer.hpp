// Reference of `optimizer`: one element of one update.
#pragma once

#include "common.hpp"

namespace fanin::reference {

// w -= lr g.
template <class T>
void sgd(T lr, T g, T& w) {
    w = fused(-lr, g, w);
}

// v = momentum v + g, at the first step v = g; w -= lr v, with nesterov w -= lr (g + momentum v).
template <class T>
void sgd_momentum(T lr, T momentum, bool nesterov, bool first, T g, T& v, T& w) {
    v = first ? g : fused(momentum, v, g);
    w = fused(-lr, nesterov ? fused(momentum, v, g) : v, w);
}

}  // namespace fanin::reference
