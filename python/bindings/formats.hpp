// The number formats that weights are drawn in, and the arrays that take them.
#pragma once

#include <string>
#include <utility>

#include "arrays.hpp"
#include "dlpack.hpp"
#include "fanin/float16.hpp"

namespace fanin::python {

enum class Format { float32, float64, float16, bfloat16, none };

inline const char* format_name(Format format) {
    constexpr const char* names[] = {"float32", "float64", "float16", "bfloat16", "no format"};
    return names[static_cast<int>(format)];
}
inline bool is_16_bit(Format format) { return format == Format::float16 || format == Format::bfloat16; }

// ml_dtypes' bfloat16 is a NumPy type of its own, known by its name: the package is never imported for this.
inline Format format_of(const py::dtype& dtype) {
    constexpr int kFloat = 11, kDouble = 12, kHalf = 23;  // NumPy's type numbers
    const int number = dtype.num();
    const bool native = dtype.byteorder() == '=' || dtype.byteorder() == '|';
    if (number == kFloat && native) return Format::float32;
    if (number == kDouble && native) return Format::float64;
    if (number == kHalf && native) return Format::float16;
    if (dtype.itemsize() == 2 && number > 255 && dtype.attr("name").cast<std::string>() == "bfloat16") return Format::bfloat16;
    return Format::none;
}

// What a `dtype` argument states; Format::none for None. "bfloat16" is understood without ml_dtypes.
inline Format stated_format(py::handle dtype) {
    if (dtype.is_none()) return Format::none;
    if (py::isinstance<py::str>(dtype) && dtype.cast<std::string>() == "bfloat16") return Format::bfloat16;
    const py::dtype d = py::dtype::from_args(py::reinterpret_borrow<py::object>(dtype));
    const Format format = format_of(d);
    if (format == Format::none)
        throw py::type_error("dtype must be float32, float64, float16 or bfloat16, got " + std::string(py::str(py::object(d))));
    return format;
}

// NumPy's type for a format; bfloat16 has one where ml_dtypes is installed.
inline py::dtype dtype_of(Format format) {
    if (format != Format::bfloat16) return py::dtype(format_name(format));
    try {
        return py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16"));
    } catch (py::error_already_set& error) {
        if (!error.matches(PyExc_ImportError)) throw;
        throw py::type_error(
            "dtype bfloat16 needs the package ml_dtypes (pip install ml_dtypes), or out=, a bfloat16 tensor or an array of "
            "uint16, which receives the bits");
    }
}

// An output: a NumPy array over its memory, and the format that its elements have.
struct Target {
    py::array array;
    Format format;
};

// `out` may be a NumPy array, an object with the buffer protocol, or one with DLPack (a PyTorch tensor). An array of uint16
// takes the bits of a 16-bit format that `stated` names. TypeError for anything else, and where the formats differ.
inline Target target_of(const py::object& out, Format stated) {
    py::array array;
    bool is_bfloat16 = false;
    if (py::isinstance<py::array>(out)) array = py::reinterpret_borrow<py::array>(out);
    else if (PyObject_CheckBuffer(out.ptr())) array = py::module_::import("numpy").attr("asarray")(py::memoryview(out));
    else if (py::hasattr(out, "__dlpack__")) array = array_from_dlpack(out, "out", is_bfloat16);
    else
        throw py::type_error("out must be a NumPy array, a buffer or a tensor with __dlpack__, got " +
                             std::string(py::repr(py::type::of(out))));
    Format format = is_bfloat16 ? Format::bfloat16 : format_of(array.dtype());
    if (format == Format::none && is_16_bit(stated) && array.dtype().equal(py::dtype::of<std::uint16_t>())) format = stated;
    if (format == Format::none)
        throw py::type_error("out must have dtype float32, float64, float16 or bfloat16, got " + dtype_name(array));
    if (stated != Format::none && stated != format)
        throw py::type_error("out must have dtype " + std::string(format_name(stated)) + " as stated, got " +
                             format_name(format));
    require_writable(array, "out");
    return {std::move(array), format};
}

// Calls body with a null pointer of the format's C++ type.
template <class Body>
void with_format(Format format, Body&& body) {
    switch (format) {
        case Format::float64:
            return body(static_cast<double*>(nullptr));
        case Format::float16:
            return body(static_cast<Float16*>(nullptr));
        case Format::bfloat16:
            return body(static_cast<BFloat16*>(nullptr));
        default:
            return body(static_cast<float*>(nullptr));
    }
}

}  // namespace fanin::python
