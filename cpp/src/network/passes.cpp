// Batches through a network: the buffers, forward, backward, and the cost between.
#include "dense/passes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/table.hpp"
#include "network/state.hpp"

namespace fanin {
namespace {

// The widest hidden layer, and the bytes of one unit's values in a batch, up to which these lie side by side. Measured
// (AVX-512, one thread, best of 5 interleaved runs), a step row by row over this: [784, 100x4, 10] with 64 rows 1.07,
// 64-100-100-10 1.06, [64, 300x4, 10] with 128 rows 1.01 to 1.03; [784, 500x4, 10] with 64 to 512 rows .98 to 1.03, as it
// comes.
constexpr std::size_t kUprightUnits = 384, kUprightBytes = 512;

}  // namespace

// ------------------------------------------------------------------------------------------------ buffers

// Room for `rows` rows (at most a piece), and for as many that have to be gathered first. Grows, never shrinks.
template <class T>
void Network<T>::State::reserve(std::size_t rows, bool gather) {
    rows = std::min(rows, kPieceRows);
    if (rows > capacity_) {
        std::size_t total = 0, widest = 0;
        for (const Layer& layer : layers_) {
            total += detail::padded<T>(rows * layer.n_out) * (layer.activation == Activation::identity ? 1 : 2);
            widest = std::max(widest, layer.n_out);
        }
        const std::size_t delta = detail::padded<T>(rows * widest);
        capacity_ = 0;
        storage_.assign(total + 2 * delta, T(0));
        capacity_ = rows;
        T* next = storage_.data();
        for (T*& buffer : delta_) {
            buffer = next;
            next += delta;
        }
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const std::size_t n = detail::padded<T>(rows * layers_[l].n_out);
            z_[l] = a_[l] = next;
            next += n;
            if (layers_[l].activation == Activation::identity) continue;
            a_[l] = next;
            next += n;
        }
    }
    if (!gather) return;
    gathered_x_.resize(std::max(gathered_x_.size(), rows * shape_.sizes.front()));
    if (shape_.loss == Loss::cross_entropy) gathered_labels_.resize(std::max(gathered_labels_.size(), rows));
    else gathered_values_.resize(std::max(gathered_values_.size(), rows * outputs()));
    gathered_weights_.resize(std::max(gathered_weights_.size(), rows));
}

// Rows begin .. begin + n - 1 of a batch as consecutive rows: as they stand, or gathered.
template <class T>
typename Network<T>::State::Rows Network<T>::State::piece(const Rows& rows, std::size_t begin, std::size_t n) {
    const std::size_t width = outputs();
    if (rows.order == nullptr) return {detail::rows_of(rows.x, begin, n), rows.y.rows(begin, n, width), nullptr};
    const MatrixView<T> x = matrix_view(gathered_x_.data(), n, rows.x.cols);
    const bool labels = shape_.loss == Loss::cross_entropy;
    for (std::size_t i = 0; i < n; ++i) {
        const auto from = static_cast<std::size_t>(rows.order[begin + i]);
        if (rows.x.col_stride == 1) std::copy_n(&rows.x(from, 0), x.cols, &x(i, 0));
        else
            for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = rows.x(from, j);
        if (!rows.y.weights.empty()) gathered_weights_[i] = rows.y.weights[from];
        if (labels) gathered_labels_[i] = rows.y.labels[from];
        else std::copy_n(rows.y.values.data() + from * width, width, gathered_values_.data() + i * width);
    }
    const std::span<const T> weights(gathered_weights_.data(), rows.y.weights.empty() ? 0 : n);
    if (labels) return {x, {{gathered_labels_.data(), n}, {}, weights}, nullptr};
    return {x, {{}, {gathered_values_.data(), n * width}, weights}, nullptr};
}

// ------------------------------------------------------------------------------------------------ passes

// `rows` rows of layer l's z, a or da. Where that pays, hidden layers lie unit by unit and are computed along the batch: what
// is narrower than a vector; and a few whole tiles of rows, since then dx = dz w packs dz in place of w, which is larger, and
// z^T = w x^T needs no turn. What is watched lies row by row, as summaries read it.
template <class T>
MatrixView<T> Network<T>::State::rows_in(T* buffer, std::size_t rows, std::size_t l, bool watched) const {
    const DenseKernels<T>& kernel = active<DenseKernels<T>>();
    const std::size_t n = layers_[l].n_out;
    const bool few_tiles =
        !watched && rows <= n && n <= kUprightUnits && rows * sizeof(T) <= kUprightBytes && rows % kernel.tile_cols == 0;
    const bool upright = l + 1 != layers_.size() && (n < kernel.lanes || few_tiles);
    return upright ? matrix_view(buffer, n, rows).transposed() : matrix_view(buffer, rows, n);
}

template <class T>
void Network<T>::State::forward_piece(MatrixView<const T> x, T* logits, Watch<T>* watch) {
    MatrixView<const T> input = x;
    if (watch) watch->add(watch->x, summarize<T>(x, watch->options));
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = layers_[l];
        const bool last = l + 1 == layers_.size(), two = layer.activation != Activation::identity;
        const MatrixView<T> a = rows_in(last ? logits : a_[l], x.rows, l, watch != nullptr);
        std::optional<VectorView<const T>> b;
        if (shape_.bias) b = bias(l);
        std::optional<MatrixView<T>> z;
        if (two) z = rows_in(z_[l], x.rows, l, watch != nullptr);
        if (watch == nullptr) {
            detail::forward_pass<T>(input, weight(l), b, layer.activation, a, z);
        } else {
            DenseStats stats{watch->options, watch->activations[l], {}, {}};
            detail::forward_pass<T>(input, weight(l), b, layer.activation, a, z, {}, &stats);
            watch->add(watch->summaries[l].z, stats.z);
            watch->add(watch->summaries[l].a, stats.a);
            watch->note_alive(l, a, stats.a.zeros);
        }
        input = a;
    }
}

// From d cost / d logits in delta_[0] to the gradients of all parameters. The first layer owes no dx.
template <class T>
void Network<T>::State::backward_piece(MatrixView<const T> x, bool accumulate, Watch<T>* watch) {
    std::size_t now = 0;
    for (std::size_t l = layers_.size(); l-- > 0; now = 1 - now) {
        const Layer& layer = layers_[l];
        const MatrixView<T> delta = rows_in(delta_[now], x.rows, l, watch != nullptr);
        const MatrixView<const T> input = l == 0 ? x : rows_in(a_[l - 1], x.rows, l - 1, watch != nullptr);
        std::optional<MatrixView<const T>> z;
        if (layer.activation != Activation::identity) z = rows_in(z_[l], x.rows, l, watch != nullptr);
        DenseGradients<T> out;
        out.out_dw = weight_in(gradients_.data(), l);
        if (shape_.bias) out.out_db = bias_in(gradients_.data(), l);
        out.out_dz = delta;
        if (watch) watch->add(watch->summaries[l].da, summarize<T>(MatrixView<const T>(delta), watch->options));
        // delta is dz once the layer's pass is done.
        const auto watch_dz = [&] {
            LayerSummaries& found = watch->summaries[l];
            if (layer.activation == Activation::identity) found.dz = found.da;
            else watch->add(found.dz, summarize<T>(MatrixView<const T>(delta), watch->options));
            if (shape_.weight_of.empty()) return;
            watch->own_dw[l].resize(layer.n_out * layer.n_in);
            const MatrixView<T> dw = matrix_view(watch->own_dw[l].data(), layer.n_out, layer.n_in);
            detail::backward_pass<T>(delta, input, weight(l), std::nullopt, Activation::identity, {{}, dw, {}, {}}, accumulate);
        };
        std::optional<MatrixView<T>> dx;
        if (l != 0) dx = rows_in(delta_[1 - now], x.rows, l - 1, watch != nullptr);
        if (!accumulate) out.out_dx = dx;
        if (layer.adds && !accumulate) {  // to the matrix's gradient alone
            const MatrixView<T> dw = *std::exchange(out.out_dw, std::nullopt);
            detail::backward_pass<T>(delta, input, weight(l), z, layer.activation, out);
            detail::backward_pass<T>(delta, input, weight(l), std::nullopt, Activation::identity, {{}, dw, {}, {}}, true);
            if (watch) watch_dz();
            continue;
        }
        detail::backward_pass<T>(delta, input, weight(l), z, layer.activation, out, accumulate);
        if (watch) watch_dz();
        // dx is of these rows alone: never added to. delta is dz by now.
        if (accumulate && dx)
            detail::backward_pass<T>(delta, input, weight(l), std::nullopt, Activation::identity, {dx, {}, {}, {}});
    }
}

// The mean cost of n rows of a batch, and with_gradients its gradients in gradients_, or the update that they are for.
template <class T>
double Network<T>::State::pass(const Rows& rows, std::size_t begin, std::size_t n, bool with_gradients, Watch<T>* watch,
                               Update* update) {
    double total = 0, weight = rows.y.weights.empty() ? static_cast<double>(n) : 0;
    for (std::size_t i = begin; i < begin + (rows.y.weights.empty() ? 0 : n); ++i)
        weight += static_cast<double>(rows.y.weights[rows.order == nullptr ? i : static_cast<std::size_t>(rows.order[i])]);
    batch_weight_ = weight;
    for (std::size_t done = 0; done < n; done += kPieceRows) {
        const std::size_t count = std::min(kPieceRows, n - done);
        const Rows now = piece(rows, begin + done, count);
        forward_piece(now.x, z_.back(), watch);
        detail::add_loss<T>(shape_.loss, count, outputs(), z_.back(), now.y, weight, delta_[0], total);
        if (update != nullptr && std::isfinite(total) && can_update(n, update->optimizer)) backward_updating(now.x, *update);
        else if (with_gradients) backward_piece(now.x, done != 0, watch);
    }
    return detail::mean_loss(shape_.loss, total, weight, outputs());
}

// The members that stand here; those of the other files come with network.cpp, the last of their unit.
#define FANIN_PASSES(T)                                                                               \
    template void Network<T>::State::reserve(std::size_t, bool);                                      \
    template Network<T>::State::Rows Network<T>::State::piece(const Rows&, std::size_t, std::size_t); \
    template MatrixView<T> Network<T>::State::rows_in(T*, std::size_t, std::size_t, bool) const;      \
    template void Network<T>::State::forward_piece(MatrixView<const T>, T*, Watch<T>*);               \
    template void Network<T>::State::backward_piece(MatrixView<const T>, bool, Watch<T>*);            \
    template double Network<T>::State::pass(const Rows&, std::size_t, std::size_t, bool, Watch<T>*, Update*);
FANIN_PASSES(float)
FANIN_PASSES(double)
#undef FANIN_PASSES

}  // namespace fanin
