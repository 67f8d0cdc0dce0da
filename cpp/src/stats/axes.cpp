// Summaries over some of the axes, and of streams.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "message.hpp"
#include "stats/blocks.hpp"
#include "stats/widened.hpp"

namespace fanin {
namespace {

// Neighbouring slices that a task measures together: where they are columns, a cache line holds an element of each.
constexpr std::size_t kSlices = 16;
// Elements of a slice from which its own blocks feed the threads, where there are few slices: 16 blocks, some 40 us.
constexpr std::size_t kLongSlice = std::size_t{1} << 16;

// The kept axes, to find where a slice begins.
struct Kept {
    std::size_t rank = 0, count = 1;
    std::array<std::size_t, kMaxRank> shape;
    std::array<std::ptrdiff_t, kMaxRank> strides;

    // Of slice `index`, counted in C order.
    std::ptrdiff_t offset(std::size_t index) const {
        std::ptrdiff_t sum = 0;
        for (std::size_t axis = rank; axis-- > 0; index /= shape[axis])
            sum += static_cast<std::ptrdiff_t>(index % shape[axis]) * strides[axis];
        return sum;
    }
};

}  // namespace

template <class S>
std::vector<Summary> summarize(ArrayView<const S> x, std::span<const std::size_t> axes, const SummaryOptions& options) {
    const StandardArithmetic arithmetic;
    validate(options);
    const std::size_t rank = x.shape.size();
    if (rank > kMaxRank || x.strides.size() != rank)
        throw std::invalid_argument("x must have as many strides as axes, at most " + std::to_string(kMaxRank));
    std::array<bool, kMaxRank> summed{};
    for (const std::size_t axis : axes) {
        if (axis >= rank || summed[axis])
            throw std::invalid_argument("axis must hold different axes of x, below " + std::to_string(rank) + ", got " +
                                        detail::shape_text(axes));
        summed[axis] = true;
    }
    // The axes in two: those of a slice, and those that number the slices.
    Kept kept;
    std::size_t slice_rank = 0, slice_size = 1;
    std::array<std::size_t, kMaxRank> shape{};
    std::array<std::ptrdiff_t, kMaxRank> strides{};
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (summed[axis]) {
            shape[slice_rank] = x.shape[axis];
            strides[slice_rank++] = x.strides[axis];
            slice_size *= x.shape[axis];
        } else {
            kept.shape[kept.rank] = x.shape[axis];
            kept.strides[kept.rank++] = x.strides[axis];
            kept.count *= x.shape[axis];
        }
    }
    // Few long slices: one after the other, each divided among the threads.
    std::vector<Summary> result(kept.count);
    const ArrayView<const S> first{x.data, {shape.data(), slice_rank}, {strides.data(), slice_rank}};
    if (kept.count < num_threads() && slice_size >= kLongSlice) {
        for (std::size_t i = 0; i < kept.count; ++i)
            result[i] = summarize(ArrayView<const S>{x.data + kept.offset(i), first.shape, first.strides}, options);
        return result;
    }

    // A task measures kSlices neighbouring slices block by block, each into counters of its own; all slices have one shape, so
    // one set of blocks serves them, moved by an offset.
    const detail::SummaryBlocks<S> blocks(first);
    const detail::SlotPlan<detail::Wide<S>> plan(options);
    parallel_for(detail::ceil_div(kept.count, kSlices), [&](std::size_t task) {
        const std::size_t begin = task * kSlices, n = std::min(kSlices, kept.count - begin);
        detail::BlockRoom<S> room;
        std::vector<std::vector<BlockMoments>> parts(n, std::vector<BlockMoments>(blocks.blocks()));
        std::vector<std::uint32_t> tables(n * plan.table_size());
        for (std::size_t index = 0; index < blocks.blocks(); ++index)
            for (std::size_t i = 0; i < n; ++i) {
                const detail::Measure<detail::Wide<S>> how{options, plan, tables.data() + i * plan.table_size()};
                const auto block = blocks.block(index, room.gathered, kept.offset(begin + i));
                parts[i][index] = detail::measure_any<S>(block, room, how);
            }
        for (std::size_t i = 0; i < n; ++i) {
            Histogram histogram = plan.zero();
            plan.add(tables.data() + i * plan.table_size(), histogram);
            result[begin + i] = detail::summary_of(parts[i], std::move(histogram), options);
        }
    });
    return result;
}

Summarizer::Summarizer(const SummaryOptions& options)
    : options_(options), summary_(summarize(VectorView<const double>{}, options)) {}

template <class T>
void Summarizer::update(ArrayView<const T> x) {
    const StandardArithmetic arithmetic;
    merge(summarize(x, options_));
}

void Summarizer::merge(const Summary& other) { summary_ = fanin::merge(summary_, other); }

#define FANIN_SUMMARIZE(S)                                                                                            \
    template std::vector<Summary> summarize(ArrayView<const S>, std::span<const std::size_t>, const SummaryOptions&); \
    template void Summarizer::update(ArrayView<const S>);
FANIN_EACH_ELEMENT(FANIN_SUMMARIZE)
#undef FANIN_SUMMARIZE

}  // namespace fanin
