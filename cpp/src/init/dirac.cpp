// The ones are few: each is looked up and written, on the calling thread, after the array has been filled with zeros.
#include "dirac.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

namespace fanin::detail {
namespace {

// Some axes of the parameter, counted together in C order.
struct Counted {
    std::vector<std::size_t> axes;
    std::size_t size = 1;
};
// The axes that a list names, negative numbers resolved, ascending.
Counted counted(const std::vector<std::ptrdiff_t>& list, std::span<const std::size_t> shape) {
    Counted c;
    const auto rank = static_cast<std::ptrdiff_t>(shape.size());
    for (const std::ptrdiff_t axis : list) c.axes.push_back(static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
    std::sort(c.axes.begin(), c.axes.end());
    for (const std::size_t axis : c.axes) c.size *= shape[axis];
    return c;
}

// 1 in each format, by its bits in the 16-bit ones.
template <class T>
constexpr T one() {
    if constexpr (std::is_same_v<T, Float16>) return {0x3c00};
    else if constexpr (std::is_same_v<T, BFloat16>) return {0x3f80};
    else return 1;
}

}  // namespace

template <class T>
void write_ones(ArrayView<T> out, std::span<const std::size_t> shape, const std::size_t* offset, const Axes& axes,
                std::size_t groups) {
    const Counted in = counted(axes.in, shape), outs = counted(axes.out, shape), batch = counted(axes.batch, shape);
    if (out.shape.size() != 0 && std::find(out.shape.begin(), out.shape.end(), 0u) != out.shape.end()) return;
    // Where index `at` of an axis stands in `out`, in elements; nothing outside of the part.
    const auto place = [&](std::size_t axis, std::size_t at) -> std::optional<std::ptrdiff_t> {
        if (at < offset[axis] || at - offset[axis] >= out.shape[axis]) return std::nullopt;
        return static_cast<std::ptrdiff_t>(at - offset[axis]) * out.strides[axis];
    };
    // The same of index `number` of several axes, counted together.
    const auto places = [&](const Counted& c, std::size_t number) -> std::optional<std::ptrdiff_t> {
        std::ptrdiff_t sum = 0;
        for (std::size_t i = c.axes.size(); i-- > 0; number /= shape[c.axes[i]]) {
            const auto p = place(c.axes[i], number % shape[c.axes[i]]);
            if (!p) return std::nullopt;
            sum += *p;
        }
        return sum;
    };
    // The kernel's axes are those that are left; where the part leaves out their centre it has no ones.
    std::vector<bool> kernel(shape.size(), true);
    for (const Counted* c : {&in, &outs, &batch})
        for (const std::size_t axis : c->axes) kernel[axis] = false;
    std::ptrdiff_t centre = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (!kernel[axis]) continue;
        const auto p = place(axis, shape[axis] / 2);
        if (!p) return;
        centre += *p;
    }
    // Output i is number i mod a_group of its group, and passes on the input of that number, if there is one.
    const std::size_t a_group = outs.size / groups;
    for (std::size_t b = 0; b < batch.size; ++b) {
        const auto own = places(batch, b);
        if (!own) continue;
        for (std::size_t i = 0; i < outs.size; ++i) {
            if (i % a_group >= in.size) continue;
            const auto row = places(outs, i), column = places(in, i % a_group);
            if (row && column) out.data[centre + *own + *row + *column] = one<T>();
        }
    }
}

template void write_ones(ArrayView<float>, std::span<const std::size_t>, const std::size_t*, const Axes&, std::size_t);
template void write_ones(ArrayView<double>, std::span<const std::size_t>, const std::size_t*, const Axes&, std::size_t);
template void write_ones(ArrayView<Float16>, std::span<const std::size_t>, const std::size_t*, const Axes&, std::size_t);
template void write_ones(ArrayView<BFloat16>, std::span<const std::size_t>, const std::size_t*, const Axes&, std::size_t);

}  // namespace fanin::detail
