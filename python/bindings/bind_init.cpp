#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "fanin/init.hpp"

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

Axes axes_of(py::handle in_axis, py::handle out_axis) { return {integers(in_axis, "in_axis"), integers(out_axis, "out_axis")}; }

struct Block {
    Sizes offset, shape;
};

// One slice or integer for every axis. Bounds may be None or negative as in Python, but never outside the axis: a block
// that is cut silently would be a shard with a hole.
Block block_of(py::handle block, const Sizes& shape) {
    const auto is_part = [](py::handle item) { return PySlice_Check(item.ptr()) || PyIndex_Check(item.ptr()); };
    const bool bare = is_part(block);
    if (!bare && !PyTuple_Check(block.ptr()) && !PyList_Check(block.ptr()))
        throw py::type_error("block must be a tuple of slices, got " + shown(block));
    const py::tuple items = bare ? py::make_tuple(block) : py::tuple(py::reinterpret_borrow<py::object>(block));
    for (const py::handle item : items)
        if (!is_part(item)) throw py::type_error("block must hold slices or integers, got " + shown(item));
    if (items.size() != shape.size())
        throw py::value_error("block must have one slice an axis, " + std::to_string(shape.size()) + " in all, got " +
                              shown(block));
    Block b;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const py::handle item = items[i];
        const auto size = static_cast<std::ptrdiff_t>(shape[i]);
        const auto bound = [&](py::handle value, std::ptrdiff_t otherwise) {
            if (value.is_none()) return otherwise;
            const std::vector<std::ptrdiff_t> list = integers(value, "block");
            const std::ptrdiff_t at = list.size() == 1 ? (list[0] < 0 ? list[0] + size : list[0]) : -1;
            if (at < 0 || at > size)
                throw py::value_error("block must lie inside the shape: axis " + std::to_string(i) + " has length " +
                                      std::to_string(size) + ", got " + shown(item));
            return at;
        };
        std::ptrdiff_t begin, end;
        if (PySlice_Check(item.ptr())) {
            const py::object step = item.attr("step");
            if (!step.is_none() && !step.equal(py::int_(1)))
                throw py::value_error("block must have slices of step 1, got " + shown(item));
            begin = bound(item.attr("start"), 0);
            end = bound(item.attr("stop"), size);
            if (end < begin) throw py::value_error("block must have slices that start before they stop, got " + shown(item));
        } else {
            begin = bound(item, 0);
            end = begin + 1;
            if (end > size) bound(py::int_(size + 1), 0);
        }
        b.offset.push_back(static_cast<std::size_t>(begin));
        b.shape.push_back(static_cast<std::size_t>(end - begin));
    }
    return b;
}

Argument argument(py::handle name, py::handle value) {
    const auto key = py::cast<std::string>(name);
    if (py::isinstance<py::str>(value)) return {key, py::cast<std::string>(value)};
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        throw py::type_error(key + " must be a number" + (key == "gain" ? " or an activation's name" : "") + ", got " +
                             shown(value));
    }
    return {key, number};
}

Law make_law(const std::string& name, const Dict& parameters) {
    std::vector<Argument> arguments;
    for (const auto& [key, value] : parameters) arguments.push_back(argument(key, value));
    return Law(name, std::move(arguments));
}

Dict parameters(const Law& law) {
    Dict d;
    for (const Argument& a : law.arguments()) std::visit([&](const auto& value) { d[py::str(a.name)] = value; }, a.value);
    return d;
}

// What equal laws have in common, words of gains resolved.
py::typing::Tuple<py::object, py::ellipsis> identity_of(const Law& law) {
    py::list key;
    key.append(law.name());
    for (const Argument& a : law.arguments()) key.append(a.name == "mode" ? py::cast(a.value) : py::cast(law.number(a.name)));
    return py::typing::Tuple<py::object, py::ellipsis>(key);
}

bool is_double(py::handle dtype) {
    if (dtype.is_none()) return false;
    const py::dtype d = py::dtype::from_args(py::reinterpret_borrow<py::object>(dtype));
    if (d.equal(py::dtype::of<double>())) return true;
    if (d.equal(py::dtype::of<float>())) return false;
    throw py::type_error("dtype must be float32 or float64, got " + std::string(py::str(py::object(d))));
}

template <class T>
void draw_into(py::array& out, const Law& law, Key key, const Sizes& shape, const Block& block, const Axes& axes) {
    std::vector<std::ptrdiff_t> strides;
    for (int i = 0; i < out.ndim(); ++i) strides.push_back(stride_of<T>(out, i, "out"));
    const ArrayView<T> view{static_cast<T*>(out.mutable_data()), block.shape, strides};
    const LongCall call;
    fill<T>(view, law, key, Part{shape, block.offset}, axes);
}

// Draws the block of a parameter of shape `shape`, or all of it, into `out` or a new array; returns the array.
py::array draw(const Law& law, py::handle shape, std::uint64_t seed, std::uint64_t stream, py::handle dtype, py::object out,
               py::handle block, py::handle in_axis, py::handle out_axis) {
    const Sizes full = shape_of(shape);
    const Axes axes = axes_of(in_axis, out_axis);
    describe(law, full, axes);  // refuses what cannot be drawn before an array is made
    const Block part = block.is_none() ? Block{Sizes(full.size(), 0), full} : block_of(block, full);
    if (out.is_none()) {
        out = is_double(dtype) ? py::array(py::array_t<double>(part.shape)) : py::array(py::array_t<float>(part.shape));
    } else {
        if (!py::isinstance<py::array>(out)) throw py::type_error("out must be a NumPy array, got " + shown(py::type::of(out)));
        const auto array = py::reinterpret_borrow<py::array>(out);
        require_float(array, "out");
        if (!dtype.is_none() && is_double(dtype) != holds<double>(array))
            throw py::type_error("out must have dtype " + std::string(is_double(dtype) ? "float64" : "float32") +
                                 " as stated, got " + dtype_name(array));
        const bool same =
            std::equal(part.shape.begin(), part.shape.end(), array.shape(), array.shape() + array.ndim(),
                       [](std::size_t expected, py::ssize_t n) { return static_cast<py::ssize_t>(expected) == n; });
        if (!same)
            throw py::value_error("out must have shape " + shown(py::tuple(py::cast(part.shape))) + ", got " +
                                  shape_text(array));
        require_writable(array, "out");
    }
    auto array = py::reinterpret_borrow<py::array>(out);  // the same object
    if (holds<double>(array)) draw_into<double>(array, law, {seed, stream}, full, part, axes);
    else draw_into<float>(array, law, {seed, stream}, full, part, axes);
    return array;
}

Dict description(const Law& law, py::handle shape, py::handle in_axis, py::handle out_axis) {
    const Sizes full = shape_of(shape);
    const Description d = describe(law, full, axes_of(in_axis, out_axis));
    Dict r;
    r["shape"] = py::tuple(py::cast(full));
    r["fan_in"] = d.fans ? py::cast(d.fans->in) : py::none();
    r["fan_out"] = d.fans ? py::cast(d.fans->out) : py::none();
    r["receptive"] = d.fans ? py::cast(d.fans->receptive) : py::none();
    r["mean"] = d.mean;
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
    m.def("unknown_law", [](const std::string& name) { return unknown_law(name); }, arg("name"));
    m.def("draw", &draw, arg("law"), arg("shape"), arg("seed"), arg("stream"), arg("dtype"), arg("out"), arg("block"),
          arg("in_axis"), arg("out_axis"));
    m.def("describe", &description, arg("law"), arg("shape"), arg("in_axis"), arg("out_axis"));
}

}  // namespace fanin::python
