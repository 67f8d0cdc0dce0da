// Runs a kernel of the form f(n, in, out) over two arrays of one shape and any strides, in parallel. Nothing is copied
// but through a small buffer where elements are not neighbours.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>

#include "division.hpp"
#include "fanin/threads.hpp"
#include "fanin/view.hpp"
#include "message.hpp"
#include "overlap.hpp"

namespace fanin::detail {

// The two arrays with as few axes as possible, in the order of the output's memory: unit axes dropped, axes sorted by the
// output's stride and turned around where it is negative, neighbours merged where both arrays allow it.
template <class T>
struct ElementwisePlan {
    struct Axis {
        std::size_t size;
        std::ptrdiff_t in, out;
    };
    std::array<Axis, kMaxRank> axes;
    std::size_t rank = 0, size = 1;
    const T* in;
    T* out;

    ElementwisePlan(ArrayView<const T> from, ArrayView<T> to) : in(from.data), out(to.data) {
        for (const std::size_t n : from.shape) size *= n;
        if (size == 0) return;  // strides may be anything then
        for (std::size_t i = 0; i < from.shape.size(); ++i) {
            Axis axis{from.shape[i], from.strides[i], to.strides[i]};
            if (axis.size == 1) continue;
            if (axis.out < 0) {
                const auto last = static_cast<std::ptrdiff_t>(axis.size) - 1;
                in += last * axis.in;
                out += last * axis.out;
                axis = {axis.size, -axis.in, -axis.out};
            }
            axes[rank++] = axis;
        }
        // Nothing is merged before the order is the output's: only then are neighbours seen.
        std::sort(axes.begin(), axes.begin() + rank, [](const Axis& a, const Axis& b) { return a.out > b.out; });
        std::size_t kept = 0;
        for (std::size_t i = 0; i < rank; ++i) {
            const Axis axis = axes[i];
            const auto length = static_cast<std::ptrdiff_t>(axis.size);
            if (kept > 0 && axes[kept - 1].in == axis.in * length && axes[kept - 1].out == axis.out * length)
                axes[kept - 1] = {axes[kept - 1].size * axis.size, axis.in, axis.out};
            else axes[kept++] = axis;
        }
        rank = kept;
        if (rank == 0) axes[rank++] = {1, 1, 1};
    }

    // The axis of the output's smallest stride, along which runs go; and whether both arrays are contiguous on it.
    const Axis& inner() const { return axes[rank - 1]; }
    bool unit_inner() const { return inner().in == 1 && inner().out == 1; }
};

// A position in a plan that moves along runs of the innermost axis.
template <class T>
class ElementwiseCursor {
 public:
    // At element `first` of the plan, counted in its order.
    ElementwiseCursor(const ElementwisePlan<T>& plan, std::size_t first) : plan_(plan) {
        for (std::size_t i = plan.rank; i-- > 0;) {
            index_[i] = first % plan.axes[i].size;
            first /= plan.axes[i].size;
        }
    }
    // Elements left on the innermost axis.
    std::size_t run() const { return plan_.inner().size - index_[plan_.rank - 1]; }
    const T* in() const { return plan_.in + offset(&ElementwisePlan<T>::Axis::in); }
    T* out() const { return plan_.out + offset(&ElementwisePlan<T>::Axis::out); }
    void advance(std::size_t n) {  // n <= run()
        std::size_t i = plan_.rank - 1;
        index_[i] += n;
        for (; i > 0 && index_[i] == plan_.axes[i].size; --i) {
            index_[i] = 0;
            ++index_[i - 1];
        }
    }
    // Calls body(count, done) for runs that make up the next n elements, `done` of them before this run.
    template <class Body>
    void each_run(std::size_t n, Body&& body) {
        for (std::size_t done = 0; done < n;) {
            const std::size_t count = std::min(run(), n - done);
            body(count, done);
            advance(count);
            done += count;
        }
    }

 private:
    std::ptrdiff_t offset(std::ptrdiff_t ElementwisePlan<T>::Axis::* stride) const {
        std::ptrdiff_t sum = 0;
        for (std::size_t i = 0; i < plan_.rank; ++i) sum += static_cast<std::ptrdiff_t>(index_[i]) * (plan_.axes[i].*stride);
        return sum;
    }
    const ElementwisePlan<T>& plan_;
    std::array<std::size_t, kMaxRank> index_;
};

// Splits the plan into tasks of kTask elements in its order, so that a task writes a range of the output's memory. A kernel
// runs straight on the arrays where runs are long, otherwise on a buffer that is gathered and scattered: a call for a few
// elements costs more than moving them twice.
//
// The views are those of the arguments z and out; std::invalid_argument where they do not fit each other.
template <class T, class Kernel>
void elementwise(Kernel kernel, ArrayView<const T> in, ArrayView<T> out) {
    if (!std::ranges::equal(in.shape, out.shape))
        refuse({"out must have the shape of z, ", Term::shape(in.shape), ", got ", Term::shape(out.shape)});
    if (in.shape.size() > kMaxRank) refuse({"z must have at most ", kMaxRank, " axes, got ", in.shape.size()});
    require_same_or_disjoint(out, "out", in, "z");
    const ElementwisePlan<T> plan(in, out);
    if (plan.size == 0) return;
    // Elements of a task: 23 us of a float32 tanh, 6 us of a relu. The least run that the kernel takes as it lies, and what the
    // buffer holds. Measured (AVX-512, one thread, least user time of 80 interleaved runs) straight against gathered, in ns an
    // element: relu 0.79 and 1.10 in runs of 8, 0.39 and 0.68 of 16, 0.15 and 0.36 of 64; tanh 1.43 and 1.43, 0.72 and 1.02,
    // 0.40 and 0.68. So from 16 on for all; a heavier function breaks even at 8.
    constexpr std::size_t kTask = std::size_t{1} << 16;
    constexpr std::size_t kShortRun = 16, kChunk = 1024;
    fanin::parallel_for(ceil_div(plan.size, kTask), [&](std::size_t task) {
        const std::size_t begin = task * kTask, end = std::min(plan.size, begin + kTask);
        ElementwiseCursor<T> cursor(plan, begin);
        if (plan.unit_inner() && plan.inner().size >= std::min(kShortRun, plan.size)) {
            cursor.each_run(end - begin, [&](std::size_t n, std::size_t) { kernel(n, cursor.in(), cursor.out()); });
            return;
        }
        T buffer[kChunk];
        for (std::size_t at = begin; at < end; at += kChunk) {
            const std::size_t n = std::min(kChunk, end - at);
            ElementwiseCursor<T> reader = cursor;
            reader.each_run(n, [&](std::size_t count, std::size_t done) {
                const T* from = reader.in();
                for (std::size_t i = 0; i < count; ++i)
                    buffer[done + i] = from[static_cast<std::ptrdiff_t>(i) * plan.inner().in];
            });
            kernel(n, buffer, buffer);
            cursor.each_run(n, [&](std::size_t count, std::size_t done) {
                T* to = cursor.out();
                for (std::size_t i = 0; i < count; ++i)
                    to[static_cast<std::ptrdiff_t>(i) * plan.inner().out] = buffer[done + i];
            });
        }
    });
}

}  // namespace fanin::detail
