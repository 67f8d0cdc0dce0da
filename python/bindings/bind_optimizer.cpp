#include <pybind11/pybind11.h>

#include "fanin/optimizer.hpp"

namespace fanin::python {

namespace py = pybind11;

void bind_optimizer(py::module_& m) {
    using py::arg;
    py::class_<Optimizer>(m, "Optimizer")
        .def_static(
            "sgd",
            [](double lr, double momentum, bool nesterov) { return std::make_unique<Optimizer>(Sgd{lr, momentum, nesterov}); },
            arg("lr"), arg("momentum"), arg("nesterov"))
        .def_property(
            "lr", [](const Optimizer& o) { return o.rule().lr; }, &Optimizer::set_lr)
        .def_property_readonly("momentum", [](const Optimizer& o) { return o.rule().momentum; })
        .def_property_readonly("nesterov", [](const Optimizer& o) { return o.rule().nesterov; })
        .def_property_readonly("steps", &Optimizer::steps)
        .def_property_readonly("bound", &Optimizer::bound)
        .def("reset", &Optimizer::reset)
        .def("copy", [](const Optimizer& o) { return std::make_unique<Optimizer>(o); });
}

}  // namespace fanin::python
