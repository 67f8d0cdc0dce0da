// Observed steps: what a pass measured, and what is measured once it is over.
#include "network/observe.hpp"

#include <algorithm>

#include "network/state.hpp"

namespace fanin {

template <class T>
void Watch<T>::note_alive(std::size_t l, MatrixView<const T> a, std::size_t zeros) {
    alive[l].resize(a.cols, 0);
    if (zeros < a.rows) {  // too few for a dead unit
        std::fill(alive[l].begin(), alive[l].end(), char{1});
        return;
    }
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j < a.cols; ++j) alive[l][j] |= static_cast<char>(!(a(i, j) == T(0)));
}

// Completes the summaries of rows begin .. begin + n - 1, and shows them.
template <class T>
void Network<T>::State::show(StepObserver<T>& observer, Watch<T>& watch, std::size_t number, const Rows& rows,
                             std::size_t begin, std::size_t n, double cost) {
    std::vector<MatrixView<const T>> gradients;
    for (std::size_t l = 0; l < layers(); ++l) {
        LayerSummaries& found = watch.summaries[l];
        const MatrixView<const T> w = weight(l);
        const MatrixView<const T> dw =
            watch.own_dw[l].empty() ? weight_in(gradients_.data(), l) : matrix_view(watch.own_dw[l].data(), w.rows, w.cols);
        gradients.push_back(dw);
        found.w = summarize<T>(w, watch.options);
        found.dw = summarize<T>(dw, watch.options);
        found.b = summarize<T>(VectorView<const T>(bias(l)), watch.options);
        found.db = summarize<T>(VectorView<const T>(bias_in(gradients_.data(), l)), watch.options);
        found.dead = static_cast<std::size_t>(std::count(watch.alive[l].begin(), watch.alive[l].end(), char{0}));
    }
    std::span<const std::int64_t> order;
    if (rows.order != nullptr) order = {rows.order + begin, n};
    observer.see({number, order, begin, n, cost, watch.x, watch.summaries, gradients});
}

template struct Watch<float>;
template struct Watch<double>;

}  // namespace fanin
