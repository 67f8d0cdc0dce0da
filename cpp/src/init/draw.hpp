// A law ready to be drawn: its numbers in the type of an array, checked, and the kernel that draws them.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "distribution.hpp"
#include "division.hpp"
#include "fanin/init.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "random_truncated.hpp"

namespace fanin::detail {

// Elements drawn at a time where they cannot go straight to memory: 4 or 8 KiB, a part of the first-level cache.
inline constexpr std::size_t kBuffer = 1024;
// No normal draw is larger (random.hpp).
template <class T>
inline constexpr double kLargestNormal = sizeof(T) == sizeof(double) ? 8.66 : 6.77;

// A number type that a law is drawn in: its name, the type it is computed in, and the smallest magnitude that it no longer
// holds, which rounds to infinity.
template <class T>
struct Format;
template <>
struct Format<float> {
    using Real = float;
    static constexpr const char* name = "float32";
    static constexpr double overflow = 0x1.ffffffp127;
};
template <>
struct Format<double> {
    using Real = double;
    static constexpr const char* name = "float64";
    static constexpr double overflow = std::numeric_limits<double>::infinity();
};
template <>
struct Format<Float16> {
    using Real = float;
    static constexpr const char* name = "float16";
    static constexpr double overflow = 65520;
};
template <>
struct Format<BFloat16> {
    using Real = float;
    static constexpr const char* name = "bfloat16";
    static constexpr double overflow = 0x1.ffp127;
};

// A law in T: its numbers rounded once to the type that it is computed in, checked, and the kernel that draws it.
template <class T>
class Draw {
    using Real = typename Format<T>::Real;

 public:
    // std::invalid_argument for numbers, draws or an interval that T does not hold; nothing is allocated.
    Draw(const Law& law, std::span<const std::size_t> shape, const Axes& axes, Key key)
        : key_(key), kernels_(active<RandomKernels<Real>>()), columns_(shape.empty() ? 1 : shape.back()) {
        const Distribution d = distribution(law, shape, axes);
        family_ = d.family;
        a_ = static_cast<Real>(d.a);
        b_ = static_cast<Real>(d.b);
        if (!std::isfinite(a_) || !std::isfinite(b_))
            refuse({law.text(), " must have numbers that ", Format<T>::name, " holds, got ", std::isfinite(a_) ? d.b : d.a});
        // What the draw writes and what is written over it afterwards come apart here.
        zeros_ = d.zeros;
        if (family_ == Family::dirac) {
            groups_ = d.groups;
            family_ = Family::constant;
            a_ = 0;
        }
        if (family_ == Family::uniform) prepare_uniform(law);
        if (family_ == Family::truncated) truncated_ = truncated_numbers<Real>(a_, b_, d.lower, d.upper);
        const double reach = largest(d);
        if (!(reach < Format<T>::overflow))
            refuse({law.text(), " must have draws that ", Format<T>::name, " holds, got numbers up to ", reach});
    }

    // Whether no element stands alone: fill_orthogonal draws then, with the gain.
    bool orthogonal() const { return family_ == Family::orthogonal; }
    Real gain() const { return a_; }
    // Zeros a column, to be written over the draw.
    std::size_t zeros() const { return zeros_; }
    // Groups of a dirac law, whose ones are written over the draw; 0: it is another.
    std::size_t groups() const { return groups_; }

    // Elements index .. index + n - 1 of the parameter; safe from several threads. Of the 16-bit formats the frequent draws are
    // rounded while they are in registers, the others go through a buffer of float: with the same bits, once.
    void operator()(std::uint64_t index, std::size_t n, T* out) const {
        if constexpr (std::is_same_v<T, Real>) {
            draw(index, n, out);
        } else {
            if (family_ == Family::normal || family_ == Family::sparse)
                return narrow_.fill_normal(key_.seed, key_.stream, index, n, a_, b_, out);
            if (family_ == Family::uniform)
                return narrow_.fill_uniform(key_.seed, key_.stream, index, n, a_, b_, lowest_, highest_, out);
            const RoundingKernels& rounding = active<RoundingKernels>();
            const auto round = std::is_same_v<T, Float16> ? rounding.to_float16 : rounding.to_bfloat16;
            float buffer[kBuffer];
            for (std::size_t done = 0; done < n; done += kBuffer) {
                const std::size_t count = std::min(kBuffer, n - done);
                draw(index + done, count, buffer);
                round(count, buffer, reinterpret_cast<std::uint16_t*>(out + done));
            }
        }
    }

 private:
    struct Nothing {};
    using Narrow = std::conditional_t<std::is_same_v<T, Real>, Nothing, NarrowRandomKernels<T>>;
    static Narrow narrow_kernels() {
        if constexpr (std::is_same_v<T, Real>) return {};
        else return active<NarrowRandomKernels<T>>();
    }

    // Mid and half width, as fill_uniform takes them, and the numbers next to the bounds, which no draw leaves.
    void prepare_uniform(const Law& law) {
        // U(0, 0) has no number inside, but a gain of 0 is meant to give zeros.
        if (a_ == 0 && b_ == 0 && law.needs_fans()) {  // a gain of 0, or one that Real rounds to it
            family_ = Family::constant;
            return;
        }
        lowest_ = std::nextafter(a_, b_);
        highest_ = std::nextafter(b_, a_);
        if (!(a_ < b_) || lowest_ > highest_)
            refuse({law.text(), " must have a ", Format<Real>::name, " number between low and high, got ", a_, " and ", b_});
        const Real low = a_, high = b_;
        a_ = low / 2 + high / 2;
        b_ = high / 2 - low / 2;
    }

    // No draw is larger in magnitude.
    double largest(const Distribution& d) const {
        const double reach = kLargestNormal<Real>;
        switch (d.family) {
            case Family::uniform:
                return std::max(std::abs(d.a), std::abs(d.b));
            case Family::truncated: {
                const double low = d.a + d.b * std::max(d.lower, -reach), high = d.a + d.b * std::min(d.upper, reach);
                return std::max(std::abs(low), std::abs(high));
            }
            case Family::orthogonal:
                return std::abs(d.a);
            default:
                return std::abs(d.a) + reach * std::abs(d.b);
        }
    }

    // The same in the type that the law is computed in.
    void draw(std::uint64_t index, std::size_t n, Real* out) const {
        switch (family_) {
            case Family::constant:
                std::fill_n(out, n, a_);
                break;
            // Zeros, and the diagonal elements of the range.
            case Family::identity: {
                std::fill_n(out, n, Real(0));
                const std::uint64_t step = columns_ + 1;  // element (i, i) is i (n_in + 1)
                for (std::uint64_t i = ceil_div(index, step); i < columns_ && i * step < index + n; ++i)
                    out[i * step - index] = a_;
                break;
            }
            case Family::dirac:
            case Family::orthogonal:
                break;
            case Family::normal:
            case Family::sparse:
                kernels_.fill_normal(key_.seed, key_.stream, index, n, a_, b_, out);
                break;
            case Family::uniform:
                kernels_.fill_uniform(key_.seed, key_.stream, index, n, a_, b_, lowest_, highest_, out);
                break;
            case Family::truncated:
                active<TruncatedKernels<Real>>().fill_truncated(key_.seed, key_.stream, index, n, truncated_.law, a_, b_,
                                                                truncated_.lowest, truncated_.highest, out);
                break;
        }
    }

    Key key_;
    RandomKernels<Real> kernels_;
    Narrow narrow_ = narrow_kernels();
    std::uint64_t columns_;  // of a matrix; identity has no other shape
    Family family_ = Family::constant;
    Real a_ = 0, b_ = 0, lowest_ = 0, highest_ = 0;
    TruncatedNumbers<Real> truncated_{};
    std::size_t zeros_ = 0, groups_ = 0;
};

}  // namespace fanin::detail
