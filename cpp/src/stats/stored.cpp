// Summaries of arrays that lie in files.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "division.hpp"
#include "fanin/aligned.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/safetensors.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "message.hpp"
#include "stats/blocks.hpp"
#include "stats/widened.hpp"
#include "system_files.hpp"

namespace fanin {
namespace {

static_assert(std::endian::native == std::endian::little);

// An array's place in its file, which holds all of it; C order, for BlockPlaces.
struct Whole {
    std::array<std::ptrdiff_t, kMaxRank> strides{};
    std::size_t size = 1;
    detail::File file;
    detail::Mapping bytes;  // none of an empty array

    explicit Whole(const StoredArray& x) : file(detail::File::to_read(x.path)) {
        const std::size_t rank = x.shape.size();
        if (rank > kMaxRank) detail::refuse({"x must have at most ", kMaxRank, " axes, got ", rank});
        std::size_t extent = detail::dtype_size(x.dtype);
        const bool empty = std::find(x.shape.begin(), x.shape.end(), std::size_t{0}) != x.shape.end();
        bool fits = true;
        for (const std::size_t n : x.shape) fits = fits && (empty || !__builtin_mul_overflow(extent, n, &extent));
        const std::size_t held = file.size();
        if (!fits || x.offset > held || (!empty && extent > held - x.offset))
            detail::refuse({x.path, " has ", held, " bytes, too few for ", x.dtype, " of shape ", detail::Term::shape(x.shape),
                            " from byte ", x.offset, " on"});
        for (std::size_t axis = rank; axis-- > 0; size *= x.shape[axis]) strides[axis] = static_cast<std::ptrdiff_t>(size);
        if (!empty) bytes = detail::Mapping(file, x.offset, extent);
    }
};

// The blocks of an array in a file, which is mapped: copying it out of the system's memory takes longer than its sums. What
// was measured is given back, so that little of it is in memory at a time.
template <class S>
class StoredElements final : public detail::Elements {
 public:
    StoredElements(const StoredArray& x, const Whole& whole, const SummaryOptions& options, const StoredDetails& details)
        : options_(options),
          places_(x.shape, {whole.strides.data(), x.shape.size()}),
          plan_(options),
          whole_(whole),
          x_(x),
          aligned_(reinterpret_cast<std::uintptr_t>(whole.bytes.data()) % alignof(S) == 0),
          details_(details),
          extremes_(details.deviations > 0 ? places_.blocks() : 0),
          measured_(detail::ceil_div(places_.blocks(), kWindow)) {}
    std::size_t blocks() const override { return places_.blocks(); }
    std::size_t table_size() const override { return plan_.table_size(); }
    Histogram zero() const override { return plan_.zero(); }
    void add(const std::uint32_t* tables, Histogram& histogram) const override { plan_.add(tables, histogram); }
    // Bytes that are no longer there would end the process: the file must still have them, or no microsecond ago.
    void before(std::size_t index, std::size_t n) const override {
        if (whole_.file.size() < x_.offset + begin_of(index + n) * sizeof(S))
            detail::refuse({x_.path, " became shorter while it was read"});
    }
    void after(std::size_t index, std::size_t n, const BlockMoments* parts) const override {
        if (details_.unit != 0) copy_heads(begin_of(index), begin_of(index + n));
        if (!extremes_.empty())
            for (std::size_t i = 0; i < n; ++i) extremes_[index + i] = {parts[i].min, parts[i].max};
        const std::size_t window = index / kWindow, first = window * kWindow;
        const std::size_t last = std::min(first + kWindow, places_.blocks());
        if (measured_[window].fetch_add(n) + n == last - first) give_back(first, last);
    }
    // Blocks [first, last) lie in the file alone until they are read again.
    void give_back(std::size_t first, std::size_t last) const {
        whole_.bytes.give_back(begin_of(first) * sizeof(S), begin_of(last) * sizeof(S));
    }
    // Blocks that hold finite elements outside.
    std::vector<std::size_t> beyond(double low, double high) const {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < extremes_.size(); ++i)
            if (extremes_[i].min < low || extremes_[i].max > high) found.push_back(i);
        return found;
    }
    BlockMoments measure(std::size_t index, std::ptrdiff_t, std::byte* room, std::uint32_t* tables) const override {
        return detail::measure_any<S>(block(index, rooms(room)[0]), rooms(room)[0], {options_, plan_, tables});
    }
    bool measure_pair(std::size_t index, std::byte* room, std::uint32_t* tables, BlockMoments* parts) const override {
        const std::array both{block(index, rooms(room)[0]), block(index + 1, rooms(room)[1])};
        if (both[0].size != both[1].size) return false;
        const auto measured = detail::measure_any<S>(both, rooms(room), {options_, plan_, tables});
        std::copy(measured.begin(), measured.end(), parts);
        return true;
    }

 private:
    // Blocks that are given back together, 32 MB of float32: each time the other processors are interrupted.
    static constexpr std::size_t kWindow = std::size_t{1} << 11;
    using Rooms = detail::BlockRoom<S>[2];
    static Rooms& rooms(std::byte* room) { return *reinterpret_cast<Rooms*>(room); }

    const std::byte* at(std::size_t element) const { return whole_.bytes.data() + element * sizeof(S); }
    std::size_t begin_of(std::size_t index) const { return index < places_.blocks() ? places_.begin(index) : whole_.size; }
    typename detail::SummaryBlocks<S>::Block block(std::size_t index, detail::BlockRoom<S>& room) const {
        const std::size_t begin = begin_of(index), n = begin_of(index + 1) - begin;
        if (aligned_) return {reinterpret_cast<const S*>(at(begin)), n};
        std::memcpy(room.gathered, at(begin), n * sizeof(S));
        return {room.gathered, n};
    }
    // The heads of elements [begin, end): one may begin in these and end in the next.
    void copy_heads(std::size_t begin, std::size_t end) const {
        const std::size_t kept = std::min(details_.kept, details_.unit);
        for (std::size_t unit = begin / details_.unit; unit * details_.unit < end; ++unit) {
            const std::size_t first = unit * details_.unit, from = std::max(first, begin), to = std::min(first + kept, end);
            if (from < to)
                std::memcpy(static_cast<S*>(details_.heads) + unit * details_.kept + (from - first), at(from),
                            (to - from) * sizeof(S));
        }
    }

    const SummaryOptions& options_;
    detail::BlockPlaces places_;
    detail::SlotPlan<detail::Wide<S>> plan_;
    const Whole& whole_;
    const StoredArray& x_;
    bool aligned_;
    const StoredDetails& details_;
    struct Extremes {
        double min, max;
    };
    mutable std::vector<Extremes> extremes_;                  // each written by the task of its block
    mutable std::vector<std::atomic<std::size_t>> measured_;  // blocks of each window
};

// Finite elements outside, in the blocks that have some.
template <class S>
std::uint64_t count_beyond(const StoredElements<S>& x, const StoredElements<S>& again, const SummaryOptions& limits) {
    const std::vector<std::size_t> blocks = x.beyond(limits.saturation_low, limits.saturation_high);
    constexpr std::size_t kTogether = 64;
    std::atomic<std::uint64_t> count = 0;
    fanin::parallel_for(detail::ceil_div(blocks.size(), kTogether), [&](std::size_t task) {
        alignas(detail::kCacheLine) std::byte room[detail::Elements::kRoom];
        const std::size_t begin = task * kTogether, end = std::min(begin + kTogether, blocks.size());
        for (std::size_t i = begin; i < end; ++i) {
            again.before(blocks[i], 1);
            const BlockMoments part = again.measure(blocks[i], 0, room, nullptr);
            count += part.saturated - part.infs;  // infinities are saturated too
        }
        again.give_back(blocks[begin], blocks[end - 1] + 1);
    });
    return count;
}

template <class S>
Summary summary_of_stored(const StoredArray& x, const Whole& whole, const SummaryOptions& options, StoredDetails& details) {
    const StoredElements<S> elements(x, whole, options, details);
    Summary found = detail::summary_of_elements(elements, options);
    if (!(details.deviations > 0)) return found;
    SummaryOptions limits;
    limits.moments_only = true;
    limits.histogram = HistogramKind::none;
    limits.saturation = true;
    limits.saturation_low = found.mean - details.deviations * found.std();
    limits.saturation_high = found.mean + details.deviations * found.std();
    const StoredDetails none;
    details.outliers = count_beyond(elements, StoredElements<S>(x, whole, limits, none), limits);
    return found;
}

}  // namespace

Summary summarize(const StoredArray& x, const SummaryOptions& options, StoredDetails* details) {
    const StandardArithmetic arithmetic;
    validate(options);
    StoredDetails none;
    StoredDetails& extra = details ? *details : none;
    extra.outliers = 0;
    const auto of = x.dtype == "F32"    ? &summary_of_stored<float>
                    : x.dtype == "F64"  ? &summary_of_stored<double>
                    : x.dtype == "BF16" ? &summary_of_stored<BFloat16>
                    : x.dtype == "F16"  ? &summary_of_stored<Float16>
                                        : nullptr;
    if (of == nullptr) detail::refuse({"dtype must be F64, F32, F16 or BF16, got '", x.dtype, "'"});
    return of(x, Whole(x), options, extra);
}

}  // namespace fanin
