// Elements that are summarized through a wider type, a block at a time: their blocks as measure_block() and measure_pair()
// (stats/blocks.hpp) measure those of float and double.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "division.hpp"
#include "fanin/aligned.hpp"
#include "fanin/float16.hpp"
#include "kernels/table.hpp"
#include "stats/blocks.hpp"

namespace fanin::detail {

template <class S>
inline constexpr bool kSixteenBits = std::is_same_v<S, Float16> || std::is_same_v<S, BFloat16>;

// The type that elements of S are measured in: itself, the float that holds every value of S, or double.
template <class S>
using Wide = std::conditional_t<std::is_floating_point_v<S>, S,
                                std::conditional_t<std::is_integral_v<S> && (sizeof(S) > 2), double, float>>;

// Room for a block of S where its elements do not lie side by side, and for the block widened.
template <class S>
struct BlockRoom {
    S gathered[kSummaryBlock];
    Wide<S> wide[std::is_floating_point_v<S> ? 1 : kSummaryBlock];
};

inline const NarrowStatsKernels<Float16>& narrow_kernels(const Float16*) { return active<NarrowStatsKernels<Float16>>(); }
inline const NarrowStatsKernels<BFloat16>& narrow_kernels(const BFloat16*) { return active<NarrowStatsKernels<BFloat16>>(); }

inline void widen(std::size_t n, const std::int8_t* x, float* out) { active<WideningKernels>().i8(n, x, out); }
inline void widen(std::size_t n, const std::uint8_t* x, float* out) { active<WideningKernels>().u8(n, x, out); }
inline void widen(std::size_t n, const std::int16_t* x, float* out) { active<WideningKernels>().i16(n, x, out); }
inline void widen(std::size_t n, const std::uint16_t* x, float* out) { active<WideningKernels>().u16(n, x, out); }
inline void widen(std::size_t n, const std::int32_t* x, double* out) { active<WideningKernels>().i32(n, x, out); }
inline void widen(std::size_t n, const std::uint32_t* x, double* out) { active<WideningKernels>().u32(n, x, out); }
inline void widen(std::size_t n, const std::int64_t* x, double* out) { active<WideningKernels>().i64(n, x, out); }
inline void widen(std::size_t n, const std::uint64_t* x, double* out) { active<WideningKernels>().u64(n, x, out); }

template <class S>
const Wide<S>* widened(const typename SummaryBlocks<S>::Block& block, BlockRoom<S>& room) {
    if constexpr (std::is_floating_point_v<S>) return block.data;
    else {
        widen(block.size, block.data, room.wide);
        return room.wide;
    }
}

// count_block() of 16-bit elements: the histogram over powers of two reads their bits.
template <class S>
void count_narrow(std::size_t n, const S* x, const float* wide, const Measure<float>& how, BlockMoments& part) {
    if (how.options.histogram != HistogramKind::powers) return count_block(n, wide, how, part);
    narrow_kernels(x).power_slots(n, x, how.tables, kPowerSlots);
    const SummaryOptions& o = how.options;
    if (o.saturation)
        part.saturated = active<StatsKernels<float>>().count_outside(n, wide, o.saturation_low, o.saturation_high);
}

// measure_block() and measure_pair() of blocks of S.
template <class S>
BlockMoments measure_any(const typename SummaryBlocks<S>::Block& block, BlockRoom<S>& room, const Measure<Wide<S>>& how) {
    if constexpr (kSixteenBits<S>) {
        BlockMoments part;
        narrow_kernels(block.data).block(block.size, block.data, room.wide, !how.options.moments_only, &part);
        count_narrow(block.size, block.data, room.wide, how, part);
        return part;
    } else {
        return measure_block(block.size, widened(block, room), how.options, how.plan, how.tables);
    }
}
template <class S>
std::array<BlockMoments, 2> measure_any(const std::array<typename SummaryBlocks<S>::Block, 2>& both, BlockRoom<S> (&rooms)[2],
                                        const Measure<Wide<S>>& how) {
    const std::size_t n = both[0].size;
    if constexpr (kSixteenBits<S>) {
        std::array<BlockMoments, 2> parts;
        narrow_kernels(both[0].data)
            .pair(n, both[0].data, rooms[0].wide, both[1].data, rooms[1].wide, !how.options.moments_only, parts.data());
        for (std::size_t b = 0; b < 2; ++b) count_narrow(n, both[b].data, rooms[b].wide, how, parts[b]);
        return parts;
    } else {
        return measure_pair(n, widened(both[0], rooms[0]), how, widened(both[1], rooms[1]), how);
    }
}

// An array whose type of elements is left behind, for what costs the same for all of them: blocks are some microseconds long.
class Elements {
 public:
    // Bytes that measure() and measure_pair() work in.
    static constexpr std::size_t kRoom = 2 * sizeof(BlockRoom<std::int64_t>);
    // Before and after n neighbouring blocks are measured, kNear at most.
    static constexpr std::size_t kNear = 16;
    virtual void before(std::size_t, std::size_t) const {}
    virtual void after(std::size_t, std::size_t, const BlockMoments*) const {}

    // As of SummaryBlocks and SlotPlan.
    virtual std::size_t blocks() const = 0;
    virtual std::size_t table_size() const = 0;
    virtual Histogram zero() const = 0;
    virtual void add(const std::uint32_t* tables, Histogram& histogram) const = 0;
    // A block, of the array so many elements further on.
    virtual BlockMoments measure(std::size_t index, std::ptrdiff_t offset, std::byte* room, std::uint32_t* tables) const = 0;
    // Two neighbouring blocks; false, and nothing is measured, where their sizes differ.
    virtual bool measure_pair(std::size_t index, std::byte* room, std::uint32_t* tables, BlockMoments* parts) const = 0;

 protected:
    ~Elements() = default;
};

// The summary of them all.
Summary summary_of_elements(const Elements& x, const SummaryOptions& options);

template <class S>
class ElementsOf final : public Elements {
 public:
    ElementsOf(ArrayView<const S> x, const SummaryOptions& options) : options_(options), blocks_(x), plan_(options) {}
    std::size_t blocks() const override { return blocks_.blocks(); }
    std::size_t table_size() const override { return plan_.table_size(); }
    Histogram zero() const override { return plan_.zero(); }
    void add(const std::uint32_t* tables, Histogram& histogram) const override { plan_.add(tables, histogram); }
    BlockMoments measure(std::size_t index, std::ptrdiff_t offset, std::byte* room, std::uint32_t* tables) const override {
        BlockRoom<S>& mine = rooms(room)[0];
        return measure_any<S>(blocks_.block(index, mine.gathered, offset), mine, {options_, plan_, tables});
    }
    bool measure_pair(std::size_t index, std::byte* room, std::uint32_t* tables, BlockMoments* parts) const override {
        BlockRoom<S>(&mine)[2] = rooms(room);
        const std::array both{blocks_.block(index, mine[0].gathered), blocks_.block(index + 1, mine[1].gathered)};
        if (both[0].size != both[1].size) return false;
        const auto measured = measure_any<S>(both, mine, {options_, plan_, tables});
        std::copy(measured.begin(), measured.end(), parts);
        return true;
    }

 private:
    using Rooms = BlockRoom<S>[2];
    static_assert(sizeof(Rooms) <= kRoom && std::is_trivially_copyable_v<BlockRoom<S>>);
    static Rooms& rooms(std::byte* room) { return *reinterpret_cast<Rooms*>(room); }

    const SummaryOptions& options_;
    SummaryBlocks<S> blocks_;
    SlotPlan<Wide<S>> plan_;
};

}  // namespace fanin::detail

// Every type of elements that summaries take.
#define FANIN_EACH_ELEMENT(apply)                                                                                        \
    apply(float) apply(double) apply(Float16) apply(BFloat16) apply(std::int8_t) apply(std::uint8_t) apply(std::int16_t) \
        apply(std::uint16_t) apply(std::int32_t) apply(std::uint32_t) apply(std::int64_t) apply(std::uint64_t)

// Compiled in stats.cpp.
namespace fanin::detail {
#define FANIN_ELEMENTS(S) extern template class ElementsOf<S>;
FANIN_EACH_ELEMENT(FANIN_ELEMENTS)
#undef FANIN_ELEMENTS
}  // namespace fanin::detail
