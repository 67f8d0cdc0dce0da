#include "fanin/network.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "fanin/arithmetic.hpp"
#include "fanin/dense.hpp"
#include "fanin/random.hpp"
#include "message.hpp"
#include "network/state.hpp"

namespace fanin {
namespace {

static_assert(kPieceRows % kSumBlock == 0);  // so that dw and db of the pieces add up to those of the whole (dense.hpp)

std::uint64_t next_identity() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

void check_weight_of(NetworkShape& shape) {
    const std::size_t layers = shape.sizes.size() - 1;
    if (shape.weight_of.empty()) return;
    if (shape.weight_of.size() != layers)
        detail::refuse({"weight_of must have one entry for each of the ", layers, " layers, got ", shape.weight_of.size()});
    bool any = false;
    for (std::size_t l = 0; l < layers; ++l) {
        const std::size_t of = shape.weight_of[l];
        if (of > l || shape.weight_of[of] != of)
            detail::refuse(
                {"weight_of must name for layer ", l, " itself or an earlier layer that uses its own matrix, got ", of});
        if (shape.sizes[of] != shape.sizes[l] || shape.sizes[of + 1] != shape.sizes[l + 1])
            detail::refuse({"layers that share a matrix must have one shape, got layer ", of, " of (", shape.sizes[of + 1],
                            ", ", shape.sizes[of], ") and layer ", l, " of (", shape.sizes[l + 1], ", ", shape.sizes[l], ")"});
        any = any || of != l;
    }
    if (!any) shape.weight_of.clear();
}

NetworkShape checked(NetworkShape shape) {
    const auto& sizes = shape.sizes;
    if (sizes.size() < 2) detail::refuse({"sizes must have at least 2 widths, input and output, got ", sizes.size()});
    for (std::size_t i = 0; i < sizes.size(); ++i)
        if (sizes[i] == 0) detail::refuse({"sizes must hold widths of at least 1, got 0 at place ", i});
    if (shape.activations.size() != sizes.size() - 2)
        detail::refuse(
            {"activations must have one for each of the ", sizes.size() - 2, " hidden layers, got ", shape.activations.size()});
    check_outputs(shape.loss, sizes.back());
    check_weight_of(shape);
    return shape;
}

// A parameter as a law fills it.
template <class T>
struct Whole {
    explicit Whole(MatrixView<T> v) : data(v.data), rank(2), shape{v.rows, v.cols}, strides{v.row_stride, v.col_stride} {}
    explicit Whole(VectorView<T> v) : data(v.data), rank(1), shape{v.size, 0}, strides{v.stride, 0} {}
    ArrayView<T> view() const { return {data, {shape, rank}, {strides, rank}}; }

    T* data;
    std::size_t rank, shape[2];
    std::ptrdiff_t strides[2];
};

}  // namespace

template <class T>
Network<T>::State::State(NetworkShape shape, std::uint64_t seed)
    : shape_(checked(std::move(shape))), seed_(seed), id_(next_identity()) {
    std::size_t total = 0;
    for (std::size_t l = 0; l + 1 < shape_.sizes.size(); ++l) {
        const std::size_t n_in = shape_.sizes[l], n_out = shape_.sizes[l + 1];
        std::size_t weights = 0;
        if (__builtin_mul_overflow(n_in, n_out, &weights) || weights > (std::size_t{1} << 48))
            detail::refuse({"sizes must give layers of at most 2^48 weights, got ", n_in, " x ", n_out});
        const bool last = l + 2 == shape_.sizes.size();
        const std::size_t of = owner(l);
        const std::size_t weight = of == l ? total : layers_[of].weight,
                          end = of == l ? total + detail::padded<T>(weights) : total;
        layers_.push_back({n_in, n_out, last ? Activation::identity : shape_.activations[l], weight, end, false});
        if (of != l) layers_[of].adds = true;
        for (std::size_t before = of + 1; before < l; ++before)
            if (owner(before) == of) layers_[before].adds = true;
        total = end + (shape_.bias ? detail::padded<T>(n_out) : 0);
        layer_ends_.push_back(total);
    }
    parameters_.assign(total, T(0));
    gradients_.assign(total, T(0));
    z_.resize(layers_.size());
    a_.resize(layers_.size());
}

// ------------------------------------------------------------------------------------------------ arguments

template <class T>
void Network<T>::State::check(MatrixView<const T> x, std::size_t first_row) const {
    const std::size_t n_in = shape_.sizes.front();
    if (x.cols != n_in) detail::refuse({"x must have shape (batch, ", n_in, "), got (", x.rows, ", ", x.cols, ")"});
    const T *const begin = x.data, *const end = x.rows == 0 ? x.data : &x(x.rows - 1, 0) + n_in;
    for (const auto& [from, to] : trusted_)
        if (from <= begin && end <= to && x.row_stride >= 0 && x.col_stride == 1) return;
    detail::check_no_nan(x, first_row);
}

template <class T>
void Network<T>::State::check(MatrixView<const T> x, Targets<T> y) const {
    if (x.rows == 0) detail::refuse({"x must have at least one row, got 0"});
    check(x);
    check_targets(shape_.loss, x.rows, outputs(), y);
}

// ------------------------------------------------------------------------------------------------ public

template <class T>
void Network<T>::State::draw(std::span<const std::optional<Law>> weights, std::span<const std::optional<Law>> biases) {
    const Busy busy(busy_);
    const auto each = [&](auto&& visit) {
        for (std::size_t l = 0; l < weights.size(); ++l)
            if (weights[l] && owner(l) == l) visit(Whole(weight(l)), *weights[l], stream_id(std::to_string(l) + ".weight"));
        for (std::size_t l = 0; l < biases.size(); ++l)
            if (biases[l]) visit(Whole(bias(l)), *biases[l], stream_id(std::to_string(l) + ".bias"));
    };
    each([&](const auto& out, const Law& law, std::uint64_t) { check_fill<T>(out.view(), law); });
    each([&](const auto& out, const Law& law, std::uint64_t stream) { fill<T>(out.view(), law, {seed_, stream}); });
}

template <class T>
void Network<T>::State::forward(MatrixView<const T> x, std::span<T> logits, std::size_t first_row) {
    check(x, first_row);
    if (logits.size() != x.rows * outputs())
        detail::refuse(
            {"logits must have shape (batch, outputs) = (", x.rows, ", ", outputs(), "), got ", logits.size(), " elements"});
    const Busy busy(busy_);
    reserve(x.rows, false);
    for (std::size_t done = 0; done < x.rows; done += kPieceRows)
        forward_piece(detail::rows_of(x, done, std::min(kPieceRows, x.rows - done)), logits.data() + done * outputs());
}

template <class T>
void Network<T>::State::predict(MatrixView<const T> x, std::span<std::int64_t> labels, std::size_t first_row) {
    check(x, first_row);
    if (shape_.loss == Loss::mean_squared_error)
        detail::refuse({"predict needs a loss of classes, got mean_squared_error: forward gives its values"});
    if (labels.size() != x.rows)
        detail::refuse({"labels must have shape (batch,) = (", x.rows, ",), got ", labels.size(), " elements"});
    const Busy busy(busy_);
    reserve(x.rows, false);
    std::vector<T> logits(std::min(kPieceRows, x.rows) * outputs());
    for (std::size_t done = 0; done < x.rows; done += kPieceRows) {
        const std::size_t n = std::min(kPieceRows, x.rows - done);
        forward_piece(detail::rows_of(x, done, n), logits.data());
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * outputs());
            const auto less = [](T a, T b) { return a < b || (b != b && a == a); };
            if (shape_.loss == Loss::cross_entropy)
                labels[done + i] = std::max_element(row, row + static_cast<std::ptrdiff_t>(outputs()), less) - row;
            else labels[done + i] = *row > 0 ? 1 : shape_.loss == Loss::hinge ? -1 : 0;
        }
    }
}

template <class T>
double Network<T>::State::loss(MatrixView<const T> x, Targets<T> y) {
    check(x, y);
    const Busy busy(busy_);
    reserve(x.rows, false);
    return pass({x, y, nullptr}, 0, x.rows, false);
}

template <class T>
double Network<T>::State::gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                                    std::span<const VectorView<T>> out_db) {
    check(x, y);
    bool fits = out_dw.size() == layers() && out_db.size() == (shape_.bias ? layers() : 0);
    for (std::size_t l = 0; fits && l < layers(); ++l)
        fits = out_dw[l].rows == layers_[l].n_out && out_dw[l].cols == layers_[l].n_in &&
               (!shape_.bias || out_db[l].size == layers_[l].n_out);
    if (!fits) detail::refuse({"out_dw and out_db must have the shapes of the network's weights and biases"});
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

// ------------------------------------------------------------------------------------------------ the public face

template <class T>
Network<T>::Network(NetworkShape shape, std::uint64_t seed) : state_(std::make_unique<State>(std::move(shape), seed)) {}
template <class T>
Network<T>::Network(const Network& other) : Network(other.shape(), other.seed()) {
    const typename State::Busy busy(other.state_->busy_);
    state_->parameters_ = other.state_->parameters_;
    state_->epochs_ = other.state_->epochs_;
}
template <class T>
Network<T>::~Network() = default;

template <class T>
const NetworkShape& Network<T>::shape() const {
    return state_->shape_;
}
template <class T>
std::size_t Network<T>::layers() const {
    return state_->layers();
}
template <class T>
Activation Network<T>::activation(std::size_t l) const {
    return state_->layers_[l].activation;
}
template <class T>
MatrixView<T> Network<T>::weight(std::size_t l) {
    return state_->weight(l);
}
template <class T>
VectorView<T> Network<T>::bias(std::size_t l) {
    return state_->bias(l);
}
template <class T>
MatrixView<const T> Network<T>::weight(std::size_t l) const {
    return state_->weight(l);
}
template <class T>
VectorView<const T> Network<T>::bias(std::size_t l) const {
    return state_->bias(l);
}
template <class T>
std::uint64_t Network<T>::seed() const {
    return state_->seed_;
}
template <class T>
std::uint64_t Network<T>::epochs() const {
    return state_->epochs_;
}
template <class T>
void Network<T>::set_epochs(std::uint64_t epochs) {
    state_->epochs_ = epochs;
}
template <class T>
const Nonfinite& Network<T>::nonfinite() const {
    return state_->nonfinite_;
}
template <class T>
void Network<T>::draw_weights(const Law& law) {
    const StandardArithmetic arithmetic;
    state_->draw(std::vector<std::optional<Law>>(layers(), law), {});
}
template <class T>
void Network<T>::draw(std::span<const std::optional<Law>> weights, std::span<const std::optional<Law>> biases) {
    const StandardArithmetic arithmetic;
    for (const std::size_t n : {weights.size(), biases.size()})
        if (n != 0 && n != layers())
            detail::refuse({"weights and biases must have a law, or none, for each of the ", layers(), " layers, got ", n});
    state_->draw(weights, biases);
}
template <class T>
void Network<T>::trust(MatrixView<const T> x) {
    if (x.col_stride != 1 || x.row_stride != static_cast<std::ptrdiff_t>(x.cols)) detail::refuse({"x must be in C order"});
    state_->trusted_.emplace_back(x.data, x.data + x.rows * x.cols);
}
template <class T>
void Network<T>::forward(MatrixView<const T> x, std::span<T> logits, std::size_t first_row) {
    const StandardArithmetic arithmetic;
    state_->forward(x, logits, first_row);
}
template <class T>
void Network<T>::predict(MatrixView<const T> x, std::span<std::int64_t> labels, std::size_t first_row) {
    const StandardArithmetic arithmetic;
    state_->predict(x, labels, first_row);
}
template <class T>
double Network<T>::loss(MatrixView<const T> x, Targets<T> y) {
    const StandardArithmetic arithmetic;
    return state_->loss(x, y);
}
template <class T>
double Network<T>::gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                             std::span<const VectorView<T>> out_db) {
    const StandardArithmetic arithmetic;
    return state_->gradients(x, y, out_dw, out_db);
}
template <class T>
double Network<T>::step(MatrixView<const T> x, Targets<T> y, Optimizer& optimizer) {
    const StandardArithmetic arithmetic;
    return state_->step(x, y, optimizer);
}
template <class T>
void Network<T>::fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer,
                     std::span<double> costs, std::span<double> epoch_costs, FitState& state, std::size_t max_steps,
                     StepObserver<T>* observer) {
    const StandardArithmetic arithmetic;
    state_->fit(x, y, options, optimizer, costs, epoch_costs, state, max_steps, observer);
}
template <class T>
void Network<T>::save(const std::string& path, Optimizer* optimizer, TensorNames names, const Metadata& more) {
    const StandardArithmetic arithmetic;
    state_->save(path, optimizer, names, more);
}
template <class T>
void Network<T>::load(const SafeTensors& file) {
    const StandardArithmetic arithmetic;
    state_->load(file);
}
template <class T>
void Network<T>::load_optimizer(const SafeTensors& file, Optimizer& optimizer) {
    const StandardArithmetic arithmetic;
    state_->load_optimizer(file, optimizer);
}
template <class T>
std::size_t Network<T>::steps_per_epoch(std::size_t rows, std::size_t batch_size) {
    if (batch_size == 0 || batch_size >= rows) return 1;
    return detail::ceil_div(rows, batch_size);
}

template class Network<float>;
template class Network<double>;

}  // namespace fanin
