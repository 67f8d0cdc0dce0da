#include "fanin/loss.hpp"

#include <algorithm>
#include <stdexcept>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// Elements a task looks at: some 20 us. One task needs no pool.
constexpr std::size_t kTaskElements = std::size_t{1} << 15;
// Blocks whose sums wait on the stack to be added in order.
constexpr std::size_t kRoundBlocks = 1024;

bool one_output(Loss loss) { return loss == Loss::binary_cross_entropy || loss == Loss::hinge; }

std::string at_row(std::size_t row) { return " at row " + std::to_string(row); }

template <class T>
void check_values(Loss loss, std::size_t outputs, std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const T v = values[i];
        if (v != v) throw std::invalid_argument("y must not hold NaN, got one" + at_row(i / outputs));
        if (loss == Loss::binary_cross_entropy && v != 0 && v != 1)
            throw std::invalid_argument("y must hold 0 and 1 for binary_cross_entropy, got " + detail::text(v) + at_row(i));
        if (loss == Loss::hinge && v != -1 && v != 1)
            throw std::invalid_argument("y must hold -1 and 1 for hinge, got " + detail::text(v) + at_row(i));
    }
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
    throw std::invalid_argument(detail::unknown_name("loss", name, names));
}

void check_outputs(Loss loss, std::size_t outputs) {
    if (one_output(loss) && outputs != 1)
        throw std::invalid_argument("loss " + std::string(loss_name(loss)) + " must have 1 output, got " +
                                    std::to_string(outputs));
    if (loss == Loss::cross_entropy && outputs < 2)
        throw std::invalid_argument("loss cross_entropy must have at least 2 outputs (one output: binary_cross_entropy), got " +
                                    std::to_string(outputs));
    if (outputs == 0) throw std::invalid_argument("loss must have at least 1 output, got 0");
}

template <class T>
void check_targets(Loss loss, std::size_t batch, std::size_t outputs, Targets<T> y) {
    const StandardArithmetic arithmetic;
    const bool labels = loss == Loss::cross_entropy;
    const std::size_t rows = labels ? y.labels.size() : y.values.size() / outputs;
    if (rows != batch || (!labels && y.values.size() != batch * outputs))
        throw std::invalid_argument("y must have " + std::to_string(batch) + " rows like x, got " + std::to_string(rows));
    if (!labels) return check_values(loss, outputs, y.values);
    const auto classes = static_cast<std::int64_t>(outputs);
    for (std::size_t i = 0; i < batch; ++i)
        if (y.labels[i] < 0 || y.labels[i] >= classes)
            throw std::invalid_argument("y must hold labels in 0 .. " + std::to_string(classes - 1) + ", got " +
                                        std::to_string(y.labels[i]) + at_row(i));
}

template <class T>
double evaluate_loss(Loss loss, std::size_t batch, std::size_t outputs, std::span<const T> z, Targets<T> y, std::span<T> dz) {
    const StandardArithmetic arithmetic;
    check_outputs(loss, outputs);
    if (batch == 0) throw std::invalid_argument("z must have at least one row, got 0");
    if (z.size() != batch * outputs || dz.size() != z.size())
        throw std::invalid_argument("z and dz must have batch * outputs = " + std::to_string(batch * outputs) +
                                    " elements, got " + std::to_string(z.size()) + " and " + std::to_string(dz.size()));
    check_targets(loss, batch, outputs, y);
    double total = 0;
    detail::add_loss(loss, batch, outputs, z.data(), y, batch, dz.data(), total);
    return arithmetic.done(total / detail::mean_terms(loss, batch, outputs));
}

double detail::mean_terms(Loss loss, std::size_t n, std::size_t outputs) {
    return static_cast<double>(loss == Loss::mean_squared_error ? n * outputs : n);
}

template <class T>
void detail::add_loss(Loss loss, std::size_t rows, std::size_t outputs, const T* z, Targets<T> y, std::size_t n, T* dz,
                      double& total) {
    const LossKernels<T>& kernel = active<LossKernels<T>>();
    const double factor = loss == Loss::mean_squared_error ? 2 : 1;
    const T scale = static_cast<T>(factor / mean_terms(loss, n, outputs));
    const bool labels = loss == Loss::cross_entropy;
    // A term is a row of `width` elements for cross_entropy, else an element.
    const std::size_t terms = labels ? rows : rows * outputs, width = labels ? outputs : 1;
    const auto block = [&](std::size_t index) {
        const std::size_t begin = index * kLossBlock, size = std::min(kLossBlock, terms - begin);
        const T* from = z + begin * width;
        T* to = dz + begin * width;
        switch (loss) {
            case Loss::cross_entropy:
                return kernel.cross_entropy(size, width, from, y.labels.data() + begin, scale, to);
            case Loss::binary_cross_entropy:
                return kernel.binary_cross_entropy(size, from, y.values.data() + begin, scale, to);
            case Loss::mean_squared_error:
                return kernel.squared_error(size, from, y.values.data() + begin, scale, to);
            default:
                return kernel.hinge(size, from, y.values.data() + begin, scale, to);
        }
    };
    const std::size_t blocks = detail::ceil_div(terms, kLossBlock);
    const std::size_t blocks_per_task = std::max<std::size_t>(1, kTaskElements / (kLossBlock * width));
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
template void detail::add_loss(Loss, std::size_t, std::size_t, const float*, Targets<float>, std::size_t, float*, double&);
template void detail::add_loss(Loss, std::size_t, std::size_t, const double*, Targets<double>, std::size_t, double*, double&);

}  // namespace fanin
