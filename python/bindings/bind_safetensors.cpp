#include <pybind11/stl.h>

#include <cerrno>
#include <system_error>

#include "arrays.hpp"
#include "fanin/safetensors.hpp"

namespace fanin::python {

void bind_safetensors(py::module_& m) {
    // The system's refusals as Python's own: FileNotFoundError, PermissionError, ...
    py::register_local_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::system_error& error) {
            const std::string what = error.what(), path = what.substr(0, what.rfind(": "));
            errno = error.code().value();
            PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
        }
    });
    using py::arg;
    py::class_<SafeTensors>(m, "SafeTensors")
        .def(py::init([](const std::string& path) {
                 const LongCall call;
                 return std::make_unique<SafeTensors>(path);
             }),
             arg("path"))
        .def_property_readonly("metadata", &SafeTensors::metadata)
        .def_property_readonly("dtypes",
                               [](const SafeTensors& file) {
                                   std::map<std::string, std::string> out;
                                   for (const Tensor& tensor : file.tensors()) out[tensor.name] = tensor.dtype;
                                   return out;
                               })
        .def_property_readonly("shapes", [](const SafeTensors& file) {
            std::map<std::string, std::vector<std::size_t>> out;
            for (const Tensor& tensor : file.tensors()) out[tensor.name] = tensor.shape;
            return out;
        });
}

}  // namespace fanin::python
