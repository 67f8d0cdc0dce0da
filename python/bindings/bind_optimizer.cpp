#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <vector>

#include "fanin/optimizer.hpp"

namespace fanin::python {

namespace py = pybind11;

namespace {

std::unique_ptr<Optimizer> make(const OptimizerRule& rule, const std::vector<double>& lr, double clip_norm) {
    return std::make_unique<Optimizer>(rule, lr, clip_norm);
}

}  // namespace

void bind_optimizer(py::module_& m) {
    using py::arg;
    py::class_<Optimizer>(m, "Optimizer")
        .def_static(
            "sgd",
            [](const std::vector<double>& lr, double clip_norm, double momentum, bool nesterov) {
                return make(Sgd{momentum, nesterov}, lr, clip_norm);
            },
            arg("lr"), arg("clip_norm"), arg("momentum"), arg("nesterov"))
        .def_static(
            "rmsprop",
            [](const std::vector<double>& lr, double clip_norm, double alpha, double eps, double momentum) {
                return make(RmsProp{alpha, eps, momentum}, lr, clip_norm);
            },
            arg("lr"), arg("clip_norm"), arg("alpha"), arg("eps"), arg("momentum"))
        .def_static(
            "adam",
            [](const std::vector<double>& lr, double clip_norm, double beta1, double beta2, double eps, double weight_decay) {
                return make(Adam{beta1, beta2, eps, weight_decay}, lr, clip_norm);
            },
            arg("lr"), arg("clip_norm"), arg("beta1"), arg("beta2"), arg("eps"), arg("weight_decay"))
        .def_property(
            "lr", [](const Optimizer& o) { return std::vector<double>(o.lr().begin(), o.lr().end()); }, &Optimizer::set_lr)
        .def_property_readonly("steps", &Optimizer::steps)
        .def_property_readonly("gradient_norm", &Optimizer::gradient_norm)
        .def_property_readonly("bound", &Optimizer::bound)
        .def("reset", &Optimizer::reset)
        .def("copy", [](const Optimizer& o) { return std::make_unique<Optimizer>(o); });
}

}  // namespace fanin::python
