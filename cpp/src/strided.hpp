// Walks over strided arrays in C order, many elements a step.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace fanin::detail {

// Whether two elements of an array may share memory. Exact for every array that slices, transpositions and reversals of a
// contiguous one give (and for zero strides); exotic interleaved strides count as overlapping.
inline bool overlaps_itself(std::span<const std::size_t> shape, std::span<const std::ptrdiff_t> strides) {
    struct Axis {
        std::size_t stride, size;
    };
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == 0) return false;
        if (shape[i] > 1) axes.push_back({static_cast<std::size_t>(std::abs(strides[i])), shape[i]});
    }
    std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.stride < b.stride; });
    std::size_t reach = 0;  // the farthest element of the axes so far
    for (const Axis& a : axes) {
        if (a.stride <= reach) return true;
        reach += a.stride * (a.size - 1);
    }
    return false;
}

// A box of elements, each with an index (its place in the whole parameter) and an offset (its place in memory). Axes whose
// elements follow one another in both are merged, so that a contiguous array is one run.
class Box {
 public:
    // `index_strides` are those of the whole parameter, `first_index` the index of the box's first element.
    Box(std::span<const std::size_t> shape, std::span<const std::uint64_t> index_strides,
        std::span<const std::ptrdiff_t> data_strides, std::uint64_t first_index)
        : first_index_(first_index) {
        for (std::size_t i = 0; i < shape.size(); ++i) {
            size_ *= shape[i];
            if (shape[i] == 1) continue;
            const Axis axis{shape[i], index_strides[i], data_strides[i]};
            const auto inner = static_cast<std::ptrdiff_t>(axis.size);
            if (!axes_.empty() && axes_.back().index_stride == axis.index_stride * axis.size &&
                axes_.back().data_stride == axis.data_stride * inner)
                axes_.back() = {axes_.back().size * axis.size, axis.index_stride, axis.data_stride};
            else axes_.push_back(axis);
        }
        if (axes_.empty()) axes_.push_back({1, 1, 1});
    }

    std::size_t size() const { return size_; }
    // Steps of index and offset inside a run.
    std::uint64_t index_stride() const { return axes_.back().index_stride; }
    std::ptrdiff_t data_stride() const { return axes_.back().data_stride; }

    // Calls run(index, offset, n) for the elements [begin, end) of the box, counted in C order: n elements along the last
    // merged axis, the first at `index` and `offset`.
    template <class Run>
    void runs(std::size_t begin, std::size_t end, Run&& run) const {
        const std::size_t length = axes_.back().size;
        while (begin < end) {
            std::size_t rest = begin;
            std::uint64_t index = first_index_;
            std::ptrdiff_t offset = 0;
            for (std::size_t i = axes_.size(); i-- > 0; rest /= axes_[i].size) {
                const std::size_t at = rest % axes_[i].size;
                index += at * axes_[i].index_stride;
                offset += static_cast<std::ptrdiff_t>(at) * axes_[i].data_stride;
            }
            const std::size_t n = std::min(end - begin, length - begin % length);
            run(index, offset, n);
            begin += n;
        }
    }

 private:
    struct Axis {
        std::size_t size;
        std::uint64_t index_stride;
        std::ptrdiff_t data_stride;
    };
    std::vector<Axis> axes_;
    std::uint64_t first_index_;
    std::size_t size_ = 1;
};

}  // namespace fanin::detail
