#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "fanin/dense.hpp"

namespace fanin::python {
namespace {

// An array of T, the dtype of x.
template <class T>
py::array typed(const py::object& object, const char* name) {
    py::array a = require_array(object, name);
    require_dtype<T>(a, name, "x");
    return a;
}

template <class T>
MatrixView<const T> input(const py::object& object, const char* name, const char* shape) {
    return const_matrix<T>(typed<T>(object, name), name, shape);
}

// The caller's array, or a new one where there is none. `keep` holds it for the result.
template <class T>
MatrixView<T> output(py::object& keep, const char* name, const char* shape, std::size_t rows, std::size_t cols) {
    if (keep.is_none()) keep = py::array_t<T>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(cols)});
    py::array a = typed<T>(keep, name);
    return matrix<T>(a, name, shape);
}
template <class T>
VectorView<T> output(py::object& keep, const char* name, const char* shape, std::size_t size) {
    if (keep.is_none()) keep = py::array_t<T>(static_cast<py::ssize_t>(size));
    py::array a = typed<T>(keep, name);
    return vector<T>(a, name, shape);
}

// Null where the object is something else.
template <class T>
const PackedWeight<T>* packed_of(const py::object& w) {
    return py::isinstance<PackedWeight<T>>(w) ? w.cast<const PackedWeight<T>*>() : nullptr;
}

// w is an array or packed.
template <class T>
py::tuple forward_of(const py::object& x_array, const py::object& w_object, const py::object& b_array, Activation activation,
                     bool keep_z, const py::object& out_a_array, const py::object& out_z_array,
                     const std::optional<std::pair<SummaryOptions, SummaryOptions>>& options) {
    const auto x = input<T>(x_array, "x", "(batch, n_in)");
    const PackedWeight<T>* packed = nullptr;
    MatrixView<const T> w;
    if (!py::isinstance<py::array>(w_object)) packed = packed_of<T>(w_object);
    if (packed != nullptr) w = {nullptr, packed->n_out(), packed->n_in()};
    else w = input<T>(w_object, "w", "(n_out, n_in)");
    std::optional<VectorView<const T>> b;
    if (!b_array.is_none()) b = const_vector<T>(typed<T>(b_array, "b"), "b", "(n_out,)");
    const DenseShape s = dense_shape<T>(x, w);
    py::object out_a = out_a_array, out_z = out_z_array;
    const auto a = output<T>(out_a, "out_a", "(batch, n_out)", s.batch, s.n_out);
    std::optional<MatrixView<T>> z;
    if (keep_z || !out_z.is_none()) z = output<T>(out_z, "out_z", "(batch, n_out)", s.batch, s.n_out);
    DenseStats stats;
    if (options) {
        stats.options_z = options->first;
        stats.options_a = options->second;
    }
    DenseStats* const wanted = options ? &stats : nullptr;
    {
        const LongCall call;
        if (packed != nullptr) dense_forward<T>(x, *packed, b, activation, a, z, wanted);
        else dense_forward<T>(x, w, b, activation, a, z, {}, wanted);
    }
    if (!options) return py::make_tuple(out_a, out_z, py::none(), py::none());
    return py::make_tuple(out_a, out_z, stats.z, stats.a);
}

py::tuple forward(const py::object& x, const py::object& w, const py::object& b, const std::string& activation, bool keep_z,
                  const py::object& out_a, const py::object& out_z,
                  const std::optional<std::pair<SummaryOptions, SummaryOptions>>& options) {
    const Activation g = activation_from_name(activation);
    const py::array a = require_array(x, "x");
    require_float(a, "x");
    const bool single = holds<float>(a);
    return single ? forward_of<float>(x, w, b, g, keep_z, out_a, out_z, options)
                  : forward_of<double>(x, w, b, g, keep_z, out_a, out_z, options);
}

template <class T>
py::object pack_as(const py::object& w_array) {
    const auto w = input<T>(w_array, "w", "(n_out, n_in)");
    const auto pack = [&] {
        const LongCall call;
        return std::make_unique<PackedWeight<T>>(w);
    };
    return py::cast(pack());
}

py::object pack_weight(const py::object& w) {
    const py::array a = require_array(w, "w");
    require_float(a, "w");
    return holds<float>(a) ? pack_as<float>(w) : pack_as<double>(w);
}

template <class T>
void bind_packed(py::module_& m, const char* name, const char* dtype) {
    py::class_<PackedWeight<T>>(m, name, "Weights that pack_weight() has put into the order of the kernels; immutable.")
        .def_property_readonly(
            "shape", [](const PackedWeight<T>& w) { return py::make_tuple(w.n_out(), w.n_in()); },
            "(n_out, n_in), that of the weights.")
        .def_property_readonly(
            "dtype", [](const PackedWeight<T>&) { return py::dtype::of<T>(); }, "That of the weights.")
        .def("__repr__", [dtype](const PackedWeight<T>& w) {
            return "<PackedWeight (" + std::to_string(w.n_out()) + ", " + std::to_string(w.n_in()) + ") " + dtype + ">";
        });
}

template <class T>
py::tuple backward_of(const py::object& da_array, const py::object& x_array, const py::object& w_array,
                      const py::object& z_array, Activation activation, bool need_dx, bool need_dw, bool need_db, bool need_dz,
                      py::object out_dx, py::object out_dw, py::object out_db, py::object out_dz, bool accumulate) {
    const auto da = input<T>(da_array, "da", "(batch, n_out)"), x = input<T>(x_array, "x", "(batch, n_in)"),
               w = input<T>(w_array, "w", "(n_out, n_in)");
    std::optional<MatrixView<const T>> z;
    if (!z_array.is_none()) z = input<T>(z_array, "z", "(batch, n_out)");
    const DenseShape s = dense_shape<T>(x, w);
    DenseGradients<T> out;
    if (need_dx || !out_dx.is_none()) out.out_dx = output<T>(out_dx, "out_dx", "(batch, n_in)", s.batch, s.n_in);
    if (need_dw || !out_dw.is_none()) out.out_dw = output<T>(out_dw, "out_dw", "(n_out, n_in)", s.n_out, s.n_in);
    if (need_db || !out_db.is_none()) out.out_db = output<T>(out_db, "out_db", "(n_out,)", s.n_out);
    if (need_dz || !out_dz.is_none()) out.out_dz = output<T>(out_dz, "out_dz", "(batch, n_out)", s.batch, s.n_out);
    {
        const LongCall call;
        dense_backward<T>(da, x, w, z, activation, out, accumulate);
    }
    return py::make_tuple(out_dx, out_dw, out_db, out_dz);
}

py::tuple backward(const py::object& da, const py::object& x, const py::object& w, const py::object& z,
                   const std::string& activation, bool need_dx, bool need_dw, bool need_db, bool need_dz,
                   const py::object& out_dx, const py::object& out_dw, const py::object& out_db, const py::object& out_dz,
                   bool accumulate) {
    const Activation g = activation_from_name(activation);
    const py::array a = require_array(x, "x");
    require_float(a, "x");
    auto call = [&]<class T>(T) {
        return backward_of<T>(da, x, w, z, g, need_dx, need_dw, need_db, need_dz, out_dx, out_dw, out_db, out_dz, accumulate);
    };
    return holds<float>(a) ? call(float{}) : call(double{});
}

}  // namespace

void bind_dense(py::module_& m) {
    using py::arg;
    m.attr("SUM_BLOCK") = kSumBlock;
    bind_packed<float>(m, "PackedWeight32", "float32");
    bind_packed<double>(m, "PackedWeight64", "float64");
    m.def("pack_weight", &pack_weight, arg("w"));
    m.def("dense_forward", &forward, arg("x"), arg("w"), arg("b"), arg("activation"), arg("keep_z"), arg("out_a"), arg("out_z"),
          arg("stats"));
    m.def("dense_backward", &backward, arg("da"), arg("x"), arg("w"), arg("z"), arg("activation"), arg("need_dx"),
          arg("need_dw"), arg("need_db"), arg("need_dz"), arg("out_dx"), arg("out_dw"), arg("out_db"), arg("out_dz"),
          arg("accumulate"));
}

}  // namespace fanin::python
