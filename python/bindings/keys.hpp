// Seeds and streams from Python: whole numbers of any integer type, or names.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "fanin/random.hpp"

namespace fanin::python {

namespace py = pybind11;

// An integer in [0, 2^bits), bits 63 or 64; `what` opens the message: "seed must be an integer in [0, 2^64)". TypeError where
// no integer came, ValueError out of range.
inline std::uint64_t whole_number(py::handle value, const char* what, int bits) {
    const py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!index) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
        PyErr_Clear();
        throw py::type_error(std::string(what) + ", got " + std::string(py::repr(value)));
    }
    const unsigned long long number = PyLong_AsUnsignedLongLong(index.ptr());  // negative or above 2^64 - 1: OverflowError
    const bool failed = PyErr_Occurred() != nullptr;
    if (failed) PyErr_Clear();
    if (failed || (bits < 64 && number >> bits != 0))
        throw py::value_error(std::string(what) + ", got " + std::string(py::str(index)));
    return number;
}

inline std::uint64_t seed_number(py::handle seed) { return whole_number(seed, "seed must be an integer in [0, 2^64)", 64); }

inline std::uint64_t stream_number(py::handle stream) {
    if (!PyUnicode_Check(stream.ptr()))
        return stream_id(whole_number(stream, "stream must be an integer in [0, 2^63) or a name", 63));
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(stream.ptr(), &size);
    if (text == nullptr) throw py::error_already_set();
    return stream_id(std::string_view(text, static_cast<std::size_t>(size)));
}

}  // namespace fanin::python
