#include <pybind11/pybind11.h>

#include <string>

#include "fanin/threads.hpp"

// What threadpoolctl looks for in this library (fanin.interop.threadpoolctl).
extern "C" {
__attribute__((visibility("default"))) int fanin_get_num_threads() { return static_cast<int>(fanin::num_threads()); }
__attribute__((visibility("default"))) void fanin_set_num_threads(int n) {
    try {
        fanin::set_num_threads(static_cast<std::size_t>(n < 1 ? 1 : n > 1024 ? 1024 : n));
    } catch (...) {  // no exception crosses a C function; the number stays
    }
}
}

namespace fanin::python {

void bind_threads(pybind11::module_& m) {
    m.def("num_threads", &num_threads);
    m.def(
        "set_num_threads",
        [](long long n) {
            if (n < 1) throw std::invalid_argument("n must be in 1 .. 1024, got " + std::to_string(n));
            set_num_threads(static_cast<std::size_t>(n));
        },
        pybind11::arg("n"));
    m.def("compute_alone", &compute_alone, pybind11::arg("alone"));
}

}  // namespace fanin::python
