#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "elements.hpp"
#include "fanin/safetensors.hpp"
#include "fanin/stats.hpp"

namespace fanin::python {
namespace {

// is_bfloat16: x holds the bits of bfloat16, as uint16, which needs no NumPy type of that name.
Summary summarize_any(const py::array& x, const SummaryOptions& options, bool is_bfloat16) {
    if (is_bfloat16) return with_view_of<BFloat16>(x, [&](const auto& view) { return summarize(view, options); });
    return with_view(x, [&](const auto& view) { return summarize(view, options); });
}

// summarize_any() where `found` has its moments already: of float and double only the histogram is counted.
Summary with_histogram(const py::array& x, const Summary& found, const SummaryOptions& options) {
    if (found.count != static_cast<std::uint64_t>(x.size())) throw py::value_error("found must be the moments of x");
    return with_view(x, [&]<class T>(const ArrayView<const T>& view) {
        if constexpr (!std::is_floating_point_v<T>) return summarize(view, options);
        else {
            Summary both = found;
            both.histogram = histogram_of(view, options, found.nans + found.infs == 0);
            return both;
        }
    });
}

std::vector<Summary> summarize_axes(const py::array& x, const std::vector<std::size_t>& axes, const SummaryOptions& options) {
    return with_view(x, [&](const auto& view) { return summarize(view, axes, options); });
}

// The summary, and the elements more than `deviations` standard deviations from the mean. `path` as os.fsencode gives it;
// `heads`: a unit a row, which gets its first elements.
std::pair<Summary, std::uint64_t> summarize_stored(const py::bytes& path, std::uint64_t offset, const std::string& dtype,
                                                   const std::vector<std::size_t>& shape, const SummaryOptions& options,
                                                   std::optional<py::array> heads, double deviations) {
    StoredDetails details;
    details.deviations = deviations;
    if (heads) {
        std::size_t size = 1;
        for (const std::size_t n : shape) size *= n;
        if (heads->ndim() != 2 || !(heads->flags() & py::array::c_style) ||
            static_cast<std::size_t>(heads->itemsize()) != detail::dtype_size(dtype) || heads->shape(0) == 0 ||
            size % static_cast<std::size_t>(heads->shape(0)) != 0)
            throw py::value_error("heads must be C-contiguous, a row a unit, of elements as the file has them");
        details.unit = size / static_cast<std::size_t>(heads->shape(0));
        details.kept = static_cast<std::size_t>(heads->shape(1));
        details.heads = heads->mutable_data();
    }
    const StoredArray stored{path, offset, dtype, shape};
    const LongCall call;
    Summary found = summarize(stored, options, &details);
    return {std::move(found), details.outliers};
}

// An array over the memory of an object with __dlpack__, of any real dtype, and whether its uint16 are bfloat16.
py::tuple array_of_any(const py::object& x, const char* name) {
    bool is_bfloat16 = false;
    const py::array found = array_from_dlpack(x, name, is_bfloat16, true);
    return py::make_tuple(found, is_bfloat16);
}

// ------------------------------------------------------------------------------------------------ text

std::string number(double x) {
    if (std::isnan(x)) return "nan";  // of either sign
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", x);
    return text;
}
std::string number(std::uint64_t n) { return std::to_string(n); }

std::string repr(const Histogram& h) {
    if (h.kind == HistogramKind::powers) return "histogram over signed powers of two";
    return "histogram of " + number(std::uint64_t{h.counts.size()}) + " bins over (" + number(h.low) + ", " + number(h.high) +
           ")";
}

std::string repr(const Summary& s) {
    std::string text = number(s.count) + " elements, mean " + number(s.mean) + ", std " + number(s.std()) + ", min " +
                       number(s.min) + ", max " + number(s.max);
    if (!s.moments_only) text += ", skewness " + number(s.skewness()) + ", kurtosis " + number(s.kurtosis());
    auto mention = [&](std::uint64_t n, const char* what) {
        if (n != 0) text += ", " + number(n) + " " + what;
    };
    mention(s.zeros, "zeros");
    mention(s.subnormals, "subnormals");
    mention(s.nans, "NaNs");
    mention(s.infs, "infinities");
    mention(s.saturated, "saturated");
    if (s.histogram.kind != HistogramKind::none) text += ", " + repr(s.histogram);
    return "<Summary: " + text + ">";
}

// ------------------------------------------------------------------------------------------------ plain data

template <class T>
py::array_t<T> vector_array(const std::vector<T>& v) {
    return py::array_t<T>(static_cast<py::ssize_t>(v.size()), v.data());
}

template <class T>
py::typing::Optional<T> optional(const py::object& value) {
    return py::reinterpret_borrow<py::typing::Optional<T>>(value);
}

py::typing::Optional<py::typing::Tuple<double, double>> range_of(const Histogram& h) {
    const bool linear = h.kind == HistogramKind::linear;
    return optional<py::typing::Tuple<double, double>>(linear ? py::object(py::make_tuple(h.low, h.high))
                                                              : py::object(py::none()));
}

py::typing::Optional<Histogram> histogram_of(const Summary& s) {
    const bool none = s.histogram.kind == HistogramKind::none;
    return optional<Histogram>(none ? py::object(py::none()) : py::cast(s.histogram));
}

py::typing::Optional<py::typing::Tuple<double, double>> saturation_of(const Summary& s) {
    return optional<py::typing::Tuple<double, double>>(
        s.saturation ? py::object(py::make_tuple(s.saturation_low, s.saturation_high)) : py::object(py::none()));
}

using Dict = py::typing::Dict<py::str, py::object>;

Dict to_dict(const Summary& s) {
    Dict d;
    d["count"] = s.count;
    d["nans"] = s.nans;
    d["infs"] = s.infs;
    d["zeros"] = s.zeros;
    d["subnormals"] = s.subnormals;
    d["mean"] = s.mean;
    d["m2"] = s.m2;
    d["m3"] = s.m3;
    d["m4"] = s.m4;
    d["min"] = s.min;
    d["max"] = s.max;
    d["moments"] = s.moments_only ? "two" : "all";
    d["saturation"] = saturation_of(s);
    d["saturated"] = s.saturated;
    d["histogram"] = py::none();
    const Histogram& h = s.histogram;
    if (h.kind == HistogramKind::none) return d;
    Dict histogram;
    histogram["kind"] = std::string(histogram_kind_name(h.kind));
    histogram["range"] =
        h.kind == HistogramKind::linear ? py::object(py::cast(std::vector<double>{h.low, h.high})) : py::object(py::none());
    histogram["counts"] = h.counts;
    histogram["below"] = h.below;
    histogram["above"] = h.above;
    d["histogram"] = histogram;
    return d;
}

template <class T>
T entry(const Dict& d, const char* key) {
    if (!d.contains(key)) throw py::value_error(std::string("data must have an entry '") + key + "'");
    return d[key].cast<T>();
}

Histogram histogram_from_dict(const Dict& d) {
    Histogram h;
    h.kind = histogram_kind_from_name(entry<std::string>(d, "kind"));
    h.counts = entry<std::vector<std::uint64_t>>(d, "counts");
    h.below = entry<std::uint64_t>(d, "below");
    h.above = entry<std::uint64_t>(d, "above");
    if (h.kind == HistogramKind::linear) {
        const auto range = entry<std::vector<double>>(d, "range");
        if (range.size() != 2)
            throw py::value_error("range must be (low, high), got " + std::to_string(range.size()) + " numbers");
        h.low = range[0];
        h.high = range[1];
    }
    validate(h);
    return h;
}

Summary from_dict(const Dict& d) {
    Summary s;
    s.count = entry<std::uint64_t>(d, "count");
    s.nans = entry<std::uint64_t>(d, "nans");
    s.infs = entry<std::uint64_t>(d, "infs");
    s.zeros = entry<std::uint64_t>(d, "zeros");
    s.subnormals = entry<std::uint64_t>(d, "subnormals");
    s.mean = entry<double>(d, "mean");
    s.m2 = entry<double>(d, "m2");
    s.m3 = entry<double>(d, "m3");
    s.m4 = entry<double>(d, "m4");
    s.min = entry<double>(d, "min");
    s.max = entry<double>(d, "max");
    const auto moments = entry<std::string>(d, "moments");
    if (moments != "all" && moments != "two") throw py::value_error("moments must be 'all' or 'two', got '" + moments + "'");
    s.moments_only = moments == "two";
    if (const auto bounds = entry<std::optional<std::pair<double, double>>>(d, "saturation")) {
        s.saturation = true;
        s.saturation_low = bounds->first;
        s.saturation_high = bounds->second;
        s.saturated = entry<std::uint64_t>(d, "saturated");
    }
    const auto histogram = entry<py::object>(d, "histogram");
    if (!histogram.is_none()) s.histogram = histogram_from_dict(histogram.cast<Dict>());
    return s;
}

template <class T>
py::object equal(const T& a, const py::object& b) {
    if (!py::isinstance<T>(b)) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
    return py::bool_(a == b.cast<const T&>());
}

// sum() of summaries starts from 0.
Summary add_to(const Summary& s, long long zero) {
    if (zero != 0) throw py::type_error("a Summary can be added to a Summary only");
    return s;
}

}  // namespace

void bind_stats(py::module_& m) {
    using py::arg;
    py::class_<SummaryOptions>(m, "SummaryOptions", "What to measure; checked when it is made.")
        .def(py::init([](bool moments_only, const std::string& histogram, long long bins, double low, double high,
                         const std::optional<std::pair<double, double>>& saturation) {
                 SummaryOptions options{moments_only, histogram_kind_from_name(histogram),
                                        static_cast<std::size_t>(std::max(bins, 0ll)), low, high};
                 if (saturation) {
                     options.saturation = true;
                     options.saturation_low = saturation->first;
                     options.saturation_high = saturation->second;
                 }
                 validate(options);
                 return options;
             }),
             py::kw_only(), arg("moments_only") = false, arg("histogram") = "powers", arg("bins") = 0, arg("low") = 0.0,
             arg("high") = 0.0, arg("saturation") = py::none());

    py::class_<Quantile>(m, "Quantile", "A quantile as far as a histogram tells it: that of the elements lies in [low, high].")
        .def_readonly("value", &Quantile::value, "The guess that elements are spread evenly inside their bins.")
        .def_readonly("low", &Quantile::low)
        .def_readonly("high", &Quantile::high)
        .def("__float__", [](const Quantile& q) { return q.value; })
        .def("__repr__", [](const Quantile& q) {
            return "<Quantile " + number(q.value) + " in [" + number(q.low) + ", " + number(q.high) + "]>";
        });

    py::class_<Histogram>(m, "Histogram", "Where the finite elements lie. Infinities and NaNs are in no bin.")
        .def_property_readonly(
            "kind", [](const Histogram& h) { return std::string(histogram_kind_name(h.kind)); }, "\"linear\" or \"powers\".")
        .def_property_readonly(
            "counts",
            [](const Histogram& h) { return vector_array(std::vector<std::int64_t>(h.counts.begin(), h.counts.end())); },
            "Elements a bin, int64. linear: #{edges[i] <= x < edges[i + 1]}, the last bin with its upper edge. powers: 513 "
            "bins;\n"
            "bin 256 holds the zeros, bins 257 + i the x with 2^(i - 128) <= x < 2^(i - 127), bins 255 - i their negatives; "
            "smaller\n"
            "magnitudes are in bins 255 and 257, larger ones in bins 0 and 512.")
        .def_property_readonly(
            "edges", [](const Histogram& h) { return vector_array(h.edges()); },
            "One more than bins, float64. powers: -inf, -2^127, ..., -2^-127, 0, 0, 2^-127, ..., 2^127, inf.")
        .def_property_readonly("range", &range_of, "(low, high) of a linear histogram, else None.")
        .def_readonly("below", &Histogram::below, "Finite elements below the range.")
        .def_readonly("above", &Histogram::above, "Finite elements above the range.")
        .def("__eq__", &equal<Histogram>)
        .def("__hash__",
             [](const Histogram& h) { return py::hash(py::make_tuple(range_of(h), h.counts.size(), h.below, h.above)); })
        .def("__repr__", [](const Histogram& h) { return "<Histogram: " + repr(h) + ">"; });

    py::class_<Summary>(m, "Summary",
                        "What was measured of an array. Moments, min, max and histogram are those of its finite elements.\n\n"
                        "`a + b` is the summary of the elements of both: counts, min, max and histogram exactly. `a == b` "
                        "compares bits; a NaN\n"
                        "equals a NaN.")
        .def_readonly("count", &Summary::count, "All elements.")
        .def_readonly("nans", &Summary::nans)
        .def_readonly("infs", &Summary::infs, "Infinities of either sign.")
        .def_readonly("zeros", &Summary::zeros, "Zeros of either sign.")
        .def_readonly("subnormals", &Summary::subnormals, "Subnormal numbers of the array's own dtype; zero is none.")
        .def_readonly("mean", &Summary::mean, "NaN where no element is finite.")
        .def_readonly("m2", &Summary::m2, "Sum of (x - mean)^2.")
        .def_readonly("m3", &Summary::m3, "Sum of (x - mean)^3; NaN under moments=\"two\".")
        .def_readonly("m4", &Summary::m4, "Sum of (x - mean)^4; NaN under moments=\"two\".")
        .def_readonly("min", &Summary::min, "NaN where no element is finite; -0 is less than +0.")
        .def_readonly("max", &Summary::max, "NaN where no element is finite; -0 is less than +0.")
        .def_property_readonly("finite", &Summary::finite, "Elements that are neither NaN nor infinite.")
        .def_property_readonly("var", &Summary::var, "m2 / finite: divides by n.")
        .def_property_readonly("std", &Summary::std, "The square root of var.")
        .def_property_readonly("rms", &Summary::rms, "The square root of the mean square.")
        .def_property_readonly("skewness", &Summary::skewness, "0 for a symmetric law; NaN where var is 0.")
        .def_property_readonly("kurtosis", &Summary::kurtosis, "3 for a normal law; NaN where var is 0.")
        .def_property_readonly(
            "moments", [](const Summary& s) { return s.moments_only ? "two" : "all"; },
            "\"all\", or \"two\" where m3 and m4 were not measured.")
        .def_property_readonly("histogram", &histogram_of, "A Histogram, or None.")
        .def_property_readonly(
            "saturation", [](const Summary& s) { return saturation_of(s); }, "The bounds that were given, or None.")
        .def_readonly("saturated", &Summary::saturated,
                      "Elements outside the saturation bounds, infinities too; 0 where none were given.")
        .def("quantile", &quantile, arg("q"),
             "The q-quantile of the finite elements, from the histogram, with the bounds that it proves.\n\n"
             "0 <= q <= 1, as numpy.quantile takes it by default; 0 and 1 are exact. ValueError without a histogram.")
        .def("__add__", &merge, py::is_operator())
        .def("__radd__", &add_to, py::is_operator())
        .def("__eq__", &equal<Summary>)
        .def("__hash__",
             [](const Summary& s) { return py::hash(py::make_tuple(s.count, s.nans, s.infs, s.zeros, s.subnormals)); })
        .def("__repr__", [](const Summary& s) { return repr(s); })
        .def("to_dict", &to_dict, "Numbers, strings and lists alone: what json and pickle take.")
        .def_static("from_dict", &from_dict, arg("data"), "The Summary that to_dict() was called on.")
        .def(py::pickle(&to_dict, &from_dict));

    py::class_<Summarizer>(
        m, "Summarizer",
        "Summarizes what comes piece by piece: data larger than memory, a stream.\n\n"
        "The same pieces in the same order give the same bits; other pieces of the same elements give counts,\n"
        "extremes and histogram exactly, and moments up to rounding.")
        .def(py::init<const SummaryOptions&>(), arg("options"))
        .def(
            "update", [](Summarizer& s, const py::array& x) { with_view(x, [&](const auto& view) { s.update(view); }); },
            arg("x").noconvert(), "Adds the elements of an array of real numbers, of any dtype that `summarize` takes.")
        .def(
            "merge", [](Summarizer& s, const Summary& other) { s.merge(other); }, arg("other"),
            "Adds what a summary of the same options has measured.")
        .def(
            "merge", [](Summarizer& s, const Summarizer& other) { s.merge(other.summary()); }, arg("other"))
        .def_property_readonly(
            "summary", [](const Summarizer& s) { return s.summary(); }, "Of everything so far.")
        .def("__repr__", [](const Summarizer& s) { return "<Summarizer: " + repr(s.summary()) + ">"; });

    m.def("array_from_dlpack", &array_of_any, arg("x"), arg("name"));
    m.def("summarize_axes", &summarize_axes, arg("x").noconvert(), arg("axes"), arg("options"));
    m.def("with_histogram", &with_histogram, arg("x").noconvert(), arg("found"), arg("options"));
    m.def("summarize_stored", &summarize_stored, arg("path"), arg("offset"), arg("dtype"), arg("shape"), arg("options"),
          arg("heads") = py::none(), arg("deviations") = 0.0);
    m.def("summarize", &summarize_any, arg("x").noconvert(), arg("options"), arg("is_bfloat16") = false);
}

}  // namespace fanin::python
