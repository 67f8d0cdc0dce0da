// Laws and shapes: fans, and what a law would draw.
#include <algorithm>
#include <cmath>
#include <limits>

#include "distribution.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/init.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;

// As Python writes them: 1, (0, 1) or ().
std::string axes_text(const std::vector<std::ptrdiff_t>& axes) {
    if (axes.size() == 1) return std::to_string(axes[0]);
    std::string out = "(";
    for (std::size_t i = 0; i < axes.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(axes[i]);
    return out + ")";
}

// Moments and bounds over the elements of an array: `value` in this share of them, 0 in the others.
void describe_two_values(Description& r, double value, double share) {
    r.mean = value * share;
    r.variance = value * value * share * (1 - share);
    r.std = std::abs(value) * std::sqrt(share * (1 - share));
    r.low = share == 1 ? value : std::min(value, 0.0);
    r.high = share == 1 ? value : std::max(value, 0.0);
}

}  // namespace

std::size_t detail::checked_size(std::span<const std::size_t> shape) {
    if (shape.size() > kMaxRank) detail::refuse({"shape must have at most ", kMaxRank, " axes, got ", shape.size()});
    // An axis of length 0 counts as 1 here: strides and indices of such a shape are computed too.
    std::size_t product = 1;
    for (const std::size_t n : shape) {
        if (__builtin_mul_overflow(product, std::max<std::size_t>(n, 1), &product) || product >> 63 != 0)
            detail::refuse({"shape must have fewer than 2^63 elements, got ", detail::Term::shape(shape)});
    }
    return std::find(shape.begin(), shape.end(), 0u) == shape.end() ? product : 0;
}

Fans fans(std::span<const std::size_t> shape, const Axes& axes) {
    detail::checked_size(shape);
    const auto rank = static_cast<std::ptrdiff_t>(shape.size());
    if (rank < 2 && axes == Axes{})
        detail::refuse(
            {"shape must have at least 2 axes, (n_out, n_in, *kernel), to define fan_in and fan_out, got ",
             detail::Term::shape(shape),
             (rank == 1 ? ": state them, as in_axis=0, out_axis=() or in_axis=(), out_axis=0, or take a law without fans, as "
                          "normal(std=0.01)"
                        : ": state them, as in_axis=(), out_axis=(), or take a law without fans, as normal(std=0.01)")});
    // Each axis gets one role; what nobody names belongs to the kernel, whose places multiply both fans.
    enum Role { kernel, input, output, batch };
    std::vector<Role> roles(shape.size(), kernel);
    const auto assign = [&](const std::vector<std::ptrdiff_t>& list, Role role, const char* name) {
        for (const std::ptrdiff_t axis : list) {
            const std::ptrdiff_t i = axis < 0 ? axis + rank : axis;
            if (i < 0 || i >= rank)
                detail::refuse({name, " must name axes of shape ", detail::Term::shape(shape), ", got ", axes_text(list)});
            if (roles[static_cast<std::size_t>(i)] != kernel)
                detail::refuse({(role == batch ? "in_axis, out_axis and batch_axis" : "in_axis and out_axis"),
                                " must be different axes, got ", axes_text(axes.in), (role == batch ? ", " : " and "),
                                axes_text(axes.out), (role == batch ? " and " + axes_text(axes.batch) : "")});
            roles[static_cast<std::size_t>(i)] = role;
        }
    };
    assign(axes.in, input, "in_axis");
    assign(axes.out, output, "out_axis");
    assign(axes.batch, batch, "batch_axis");
    Fans f{1, 1, 1};
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (roles[i] != batch) (roles[i] == input ? f.in : roles[i] == output ? f.out : f.receptive) *= shape[i];
    f.in *= f.receptive;
    f.out *= f.receptive;
    return f;
}

Description describe(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const StandardArithmetic arithmetic;
    const auto size = static_cast<double>(detail::checked_size(shape));
    const Distribution d = detail::distribution(law, shape, axes);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Description r;
    switch (d.family) {
        case Family::constant:
            r.mean = r.low = r.high = d.a;
            break;
        // Deterministic arrays: the moments are those over their elements.
        case Family::identity: {
            const double ones = size == 0 ? 0.0 : static_cast<double>(std::min(shape[0], shape[1]));  // the diagonal
            describe_two_values(r, d.a, size == 0 ? 0.0 : ones / size);
            break;
        }
        case Family::dirac: {
            const Fans f = fans(shape, axes);
            const std::size_t n_out = f.receptive == 0 ? 0 : f.out / f.receptive,
                              n_in = f.receptive == 0 ? 0 : f.in / f.receptive;
            const auto ones = static_cast<double>(d.groups * std::min(n_out / d.groups, n_in));
            describe_two_values(r, d.a, size == 0 ? 0.0 : ones / static_cast<double>(n_out * n_in * f.receptive));
            break;
        }
        case Family::orthogonal: {  // rows or columns of norm `gain`, whichever are longer
            const auto [n_in, n_out, receptive] = fans(shape, axes);
            const std::size_t rows = receptive == 0 ? 0 : n_out / receptive, longer = std::max(rows, n_in);
            r.variance = longer == 0 ? 0.0 : d.a * d.a / static_cast<double>(longer);
            r.std = longer == 0 ? 0.0 : d.a / std::sqrt(static_cast<double>(longer));
            r.low = -d.a;
            r.high = d.a;
            break;
        }
        case Family::normal:
            r.mean = d.a;
            r.std = d.b;
            r.variance = d.b * d.b;
            r.low = d.b == 0 ? d.a : -kInfinity;
            r.high = d.b == 0 ? d.a : kInfinity;
            break;
        // Halves first: low + high and high - low may overflow.
        case Family::uniform:
            r.mean = d.a / 2 + d.b / 2;
            r.std = (d.b / 2 - d.a / 2) / std::sqrt(3.0);
            r.variance = (d.b / 2 - d.a / 2) * (d.b / 2 - d.a / 2) / 3;
            r.low = d.a;
            r.high = d.b;
            break;
        // The standard law's moments, moved and scaled; with a std of 0 infinite bounds would make NaN.
        case Family::truncated: {
            const detail::TruncatedMoments unit = detail::truncated_moments(d.lower, d.upper);
            r.mean = d.a + d.b * unit.mean;
            r.variance = d.b * d.b * unit.variance;
            r.std = d.b * std::sqrt(unit.variance);
            r.low = d.b == 0 ? d.a : d.a + d.b * d.lower;
            r.high = d.b == 0 ? d.a : d.a + d.b * d.upper;
            break;
        }
        // A normal draw times an independent 0 or 1, whose share of ones is exact.
        case Family::sparse: {
            const double left = shape[0] == 0 ? 0.0 : 1 - static_cast<double>(d.zeros) / static_cast<double>(shape[0]);
            r.variance = left * d.b * d.b;
            r.std = std::sqrt(left) * d.b;
            r.low = r.std == 0 ? 0 : -kInfinity;
            r.high = r.std == 0 ? 0 : kInfinity;
            break;
        }
    }
    r.bound = std::max(std::abs(r.low), std::abs(r.high));
    // Fans are shown where the shape has them, even to a law that asks for none.
    const bool default_axes = axes == Axes{};
    if (law.needs_fans() || shape.size() >= 2 || !default_axes) {
        r.fans = fans(shape, axes);
        r.n_in_var = static_cast<double>(r.fans->in) * r.variance;
        r.n_out_var = static_cast<double>(r.fans->out) * r.variance;
    }
    return r;
}

}  // namespace fanin
