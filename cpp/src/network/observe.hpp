// What an observed pass gathers (observe.cpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "fanin/aligned.hpp"
#include "fanin/network.hpp"

namespace fanin {

template <class T>
struct Watch {
    Watch(const StepObserver<T>& observer, std::size_t layers)
        : options(observer.options), activations(observer.activations), summaries(layers), alive(layers), own_dw(layers) {}

    // Adds what a piece of the batch measured to what the pieces before it did.
    static void add(Summary& whole, const Summary& piece) { whole = whole.count == 0 ? piece : merge(whole, piece); }
    // Notes the units whose activations are not all 0; `zeros` counts those of the piece.
    void note_alive(std::size_t l, MatrixView<const T> a, std::size_t zeros);

    // Whether what show() measured of the gradients is: the sums of layers that share a matrix are not measured.
    bool finite_gradients() const {
        const auto finite = [](const Summary& s) { return s.finite() == s.count; };
        return std::all_of(summaries.begin(), summaries.end(),
                           [&](const LayerSummaries& one) { return finite(one.dw) && finite(one.db); });
    }

    const SummaryOptions& options;
    const std::vector<SummaryOptions>& activations;
    Summary x;
    std::vector<LayerSummaries> summaries;
    std::vector<std::vector<char>> alive;          // by layer and unit
    std::vector<detail::AlignedVector<T>> own_dw;  // of layers that share a matrix; otherwise empty
};

}  // namespace fanin
