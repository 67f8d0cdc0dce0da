#include "fanin/network.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "dense/passes.hpp"
#include "division.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "network_parts.hpp"

namespace fanin {
namespace {

static_assert(kPieceRows % kSumBlock == 0);  // so that dw and db of the pieces add up to those of the whole (dense.hpp)

std::uint64_t next_identity() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// Rounded up to whole cache lines, so that every array begins at one.
template <class T>
std::size_t padded(std::size_t n) {
    constexpr std::size_t kLine = detail::kCacheLine / sizeof(T);
    return detail::round_up(n, kLine);
}

void check_weight_of(NetworkShape& shape) {
    const std::size_t layers = shape.sizes.size() - 1;
    if (shape.weight_of.empty()) return;
    if (shape.weight_of.size() != layers)
        throw std::invalid_argument("weight_of must have one entry for each of the " + std::to_string(layers) +
                                    " layers, got " + std::to_string(shape.weight_of.size()));
    bool any = false;
    for (std::size_t l = 0; l < layers; ++l) {
        const std::size_t of = shape.weight_of[l];
        if (of > l || shape.weight_of[of] != of)
            throw std::invalid_argument("weight_of must name for layer " + std::to_string(l) +
                                        " itself or an earlier layer that uses its own matrix, got " + std::to_string(of));
        if (shape.sizes[of] != shape.sizes[l] || shape.sizes[of + 1] != shape.sizes[l + 1])
            throw std::invalid_argument("layers that share a matrix must have one shape, got layer " + std::to_string(of) +
                                        " of (" + std::to_string(shape.sizes[of + 1]) + ", " + std::to_string(shape.sizes[of]) +
                                        ") and layer " + std::to_string(l) + " of (" + std::to_string(shape.sizes[l + 1]) +
                                        ", " + std::to_string(shape.sizes[l]) + ")");
        any = any || of != l;
    }
    if (!any) shape.weight_of.clear();
}

NetworkShape checked(NetworkShape shape) {
    const auto& sizes = shape.sizes;
    if (sizes.size() < 2)
        throw std::invalid_argument("sizes must have at least 2 widths, input and output, got " + std::to_string(sizes.size()));
    for (std::size_t i = 0; i < sizes.size(); ++i)
        if (sizes[i] == 0)
            throw std::invalid_argument("sizes must hold widths of at least 1, got 0 at place " + std::to_string(i));
    if (shape.activations.size() != sizes.size() - 2)
        throw std::invalid_argument("activations must have one for each of the " + std::to_string(sizes.size() - 2) +
                                    " hidden layers, got " + std::to_string(shape.activations.size()));
    check_outputs(shape.loss, sizes.back());
    check_weight_of(shape);
    return shape;
}

}  // namespace

template <class T>
Network<T>::Network(NetworkShape shape, std::uint64_t seed)
    : shape_(checked(std::move(shape))), seed_(seed), id_(next_identity()) {
    std::size_t total = 0;
    for (std::size_t l = 0; l + 1 < shape_.sizes.size(); ++l) {
        const std::size_t n_in = shape_.sizes[l], n_out = shape_.sizes[l + 1];
        std::size_t weights = 0;
        if (__builtin_mul_overflow(n_in, n_out, &weights) || weights > (std::size_t{1} << 48))
            throw std::invalid_argument("sizes must give layers of at most 2^48 weights, got " + std::to_string(n_in) + " x " +
                                        std::to_string(n_out));
        const bool last = l + 2 == shape_.sizes.size();
        const std::size_t of = owner(l);
        const std::size_t weight = of == l ? total : layers_[of].weight, end = of == l ? total + padded<T>(weights) : total;
        layers_.push_back({n_in, n_out, last ? Activation::identity : shape_.activations[l], weight, end, false,
                           !last && n_out < kernels<T>().dense.lanes});
        if (of != l) layers_[of].adds = true;
        for (std::size_t before = of + 1; before < l; ++before)
            if (owner(before) == of) layers_[before].adds = true;
        total = end + (shape_.bias ? padded<T>(n_out) : 0);
        layer_ends_.push_back(total);
    }
    parameters_.assign(total, T(0));
    gradients_.assign(total, T(0));
    z_.resize(layers_.size());
    a_.resize(layers_.size());
}

template <class T>
Network<T>::Network(const Network& other) : Network(other.shape_, other.seed_) {
    const Busy busy(other.busy_);
    parameters_ = other.parameters_;
    epochs_ = other.epochs_;
}

// ------------------------------------------------------------------------------------------------ arguments

template <class T>
void Network<T>::check(MatrixView<const T> x, std::size_t first_row) const {
    const std::size_t n_in = shape_.sizes.front();
    if (x.cols != n_in)
        throw std::invalid_argument("x must have shape (batch, " + std::to_string(n_in) + "), got (" + std::to_string(x.rows) +
                                    ", " + std::to_string(x.cols) + ")");
    detail::check_no_nan(x, first_row);
}

template <class T>
void Network<T>::check(MatrixView<const T> x, Targets<T> y) const {
    if (x.rows == 0) throw std::invalid_argument("x must have at least one row, got 0");
    check(x);
    check_targets(shape_.loss, x.rows, outputs(), y);
}

// ------------------------------------------------------------------------------------------------ buffers

// Room for `rows` rows (at most a piece), and for as many that have to be gathered first. Grows, never shrinks.
template <class T>
void Network<T>::reserve(std::size_t rows, bool gather) {
    rows = std::min(rows, kPieceRows);
    if (rows > capacity_) {
        std::size_t total = 0, widest = 0;
        for (const Layer& layer : layers_) {
            total += padded<T>(rows * layer.n_out) * (layer.activation == Activation::identity ? 1 : 2);
            widest = std::max(widest, layer.n_out);
        }
        const std::size_t delta = padded<T>(rows * widest);
        capacity_ = 0;
        storage_.assign(total + 2 * delta, T(0));
        capacity_ = rows;
        T* next = storage_.data();
        for (T*& buffer : delta_) {
            buffer = next;
            next += delta;
        }
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const std::size_t n = padded<T>(rows * layers_[l].n_out);
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
}

// Rows begin .. begin + n - 1 of a batch as consecutive rows: as they stand, or gathered.
template <class T>
typename Network<T>::Rows Network<T>::piece(const Rows& rows, std::size_t begin, std::size_t n) {
    const std::size_t width = outputs();
    if (rows.order == nullptr) return {detail::rows_of(rows.x, begin, n), rows.y.rows(begin, n, width), nullptr};
    const MatrixView<T> x = matrix_view(gathered_x_.data(), n, rows.x.cols);
    const bool labels = shape_.loss == Loss::cross_entropy;
    for (std::size_t i = 0; i < n; ++i) {
        const auto from = static_cast<std::size_t>(rows.order[begin + i]);
        if (rows.x.col_stride == 1) std::copy_n(&rows.x(from, 0), x.cols, &x(i, 0));
        else
            for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = rows.x(from, j);
        if (labels) gathered_labels_[i] = rows.y.labels[from];
        else std::copy_n(rows.y.values.data() + from * width, width, gathered_values_.data() + i * width);
    }
    if (labels) return {x, {{gathered_labels_.data(), n}, {}}, nullptr};
    return {x, {{}, {gathered_values_.data(), n * width}}, nullptr};
}

// ------------------------------------------------------------------------------------------------ passes

// `rows` rows of layer l's z, a or da.
template <class T>
MatrixView<T> Network<T>::rows_in(T* buffer, std::size_t rows, std::size_t l) const {
    const std::size_t n = layers_[l].n_out;
    return layers_[l].upright ? matrix_view(buffer, n, rows).transposed() : matrix_view(buffer, rows, n);
}

template <class T>
void Network<T>::forward_piece(MatrixView<const T> x, T* logits) {
    MatrixView<const T> input = x;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = layers_[l];
        const bool last = l + 1 == layers_.size(), two = layer.activation != Activation::identity;
        const MatrixView<T> a = rows_in(last ? logits : a_[l], x.rows, l);
        std::optional<VectorView<const T>> b;
        if (shape_.bias) b = bias(l);
        std::optional<MatrixView<T>> z;
        if (two) z = rows_in(z_[l], x.rows, l);
        detail::forward_pass<T>(input, weight(l), b, layer.activation, a, z);
        input = a;
    }
}

// From d cost / d logits in delta_[0] to the gradients of all parameters. The first layer owes no dx.
template <class T>
void Network<T>::backward_piece(MatrixView<const T> x, bool accumulate) {
    std::size_t now = 0;
    for (std::size_t l = layers_.size(); l-- > 0; now = 1 - now) {
        const Layer& layer = layers_[l];
        const MatrixView<T> delta = rows_in(delta_[now], x.rows, l);
        const MatrixView<const T> input = l == 0 ? x : rows_in(a_[l - 1], x.rows, l - 1);
        std::optional<MatrixView<const T>> z;
        if (layer.activation != Activation::identity) z = rows_in(z_[l], x.rows, l);
        DenseGradients<T> out;
        out.out_dw = weight_in(gradients_.data(), l);
        if (shape_.bias) out.out_db = bias_in(gradients_.data(), l);
        out.out_dz = delta;
        std::optional<MatrixView<T>> dx;
        if (l != 0) dx = rows_in(delta_[1 - now], x.rows, l - 1);
        if (!accumulate) out.out_dx = dx;
        if (layer.adds && !accumulate) {  // to the matrix's gradient alone
            const MatrixView<T> dw = *std::exchange(out.out_dw, std::nullopt);
            detail::backward_pass<T>(delta, input, weight(l), z, layer.activation, out);
            detail::backward_pass<T>(delta, input, weight(l), std::nullopt, Activation::identity, {{}, dw, {}, {}}, true);
            continue;
        }
        detail::backward_pass<T>(delta, input, weight(l), z, layer.activation, out, accumulate);
        // dx is of these rows alone: never added to. delta is dz by now.
        if (accumulate && dx)
            detail::backward_pass<T>(delta, input, weight(l), std::nullopt, Activation::identity, {dx, {}, {}, {}});
    }
}

// The mean cost of n rows of a batch, and with_gradients its gradients in gradients_.
template <class T>
double Network<T>::pass(const Rows& rows, std::size_t begin, std::size_t n, bool with_gradients) {
    double total = 0;
    if (with_gradients) given_ = false;
    for (std::size_t done = 0; done < n; done += kPieceRows) {
        const std::size_t count = std::min(kPieceRows, n - done);
        const Rows now = piece(rows, begin + done, count);
        forward_piece(now.x, z_.back());
        detail::add_loss<T>(shape_.loss, count, outputs(), z_.back(), now.y, n, delta_[0], total);
        if (with_gradients) backward_piece(now.x, done != 0);
    }
    return total / detail::mean_terms(shape_.loss, n, outputs());
}

// ------------------------------------------------------------------------------------------------ public

template <class T>
void Network<T>::draw_weights(const Law& law) {
    const Busy busy(busy_);
    detail::AlignedVector<T> drawn(parameters_.size());  // a law may refuse a later layer
    for (std::size_t l = 0; l < layers(); ++l)
        if (owner(l) == l) fill<T>(weight_in(drawn.data(), l), law, {seed_, stream_id(std::to_string(l) + ".weight")});
    for (const Layer& layer : layers_)
        std::copy_n(drawn.data() + layer.weight, layer.n_in * layer.n_out, parameters_.data() + layer.weight);
}

template <class T>
void Network<T>::forward(MatrixView<const T> x, std::span<T> logits, std::size_t first_row) {
    check(x, first_row);
    if (logits.size() != x.rows * outputs())
        throw std::invalid_argument("logits must have shape (batch, outputs) = (" + std::to_string(x.rows) + ", " +
                                    std::to_string(outputs()) + "), got " + std::to_string(logits.size()) + " elements");
    const Busy busy(busy_);
    reserve(x.rows, false);
    for (std::size_t done = 0; done < x.rows; done += kPieceRows)
        forward_piece(detail::rows_of(x, done, std::min(kPieceRows, x.rows - done)), logits.data() + done * outputs());
}

template <class T>
void Network<T>::predict(MatrixView<const T> x, std::span<std::int64_t> labels) {
    check(x);
    if (shape_.loss == Loss::mean_squared_error)
        throw std::invalid_argument("predict needs a loss of classes, got mean_squared_error: forward gives its values");
    if (labels.size() != x.rows)
        throw std::invalid_argument("labels must have shape (batch,) = (" + std::to_string(x.rows) + ",), got " +
                                    std::to_string(labels.size()) + " elements");
    const Busy busy(busy_);
    reserve(x.rows, false);
    std::vector<T> logits(std::min(kPieceRows, x.rows) * outputs());
    for (std::size_t done = 0; done < x.rows; done += kPieceRows) {
        const std::size_t n = std::min(kPieceRows, x.rows - done);
        forward_piece(detail::rows_of(x, done, n), logits.data());
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * outputs());
            if (shape_.loss == Loss::cross_entropy)
                labels[done + i] = std::max_element(row, row + static_cast<std::ptrdiff_t>(outputs())) - row;
            else labels[done + i] = *row > 0 ? 1 : shape_.loss == Loss::hinge ? -1 : 0;
        }
    }
}

template <class T>
double Network<T>::loss(MatrixView<const T> x, Targets<T> y) {
    check(x, y);
    const Busy busy(busy_);
    reserve(x.rows, false);
    return pass({x, y, nullptr}, 0, x.rows, false);
}

template <class T>
double Network<T>::gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                             std::span<const VectorView<T>> out_db) {
    check(x, y);
    bool fits = out_dw.size() == layers() && out_db.size() == (shape_.bias ? layers() : 0);
    for (std::size_t l = 0; fits && l < layers(); ++l)
        fits = out_dw[l].rows == layers_[l].n_out && out_dw[l].cols == layers_[l].n_in &&
               (!shape_.bias || out_db[l].size == layers_[l].n_out);
    if (!fits) throw std::invalid_argument("out_dw and out_db must have the shapes of the network's weights and biases");
    const Busy busy(busy_);
    reserve(x.rows, false);
    const double cost = pass({x, y, nullptr}, 0, x.rows, true);
    for (std::size_t l = 0; l < layers(); ++l) {
        const MatrixView<T> dw = weight_in(gradients_.data(), l);
        for (std::size_t i = 0; i < dw.rows; ++i)
            for (std::size_t j = 0; j < dw.cols; ++j) out_dw[l](i, j) = dw(i, j);
        for (std::size_t i = 0; shape_.bias && i < dw.rows; ++i) out_db[l][i] = bias_in(gradients_.data(), l)[i];
    }
    return cost;
}

template class Network<float>;
template class Network<double>;

}  // namespace fanin
