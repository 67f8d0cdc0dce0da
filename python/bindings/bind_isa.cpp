#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "fanin/isa.hpp"

namespace fanin::python {

void bind_isa(pybind11::module_& m) {
    m.def("available_isas", &available_isas);
    m.def("active_isa", &active_isa);
    m.def("set_isa", [](const std::string& name) { set_isa(name); }, pybind11::arg("name"));
}

}  // namespace fanin::python
