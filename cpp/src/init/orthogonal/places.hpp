// A parameter read as a matrix: where the rows and columns that an array covers stand in memory.
#pragma once

#include <span>
#include <vector>

#include "fanin/view.hpp"

namespace fanin::detail::haar {

// Where an index of the flattened matrix stands in memory.
struct Place {
    std::size_t index;
    std::ptrdiff_t offset;
};

// The part of `axes` (ascending) that out covers, in C order.
template <class T>
std::vector<Place> places(const ArrayView<T>& out, std::span<const std::size_t> shape, std::span<const std::size_t> offset,
                          const std::vector<std::size_t>& axes) {
    // One axis at a time, the last the fastest: without axes a single place, with an empty one none.
    std::vector<Place> list{{0, 0}};
    for (const std::size_t axis : axes) {
        std::vector<Place> next;
        next.reserve(list.size() * out.shape[axis]);
        for (const Place& place : list)
            for (std::size_t i = 0; i < out.shape[axis]; ++i)
                next.push_back({place.index * shape[axis] + offset[axis] + i,
                                place.offset + static_cast<std::ptrdiff_t>(i) * out.strides[axis]});
        list = std::move(next);
    }
    return list;
}

// Whether the places are evenly spaced in memory and leave out no index between the first and the last; their step.
inline bool even(const std::vector<Place>& list, std::ptrdiff_t& step) {
    step = list.size() > 1 ? list[1].offset - list[0].offset : 1;
    for (std::size_t i = 1; i < list.size(); ++i)
        if (list[i].index != list[i - 1].index + 1 || list[i].offset != list[i - 1].offset + step) return false;
    return true;
}

}  // namespace fanin::detail::haar
