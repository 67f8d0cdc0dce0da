// Laws at work: fans, what a law would draw, and the draw itself, split over threads and carried to any strides.
#include "fanin/init.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "law.hpp"
#include "message.hpp"
#include "orthogonal.hpp"
#include "strided.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;
using detail::shape_text;

// Elements a task draws: some 50 us, so that threads pay and an interrupt is seen soon.
constexpr std::size_t kTaskElements = std::size_t{1} << 16;
// Elements drawn at a time where they cannot go straight to memory.
constexpr std::size_t kBuffer = 1024;

template <class T>
constexpr const char* dtype_name() {
    return std::is_same_v<T, float> ? "float32" : "float64";
}

std::string axes_text(const std::vector<std::ptrdiff_t>& axes) {
    if (axes.size() == 1) return std::to_string(axes[0]);
    std::string out = "(";
    for (std::size_t i = 0; i < axes.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(axes[i]);
    return out + ")";
}

// A law in T: its numbers rounded once, checked, and the kernel that draws it.
template <class T>
class Draw {
 public:
    Draw(const Law& law, std::span<const std::size_t> shape, const Axes& axes, Key key)
        : key_(key), kernels_(kernels<T>().random), columns_(shape.empty() ? 1 : shape.back()) {
        const Distribution d = detail::distribution(law, shape, axes);
        family_ = d.family;
        a_ = static_cast<T>(d.a);
        b_ = static_cast<T>(d.b);
        if (!std::isfinite(a_) || !std::isfinite(b_))
            throw std::invalid_argument(law.text() + " must have numbers that " + dtype_name<T>() + " holds, got " +
                                        detail::text(std::isfinite(a_) ? d.b : d.a));
        if (family_ != Family::uniform) return;
        if (a_ == 0 && b_ == 0 && law.needs_fans()) {  // a gain of 0, or one that T rounds to it
            family_ = Family::constant;
            return;
        }
        lowest_ = std::nextafter(a_, b_);
        highest_ = std::nextafter(b_, a_);
        if (!(a_ < b_) || lowest_ > highest_)
            throw std::invalid_argument(law.text() + " must have a " + dtype_name<T>() + " number between low and high, got " +
                                        detail::text(a_) + " and " + detail::text(b_));
        const T low = a_, high = b_;
        a_ = low / 2 + high / 2;  // mid and half width, as fill_uniform has them
        b_ = high / 2 - low / 2;
    }

    // Elements index .. index + n - 1 of the parameter.
    void operator()(std::uint64_t index, std::size_t n, T* out) const {
        switch (family_) {
            case Family::constant:
                std::fill_n(out, n, a_);
                break;
            case Family::orthogonal:  // no element stands alone: fill_orthogonal
                break;
            case Family::identity: {
                std::fill_n(out, n, T(0));
                const std::uint64_t step = columns_ + 1;  // element (i, i) is i (n_in + 1)
                for (std::uint64_t i = (index + step - 1) / step; i < columns_ && i * step < index + n; ++i)
                    out[i * step - index] = a_;
                break;
            }
            case Family::normal:
                kernels_.fill_normal(key_.seed, key_.stream, index, n, a_, b_, out);
                break;
            case Family::uniform:
                kernels_.fill_uniform(key_.seed, key_.stream, index, n, a_, b_, lowest_, highest_, out);
                break;
        }
    }

 private:
    Key key_;
    RandomKernels<T> kernels_;
    std::uint64_t columns_;  // of a matrix; identity has no other shape
    Family family_ = Family::constant;
    T a_ = 0, b_ = 0, lowest_ = 0, highest_ = 0;
};

void check_part(std::span<const std::size_t> shape, const Part& part) {
    bool inside = part.shape.size() == shape.size() && part.offset.size() == shape.size();
    for (std::size_t i = 0; inside && i < shape.size(); ++i)
        inside = part.offset[i] <= part.shape[i] && shape[i] <= part.shape[i] - part.offset[i];
    if (!inside)
        throw std::invalid_argument("block must lie inside shape " + shape_text(part.shape) + ", got offset " +
                                    shape_text(part.offset) + " and shape " + shape_text(shape));
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
    if (rank < 2 && axes.in == Axes{}.in && axes.out == Axes{}.out)
        throw std::invalid_argument(
            "shape must have at least 2 axes, (n_out, n_in, *kernel), to define fan_in and fan_out, got " + shape_text(shape) +
            (rank == 1 ? ": state them, as in_axis=0, out_axis=() or in_axis=(), out_axis=0, or take a law without fans, as "
                         "normal(std=0.01)"
                       : ": state them, as in_axis=(), out_axis=(), or take a law without fans, as normal(std=0.01)"));
    enum Role { kernel, input, output };
    std::vector<Role> roles(shape.size(), kernel);
    const auto assign = [&](const std::vector<std::ptrdiff_t>& list, Role role, const char* name) {
        for (const std::ptrdiff_t axis : list) {
            const std::ptrdiff_t i = axis < 0 ? axis + rank : axis;
            if (i < 0 || i >= rank)
                throw std::invalid_argument(std::string(name) + " must name axes of shape " + shape_text(shape) + ", got " +
                                            axes_text(list));
            if (roles[static_cast<std::size_t>(i)] != kernel)
                throw std::invalid_argument("in_axis and out_axis must be different axes, got " + axes_text(axes.in) + " and " +
                                            axes_text(axes.out));
            roles[static_cast<std::size_t>(i)] = role;
        }
    };
    assign(axes.in, input, "in_axis");
    assign(axes.out, output, "out_axis");
    Fans f{1, 1, 1};
    for (std::size_t i = 0; i < shape.size(); ++i)
        (roles[i] == input ? f.in : roles[i] == output ? f.out : f.receptive) *= shape[i];
    f.in *= f.receptive;
    f.out *= f.receptive;
    return f;
}

Description describe(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
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
            r.std = std::abs(d.a) * std::sqrt(ones * (1 - ones));
            r.low = ones == 1 ? d.a : std::min(d.a, 0.0);
            r.high = ones == 1 ? d.a : std::max(d.a, 0.0);
            break;
        }
        case Family::orthogonal: {
            const auto [n_in, n_out, receptive] = fans(shape, axes);
            const double rows = static_cast<double>(n_out) / static_cast<double>(receptive),
                         longer = std::max(rows, size / rows);
            r.std = size == 0 ? 0.0 : d.a / std::sqrt(longer);
            r.low = -d.a;
            r.high = d.a;
            break;
        }
        case Family::normal:
            r.mean = d.a;
            r.std = d.b;
            r.low = d.b == 0 ? d.a : -kInfinity;
            r.high = d.b == 0 ? d.a : kInfinity;
            break;
        case Family::uniform:
            r.mean = d.a / 2 + d.b / 2;
            r.std = (d.b / 2 - d.a / 2) / std::sqrt(3.0);
            r.low = d.a;
            r.high = d.b;
            break;
    }
    r.bound = std::max(std::abs(r.low), std::abs(r.high));
    const bool default_axes = axes.in == Axes{}.in && axes.out == Axes{}.out;
    if (law.needs_fans() || shape.size() >= 2 || !default_axes) {
        r.fans = fans(shape, axes);
        r.n_in_var = static_cast<double>(r.fans->in) * (r.std * r.std);
        r.n_out_var = static_cast<double>(r.fans->out) * (r.std * r.std);
    }
    return r;
}

template <class T>
void fill(ArrayView<T> out, const Law& law, Key key, const Part& part, const Axes& axes) {
    const bool whole = part.shape.empty() && part.offset.empty();
    const std::span<const std::size_t> shape = whole ? out.shape : part.shape;
    detail::checked_size(shape);
    if (!whole) check_part(out.shape, part);
    const Draw<T> draw(law, shape, axes, key);
    if (detail::overlaps_itself(out.shape, out.strides))
        throw std::invalid_argument("out must not overlap itself, got shape " + shape_text(out.shape) +
                                    " with strides that meet");

    if (law.name() == "orthogonal") {
        const std::size_t corner[kMaxRank] = {};
        return detail::fill_orthogonal<T>(out, shape, whole ? std::span(corner, shape.size()) : part.offset, axes,
                                          static_cast<T>(law.number("gain")), key);
    }

    std::uint64_t index_strides[kMaxRank], first_index = 0, stride = 1;
    for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
        index_strides[i] = stride;
        if (!whole) first_index += stride * part.offset[i];
    }
    const detail::Box box(out.shape, {index_strides, shape.size()}, out.strides, first_index);
    const std::ptrdiff_t step = box.data_stride();
    parallel_for((box.size() + kTaskElements - 1) / kTaskElements, [&](std::size_t task) {
        const std::size_t begin = task * kTaskElements, end = std::min(box.size(), begin + kTaskElements);
        box.runs(begin, end, [&](std::uint64_t index, std::ptrdiff_t offset, std::size_t n) {
            T* to = out.data + offset;
            if (box.index_stride() != 1) {  // a column of a matrix: no two elements are neighbours in the stream
                for (std::size_t i = 0; i < n; ++i, to += step) draw(index + i * box.index_stride(), 1, to);
                return;
            }
            if (step == 1) return draw(index, n, to);
            T buffer[kBuffer];
            for (std::size_t done = 0; done < n; done += kBuffer) {
                const std::size_t count = std::min(kBuffer, n - done);
                draw(index + done, count, buffer);
                for (std::size_t i = 0; i < count; ++i, to += step) *to = buffer[i];
            }
        });
    });
}

template <class T>
void fill(std::span<T> out, std::span<const std::size_t> shape, const Law& law, Key key, const Axes& axes) {
    if (detail::checked_size(shape) != out.size())
        throw std::invalid_argument("out must have as many elements as shape " + shape_text(shape) + ", got " +
                                    std::to_string(out.size()));
    std::ptrdiff_t strides[kMaxRank], stride = 1;
    for (std::size_t i = shape.size(); i-- > 0; stride *= static_cast<std::ptrdiff_t>(shape[i])) strides[i] = stride;
    fill(ArrayView<T>{out.data(), shape, {strides, shape.size()}}, law, key, Part{}, axes);
}

template void fill(ArrayView<float>, const Law&, Key, const Part&, const Axes&);
template void fill(ArrayView<double>, const Law&, Key, const Part&, const Axes&);
template void fill(std::span<float>, std::span<const std::size_t>, const Law&, Key, const Axes&);
template void fill(std::span<double>, std::span<const std::size_t>, const Law&, Key, const Axes&);

}  // namespace fanin
