#include <pybind11/pybind11.h>

#include <string>

#include "fanin/threads.hpp"

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
