// Laws drawn: the numbers of a law in the type of the array, the work split over threads, the draw carried to any strides.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/init.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "law.hpp"
#include "message.hpp"
#include "orthogonal.hpp"
#include "random_truncated.hpp"
#include "sparse.hpp"
#include "strided.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;
using detail::shape_text;

// Elements a task draws: 10 to 20 us, so that a shard of 2^16 elements still feeds two threads.
constexpr std::size_t kTaskElements = std::size_t{1} << 14;
// Elements drawn at a time where they cannot go straight to memory.
constexpr std::size_t kBuffer = 1024;
// A tile of an array whose fastest axis in memory is not its last: so many elements along the last axis, drawn one after
// the other, and so many bytes along the fastest, written one after the other.
constexpr std::size_t kTileLength = 512, kTileBytes = 128;
template <class T>
constexpr std::size_t kTileRows = kTileBytes / sizeof(T);
template <class T>
constexpr std::size_t kTilePitch = kTileLength + 64 / sizeof(T);  // no two rows a power of two apart

// No normal draw is larger (random.hpp).
template <class T>
constexpr double kLargestNormal = sizeof(T) == sizeof(double) ? 8.66 : 6.77;

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
    Draw(const Law& law, std::span<const std::size_t> shape, const Axes& axes, Key key)
        : key_(key), kernels_(active<RandomKernels<Real>>()), columns_(shape.empty() ? 1 : shape.back()) {
        const Distribution d = detail::distribution(law, shape, axes);
        family_ = d.family;
        a_ = static_cast<Real>(d.a);
        b_ = static_cast<Real>(d.b);
        if (!std::isfinite(a_) || !std::isfinite(b_))
            throw std::invalid_argument(law.text() + " must have numbers that " + Format<T>::name + " holds, got " +
                                        detail::text(std::isfinite(a_) ? d.b : d.a));
        zeros_ = d.zeros;
        if (family_ == Family::uniform) prepare_uniform(law);
        if (family_ == Family::truncated) truncated_ = detail::truncated_numbers<Real>(a_, b_, d.lower, d.upper);
        const double reach = largest(d);
        if (!(reach < Format<T>::overflow))
            throw std::invalid_argument(law.text() + " must have draws that " + Format<T>::name + " holds, got numbers up to " +
                                        detail::text(reach));
    }

    // Whether no element stands alone: fill_orthogonal draws then, with the gain.
    bool orthogonal() const { return family_ == Family::orthogonal; }
    Real gain() const { return a_; }
    // Zeros a column, to be written over the draw.
    std::size_t zeros() const { return zeros_; }

    // Elements index .. index + n - 1 of the parameter.
    void operator()(std::uint64_t index, std::size_t n, T* out) const {
        if constexpr (std::is_same_v<T, Real>) {
            draw(index, n, out);
        } else {
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
    void prepare_uniform(const Law& law) {
        if (a_ == 0 && b_ == 0 && law.needs_fans()) {  // a gain of 0, or one that Real rounds to it
            family_ = Family::constant;
            return;
        }
        lowest_ = std::nextafter(a_, b_);
        highest_ = std::nextafter(b_, a_);
        if (!(a_ < b_) || lowest_ > highest_)
            throw std::invalid_argument(law.text() + " must have a " + Format<Real>::name +
                                        " number between low and high, got " + detail::text(a_) + " and " + detail::text(b_));
        const Real low = a_, high = b_;
        a_ = low / 2 + high / 2;  // mid and half width, as fill_uniform has them
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

    void draw(std::uint64_t index, std::size_t n, Real* out) const {
        switch (family_) {
            case Family::constant:
                std::fill_n(out, n, a_);
                break;
            case Family::identity: {
                std::fill_n(out, n, Real(0));
                const std::uint64_t step = columns_ + 1;  // element (i, i) is i (n_in + 1)
                for (std::uint64_t i = detail::ceil_div(index, step); i < columns_ && i * step < index + n; ++i)
                    out[i * step - index] = a_;
                break;
            }
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
    std::uint64_t columns_;  // of a matrix; identity has no other shape
    Family family_ = Family::constant;
    Real a_ = 0, b_ = 0, lowest_ = 0, highest_ = 0;
    detail::TruncatedNumbers<Real> truncated_{};
    std::size_t zeros_ = 0;
};

void check_part(std::span<const std::size_t> shape, const Part& part) {
    bool inside = part.shape.size() == shape.size() && part.offset.size() == shape.size();
    for (std::size_t i = 0; inside && i < shape.size(); ++i)
        inside = part.offset[i] <= part.shape[i] && shape[i] <= part.shape[i] - part.offset[i];
    if (!inside)
        throw std::invalid_argument("block must lie inside shape " + shape_text(part.shape) + ", got offset " +
                                    shape_text(part.offset) + " and shape " + shape_text(shape));
}

bool is_whole(const Part& part) { return part.shape.empty() && part.offset.empty(); }

// The law in T, after all that `fill` refuses.
template <class T>
Draw<T> checked_draw(ArrayView<T> out, const Law& law, Key key, const Part& part, const Axes& axes) {
    const std::span<const std::size_t> shape = is_whole(part) ? out.shape : part.shape;
    detail::checked_size(shape);
    if (!is_whole(part)) check_part(out.shape, part);
    static const Axes standard;
    if (!(axes == standard)) fans(shape, axes);  // stated axes must fit, also where the law needs none
    const Draw<T> draw(law, shape, axes, key);
    if (detail::overlaps_itself(out.shape, out.strides))
        throw std::invalid_argument("out must not overlap itself, got shape " + shape_text(out.shape) +
                                    " with strides that meet");
    return draw;
}

// Runs along the last axis, straight to memory where its elements are neighbours there.
template <class T>
void fill_runs(T* data, const detail::Box& box, const Draw<T>& draw) {
    const std::ptrdiff_t step = box.data_stride();
    parallel_for(detail::ceil_div(box.size(), kTaskElements), [&](std::size_t task) {
        const std::size_t begin = task * kTaskElements, end = std::min(box.size(), begin + kTaskElements);
        box.runs(begin, end, [&](std::uint64_t index, std::ptrdiff_t offset, std::size_t n) {
            T* to = data + offset;
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

// Tiles of a transposed array: drawn row by row, written column by column.
template <class T>
void fill_tiles(T* data, const detail::Box& box, const Draw<T>& draw) {
    const detail::Tiles tiles = box.tiles(kTileRows<T>, kTileLength);
    parallel_for(tiles.count(), [&](std::size_t task) {
        const detail::Tile tile = tiles.at(task);
        T buffer[kTileRows<T> * kTilePitch<T>];
        for (std::size_t i = 0; i < tile.rows; ++i)
            draw(tile.index + i * tiles.index_stride(), tile.cols, buffer + i * kTilePitch<T>);
        const std::ptrdiff_t row_step = tiles.row_stride(), col_step = tiles.col_stride();
        T* to = data + tile.offset;
        for (std::size_t j = 0; j < tile.cols; ++j, to += col_step) {
            const T* from = buffer + j;
            if (row_step == 1) {
                for (std::size_t i = 0; i < tile.rows; ++i) to[i] = from[i * kTilePitch<T>];
            } else {
                T* place = to;
                for (std::size_t i = 0; i < tile.rows; ++i, place += row_step) *place = from[i * kTilePitch<T>];
            }
        }
    });
}

}  // namespace

template <class T>
void check_fill(ArrayView<T> out, const Law& law, const Part& part, const Axes& axes) {
    const StandardArithmetic arithmetic;
    checked_draw(out, law, {}, part, axes);
}

template <class T>
void fill(ArrayView<T> out, const Law& law, Key key, const Part& part, const Axes& axes) {
    const StandardArithmetic arithmetic;
    const Draw<T> draw = checked_draw(out, law, key, part, axes);
    const std::span<const std::size_t> shape = is_whole(part) ? out.shape : part.shape;
    std::uint64_t index_strides[kMaxRank], first_index = 0, stride = 1;
    std::size_t offset[kMaxRank];
    for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
        index_strides[i] = stride;
        offset[i] = is_whole(part) ? 0 : part.offset[i];
        first_index += stride * offset[i];
    }
    if (draw.orthogonal())
        return detail::fill_orthogonal(out, shape, std::span<const std::size_t>(offset, shape.size()), axes, draw.gain(), key);
    const detail::Box box(out.shape, {index_strides, shape.size()}, out.strides, first_index);
    if (box.transposed()) fill_tiles(out.data, box, draw);
    else fill_runs(out.data, box, draw);
    if (draw.zeros() != 0) detail::write_zeros(out, shape, offset, key, draw.zeros());
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

template void check_fill(ArrayView<float>, const Law&, const Part&, const Axes&);
template void check_fill(ArrayView<double>, const Law&, const Part&, const Axes&);
template void check_fill(ArrayView<Float16>, const Law&, const Part&, const Axes&);
template void check_fill(ArrayView<BFloat16>, const Law&, const Part&, const Axes&);
template void fill(ArrayView<float>, const Law&, Key, const Part&, const Axes&);
template void fill(ArrayView<double>, const Law&, Key, const Part&, const Axes&);
template void fill(ArrayView<Float16>, const Law&, Key, const Part&, const Axes&);
template void fill(ArrayView<BFloat16>, const Law&, Key, const Part&, const Axes&);
template void fill(std::span<float>, std::span<const std::size_t>, const Law&, Key, const Axes&);
template void fill(std::span<double>, std::span<const std::size_t>, const Law&, Key, const Axes&);
template void fill(std::span<Float16>, std::span<const std::size_t>, const Law&, Key, const Axes&);
template void fill(std::span<BFloat16>, std::span<const std::size_t>, const Law&, Key, const Axes&);

}  // namespace fanin
