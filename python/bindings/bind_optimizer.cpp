#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fanin/optimizer.hpp"

namespace fanin::python {

namespace py = pybind11;

void bind_optimizer(py::module_& m) {
    using py::arg;
    py::class_<Optimizer>(m, "Optimizer")
        .def(py::init([](const std::string& rule, const std::vector<double>& lr, double clip_norm,
                         const std::map<std::string, double>& options) {
                 return std::make_unique<Optimizer>(optimizer_rule(rule, {options.begin(), options.end()}), lr, clip_norm);
             }),
             arg("rule"), arg("lr"), arg("clip_norm"), arg("options"))
        .def_property(
            "lr", [](const Optimizer& o) { return std::vector<double>(o.lr().begin(), o.lr().end()); }, &Optimizer::set_lr)
        .def_property_readonly("steps", &Optimizer::steps)
        .def_property_readonly("gradient_norm", &Optimizer::gradient_norm)
        .def_property_readonly("bound", &Optimizer::bound)
        .def("reset", &Optimizer::reset)
        .def("copy", [](const Optimizer& o) { return std::make_unique<Optimizer>(o); });
}

}  // namespace fanin::python
