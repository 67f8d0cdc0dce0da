// Softmax over rows: the arguments checked, the rows split over threads, rows of other strides carried through a buffer.
#include <algorithm>
#include <vector>

#include "division.hpp"
#include "fanin/activation.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "overlap.hpp"

namespace fanin {
namespace {

// Elements of one task: some 20 us.
constexpr std::size_t kSoftmaxTask = std::size_t{1} << 15;

// Whether the array lies in C order without gaps.
template <class T>
bool contiguous(const ArrayView<T>& v) {
    std::ptrdiff_t next = 1;
    for (std::size_t axis = v.shape.size(); axis-- > 0; next *= static_cast<std::ptrdiff_t>(v.shape[axis]))
        if (v.shape[axis] > 1 && v.strides[axis] != next) return false;
    return true;
}

// Where row `index` of the last axis begins.
template <class T>
T* row_of(const ArrayView<T>& v, std::size_t index) {
    T* at = v.data;
    for (std::size_t axis = v.shape.size() - 1; axis-- > 0; index /= v.shape[axis])
        at += static_cast<std::ptrdiff_t>(index % v.shape[axis]) * v.strides[axis];
    return at;
}

// Calls kernel(rows, z, out) for blocks of contiguous rows: of the arrays, or of copies where they have other strides. A task
// has at least one row and at most kLossBlock, for which the kernel keeps what it knows of each; a row is never divided, so
// that its sum has one order.
template <class T, class Kernel>
void over_rows(ArrayView<const T> z, ArrayView<T> out, Kernel&& kernel) {
    if (!std::ranges::equal(z.shape, out.shape))
        detail::refuse(
            {"out must have the shape of z, ", detail::Term::shape(z.shape), ", got ", detail::Term::shape(out.shape)});
    if (z.shape.empty() || z.shape.size() > kMaxRank)
        detail::refuse({"z must have 1 to ", kMaxRank, " axes, got ", z.shape.size()});
    detail::require_same_or_disjoint(out, "out", z, "z");
    std::size_t rows = 1;
    for (std::size_t axis = 0; axis + 1 < z.shape.size(); ++axis) rows *= z.shape[axis];
    const std::size_t classes = z.shape.back();
    if (rows == 0 || classes == 0) return;
    const bool direct = contiguous(z) && contiguous(out);
    const std::size_t at_once = std::clamp<std::size_t>(kSoftmaxTask / classes, 1, kLossBlock);
    const std::ptrdiff_t from_stride = z.strides.back(), to_stride = out.strides.back();
    fanin::parallel_for(detail::ceil_div(rows, at_once), [&](std::size_t task) {
        const std::size_t first = task * at_once, count = std::min(at_once, rows - first);
        if (direct) return kernel(count, z.data + first * classes, out.data + first * classes);
        // Read whole before anything is written: out may be z.
        std::vector<T> buffer(count * classes);
        for (std::size_t i = 0; i < count; ++i) {
            const T* from = row_of(z, first + i);
            for (std::size_t j = 0; j < classes; ++j)
                buffer[i * classes + j] = from[static_cast<std::ptrdiff_t>(j) * from_stride];
        }
        kernel(count, buffer.data(), buffer.data());
        for (std::size_t i = 0; i < count; ++i) {
            T* to = row_of(out, first + i);
            for (std::size_t j = 0; j < classes; ++j) to[static_cast<std::ptrdiff_t>(j) * to_stride] = buffer[i * classes + j];
        }
    });
}

}  // namespace

template <class T>
void softmax(ArrayView<const T> z, ArrayView<T> out) {
    const StandardArithmetic arithmetic;
    over_rows<T>(z, out,
                 [kernel = active<SoftmaxKernels<T>>().softmax, classes = z.shape.empty() ? 0 : z.shape.back()](
                     std::size_t rows, const T* from, T* to) { kernel(rows, classes, from, to); });
}

template <class T>
void log_softmax(ArrayView<const T> z, ArrayView<T> out) {
    const StandardArithmetic arithmetic;
    over_rows<T>(z, out,
                 [kernel = active<SoftmaxKernels<T>>().log_softmax, classes = z.shape.empty() ? 0 : z.shape.back()](
                     std::size_t rows, const T* from, T* to) {
                     std::vector<T> scratch(rows * classes);
                     kernel(rows, classes, from, scratch.data(), to);
                 });
}

template void softmax(ArrayView<const float>, ArrayView<float>);
template void softmax(ArrayView<const double>, ArrayView<double>);
template void log_softmax(ArrayView<const float>, ArrayView<float>);
template void log_softmax(ArrayView<const double>, ArrayView<double>);

}  // namespace fanin
