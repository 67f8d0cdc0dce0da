#include <pybind11/stl.h>

#include "targets.hpp"

namespace fanin::python {
namespace {

void require_contiguous(const py::array& a, const char* name) {
    if (!(a.flags() & py::array::c_style)) throw py::value_error(std::string(name) + " must be C-contiguous");
}

// z: (batch, outputs), with one output (batch,) too; dz: like z, written. Everything C-contiguous.
double evaluate(const std::string& name, const py::array& z, const py::array& y, py::array dz) {
    const Loss loss = loss_from_name(name);
    require_float(z, "z");
    if (z.ndim() != 1 && z.ndim() != 2)
        throw py::value_error("z must have shape (batch, outputs), or (batch,) for one output, got " + shape_text(z));
    const auto batch = static_cast<std::size_t>(z.shape(0));
    const std::size_t outputs = z.ndim() == 1 ? 1 : static_cast<std::size_t>(z.shape(1));
    check_outputs(loss, outputs);
    require_target_shape(y, loss, batch, outputs);
    auto run = [&]<class T>(T) {
        if (loss == Loss::cross_entropy) require_dtype<std::int64_t>(y, "y", nullptr);
        else require_dtype<T>(y, "y", "z");
        require_dtype<T>(dz, "dz", "z");
        for (const auto& [array, what] :
             {std::pair{&z, "z"}, std::pair{&y, "y"}, std::pair<const py::array*, const char*>{&dz, "dz"}})
            require_contiguous(*array, what);
        const auto n = static_cast<std::size_t>(z.size());
        const std::span<const T> logits(static_cast<const T*>(z.data()), n);
        const std::span<T> gradient(static_cast<T*>(dz.mutable_data()), static_cast<std::size_t>(dz.size()));
        const Targets<T> targets = targets_of<T>(y, loss);
        const LongCall call;
        return evaluate_loss<T>(loss, batch, outputs, logits, targets, gradient);
    };
    return holds<float>(z) ? run(float{}) : run(double{});
}

// Refuses what a loss of so many outputs does not take: y is int64 for cross_entropy, otherwise float32 or float64.
void check(const std::string& name, const py::array& y, std::size_t rows, std::size_t outputs) {
    const Loss loss = loss_from_name(name);
    check_outputs(loss, outputs);
    require_target_shape(y, loss, rows, outputs);
    require_contiguous(y, "y");
    if (loss == Loss::cross_entropy || holds<double>(y)) check_targets(loss, rows, outputs, targets_of<double>(y, loss));
    else check_targets(loss, rows, outputs, targets_of<float>(y, loss));
}

}  // namespace

void bind_loss(py::module_& m) {
    using py::arg;
    m.def("loss_names", [] { return loss_names(); });
    m.def("check_targets", &check, arg("loss"), arg("y").noconvert(), arg("rows"), arg("outputs"));
    m.def("evaluate_loss", &evaluate, arg("name"), arg("z").noconvert(), arg("y").noconvert(), arg("dz").noconvert());
}

}  // namespace fanin::python
