#include <pybind11/stl.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "fanin/activation.hpp"

namespace fanin::python {
namespace {

// The array that a result goes to: `out` once checked, or a new one with the memory order of `like`.
py::array result_array(const py::object& out, const py::array& like) {
    if (out.is_none()) {
        using py::literals::operator""_a;
        return py::module_::import("numpy").attr("empty_like")(like, "subok"_a = false);
    }
    py::array a = require_array(out, "out");
    holds<float>(like) ? require_dtype<float>(a, "out", "z") : require_dtype<double>(a, "out", "z");
    require_writable(a, "out");
    return a;
}

template <class Apply>
py::array over_array(const py::object& object, const py::object& out, Apply&& apply) {
    const py::array z = require_array(object, "z");
    require_float(z, "z");
    py::array result = result_array(out, z);
    auto run = [&]<class T>(T) {
        const ArrayOf<T> from(z, "z"), to(result, "out");
        const LongCall call;
        apply(from.view(), to.mutable_view());
    };
    holds<float>(z) ? run(float{}) : run(double{});
    return result;
}

py::array evaluate(const std::string& name, const py::object& z, const py::object& out) {
    const Activation activation = activation_from_name(name);
    return over_array(z, out, [&]<class T>(ArrayView<const T> from, ArrayView<T> to) { activate<T>(activation, from, to); });
}
py::array derivative(const std::string& name, const py::object& z, const py::object& out) {
    const Activation activation = activation_from_name(name);
    return over_array(
        z, out, [&]<class T>(ArrayView<const T> from, ArrayView<T> to) { activation_derivative<T>(activation, from, to); });
}

py::array softmax_of(const py::object& z, const py::object& out, bool logarithm) {
    return over_array(z, out, [&]<class T>(ArrayView<const T> from, ArrayView<T> to) {
        logarithm ? log_softmax<T>(from, to) : softmax<T>(from, to);
    });
}

// What the text of an activation says, and what is known of it.
struct Described {
    std::string text, name;  // with its parameter where that is not the usual one; without
    std::optional<std::string> parameter;
    std::optional<double> value;
    std::optional<std::pair<double, double>> bounds, limits;  // none where it saturates on neither side
    std::optional<std::pair<double, double>> value_range;     // the bounds where there are both
    std::vector<double> kinks;
    std::optional<double> period;
};
Described described(const std::string& text) {
    const Activation activation = activation_from_name(text);
    const ActivationTraits known = activation_traits(activation);
    Described d{activation_name(activation), activation_names()[activation.kind()], {}, {}, {}, {}, {}, {}, {}};
    if (!known.parameter.empty()) {
        d.parameter = known.parameter;
        d.value = activation.parameter();
    }
    if (std::isfinite(known.low) || std::isfinite(known.high)) {
        d.bounds = {known.low, known.high};
        d.limits = {known.saturated_low, known.saturated_high};
    }
    if (std::isfinite(known.low) && std::isfinite(known.high)) d.value_range = d.bounds;
    if (known.period != 0) d.period = known.period;
    d.kinks.assign(known.kinks.begin(), known.kinks.end());
    return d;
}

}  // namespace

void bind_activation(py::module_& m) {
    using py::arg;
    py::class_<Described>(m, "ActivationTraits", py::is_final())
        .def_readonly("text", &Described::text)
        .def_readonly("name", &Described::name)
        .def_readonly("parameter", &Described::parameter)
        .def_readonly("value", &Described::value)
        .def_readonly("bounds", &Described::bounds)
        .def_readonly("limits", &Described::limits)
        .def_readonly("value_range", &Described::value_range)
        .def_readonly("period", &Described::period)
        .def_property_readonly("kinks", [](const Described& d) { return py::tuple(py::cast(d.kinks)); });
    m.def("activation_traits", &described, arg("text"));
    m.def("activation_names", &activation_names);
    m.def("activation_evaluate", &evaluate, arg("name"), arg("z"), arg("out") = py::none());
    m.def("activation_derivative", &derivative, arg("name"), arg("z"), arg("out") = py::none());
    m.def("activation_softmax", &softmax_of, arg("z"), arg("out"), arg("logarithm"));
    m.def("activation_gain", [](const std::string& name) { return gain(activation_from_name(name)); }, arg("name"));
}

}  // namespace fanin::python
