#include "fanin/predictor.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "activation_kernel.hpp"
#include "division.hpp"
#include "fanin/aligned.hpp"
#include "fanin/arithmetic.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

namespace fanin {

template <class T>
struct Predictor<T>::State {
    struct Layer {
        std::size_t n_in, n_out;
        const T* weight;                                                    // as the kernel packs it
        const T* bias;                                                      // null: none
        void (*activate)(std::size_t, const T*, T*, ActivationFactors<T>);  // null: the identity
        ActivationFactors<T> factors;
    };

    explicit State(const Network<T>& network);
    void run(MatrixView<const T> x, T* out, T* space, std::size_t half) const noexcept;
    void run_row(const T* x, T* out, T* space, std::size_t half) const noexcept;
    void run_row_on_stack(const T* x, T* out) const noexcept;
    // Elements of one of the two buffers between the layers.
    std::size_t half(std::size_t rows) const { return detail::round_up(rows * widest, detail::kCacheLine / sizeof(T)); }

    decltype(DenseKernels<T>::multiply) multiply;
    decltype(DenseKernels<T>::multiply_row) multiply_row;
    std::size_t widest = 0;  // of the hidden layers
    std::vector<Layer> layers;
    detail::AlignedVector<T> memory;
};

template <class T>
Predictor<T>::State::State(const Network<T>& network)
    : multiply(active<DenseKernels<T>>().multiply), multiply_row(active<DenseKernels<T>>().multiply_row) {
    const DenseKernels<T>& kernel = active<DenseKernels<T>>();
    const ActivationKernels<T>& activation = active<ActivationKernels<T>>();
    const auto line = [](std::size_t n) { return detail::round_up(n, detail::kCacheLine / sizeof(T)); };
    std::size_t total = 0;
    for (std::size_t l = 0; l < network.layers(); ++l) {
        const MatrixView<const T> w = network.weight(l);
        total += line(w.cols * detail::round_up(w.rows, kernel.lanes)) + line(network.bias(l).size);
    }
    memory.assign(total, T(0));
    T* next = memory.data();
    for (std::size_t l = 0; l < network.layers(); ++l) {
        const MatrixView<const T> w = network.weight(l);
        const VectorView<const T> b = network.bias(l);
        const Activation g = network.activation(l);
        T* weight = next;
        kernel.pack(w.cols, w.rows, w.data, w.col_stride, w.row_stride, weight);
        next += line(w.cols * detail::round_up(w.rows, kernel.lanes));
        T* bias = b.size == 0 ? nullptr : next;
        for (std::size_t i = 0; i < b.size; ++i) bias[i] = b[i];
        next += line(b.size);
        layers.push_back({w.cols, w.rows, weight, bias,
                          g.kind() == Activation::identity ? nullptr : activation.forward[g.kind()],
                          detail::activation_factors<T>(g)});
        if (l + 1 != network.layers()) widest = std::max(widest, w.rows);
    }
}

// One row, whose elements are neighbours: its latency is all that counts, so that nothing stands between the kernels.
template <class T>
void Predictor<T>::State::run_row(const T* x, T* out, T* space, std::size_t half) const noexcept {
    T *to = space, *next = space + half;
    const Layer* const last = layers.data() + layers.size() - 1;
    for (const Layer* layer = layers.data(); layer != last; ++layer) {
        multiply_row(layer->n_in, layer->n_out, x, layer->weight, layer->bias, to);
        if (layer->activate != nullptr) layer->activate(layer->n_out, to, to, layer->factors);
        x = to;
        to = next;
        next = const_cast<T*>(x);
    }
    multiply_row(last->n_in, last->n_out, x, last->weight, last->bias, out);
    if (last->activate != nullptr) last->activate(last->n_out, out, out, last->factors);
}

// Elements of the stack that serve as workspace.
template <class T>
inline constexpr std::size_t kStackElements = kPredictStack / sizeof(T);

// Never part of its caller, whose frame would hold the stack of the calls of many rows as well.
template <class T>
[[gnu::noinline]] void Predictor<T>::State::run_row_on_stack(const T* x, T* out) const noexcept {
    alignas(detail::kCacheLine) T stack[kStackElements<T>];
    run_row(x, out, stack, half(1));
}

// `space` holds two buffers of `half` elements.
template <class T>
void Predictor<T>::State::run(MatrixView<const T> x, T* out, T* space, std::size_t half) const noexcept {
    if (x.rows == 1 && x.col_stride == 1) return run_row(x.data, out, space, half);
    Operand<const T> input{x.data, x.row_stride, x.col_stride};
    T* buffers[2] = {space, space + half};
    const std::size_t count = layers.size();
    for (std::size_t l = 0; l < count; ++l) {
        const Layer& layer = layers[l];
        T* to = l + 1 == count ? out : buffers[l % 2];
        const auto row = static_cast<std::ptrdiff_t>(layer.n_out);
        multiply({.m = x.rows,
                  .n = layer.n_out,
                  .k = layer.n_in,
                  .a = input,
                  .b = {nullptr, 1, 0},
                  .init = {layer.bias, 0, 1},
                  .c = {to, row, 1},
                  .halves = true},
                 layer.weight);
        if (layer.activate != nullptr) layer.activate(x.rows * layer.n_out, to, to, layer.factors);
        input = {to, row, 1};
    }
}

template <class T>
Predictor<T>::Predictor(const Network<T>& network) {
    const StandardArithmetic arithmetic;
    state_ = std::make_shared<const State>(network);
    inputs_ = network.shape().sizes.front();
    outputs_ = network.shape().sizes.back();
}

namespace {

template <class T>
Network<T> loaded(const NetworkShape& shape, const SafeTensors& file) {
    Network<T> network(shape, 0);
    network.load(file);
    return network;
}

}  // namespace

template <class T>
Predictor<T>::Predictor(const NetworkShape& shape, const SafeTensors& file) : Predictor(loaded<T>(shape, file)) {}
template <class T>
Predictor<T>::Predictor(const SafeTensors& file) : Predictor(network_shape(file), file) {}

template <class T>
std::size_t Predictor<T>::workspace(std::size_t rows) const noexcept {
    if (state_->widest == 0) return 0;
    return 2 * state_->half(std::min(rows, kPredictRows)) + detail::kCacheLine / sizeof(T);
}

namespace {

// The beginning of the first cache line in `space`.
template <class T>
T* aligned(T* space) {
    const auto beyond = reinterpret_cast<std::uintptr_t>(space) % detail::kCacheLine;
    const auto skipped = (detail::kCacheLine - beyond) / sizeof(T);
    return beyond == 0 ? space : space + skipped;
}

}  // namespace

template <class T>
void Predictor<T>::predict(MatrixView<const T> x, std::span<T> out, std::span<T> workspace) const {
    const StandardArithmetic arithmetic;
    const State& state = *state_;
    const std::size_t rows = x.rows;
    if (x.cols != inputs_ || rows - 1 >= kPredictRows)
        detail::refuse(
            {"x must have shape (rows, inputs) = (1 .. ", kPredictRows, ", ", inputs_, "), got (", rows, ", ", x.cols, ")"});
    if (out.size() != rows * outputs_)
        detail::refuse({"out must have shape (rows, outputs) = (", rows, ", ", outputs_, "), got ", out.size(), " elements"});
    if (!workspace.empty()) {
        if (workspace.size() < this->workspace(rows))
            detail::refuse({"workspace must have at least ", this->workspace(rows), " elements, got ", workspace.size()});
        return state.run(x, out.data(), aligned(workspace.data()), state.half(rows));
    }
    constexpr std::size_t kElements = kStackElements<T>;
    alignas(detail::kCacheLine) T stack[kElements];
    if (2 * state.half(rows) <= kElements) return state.run(x, out.data(), stack, state.half(rows));
    if (2 * state.half(1) > kElements)
        detail::refuse({"workspace must be given where a hidden layer has ", state.widest, " units: at least ",
                        this->workspace(rows), " elements"});
    const std::size_t at_once = kElements / (2 * state.half(1));
    for (std::size_t done = 0; done < rows; done += at_once) {
        MatrixView<const T> piece = x;
        piece.data += static_cast<std::ptrdiff_t>(done) * x.row_stride;
        piece.rows = std::min(at_once, rows - done);
        state.run(piece, out.data() + done * outputs_, stack, kElements / 2);
    }
}

template <class T>
void Predictor<T>::predict(std::span<const T> x, std::span<T> out, std::span<T> workspace) const {
    // One row: no view of it is written to be read back in wider pieces, which would wait for the writes.
    if (x.size() == inputs_ && out.size() == outputs_) {
        const State& state = *state_;
        const StandardArithmetic arithmetic;
        if (workspace.empty()) {
            if (2 * state.half(1) <= kStackElements<T>) return state.run_row_on_stack(x.data(), out.data());
        } else if (workspace.size() >= this->workspace(1)) {
            return state.run_row(x.data(), out.data(), aligned(workspace.data()), state.half(1));
        }
    }
    const std::size_t rows = x.size() == inputs_ ? 1 : x.size() / inputs_;  // a division takes some nanoseconds
    if (rows * inputs_ != x.size()) detail::refuse({"x must have whole rows of ", inputs_, " elements, got ", x.size()});
    predict(matrix_view(x.data(), rows, inputs_), out, workspace);
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace fanin
