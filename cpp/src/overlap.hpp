// Whether strided views share memory, and whether a view meets itself: checked before anything is written. The one mechanism
// for all topics, over views of any rank.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fanin/view.hpp"

namespace fanin::detail {

// The bytes that a view's elements take: an element begins at low + sum of i_k * step_k, 0 <= i_k < count_k.
struct Extent {
    struct Axis {
        std::intptr_t step;  // in bytes, at least 0: a negative stride is counted from its other end
        std::size_t count;   // at least 2
    };
    std::intptr_t low = 0, high = 0;  // all bytes lie in [low, high); equal for a view without elements
    std::intptr_t size = 1;           // bytes of an element
    std::size_t rank = 0;
    std::array<Axis, kMaxRank> axes;  // the first `rank`, the largest step first

    // shape and strides (in elements) have `rank` entries.
    Extent() = default;
    Extent(const void* data, std::size_t element, const std::size_t* shape, const std::ptrdiff_t* strides, std::size_t rank);
};

template <class T>
Extent extent(const ArrayView<T>& v) {
    return {v.data, sizeof(T), v.shape.data(), v.strides.data(), v.shape.size()};
}
template <class T>
Extent extent(const MatrixView<T>& v) {
    const std::size_t shape[] = {v.rows, v.cols};
    const std::ptrdiff_t strides[] = {v.row_stride, v.col_stride};
    return {v.data, sizeof(T), shape, strides, 2};
}
template <class T>
Extent extent(const VectorView<T>& v) {
    return {v.data, sizeof(T), &v.size, &v.stride, 1};
}

template <class T>
MatrixView<T> as_matrix(const VectorView<T>& v) {
    return {v.data, 1, v.size, 0, v.stride};
}

// Whether a byte of one is a byte of the other. Exact, but for strides so entangled that the search gives up: then true.
bool may_overlap(const Extent& a, const Extent& b);

// std::invalid_argument where elements of the output `name` share memory. Exact for what slices, transpositions and reversals
// of a contiguous array give, zero strides included; other interleaved strides count as overlapping.
void require_distinct(const Extent& out, const char* name);
template <class View>
void require_distinct(const View& out, const char* name) {
    require_distinct(extent(out), name);
}

// std::invalid_argument unless each element of `out` has a place of its own, and `out` is `in` itself (same data, same
// strides) or shares no memory with it. Both have one shape.
void require_same_or_disjoint(const Extent& out, const char* out_name, bool same, const Extent& in, const char* in_name);
template <class T>
void require_same_or_disjoint(const ArrayView<T>& out, const char* out_name, const ArrayView<const T>& in,
                              const char* in_name) {
    bool same = out.data == in.data;
    for (std::size_t i = 0; i < out.shape.size(); ++i) same &= out.shape[i] <= 1 || out.strides[i] == in.strides[i];
    require_same_or_disjoint(extent(out), out_name, same, extent(in), in_name);
}

}  // namespace fanin::detail
