// Losses: names, what they take, and a batch split into blocks whose costs are added in one order.
#include "fanin/loss.hpp"

#include <algorithm>
#include <limits>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "overlap.hpp"

namespace fanin {
namespace {

// Elements a task looks at: some 20 us. One task needs no pool.
constexpr std::size_t kLossTask = std::size_t{1} << 15;
// Blocks whose sums wait on the stack to be added in order.
constexpr std::size_t kRoundBlocks = 1024;

// Losses of a single logit a row.
bool one_output(Loss loss) { return loss == Loss::binary_cross_entropy || loss == Loss::hinge; }

// The end of a message about a target.
std::string at_row(std::size_t row) { return " at row " + std::to_string(row); }

// Values that the loss allows; std::invalid_argument names the first row with another.
template <class T>
void check_values(Loss loss, std::size_t outputs, std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const T v = values[i];
        if (v != v) detail::refuse({"y must not hold NaN, got one", at_row(i / outputs)});
        if (loss == Loss::binary_cross_entropy && v != 0 && v != 1)
            detail::refuse({"y must hold 0 and 1 for binary_cross_entropy, got ", v, at_row(i)});
        if (loss == Loss::hinge && v != -1 && v != 1) detail::refuse({"y must hold -1 and 1 for hinge, got ", v, at_row(i)});
    }
}

// Of n neighbouring elements, for the search for shared memory.
template <class T>
detail::Extent extent_of(std::span<const T> x) {
    const std::size_t size = x.size();
    const std::ptrdiff_t stride = 1;
    return {x.data(), sizeof(T), &size, &stride, 1};
}

}  // namespace

const std::vector<std::string>& loss_names() {
    static const std::vector<std::string> names{"cross_entropy", "binary_cross_entropy", "mean_squared_error", "hinge"};
    return names;
}

std::string_view loss_name(Loss loss) { return loss_names()[static_cast<std::size_t>(loss)]; }

Loss loss_from_name(std::string_view name) {
    const auto& names = loss_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<Loss>(found - names.begin());
    detail::refuse({detail::unknown_name("loss", name, names)});
}

void check_outputs(Loss loss, std::size_t outputs) {
    if (one_output(loss) && outputs != 1) detail::refuse({"loss ", loss_name(loss), " must have 1 output, got ", outputs});
    if (loss == Loss::cross_entropy && outputs < 2)
        detail::refuse({"loss cross_entropy must have at least 2 outputs (one output: binary_cross_entropy), got ", outputs});
    if (outputs == 0) detail::refuse({"loss must have at least 1 output, got 0"});
}

void check_target_shape(Loss loss, std::size_t batch, std::size_t outputs, std::span<const std::size_t> shape) {
    const bool matrix = loss == Loss::mean_squared_error, row = !matrix || outputs == 1;
    if (row && shape.size() == 1 && shape[0] == batch) return;
    if (matrix && shape.size() == 2 && shape[0] == batch && shape[1] == outputs) return;
    const std::size_t both[] = {batch, outputs};
    detail::refuse({"y must have shape ", (row ? "(batch,) = " : "(batch, outputs) = "),
                    detail::Term::shape({both, row ? 1u : 2u}), ", got ", detail::Term::shape(shape)});
}

template <class T>
void check_targets(Loss loss, std::size_t batch, std::size_t outputs, Targets<T> y) {
    const StandardArithmetic arithmetic;
    for (std::size_t i = 0; i < y.weights.size(); ++i)
        if (!(y.weights[i] >= 0) || y.weights[i] > std::numeric_limits<T>::max())
            detail::refuse(
                {"sample_weight must hold finite numbers of at least 0, got ", static_cast<double>(y.weights[i]), at_row(i)});
    if (!y.weights.empty() && y.weights.size() != batch)
        detail::refuse({"sample_weight must have ", batch, " rows like x, got ", y.weights.size()});
    const bool labels = loss == Loss::cross_entropy;
    const std::size_t rows = labels ? y.labels.size() : y.values.size() / outputs;
    if (rows != batch || (!labels && y.values.size() != batch * outputs))
        detail::refuse({"y must have ", batch, " rows like x, got ", rows});
    if (!labels) return check_values(loss, outputs, y.values);
    const auto classes = static_cast<std::int64_t>(outputs);
    for (std::size_t i = 0; i < batch; ++i)
        if (y.labels[i] < 0 || y.labels[i] >= classes)
            detail::refuse({"y must hold labels in 0 .. ", classes - 1, ", got ", y.labels[i], at_row(i)});
}

template <class T>
double evaluate_loss(Loss loss, std::size_t batch, std::size_t outputs, std::span<const T> z, Targets<T> y, std::span<T> dz) {
    const StandardArithmetic arithmetic;
    check_outputs(loss, outputs);
    if (batch == 0) detail::refuse({"z must have at least one row, got 0"});
    if (z.size() != batch * outputs || dz.size() != z.size())
        detail::refuse(
            {"z and dz must have batch * outputs = ", batch * outputs, " elements, got ", z.size(), " and ", dz.size()});
    check_targets(loss, batch, outputs, y);
    const detail::Extent out = extent_of(std::span<const T>(dz));
    if (detail::may_overlap(out, extent_of(z))) detail::refuse({"dz must share no memory with z"});
    if (detail::may_overlap(out, extent_of(y.values)) || detail::may_overlap(out, extent_of(y.labels)) ||
        detail::may_overlap(out, extent_of(y.weights)))
        detail::refuse({"dz must share no memory with y"});
    double total = 0, weight = y.weights.empty() ? static_cast<double>(batch) : 0;
    for (const T w : y.weights) weight += static_cast<double>(w);
    detail::add_loss(loss, batch, outputs, z.data(), y, weight, dz.data(), total);
    return arithmetic.done(detail::mean_loss(loss, total, weight, outputs));
}

double detail::mean_terms(Loss loss, double weight, std::size_t outputs) {
    return loss == Loss::mean_squared_error ? weight * static_cast<double>(outputs) : weight;
}

double detail::mean_loss(Loss loss, double total, double weight, std::size_t outputs) {
    return weight == 0 ? 0 : total / mean_terms(loss, weight, outputs);
}

template <class T>
void detail::add_loss(Loss loss, std::size_t rows, std::size_t outputs, const T* z, Targets<T> y, double weight, T* dz,
                      double& total) {
    const LossKernels<T>& kernel = active<LossKernels<T>>();
    const double factor = loss == Loss::mean_squared_error ? 2 : 1;
    const T scale = weight == 0 ? T(0) : static_cast<T>(factor / mean_terms(loss, weight, outputs));
    const bool labels = loss == Loss::cross_entropy;
    // A term is a row of `width` elements for cross_entropy, else an element.
    const std::size_t terms = labels ? rows : rows * outputs, width = labels ? outputs : 1;
    const auto block = [&](std::size_t index) {
        const std::size_t begin = index * kLossBlock, size = std::min(kLossBlock, terms - begin);
        const T* from = z + begin * width;
        T* to = dz + begin * width;
        T each[kLossBlock];
        const T* w = nullptr;
        if (!y.weights.empty()) {
            for (std::size_t i = 0; i < size; ++i) each[i] = y.weights[labels ? begin + i : (begin + i) / outputs];
            w = each;
        }
        switch (loss) {
            case Loss::cross_entropy:
                return kernel.cross_entropy(size, width, from, y.labels.data() + begin, w, scale, to);
            case Loss::binary_cross_entropy:
                return kernel.binary_cross_entropy(size, from, y.values.data() + begin, w, scale, to);
            case Loss::mean_squared_error:
                return kernel.squared_error(size, from, y.values.data() + begin, w, scale, to);
            default:
                return kernel.hinge(size, from, y.values.data() + begin, w, scale, to);
        }
    };
    // A task has whole blocks. Their costs wait in `sums`, so many at a time, and are added in order on this thread.
    const std::size_t blocks = detail::ceil_div(terms, kLossBlock);
    const std::size_t blocks_per_task = std::max<std::size_t>(1, kLossTask / (kLossBlock * width));
    if (blocks <= blocks_per_task) {
        for (std::size_t i = 0; i < blocks; ++i) total += block(i);
        return;
    }
    double sums[kRoundBlocks];
    for (std::size_t first = 0; first < blocks; first += kRoundBlocks) {
        const std::size_t count = std::min(kRoundBlocks, blocks - first);
        fanin::parallel_for(detail::ceil_div(count, blocks_per_task), [&](std::size_t task) {
            const std::size_t begin = task * blocks_per_task, end = std::min(begin + blocks_per_task, count);
            for (std::size_t i = begin; i < end; ++i) sums[i] = block(first + i);
        });
        for (std::size_t i = 0; i < count; ++i) total += sums[i];
    }
}

template void check_targets(Loss, std::size_t, std::size_t, Targets<float>);
template void check_targets(Loss, std::size_t, std::size_t, Targets<double>);
template double evaluate_loss(Loss, std::size_t, std::size_t, std::span<const float>, Targets<float>, std::span<float>);
template double evaluate_loss(Loss, std::size_t, std::size_t, std::span<const double>, Targets<double>, std::span<double>);
template void detail::add_loss(Loss, std::size_t, std::size_t, const float*, Targets<float>, double, float*, double&);
template void detail::add_loss(Loss, std::size_t, std::size_t, const double*, Targets<double>, double, double*, double&);

}  // namespace fanin
