// noisy.add_noise(x, std, seed): x plus normal noise, element i always the same for one seed.
#include <pybind11/numpy.h>

#include <fanin/fanin.hpp>

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

Floats add_noise(const Floats& x, float std, std::uint64_t seed) {
    Floats out(std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
    const std::span<float> noise(out.mutable_data(), static_cast<std::size_t>(out.size()));
    fanin::fill_normal<float>(noise, {.seed = seed, .stream = fanin::stream_id("noise")}, 0, 0.0f, std);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] += x.data()[i];
    return out;
}

}  // namespace

PYBIND11_MODULE(noisy, m) {
    m.def("add_noise", &add_noise, py::arg("x"), py::arg("std"), py::arg("seed"));
    m.def("active_isa", &fanin::active_isa);
}
