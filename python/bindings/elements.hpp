// Arrays of every element type that summaries take, as views.
#pragma once

#include <utility>
#include <vector>

#include "formats.hpp"

namespace fanin::python {

// Calls body(view) with a view of x as elements of S.
template <class S, class Body>
auto with_view_of(const py::array& x, Body&& body) {
    std::vector<std::size_t> shape;
    std::vector<std::ptrdiff_t> strides;
    for (int axis = 0; axis < x.ndim(); ++axis) {
        shape.push_back(static_cast<std::size_t>(x.shape(axis)));
        strides.push_back(x.size() == 0 ? 0 : stride_of<S>(x, axis, "x"));
    }
    if (x.size() != 0 && reinterpret_cast<std::uintptr_t>(x.data()) % alignof(S) != 0)
        throw py::value_error("x must be aligned, with strides that are multiples of its item size");
    const ArrayView<const S> view{static_cast<const S*>(x.data()), shape, strides};
    const LongCall call;
    return body(view);
}

// The same, S following from the dtype of x: a float of 16, 32 or 64 bits, bfloat16, an integer, or bool as 0 and 1.
template <class Body>
auto with_view(const py::array& x, Body&& body) {
    switch (format_of(x.dtype())) {
        case Format::float32:
            return with_view_of<float>(x, body);
        case Format::float64:
            return with_view_of<double>(x, body);
        case Format::float16:
            return with_view_of<Float16>(x, body);
        case Format::bfloat16:
            return with_view_of<BFloat16>(x, body);
        default:
            break;
    }
    const char kind = x.dtype().kind();
    const bool native = x.dtype().byteorder() == '=' || x.dtype().byteorder() == '|';
    if (native && (kind == 'i' || kind == 'u' || kind == 'b')) switch (x.itemsize() * (kind == 'i' ? -1 : 1)) {
            case -1:
                return with_view_of<std::int8_t>(x, body);
            case -2:
                return with_view_of<std::int16_t>(x, body);
            case -4:
                return with_view_of<std::int32_t>(x, body);
            case -8:
                return with_view_of<std::int64_t>(x, body);
            case 1:
                return with_view_of<std::uint8_t>(x, body);
            case 2:
                return with_view_of<std::uint16_t>(x, body);
            case 4:
                return with_view_of<std::uint32_t>(x, body);
            case 8:
                return with_view_of<std::uint64_t>(x, body);
            default:
                break;
        }
    throw py::type_error("x must hold native real numbers of at most 64 bits, got dtype " + dtype_name(x));
}

}  // namespace fanin::python
