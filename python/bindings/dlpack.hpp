// Arrays of other libraries through DLPack (https://dmlc.github.io/dlpack): PyTorch's CPU tensors, bfloat16 among them,
// which the buffer protocol and NumPy cannot carry. The structures below are that ABI's, versions 0 and 1.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fanin::python {

namespace py = pybind11;

namespace dlpack {

struct Tensor {
    void* data;
    std::int32_t device_type, device_id;
    std::int32_t ndim;
    std::uint8_t type_code, type_bits;
    std::uint16_t type_lanes;
    const std::int64_t* shape;
    const std::int64_t* strides;  // in elements; null: C order
    std::uint64_t byte_offset;
};
struct Managed {
    Tensor tensor;
    void* manager;
    void (*deleter)(Managed*);
};
struct ManagedVersioned {
    std::uint32_t major, minor;
    void* manager;
    void (*deleter)(ManagedVersioned*);
    std::uint64_t flags;
    Tensor tensor;
};

constexpr std::int32_t kCpu = 1, kPinned = 3;  // device types that the CPU reads and writes
constexpr std::uint8_t kInt = 0, kUInt = 1, kFloat = 2, kBFloat = 4, kBool = 6;
constexpr std::uint64_t kReadOnly = 1;

}  // namespace dlpack

// A NumPy array over the memory of an object with __dlpack__, which stays alive with it; `is_bfloat16` tells that its
// uint16 are the bits of bfloat16. A tensor that records gradients is detached first: its values are what is written.
// ValueError for memory that the CPU does not reach, TypeError for a type that is no float (with `any`: no real number).
inline py::array array_from_dlpack(py::object object, const char* name, bool& is_bfloat16, bool any = false) {
    const py::tuple device = object.attr("__dlpack_device__")();
    const auto device_type = device[0].cast<std::int32_t>();
    if (device_type != dlpack::kCpu && device_type != dlpack::kPinned)
        throw py::value_error(std::string(name) + " must be in the CPU's memory, got DLPack device type " +
                              std::to_string(device_type));
    if (py::hasattr(object, "detach")) object = object.attr("detach")();
    py::object capsule;
    try {
        capsule = object.attr("__dlpack__")(py::arg("max_version") = py::make_tuple(1, 0));
    } catch (py::error_already_set& error) {  // a producer of before version 1 does not know the argument
        if (!error.matches(PyExc_TypeError)) throw;
        capsule = object.attr("__dlpack__")();
    }
    const dlpack::Tensor* tensor = nullptr;
    bool read_only = false;
    if (auto* versioned = static_cast<dlpack::ManagedVersioned*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"))) {
        if (versioned->major != 1) throw py::value_error(std::string(name) + " must speak DLPack version 1");
        tensor = &versioned->tensor;
        read_only = (versioned->flags & dlpack::kReadOnly) != 0;
    } else {
        PyErr_Clear();
        auto* managed = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
        if (managed == nullptr) throw py::error_already_set();
        tensor = &managed->tensor;
    }
    is_bfloat16 = tensor->type_code == dlpack::kBFloat && tensor->type_bits == 16;
    const bool is_float =
        tensor->type_code == dlpack::kFloat && (tensor->type_bits == 16 || tensor->type_bits == 32 || tensor->type_bits == 64);
    const std::uint8_t code = tensor->type_code, bits = tensor->type_bits;
    const bool is_integer = any && ((code == dlpack::kBool && bits == 8) ||
                                    ((code == dlpack::kInt || code == dlpack::kUInt) && bits >= 8 && bits <= 64));
    if ((!is_float && !is_bfloat16 && !is_integer) || tensor->type_lanes != 1)
        throw py::type_error(std::string(name) + " must have dtype float32, float64, float16 or bfloat16" +
                             (any ? ", or integers" : "") + ", got DLPack type code " + std::to_string(tensor->type_code) +
                             " of " + std::to_string(tensor->type_bits) + " bits");
    std::int64_t elements = 1;
    for (std::int32_t i = 0; i < tensor->ndim; ++i) elements *= tensor->shape[i];
    if (tensor->data == nullptr && elements > 0)  // wrappers around other tensors export no memory
        throw py::value_error(std::string(name) + " must have memory of its own, got a " +
                              py::type::of(object).attr("__name__").cast<std::string>() +
                              " without any: pass its local part (.to_local()) and block=");
    const auto item = static_cast<py::ssize_t>(tensor->type_bits / 8);
    std::vector<py::ssize_t> shape(tensor->shape, tensor->shape + tensor->ndim), strides(shape.size());
    py::ssize_t stride = item;
    for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i])
        strides[i] = tensor->strides == nullptr ? stride : tensor->strides[i] * item;
    const char kind = is_integer ? (code == dlpack::kBool ? 'b' : code == dlpack::kInt ? 'i' : 'u') : is_bfloat16 ? 'u' : 'f';
    const py::dtype dtype(kind + std::to_string(item));
    // The capsule, its deleter still to run, lives as the array's base.
    py::array array(dtype, shape, strides, static_cast<char*>(tensor->data) + tensor->byte_offset, capsule);
    if (read_only) array.attr("setflags")(py::arg("write") = false);
    return array;
}

}  // namespace fanin::python
