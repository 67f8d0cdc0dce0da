// The extension module fanin._core: one bind_<topic>.cpp a topic.
#include <pybind11/pybind11.h>

#include "fanin/version.hpp"

namespace fanin::python {
void bind_isa(pybind11::module_& m);
void bind_threads(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_activation(pybind11::module_& m);
void bind_init(pybind11::module_& m);
void bind_stats(pybind11::module_& m);
void bind_dense(pybind11::module_& m);
void bind_loss(pybind11::module_& m);
void bind_optimizer(pybind11::module_& m);
void bind_safetensors(pybind11::module_& m);
void bind_network(pybind11::module_& m);
}  // namespace fanin::python

namespace {
// pybind11 keeps what it knows of types once a process: where Python lets a subinterpreter share it (before 3.12 always), the
// import would wait for the main interpreter's lock for good.
constexpr const char* kMainOnly = "fanin works in the main interpreter of a process, not in a subinterpreter";
bool in_main_interpreter() { return PyInterpreterState_Get() == PyInterpreterState_Main(); }
}  // namespace

PYBIND11_MODULE(core_of_fanin, m, pybind11::mod_gil_not_used()) {
    using namespace fanin::python;
    if (!in_main_interpreter()) throw pybind11::import_error(kMainOnly);
    m.doc() = "The compiled core of fanin. Everything here is reached through the modules above it.";
    m.attr("__version__") = FANIN_VERSION;
    m.attr("ALGORITHM_VERSION") = fanin::kAlgorithmVersion;
    m.attr("COMPILER") = __VERSION__;
    bind_isa(m);
    bind_threads(m);
    bind_random(m);
    bind_activation(m);
    bind_init(m);
    bind_stats(m);
    bind_dense(m);
    bind_loss(m);
    bind_optimizer(m);
    bind_safetensors(m);
    bind_network(m);
}

// Python 3.13 calls this in the main interpreter, whoever imports, and executes the module where it is wanted.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
    if (in_main_interpreter()) return PyInit_core_of_fanin();
    PyErr_SetString(PyExc_ImportError, kMainOnly);
    return nullptr;
}
