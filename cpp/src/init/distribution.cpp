// The numbers of a law in a shape: mean, std and bounds from its parameters and the fans.
#include "distribution.hpp"

#include <cmath>
#include <stdexcept>

#include "definitions.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Definition;
using detail::Distribution;
using detail::Family;

// A scale derived from a stated parameter may overflow.
double require_finite(double scale, const char* parameter, double stated) {
    if (std::isfinite(scale)) return scale;
    detail::refuse({parameter, " must give a finite scale, got ", stated});
}

// The fan that a mode names.
double fan_of(const Fans& fans, const std::string& mode) {
    const auto in = static_cast<double>(fans.in), out = static_cast<double>(fans.out);
    if (mode == "fan_in") return in;
    if (mode == "fan_out") return out;
    return mode == "fan_avg" ? (in + out) / 2 : std::sqrt(in * out);
}

// gain sqrt(k / fan): the std, or the bound, of all scaled laws but one.
double gained(const Law& law, double k, double fan) {
    const double gain = law.number("gain");
    return require_finite(gain * std::sqrt(k / fan), "gain", gain);
}
// Sitzmann et al. 2020, section 3.2: 1 / n_in in the first layer, sqrt(6 / n_in) / omega_0 in the others.
double siren_bound(const Law& law, double k, double fan) {
    if (law.word("first") == "true") return 1 / fan;
    const double omega = law.number("omega_0");
    return require_finite(std::sqrt(k / fan) / omega, "omega_0", omega);
}

// Of a law with fans; std::invalid_argument where the fan is 0 or the scale is not finite.
Distribution scaled_distribution(const Definition& d, const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const std::string& mode = d.mode.empty() ? law.word("mode") : d.mode;
    const double fan = fan_of(fans(shape, axes), mode);
    if (fan == 0) detail::refuse({"shape must have ", mode, " > 0 for ", d.name, ", got ", detail::Term::shape(shape)});
    // variance_scaling states both in its parameters.
    double k = d.k;
    Family family = d.family;
    if (d.name == "variance_scaling") {
        const std::string& distribution = law.word("distribution");
        family = distribution == "normal" ? Family::normal : distribution == "uniform" ? Family::uniform : Family::truncated;
        k = law.number("scale") * (family == Family::uniform ? 3 : 1);
    }
    const double s = d.name == "siren_uniform" ? siren_bound(law, k, fan) : gained(law, k, fan);
    // s is the std of a normal law and the bound of a uniform one. A truncated law is widened until its draws have s.
    if (family == Family::normal) return {family, 0.0, s};
    if (family == Family::uniform) return {family, 0.0 - s, s};
    static const double two_sigma = detail::truncated_std(-2, 2);  // the std of N(0, 1) cut at two sigmas, 0.8796
    return {family, 0.0, s / two_sigma, -2, 2};
}

// Groups of a dirac law in a shape; std::invalid_argument where they do not divide the outputs.
std::size_t groups_of(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const Fans f = fans(shape, axes);
    const std::size_t n_out = f.receptive == 0 ? 0 : f.out / f.receptive;
    // An empty parameter has no ones, whatever its groups are.
    const double groups = law.number("groups");
    if (n_out != 0 && std::fmod(static_cast<double>(n_out), groups) != 0)
        detail::refuse({"groups must divide n_out = ", n_out, ", got ", groups});
    return static_cast<std::size_t>(groups);
}

}  // namespace

Distribution detail::distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const Definition& d = detail::definitions()[law.definition_];
    const auto number = [&](const char* parameter) { return law.number(parameter); };
    if (d.k != 0) return scaled_distribution(d, law, shape, axes);
    if ((d.family == Family::identity || d.family == Family::sparse) && shape.size() != 2)
        detail::refuse({"shape must be (n_out, n_in) for ", d.name, ", got ", detail::Term::shape(shape)});
    switch (d.family) {
        case Family::constant:
            return {d.family, d.name == "zeros" ? 0.0 : d.name == "ones" ? 1.0 : number("value")};
        case Family::identity:
            return {d.family, number("gain")};
        case Family::dirac: {
            Distribution r{d.family, 1.0};
            r.groups = groups_of(law, shape, axes);
            return r;
        }
        case Family::orthogonal:
            fans(shape, axes);  // refuses a shape or axes that make no matrix
            return {d.family, number("gain")};
        case Family::normal:
            return {d.family, number("mean"), number("std")};
        case Family::uniform:
            return {d.family, number("low"), number("high")};
        case Family::truncated: {
            const double lower = number("lower"), upper = number("upper");
            const double std = law.word("corrected") == "true" ? number("std") / truncated_std(lower, upper) : number("std");
            return {d.family, number("mean"), require_finite(std, "std", number("std")), lower, upper};
        }
        case Family::sparse: {
            const double std = number("gain") * number("std");
            Distribution r{d.family, 0.0, require_finite(std, "gain", number("gain"))};
            // PyTorch's count: the ceiling of the double product.
            r.zeros = static_cast<std::size_t>(std::ceil(number("sparsity") * static_cast<double>(shape[0])));
            return r;
        }
    }
    throw std::logic_error("a law without a family");
}

}  // namespace fanin
