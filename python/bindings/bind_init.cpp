#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fanin/init.hpp"
#include "formats.hpp"
#include "keys.hpp"

namespace fanin::python {
namespace {

using Sizes = std::vector<std::size_t>;
using Dict = py::typing::Dict<py::str, py::object>;

std::string shown(py::handle object) { return py::repr(object); }

// An integer or several of them, as signed numbers; `what` names them where something else came.
std::vector<std::ptrdiff_t> integers(py::handle object, const char* name) {
    std::vector<std::ptrdiff_t> list;
    const auto append = [&](py::handle item) {
        const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(item.ptr()));
        if (!number) {
            PyErr_Clear();
            throw py::type_error(std::string(name) + " must be an integer or a tuple of integers, got " + shown(object));
        }
        list.push_back(PyLong_AsSsize_t(number.ptr()));
        if (list.back() == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            throw py::value_error(std::string(name) + " must hold integers below 2^63, got " + shown(object));
        }
    };
    if (PyIndex_Check(object.ptr())) {
        append(object);
    } else if (py::isinstance<py::iterable>(object) && !py::isinstance<py::str>(object)) {
        for (const py::handle item : object) append(item);
    } else {
        throw py::type_error(std::string(name) + " must be an integer or a tuple of integers, got " + shown(object));
    }
    return list;
}

Sizes shape_of(py::handle shape) {
    Sizes sizes;
    for (const std::ptrdiff_t n : integers(shape, "shape")) {
        if (n < 0) throw py::value_error("shape must have no negative lengths, got " + shown(shape));
        sizes.push_back(static_cast<std::size_t>(n));
    }
    return sizes;
}

Axes axes_of(py::handle in_axis, py::handle out_axis, py::handle batch_axis) {
    return {integers(in_axis, "in_axis"), integers(out_axis, "out_axis"), integers(batch_axis, "batch_axis")};
}

// Whose numbers are drawn; without seed and stream, fresh entropy's.
Key key_of(py::handle seed, py::handle stream) {
    if (seed.is_none() && stream.is_none()) return {fresh_seed(), 0};
    return {seed_number(seed), stream_number(stream)};
}

// A part of a parameter: where it begins, and its shape.
struct Block {
    Sizes offset, shape;
};

// Whether the words of a law's parameter are true and false.
bool is_flag(const LawTraits& law, const std::string& parameter) {
    return std::any_of(law.parameters.begin(), law.parameters.end(),
                       [&](const LawParameter& p) { return p.name == parameter && p.flag; });
}

Argument argument(const LawTraits& law, py::handle name, py::handle value) {
    const auto key = py::cast<std::string>(name);
    if (py::isinstance<py::str>(value)) return {key, py::cast<std::string>(value)};
    if (PyBool_Check(value.ptr()) && is_flag(law, key)) return {key, value.ptr() == Py_True ? "true" : "false"};
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        throw py::type_error(key + " must be a number" + (key == "gain" ? " or an activation's name" : "") + ", got " +
                             shown(value));
    }
    return {key, number};
}

Law make_law(const std::string& name, const Dict& parameters) {
    const LawTraits traits = law_traits(name);
    std::vector<Argument> arguments;
    for (const auto& [key, value] : parameters) arguments.push_back(argument(traits, key, value));
    return Law(name, std::move(arguments));
}

Dict parameters(const Law& law) {
    const LawTraits traits = law_traits(law.name());
    Dict d;
    for (const Argument& a : law.arguments())
        d[py::str(a.name)] = is_flag(traits, a.name) ? py::cast(law.word(a.name) == "true") : py::cast(a.value);
    return d;
}

// What equal laws have in common, words of gains resolved.
py::typing::Tuple<py::object, py::ellipsis> identity_of(const Law& law) {
    py::list key;
    key.append(law.name());
    for (const Argument& a : law.resolved()) key.append(py::cast(a.value));
    return py::typing::Tuple<py::object, py::ellipsis>(key);
}

// Where a draw goes: a block of a parameter, and the strides, in elements, of the array that takes it.
template <class T>
struct Place {
    Place(const Target& target, const Sizes& full, const Block& part) : full_(full), part_(part) {
        for (int i = 0; i < target.array.ndim(); ++i) strides_.push_back(stride_of<T>(target.array, i, "out"));
        data_ = static_cast<T*>(const_cast<void*>(target.array.data()));
    }
    // For the checks alone: an array in C order that is still to be made.
    Place(const Sizes& full, const Block& part) : full_(full), part_(part), strides_(part.shape.size()) {
        std::ptrdiff_t stride = 1;
        for (std::size_t i = strides_.size(); i-- > 0; stride *= static_cast<std::ptrdiff_t>(part.shape[i]))
            strides_[i] = stride;
    }
    ArrayView<T> view() const { return {data_, part_.shape, strides_}; }
    Part part() const { return {full_, part_.offset}; }

 private:
    const Sizes& full_;
    const Block& part_;
    std::vector<std::ptrdiff_t> strides_;
    T* data_ = nullptr;
};

// None is the whole parameter.
Block part_of(const std::optional<std::pair<Sizes, Sizes>>& block, const Sizes& full) {
    if (!block) return {Sizes(full.size(), 0), full};
    return {block->first, block->second};
}

void require_shape(const py::array& array, const Sizes& shape) {
    const bool same = std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim(),
                                 [](std::size_t expected, py::ssize_t n) { return static_cast<py::ssize_t>(expected) == n; });
    if (!same) throw py::value_error("out must have shape " + shown(py::tuple(py::cast(shape))) + ", got " + shape_text(array));
}

// Draws the block of a parameter of shape `shape`, or all of it, into `out` or a new array; returns the array.
py::object draw(const Law& law, py::handle shape, py::handle seed, py::handle stream, py::handle dtype, py::object out,
                const std::optional<std::pair<Sizes, Sizes>>& block, py::handle in_axis, py::handle out_axis,
                py::handle batch_axis) {
    const Key key = key_of(seed, stream);
    const Sizes full = shape_of(shape);
    const Axes axes = axes_of(in_axis, out_axis, batch_axis);
    const Block part = part_of(block, full);
    Format format = stated_format(dtype);
    if (out.is_none()) {
        if (format == Format::none) format = Format::float32;
        with_format(format, [&]<class T>(T*) {  // before memory is asked for
            const Place<T> place(full, part);
            check_fill<T>(place.view(), law, place.part(), axes);
        });
        out = py::array(dtype_of(format), part.shape);
    }
    const Target target = target_of(out, format);
    require_shape(target.array, part.shape);
    with_format(target.format, [&]<class T>(T*) {
        const Place<T> place(target, full, part);
        const LongCall call;
        fill<T>(place.view(), law, key, place.part(), axes);
    });
    return out;
}

// Refuses what `draw` would refuse; `array` is a target.
void check(const Law& law, py::handle shape, py::array array, py::handle dtype,
           const std::optional<std::pair<Sizes, Sizes>>& block, py::handle in_axis, py::handle out_axis,
           py::handle batch_axis) {
    const Target target = target_of(array, stated_format(dtype));
    const Sizes full = shape_of(shape);
    const Block part = part_of(block, full);
    require_shape(target.array, part.shape);
    with_format(target.format, [&]<class T>(T*) {
        const Place<T> place(target, full, part);
        check_fill<T>(place.view(), law, place.part(), axes_of(in_axis, out_axis, batch_axis));
    });
}

Dict description(const Law& law, py::handle shape, py::handle in_axis, py::handle out_axis, py::handle batch_axis) {
    const Sizes full = shape_of(shape);
    const Axes axes = axes_of(in_axis, out_axis, batch_axis);
    const Description d = describe(law, full, axes);
    Dict r;
    r["shape"] = py::tuple(py::cast(full));
    r["in_axis"] = py::tuple(py::cast(axes.in));
    r["out_axis"] = py::tuple(py::cast(axes.out));
    r["batch_axis"] = py::tuple(py::cast(axes.batch));
    r["fan_in"] = d.fans ? py::cast(d.fans->in) : py::none();
    r["fan_out"] = d.fans ? py::cast(d.fans->out) : py::none();
    r["receptive"] = d.fans ? py::cast(d.fans->receptive) : py::none();
    r["mean"] = d.mean;
    r["variance"] = d.variance;
    r["std"] = d.std;
    r["low"] = d.low;
    r["high"] = d.high;
    r["bound"] = d.bound;
    r["n_var"] = d.n_in_var;
    r["n_out_var"] = d.n_out_var;
    return r;
}

}  // namespace

void bind_init(py::module_& m) {
    using py::arg;
    py::class_<Law>(m, "Law", py::is_final())
        .def(py::init(&make_law), arg("name"), arg("parameters"))
        .def_property_readonly("name", &Law::name)
        .def_property_readonly("parameters", &parameters)
        .def_property_readonly("needs_fans", &Law::needs_fans)
        .def_property_readonly("identity", &identity_of)
        .def("text", &Law::text);
    m.def("law_from_text", [](const std::string& text) { return law_from_text(text); }, arg("text"));
    m.def("law_names", &law_names);
    py::class_<LawTraits>(m, "LawTraits", py::is_final())
        .def_readonly("example", &LawTraits::example)
        .def_readonly("needs_fans", &LawTraits::needs_fans)
        .def_readonly("needs_shape", &LawTraits::needs_shape)
        .def_readonly("whole", &LawTraits::whole);
    m.def("law_traits", [](const std::string& name) { return law_traits(name); }, arg("name"));
    m.def("sizes", [](const py::object& shape) { return shape_of(shape); }, arg("shape"));
    m.def("unknown_law", [](const std::string& name) { return unknown_law(name); }, arg("name"));
    m.def("draw", &draw, arg("law"), arg("shape"), arg("seed"), arg("stream"), arg("dtype"), arg("out"), arg("block"),
          arg("in_axis"), arg("out_axis"), arg("batch_axis"));
    m.def("describe", &description, arg("law"), arg("shape"), arg("in_axis"), arg("out_axis"), arg("batch_axis"));
    m.def("check_fill", &check, arg("law"), arg("shape"), arg("array"), arg("dtype"), arg("block"), arg("in_axis"),
          arg("out_axis"), arg("batch_axis"));
    m.def(
        "as_target",
        [](const py::object& out) {
            const Target target = target_of(out, Format::none);
            return std::pair(target.array, std::string(format_name(target.format)));
        },
        arg("out"), "A NumPy array over the memory of an array, a buffer or a tensor, and its format.");
}

}  // namespace fanin::python
