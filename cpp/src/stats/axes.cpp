// Summaries over some of the axes, and of streams.
#include <algorithm>
#include <array>
#include <vector>

#include "division.hpp"
#include "fanin/aligned.hpp"
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

// The axes in two: those of a slice, and those that number the slices.
struct Slices {
    Kept kept;
    std::size_t rank = 0, size = 1;
    std::array<std::size_t, kMaxRank> shape{};
    std::array<std::ptrdiff_t, kMaxRank> strides{};

    // The slice that begins there.
    template <class S>
    ArrayView<const S> view(const S* begin) const {
        return {begin, {shape.data(), rank}, {strides.data(), rank}};
    }

    // std::invalid_argument as summarize().
    Slices(std::span<const std::size_t> of_shape, std::span<const std::ptrdiff_t> of_strides,
           std::span<const std::size_t> axes) {
        const std::size_t all = of_shape.size();
        if (all > kMaxRank || of_strides.size() != all)
            detail::refuse({"x must have as many strides as axes, at most ", kMaxRank});
        std::array<bool, kMaxRank> summed{};
        for (const std::size_t axis : axes) {
            if (axis >= all || summed[axis])
                detail::refuse({"axis must hold different axes of x, below ", all, ", got ", detail::Term::shape(axes)});
            summed[axis] = true;
        }
        for (std::size_t axis = 0; axis < all; ++axis) {
            if (summed[axis]) {
                shape[rank] = of_shape[axis];
                strides[rank++] = of_strides[axis];
                size *= of_shape[axis];
            } else {
                kept.shape[kept.rank] = of_shape[axis];
                kept.strides[kept.rank++] = of_strides[axis];
                kept.count *= of_shape[axis];
            }
        }
    }
};

// Few long slices: one after the other, each divided among the threads. `one` summarizes the slice that begins `offset`
// elements after x.
std::vector<Summary> summaries_of_long_slices(const Slices& slices, const void* x, const SummaryOptions& options,
                                              Summary (*one)(const Slices& slices, const void* x, std::ptrdiff_t offset,
                                                             const SummaryOptions& options)) {
    std::vector<Summary> result(slices.kept.count);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = one(slices, x, slices.kept.offset(i), options);
    return result;
}

// A task measures kSlices neighbouring slices block by block, each into counters of its own; all slices have one shape, so
// one set of blocks, those of the first, serves them, moved by an offset.
std::vector<Summary> summaries_of_slices(const Kept& kept, const detail::Elements& first, const SummaryOptions& options) {
    std::vector<Summary> result(kept.count);
    parallel_for(detail::ceil_div(kept.count, kSlices), [&](std::size_t task) {
        const std::size_t begin = task * kSlices, n = std::min(kSlices, kept.count - begin);
        alignas(detail::kCacheLine) std::byte room[detail::Elements::kRoom];
        std::vector<std::vector<BlockMoments>> parts(n, std::vector<BlockMoments>(first.blocks()));
        std::vector<std::uint32_t> tables(n * first.table_size());
        for (std::size_t index = 0; index < first.blocks(); ++index)
            for (std::size_t i = 0; i < n; ++i)
                parts[i][index] = first.measure(index, kept.offset(begin + i), room, tables.data() + i * first.table_size());
        for (std::size_t i = 0; i < n; ++i) {
            Histogram histogram = first.zero();
            first.add(tables.data() + i * first.table_size(), histogram);
            result[begin + i] = detail::summary_of(parts[i], std::move(histogram), options);
        }
    });
    return result;
}

}  // namespace

template <class S>
std::vector<Summary> summarize(ArrayView<const S> x, std::span<const std::size_t> axes, const SummaryOptions& options) {
    const StandardArithmetic arithmetic;
    validate(options);
    const Slices slices(x.shape, x.strides, axes);
    if (slices.kept.count < num_threads() && slices.size >= kLongSlice)
        return summaries_of_long_slices(slices, x.data, options,
                                        [](const Slices& s, const void* from, std::ptrdiff_t offset, const SummaryOptions& o) {
                                            return summarize(s.view(static_cast<const S*>(from) + offset), o);
                                        });
    return summaries_of_slices(slices.kept, detail::ElementsOf<S>(slices.view(x.data), options), options);
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
