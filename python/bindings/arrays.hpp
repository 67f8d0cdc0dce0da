// From NumPy arrays to the core's views, and back. Types are checked here and shapes in the core; nothing is converted.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fanin/threads.hpp"
#include "fanin/view.hpp"

namespace fanin::python {

namespace py = pybind11;

inline std::string dtype_name(const py::array& a) { return py::str(py::object(a.dtype())); }

// Whether the array holds native T.
template <class T>
bool holds(const py::array& a) {
    return py::dtype::of<T>().is(a.dtype()) || py::dtype::of<T>().equal(a.dtype());
}

// `name` must be an array of float32 or float64; TypeError that says what came.
inline void require_float(const py::array& a, const char* name) {
    if (holds<float>(a) || holds<double>(a)) return;
    throw py::type_error(std::string(name) + " must have dtype float32 or float64, got " + dtype_name(a));
}
template <class T>
void require_dtype(const py::array& a, const char* name, const char* like) {
    if (holds<T>(a)) return;
    throw py::type_error(std::string(name) + " must have dtype " + std::string(py::str(py::object(py::dtype::of<T>()))) +
                         (like == nullptr ? "" : std::string(" like ") + like) + ", got " + dtype_name(a));
}
inline void require_writable(const py::array& a, const char* name) {
    if (!a.writeable()) throw py::value_error(std::string(name) + " must be writable, got a read-only array");
}

inline std::string shape_text(const py::array& a) { return py::str(py::object(a.attr("shape"))); }

// Stride of one axis in elements. NumPy allows strides that are no multiple of the item size (fields of records).
template <class T>
std::ptrdiff_t stride_of(const py::array& a, int axis, const char* name) {
    const auto bytes = static_cast<std::ptrdiff_t>(a.strides(axis));
    if (bytes % static_cast<std::ptrdiff_t>(sizeof(T)) != 0 || reinterpret_cast<std::uintptr_t>(a.data()) % alignof(T) != 0)
        throw py::value_error(std::string(name) + " must be aligned, with strides that are multiples of its item size");
    return bytes / static_cast<std::ptrdiff_t>(sizeof(T));
}

template <class T>
MatrixView<const T> const_matrix(const py::array& a, const char* name, const char* shape) {
    if (a.ndim() != 2) throw py::value_error(std::string(name) + " must have shape " + shape + ", got " + shape_text(a));
    return {static_cast<const T*>(a.data()), static_cast<std::size_t>(a.shape(0)), static_cast<std::size_t>(a.shape(1)),
            stride_of<T>(a, 0, name), stride_of<T>(a, 1, name)};
}
template <class T>
MatrixView<T> matrix(py::array& a, const char* name, const char* shape) {
    require_writable(a, name);
    const MatrixView<const T> v = const_matrix<T>(a, name, shape);
    return {static_cast<T*>(a.mutable_data()), v.rows, v.cols, v.row_stride, v.col_stride};
}
template <class T>
VectorView<const T> const_vector(const py::array& a, const char* name, const char* shape) {
    if (a.ndim() != 1) throw py::value_error(std::string(name) + " must have shape " + shape + ", got " + shape_text(a));
    return {static_cast<const T*>(a.data()), static_cast<std::size_t>(a.shape(0)), stride_of<T>(a, 0, name)};
}
template <class T>
VectorView<T> vector(py::array& a, const char* name, const char* shape) {
    require_writable(a, name);
    const VectorView<const T> v = const_vector<T>(a, name, shape);
    return {static_cast<T*>(a.mutable_data()), v.size, v.stride};
}

// What a view of any rank points into.
template <class T>
class ArrayOf {
 public:
    ArrayOf(const py::array& a, const char* name) : data_(static_cast<const T*>(a.data())) {
        for (int axis = 0; axis < a.ndim(); ++axis) {
            shape_.push_back(static_cast<std::size_t>(a.shape(axis)));
            strides_.push_back(a.size() == 0 ? 0 : stride_of<T>(a, axis, name));  // no element, no address
        }
        if (a.ndim() == 0 && reinterpret_cast<std::uintptr_t>(data_) % alignof(T) != 0)
            throw py::value_error(std::string(name) + " must be aligned");
    }
    ArrayView<const T> view() const { return {data_, shape_, strides_}; }
    ArrayView<T> mutable_view() const { return {const_cast<T*>(data_), shape_, strides_}; }

 private:
    const T* data_;
    std::vector<std::size_t> shape_;
    std::vector<std::ptrdiff_t> strides_;
};

// An argument that must be a NumPy array as it stands: TypeError that says what came.
inline py::array require_array(const py::object& object, const char* name) {
    if (py::isinstance<py::array>(object)) return py::reinterpret_borrow<py::array>(object);
    throw py::type_error(std::string(name) + " must be a NumPy array, got " +
                         std::string(py::str(py::type::of(object).attr("__name__"))));
}

// Around every long core call: the GIL is released, and Ctrl-C ends the call (Python raises KeyboardInterrupt).
class LongCall {
 public:
    LongCall() : interrupt_(&pending_signal) {}

 private:
    static bool pending_signal(void*) {
        const py::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() == 0) return false;
        throw py::error_already_set();
    }
    InterruptScope interrupt_;
    py::gil_scoped_release release_;
};

}  // namespace fanin::python
