// Laws and shapes: fans, and what a law would draw.
#include "fanin/init.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "fanin/arithmetic.hpp"
#include "law.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;
using detail::shape_text;

std::string axes_text(const std::vector<std::ptrdiff_t>& axes) {
    if (axes.size() == 1) return std::to_string(axes[0]);
    std::string out = "(";
    for (std::size_t i = 0; i < axes.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(axes[i]);
    return out + ")";
}

}  // namespace

std::size_t detail::checked_size(std::span<const std::size_t> shape) {
    if (shape.size() > kMaxRank)
        throw std::invalid_argument("shape must have at most " + std::to_string(kMaxRank) + " axes, got " +
                                    std::to_string(shape.size()));
    std::size_t product = 1;
    for (const std::size_t n : shape) {
        if (__builtin_mul_overflow(product, std::max<std::size_t>(n, 1), &product) || product >> 63 != 0)
            throw std::invalid_argument("shape must have fewer than 2^63 elements, got " + shape_text(shape));
    }
    return std::find(shape.begin(), shape.end(), 0u) == shape.end() ? product : 0;
}

Fans fans(std::span<const std::size_t> shape, const Axes& axes) {
    detail::checked_size(shape);
    const auto rank = static_cast<std::ptrdiff_t>(shape.size());
    if (rank < 2 && axes == Axes{})
        throw std::invalid_argument(
            "shape must have at least 2 axes, (n_out, n_in, *kernel), to define fan_in and fan_out, got " + shape_text(shape) +
            (rank == 1 ? ": state them, as in_axis=0, out_axis=() or in_axis=(), out_axis=0, or take a law without fans, as "
                         "normal(std=0.01)"
                       : ": state them, as in_axis=(), out_axis=(), or take a law without fans, as normal(std=0.01)"));
    enum Role { kernel, input, output, batch };
    std::vector<Role> roles(shape.size(), kernel);
    const auto assign = [&](const std::vector<std::ptrdiff_t>& list, Role role, const char* name) {
        for (const std::ptrdiff_t axis : list) {
            const std::ptrdiff_t i = axis < 0 ? axis + rank : axis;
            if (i < 0 || i >= rank)
                throw std::invalid_argument(std::string(name) + " must name axes of shape " + shape_text(shape) + ", got " +
                                            axes_text(list));
            if (roles[static_cast<std::size_t>(i)] != kernel)
                throw std::invalid_argument((role == batch ? "in_axis, out_axis and batch_axis" : "in_axis and out_axis") +
                                            std::string(" must be different axes, got ") + axes_text(axes.in) +
                                            (role == batch ? ", " : " and ") + axes_text(axes.out) +
                                            (role == batch ? " and " + axes_text(axes.batch) : ""));
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
        case Family::identity: {
            const double ones =
                size == 0 ? 0.0 : static_cast<double>(std::min(shape[0], shape[1])) / size;  // share of the diagonal
            r.mean = d.a * ones;
            r.variance = d.a * d.a * ones * (1 - ones);
            r.std = std::abs(d.a) * std::sqrt(ones * (1 - ones));
            r.low = ones == 1 ? d.a : std::min(d.a, 0.0);
            r.high = ones == 1 ? d.a : std::max(d.a, 0.0);
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
        case Family::uniform:
            r.mean = d.a / 2 + d.b / 2;
            r.std = (d.b / 2 - d.a / 2) / std::sqrt(3.0);
            r.variance = (d.b / 2 - d.a / 2) * (d.b / 2 - d.a / 2) / 3;
            r.low = d.a;
            r.high = d.b;
            break;
        case Family::truncated: {
            const detail::TruncatedMoments unit = detail::truncated_moments(d.lower, d.upper);
            r.mean = d.a + d.b * unit.mean;
            r.variance = d.b * d.b * unit.variance;
            r.std = d.b * std::sqrt(unit.variance);
            r.low = d.b == 0 ? d.a : d.a + d.b * d.lower;
            r.high = d.b == 0 ? d.a : d.a + d.b * d.upper;
            break;
        }
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
    const bool default_axes = axes == Axes{};
    if (law.needs_fans() || shape.size() >= 2 || !default_axes) {
        r.fans = fans(shape, axes);
        r.n_in_var = static_cast<double>(r.fans->in) * r.variance;
        r.n_out_var = static_cast<double>(r.fans->out) * r.variance;
    }
    return r;
}

}  // namespace fanin
