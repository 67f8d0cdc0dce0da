// Updates of weights while their gradients are in the first cache; they never stand in memory. Storing a large network's
// gradients and reading them again takes longer than the update itself.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "dense/passes.hpp"
#include "fanin/threads.hpp"
#include "network/state.hpp"

namespace fanin {
namespace {

// Parameters from which this pays. Measured (float32, AVX-512, one thread, best of 4 interleaved runs), a step over one that
// stores its gradients: [784, 30, 10] with 32 rows 1.07, [100, 200, 200, 10] with 16 1.04, [784, 128, 10] with 32 1.00,
// [784, 500x4, 10] with 128, 32 and 16 .97, .93 and .90, [784, 2000, 2000, 10] with 32 .81.
constexpr std::size_t kUpdatingParameters = std::size_t{1} << 16;

}  // namespace

// One piece, for an optimizer that asks for no norm of all gradients; and dz needs a place of its own in each layer: that of z.
template <class T>
bool Network<T>::State::can_update(std::size_t rows, const Optimizer& optimizer) const {
    if (rows > kPieceRows || optimizer.clip_norm() != 0 || !shape_.weight_of.empty()) return false;
    if (parameters_.size() < kUpdatingParameters) return false;
    for (std::size_t l = 0; l + 1 < layers(); ++l)
        if (layers_[l].activation == Activation::identity) return false;
    return true;
}

// From d cost / d logits in delta_[0]: first every dz, in the place of z, then layer after layer the gradients of the weights.
// If these are to be finite, that is known before the first weight changes: by Cauchy and Schwarz no sum of products dz x, nor
// a part of it, exceeds |dz| |x|. Where that is too large to tell, gradients_ are computed and nothing changes; and they are
// where a parameter came out that is not finite, so that it can be told why.
template <class T>
void Network<T>::State::backward_updating(MatrixView<const T> x, Update& update) {
    const std::size_t last = layers() - 1;
    const auto in = [&](T* buffer, std::size_t l) { return rows_in(buffer, x.rows, l, false); };
    const auto dz_of = [&](std::size_t l) { return in(layers_[l].activation == Activation::identity ? delta_[0] : z_[l], l); };
    const auto input_of = [&](std::size_t l) { return l == 0 ? x : MatrixView<const T>(in(a_[l - 1], l - 1)); };
    MatrixView<T> da = in(delta_[0], last);
    for (std::size_t l = layers(); l-- > 0;) {
        DenseGradients<T> out;
        out.out_dz = dz_of(l);
        if (shape_.bias) out.out_db = bias_in(gradients_.data(), l);
        if (l != 0) out.out_dx = in(delta_[1], l - 1);
        detail::backward_pass<T>(da, input_of(l), weight(l), in(z_[l], l), layers_[l].activation, out);
        if (l != 0) da = *out.out_dx;
    }
    const auto keep_gradients = [&] {
        for (std::size_t l = 0; l < layers(); ++l)
            detail::backward_pass<T>(dz_of(l), input_of(l), weight(l), std::nullopt, Activation::identity,
                                     {{}, weight_in(gradients_.data(), l), {}, {}});
    };
    std::atomic<bool> finite{true};
    if (update.bounded) {
        parallel_for(layers(), [&](std::size_t l) {
            const double of_x = std::max(detail::sum_squares<T>(input_of(l)), static_cast<double>(x.rows));  // db: x is 1
            const double squares = detail::sum_squares<T>(dz_of(l)) * of_x;
            const double most = std::numeric_limits<T>::max() / 2;  // a half: for the roundings
            if (!(std::sqrt(squares) < most)) finite.store(false, std::memory_order_relaxed);
        });
        if (!finite.load()) return keep_gradients();
    }
    const InterruptScope uninterrupted(nullptr);
    struct Place {
        State& state;
        Optimizer& optimizer;
        std::atomic<bool>& finite;
        std::size_t l;

        void take(std::size_t first, std::size_t n, const T* g) {
            if (!optimizer.update_part<T>(l, first, {g, n}, state.parameters_.data() + first))
                finite.store(false, std::memory_order_relaxed);
        }
    } place{*this, update.optimizer, finite, 0};
    for (std::size_t l = 0; l < layers(); ++l) {
        place.l = l;
        if (shape_.bias) place.take(layers_[l].bias, layers_[l].n_out, gradients_.data() + layers_[l].bias);
        detail::gradient_strips<T>(
            dz_of(l), input_of(l), weight(l),
            [](void* context, std::size_t i, std::size_t m, std::size_t j, std::size_t n, const T* dw) {
                Place& at = *static_cast<Place*>(context);
                const Layer& layer = at.state.layers_[at.l];
                const std::size_t first = layer.weight + i * layer.n_in + j;
                if (n == layer.n_in) return at.take(first, m * n, dw);
                for (std::size_t r = 0; r < m; ++r) at.take(first + r * layer.n_in, n, dw + r * n);
            },
            &place);
    }
    update.optimizer.finish_update();
    update.done = true;
    update.finite = finite.load();
    if (!update.finite) keep_gradients();
}

#define FANIN_UPDATES(T)                                                              \
    template bool Network<T>::State::can_update(std::size_t, const Optimizer&) const; \
    template void Network<T>::State::backward_updating(MatrixView<const T>, Update&);
FANIN_UPDATES(float)
FANIN_UPDATES(double)
#undef FANIN_UPDATES

}  // namespace fanin
