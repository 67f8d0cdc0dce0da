#include <string>

#include "arrays.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/random.hpp"
#include "keys.hpp"

namespace fanin::python {
namespace {

template <class T>
std::span<T> contiguous(py::array& out) {
    require_writable(out, "out");
    if (!(out.flags() & py::array::c_style))
        throw py::value_error("out must be C-contiguous, got strides " + std::string(py::str(py::object(out.attr("strides")))));
    return {static_cast<T*>(out.mutable_data()), static_cast<std::size_t>(out.size())};
}

void words(py::array out, std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block) {
    require_dtype<std::uint32_t>(out, "out", nullptr);
    const auto span = contiguous<std::uint32_t>(out);
    const LongCall call;
    philox_words(span, {seed, stream}, first_block);
}

void permute(py::array out, std::uint64_t seed, std::uint64_t stream, std::uint64_t round) {
    require_dtype<std::int64_t>(out, "out", nullptr);
    const auto span = contiguous<std::int64_t>(out);
    const LongCall call;
    permutation(span, {seed, stream}, round);
}

void normal(py::array out, std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, double mean, double std) {
    require_float(out, "out");
    const Key key{seed, stream};
    auto fill = [&]<class T>(std::span<T> span) {
        const LongCall call;
        const StandardArithmetic arithmetic(mean, std);
        fill_normal<T>(span, key, first_index, static_cast<T>(mean), static_cast<T>(std));
    };
    holds<float>(out) ? fill(contiguous<float>(out)) : fill(contiguous<double>(out));
}

void uniform(py::array out, std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, double low, double high) {
    require_float(out, "out");
    const Key key{seed, stream};
    auto fill = [&]<class T>(std::span<T> span) {
        const LongCall call;
        const StandardArithmetic arithmetic(low, high);
        fill_uniform<T>(span, key, first_index, static_cast<T>(low), static_cast<T>(high));
    };
    holds<float>(out) ? fill(contiguous<float>(out)) : fill(contiguous<double>(out));
}

}  // namespace

void bind_random(py::module_& m) {
    using py::arg;
    m.def("seed_number", [](const py::object& seed) { return seed_number(seed); }, arg("seed"));
    m.def("stream_id", [](const py::object& stream) { return stream_number(stream); }, arg("stream"));
    m.def("own_stream", [](const std::string& name) { return detail::own_stream(name); }, arg("name"));
    m.def("fresh_seed", &fresh_seed);
    m.def("philox_words", &words, arg("out").noconvert(), arg("seed"), arg("stream"), arg("first_block") = 0);
    m.def("permutation", &permute, arg("out").noconvert(), arg("seed"), arg("stream"), arg("round") = 0);
    m.def("fill_normal", &normal, arg("out").noconvert(), arg("seed"), arg("stream"), arg("first_index"), arg("mean"),
          arg("std"));
    m.def("fill_uniform", &uniform, arg("out").noconvert(), arg("seed"), arg("stream"), arg("first_index"), arg("low"),
          arg("high"));
}

}  // namespace fanin::python
