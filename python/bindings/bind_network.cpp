#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "fanin/network.hpp"
#include "targets.hpp"

namespace fanin::python {
namespace {

// x and y as the module above prepares them: T, any strides; int64 labels or T values in C order.
template <class T>
MatrixView<const T> rows_of(const Network<T>& net, const py::array& x) {
    require_dtype<T>(x, "x", "the network");
    if (x.ndim() != 2)
        throw py::value_error("x must have shape (batch, " + std::to_string(net.shape().sizes.front()) + "), got " +
                              shape_text(x));
    return const_matrix<T>(x, "x", "(batch, n_in)");
}

template <class T>
Targets<T> targets_for(const Network<T>& net, const py::array& x, const py::array& y, const py::object& w = py::none()) {
    const Loss loss = net.shape().loss;
    if (loss == Loss::cross_entropy) require_dtype<std::int64_t>(y, "y", nullptr);
    else require_dtype<T>(y, "y", "the network");
    require_target_shape(y, loss, static_cast<std::size_t>(x.shape(0)), net.shape().sizes.back());
    if (!(y.flags() & py::array::c_style)) throw py::value_error("y must be C-contiguous");
    Targets<T> targets = targets_of<T>(y, loss);
    if (w.is_none()) return targets;
    const py::array weights = require_array(w, "sample_weight");
    require_dtype<T>(weights, "sample_weight", "the network");
    if (weights.ndim() != 1 || weights.shape(0) != x.shape(0))
        throw py::value_error("sample_weight must have shape (batch,) = (" + std::to_string(x.shape(0)) + ",), got " +
                              shape_text(weights));
    if (!(weights.flags() & py::array::c_style)) throw py::value_error("sample_weight must be C-contiguous");
    targets.weights = {static_cast<const T*>(weights.data()), static_cast<std::size_t>(weights.size())};
    return targets;
}

// A live array: it keeps the network alive.
template <class T>
py::array live(MatrixView<T> v, const py::object& owner) {
    return py::array_t<T>({v.rows, v.cols}, v.data, owner);
}
template <class T>
py::array live(VectorView<T> v, const py::object& owner) {
    return py::array_t<T>(static_cast<py::ssize_t>(v.size), v.data, owner);
}

// "the cost is nan: z of hidden 3 is not finite"
std::string words(const Nonfinite& found, std::size_t layers, double cost) {
    const std::string layer = found.layer + 1 == layers ? "the output" : "hidden " + std::to_string(found.layer + 1);
    switch (found.what) {
        case Nonfinite::What::nothing:
            return "";
        case Nonfinite::What::gradient:
            return "the gradient of " + layer + " is not finite";
        case Nonfinite::What::parameter:
            return "parameters of " + layer + " are not finite";
        case Nonfinite::What::cost:
            break;
    }
    return std::string("the cost is ") + (cost != cost ? "nan" : "inf") + ": " +
           (found.layer == layers ? "the logits are finite" : "z of " + layer + " is not finite");
}

// (cost, [(dw, db), ...]); db is None without biases.
template <class T>
py::tuple gradients(Network<T>& net, const py::array& x, const py::array& y, const py::object& w) {
    const MatrixView<const T> rows = rows_of(net, x);
    const Targets<T> targets = targets_for(net, x, y, w);
    std::vector<MatrixView<T>> out_dw;
    std::vector<VectorView<T>> out_db;
    py::list all;
    for (std::size_t l = 0; l < net.layers(); ++l) {
        const std::size_t n_out = net.weight(l).rows, n_in = net.weight(l).cols;
        py::array_t<T> dw({n_out, n_in});
        out_dw.push_back(matrix_view(dw.mutable_data(), n_out, n_in));
        py::object db = py::none();
        if (net.shape().bias) {
            py::array_t<T> array(static_cast<py::ssize_t>(n_out));
            out_db.push_back({array.mutable_data(), n_out, 1});
            db = array;
        }
        all.append(py::make_tuple(dw, db));
    }
    double cost = 0;
    {
        const LongCall call;
        cost = net.gradients(rows, targets, out_dw, out_db);
    }
    return py::make_tuple(cost, all);
}

// Hands observed steps to a Python function: see(number, rows, cost, x, layers, dw).
template <class T>
class PythonObserver : public StepObserver<T> {
 public:
    PythonObserver(std::size_t step, const SummaryOptions& of_all, const std::vector<SummaryOptions>& of_a, py::object see)
        : see_(std::move(see)) {
        this->every = step;
        this->options = of_all;
        this->activations = of_a;
    }
    void see(const typename StepObserver<T>::Step& step) override {
        const py::gil_scoped_acquire gil;
        py::object rows =
            py::slice(static_cast<py::ssize_t>(step.first_row), static_cast<py::ssize_t>(step.first_row + step.batch), 1);
        if (!step.rows.empty()) rows = py::array_t<std::int64_t>(static_cast<py::ssize_t>(step.rows.size()), step.rows.data());
        py::list layers, dw;
        for (const LayerSummaries& one : step.layers)
            layers.append(py::make_tuple(one.z, one.a, one.w, one.b, one.dz, one.da, one.dw, one.db, one.dead));
        for (const MatrixView<const T>& one : step.dw) {  // views, good until `see` returns
            py::array_t<T> view({one.rows, one.cols}, one.data, py::none());
            view.attr("flags").attr("writeable") = false;
            dw.append(view);
        }
        see_(step.number, rows, step.cost, step.x, layers, dw);
    }

 private:
    py::object see_;
};

template <class T>
void bind(py::module_& m, const char* name) {
    using py::arg;
    using Net = Network<T>;
    py::class_<Net>(m, name)
        .def(py::init([](const std::vector<std::size_t>& sizes, const std::vector<std::string>& activations,
                         const std::string& loss, bool bias, std::uint64_t seed, const std::vector<std::size_t>& weight_of) {
                 NetworkShape shape{sizes, {}, loss_from_name(loss), bias, weight_of};
                 for (const std::string& activation : activations)
                     shape.activations.push_back(activation_from_name(activation));
                 return std::make_unique<Net>(std::move(shape), seed);
             }),
             arg("sizes"), arg("activations"), arg("loss"), arg("bias"), arg("seed"), arg("weight_of"))
        .def("copy", [](const Net& net) { return std::make_unique<Net>(net); })
        .def_property_readonly("seed", &Net::seed)
        .def_property("epochs", &Net::epochs, &Net::set_epochs)
        .def(
            "save",
            [](Net& net, const std::string& path, Optimizer* optimizer, bool torch_names, const Metadata& more) {
                const LongCall call;
                net.save(path, optimizer, torch_names ? TensorNames::torch : TensorNames::fanin, more);
            },
            arg("path"), arg("optimizer"), arg("torch_names"), arg("more"))
        .def("load", &Net::load, arg("file"))
        .def("load_optimizer", &Net::load_optimizer, arg("file"), arg("optimizer"))
        .def_property_readonly("activations",
                               [](const Net& net) {
                                   py::tuple names(net.layers());
                                   for (std::size_t l = 0; l < net.layers(); ++l) names[l] = activation_name(net.activation(l));
                                   return names;
                               })
        .def(
            "weight", [](const py::object& self, std::size_t l) { return live(self.cast<Net&>().weight(l), self); },
            arg("layer"))
        .def(
            "bias", [](const py::object& self, std::size_t l) { return live(self.cast<Net&>().bias(l), self); }, arg("layer"))
        .def(
            "forward",
            [](Net& net, const py::array& x, std::size_t first_row) {
                const MatrixView<const T> rows = rows_of(net, x);
                const std::size_t outputs = net.shape().sizes.back();
                py::array_t<T> logits({rows.rows, outputs});
                const std::span<T> out(logits.mutable_data(), rows.rows * outputs);
                const LongCall call;
                net.forward(rows, out, first_row);
                return logits;
            },
            arg("x").noconvert(), arg("first_row") = 0)
        .def(
            "loss",
            [](Net& net, const py::array& x, const py::array& y, const py::object& w) {
                const MatrixView<const T> rows = rows_of(net, x);
                const Targets<T> targets = targets_for(net, x, y, w);
                const LongCall call;
                return net.loss(rows, targets);
            },
            arg("x").noconvert(), arg("y").noconvert(), arg("w") = py::none())
        .def("gradients", &gradients<T>, arg("x").noconvert(), arg("y").noconvert(), arg("w") = py::none())
        .def(
            "draw",
            [](Net& net, const std::vector<std::optional<Law>>& weights, const std::vector<std::optional<Law>>& biases) {
                const LongCall call;
                net.draw(weights, biases);
            },
            arg("weights"), arg("biases"))
        .def(
            "trust", [](Net& net, const py::array& x) { net.trust(rows_of(net, x)); }, arg("x").noconvert())
        .def(
            "predict",
            [](Net& net, const py::array& x, std::size_t first_row) {
                const MatrixView<const T> rows = rows_of(net, x);
                py::array_t<std::int64_t> labels(static_cast<py::ssize_t>(rows.rows));
                const std::span<std::int64_t> out(labels.mutable_data(), rows.rows);
                const LongCall call;
                net.predict(rows, out, first_row);
                return labels;
            },
            arg("x").noconvert(), arg("first_row") = 0)
        .def(
            "step",
            [](Net& net, const py::array& x, const py::array& y, Optimizer& optimizer, const py::object& w) {
                const MatrixView<const T> rows = rows_of(net, x);
                const Targets<T> targets = targets_for(net, x, y, w);
                double cost = 0;
                {
                    const LongCall call;
                    cost = net.step(rows, targets, optimizer);
                }
                if (net.nonfinite().what != Nonfinite::What::nothing &&
                    PyErr_WarnEx(PyExc_RuntimeWarning, words(net.nonfinite(), net.layers(), cost).c_str(), 2) != 0)
                    throw py::error_already_set();
                return cost;
            },
            arg("x").noconvert(), arg("y").noconvert(), arg("optimizer"), arg("w") = py::none())
        .def(
            "fit",
            [](Net& net, const py::array& x, const py::array& y, std::size_t epochs, std::size_t batch_size, bool shuffle,
               bool stop, Optimizer& optimizer, py::array_t<double, 0>& costs, py::array_t<double, 0>& epoch_costs,
               FitState& state, std::size_t max_steps, std::size_t every, const SummaryOptions& options,
               const std::vector<SummaryOptions>& activations, const py::object& see, const py::object& w) {
                const MatrixView<const T> rows = rows_of(net, x);
                const Targets<T> targets = targets_for(net, x, y, w);
                const std::span<double> each(costs.mutable_data(), static_cast<std::size_t>(costs.size()));
                const std::span<double> means(epoch_costs.mutable_data(), static_cast<std::size_t>(epoch_costs.size()));
                std::optional<PythonObserver<T>> observer;
                if (!see.is_none()) observer.emplace(every, options, activations, see);
                const LongCall call;
                net.fit(rows, targets, {epochs, batch_size, shuffle, stop}, optimizer, each, means, state, max_steps,
                        observer ? &*observer : nullptr);
            },
            arg("x").noconvert(), arg("y").noconvert(), arg("epochs"), arg("batch_size"), arg("shuffle"), arg("stop"),
            arg("optimizer"), arg("costs").noconvert(), arg("epoch_costs").noconvert(), arg("state"), arg("max_steps"),
            arg("every"), arg("options"), arg("activations"), arg("see"), arg("w") = py::none())
        .def_static("steps_per_epoch", &Net::steps_per_epoch, arg("rows"), arg("batch_size"));
}

}  // namespace

void bind_network(py::module_& m) {
    using py::arg;
    py::class_<FitState>(m, "FitState")
        .def(py::init<>())
        .def_readonly("steps", &FitState::steps)
        .def_readonly("epochs", &FitState::epochs)
        .def_readonly("stopped", &FitState::stopped)
        .def_property_readonly("step", [](const FitState& state) { return state.nonfinite.step; })
        .def(
            "words",
            [](const FitState& state, std::size_t layers, double cost) { return words(state.nonfinite, layers, cost); },
            arg("layers"), arg("cost"));
    bind<float>(m, "NetworkF32");
    bind<double>(m, "NetworkF64");
}

}  // namespace fanin::python
