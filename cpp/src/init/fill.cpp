// Laws drawn: the checks, the work split over threads, the draw carried to any strides.
#include <algorithm>

#include "box.hpp"
#include "dirac.hpp"
#include "draw.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "message.hpp"
#include "orthogonal/orthogonal.hpp"
#include "overlap.hpp"
#include "pages.hpp"
#include "sparse.hpp"

namespace fanin {
namespace {

using detail::Draw;
using detail::kBuffer;

// Figures are of one core with AVX-512, the least user time of 25 interleaved runs. No number here changes a bit.

// Elements a task draws: 9 us of float32 normals (0.57 ns each), 40 us of float64 ones, so that a shard of 2^16 elements still
// feeds two threads.
constexpr std::size_t kTaskElements = std::size_t{1} << 14;
// Where every thread has two such tasks or more, each is as long as a huge page, so that two threads do not both ask for one;
// small pages are asked for in pieces that are still in the second-level cache when they are drawn.
constexpr std::size_t kTaskBytes = std::size_t{1} << 21, kPieceBytes = std::size_t{1} << 18;
// A tile of an array whose fastest axis in memory is not its last: so many elements along the last axis, drawn one after
// the other, and so many bytes along the fastest, written one after the other. A whole line of 64 bytes: 0.99 ns an element for
// float32 normals in 1024 x 1024, against 1.07, 1.28 and 1.15 at 32, 128 and 256 bytes; 1.19 with tiles of 128 elements and
// 0.96 with 2048, which would take four times the stack.
constexpr std::size_t kTileLength = 512, kTileBytes = 64;
template <class T>
constexpr std::size_t kTileRows = kTileBytes / sizeof(T);
template <class T>
constexpr std::size_t kTilePitch = kTileLength + 64 / sizeof(T);  // no two rows a power of two apart

// std::invalid_argument where a part of shape `shape` does not lie inside its parameter.
void check_part(std::span<const std::size_t> shape, const Part& part) {
    bool inside = part.shape.size() == shape.size() && part.offset.size() == shape.size();
    for (std::size_t i = 0; inside && i < shape.size(); ++i)
        inside = part.offset[i] <= part.shape[i] && shape[i] <= part.shape[i] - part.offset[i];
    if (!inside)
        detail::refuse({"block must lie inside shape ", detail::Term::shape(part.shape), ", got offset ",
                        detail::Term::shape(part.offset), " and shape ", detail::Term::shape(shape)});
}

// The default: no part was stated.
bool is_whole(const Part& part) { return part.shape.empty() && part.offset.empty(); }

// The law in T, after all that `fill` refuses: check_fill stops here, and fill writes nothing before it.
template <class T>
Draw<T> checked_draw(ArrayView<T> out, const Law& law, Key key, const Part& part, const Axes& axes) {
    const std::span<const std::size_t> shape = is_whole(part) ? out.shape : part.shape;
    detail::checked_size(shape);
    if (!is_whole(part)) check_part(out.shape, part);
    static const Axes standard;
    if (!(axes == standard)) fans(shape, axes);  // stated axes must fit, also where the law needs none
    const Draw<T> draw(law, shape, axes, key);
    detail::require_distinct(out, "out");
    return draw;
}

// Splits the box into tasks of kTaskElements, in C order; runs along the last axis go straight to memory where its elements
// are neighbours there.
template <class T>
void fill_runs(T* data, const detail::Box& box, const Draw<T>& draw) {
    const std::ptrdiff_t step = box.data_stride();
    const bool large = box.size() >= 2 * num_threads() * (kTaskBytes / sizeof(T));
    const std::size_t elements = large ? kTaskBytes / sizeof(T) : kTaskElements;
    parallel_for(detail::ceil_div(box.size(), elements), [&](std::size_t task) {
        const std::size_t begin = task * elements, end = std::min(box.size(), begin + elements);
        box.runs(begin, end, [&](std::uint64_t index, std::ptrdiff_t offset, std::size_t n) {
            T* to = data + offset;
            if (box.index_stride() != 1) {  // a column of a matrix: no two elements are neighbours in the stream
                for (std::size_t i = 0; i < n; ++i, to += step) draw(index + i * box.index_stride(), 1, to);
                return;
            }
            if (step == 1) {
                constexpr std::size_t kPiece = kPieceBytes / sizeof(T);
                for (std::size_t done = 0; done < n; done += kPiece) {
                    const std::size_t count = std::min(kPiece, n - done);
                    if (large) detail::populate(to + done, count * sizeof(T));
                    draw(index + done, count, to + done);
                }
                return;
            }
            T buffer[kBuffer];
            for (std::size_t done = 0; done < n; done += kBuffer) {
                const std::size_t count = std::min(kBuffer, n - done);
                draw(index + done, count, buffer);
                for (std::size_t i = 0; i < count; ++i, to += step) *to = buffer[i];
            }
        });
    });
}

// Splits a transposed array into tiles, one a task: drawn row by row, written column by column.
template <class T>
void fill_tiles(T* data, const detail::Box& box, const Draw<T>& draw) {
    const detail::Tiles tiles = box.tiles(kTileRows<T>, kTileLength);
    // The rows of the buffer are so far apart that a column of it meets no set of the cache twice.
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
    // Of no element, the other axes may be longer than memory.
    if (std::find(out.shape.begin(), out.shape.end(), std::size_t{0}) != out.shape.end()) return;
    // Element (i, j, ...) of the part has the index (i + offset_i) s_i + ... of the parameter, s its strides in C order.
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
    if (draw.groups() != 0) detail::write_ones(out, shape, offset, axes, draw.groups());
    if (draw.zeros() != 0) detail::write_zeros(out, shape, offset, key, draw.zeros());
}

template <class T>
void fill(std::span<T> out, std::span<const std::size_t> shape, const Law& law, Key key, const Axes& axes) {
    if (detail::checked_size(shape) != out.size())
        detail::refuse({"out must have as many elements as shape ", detail::Term::shape(shape), ", got ", out.size()});
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
