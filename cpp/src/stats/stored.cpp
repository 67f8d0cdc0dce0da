// Summaries of arrays that lie in files.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
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

    explicit Whole(const StoredArray& x) : file(detail::File::to_read(x.path)) {
        const std::size_t rank = x.shape.size();
        if (rank > kMaxRank) detail::refuse({"x must have at most ", kMaxRank, " axes, got ", rank});
        std::size_t bytes = detail::dtype_size(x.dtype);
        const bool empty = std::find(x.shape.begin(), x.shape.end(), std::size_t{0}) != x.shape.end();
        bool fits = true;
        for (const std::size_t n : x.shape) fits = fits && (empty || !__builtin_mul_overflow(bytes, n, &bytes));
        const std::size_t held = file.size();
        if (!fits || x.offset > held || (!empty && bytes > held - x.offset))
            detail::refuse({x.path, " has ", held, " bytes, too few for ", x.dtype, " of shape ", detail::Term::shape(x.shape),
                            " from byte ", x.offset, " on"});
        for (std::size_t axis = rank; axis-- > 0; size *= x.shape[axis]) strides[axis] = static_cast<std::ptrdiff_t>(size);
    }
};

// The blocks of an array in a file: read kNear at a time into the room of their task. That is 256 KiB of float32: it is
// measured while it lies in the second cache, at half of the time of pieces of 4 MiB.
template <class S>
class StoredElements final : public detail::Elements {
 public:
    StoredElements(const StoredArray& x, const Whole& whole, const SummaryOptions& options, const StoredDetails& details)
        : options_(options),
          places_(x.shape, {whole.strides.data(), x.shape.size()}),
          plan_(options),
          file_(whole.file),
          path_(x.path),
          offset_(x.offset),
          size_(whole.size),
          details_(details),
          extremes_(details.deviations > 0 ? places_.blocks() : 0) {}
    std::size_t blocks() const override { return places_.blocks(); }
    std::size_t table_size() const override { return plan_.table_size(); }
    Histogram zero() const override { return plan_.zero(); }
    void add(const std::uint32_t* tables, Histogram& histogram) const override { plan_.add(tables, histogram); }
    std::size_t more_room() const override { return sizeof(Piece); }
    void bring(std::size_t index, std::size_t n, std::byte* room) const override {
        Piece& piece = *reinterpret_cast<Piece*>(room + kRoom);
        piece.begin = places_.begin(index);
        const std::size_t end = begin_of(index + n), bytes = (end - piece.begin) * sizeof(S);
        if (file_.read_at(offset_ + piece.begin * sizeof(S), piece.elements, bytes) != bytes)
            detail::refuse({path_, " became shorter while it was read"});
        if (details_.unit != 0) copy_heads(piece, end);
    }
    void measured(std::size_t index, std::size_t n, const BlockMoments* parts) const override {
        if (extremes_.empty()) return;
        for (std::size_t i = 0; i < n; ++i) extremes_[index + i] = {parts[i].min, parts[i].max};
    }
    // Blocks that hold finite elements outside.
    std::vector<std::size_t> beyond(double low, double high) const {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < extremes_.size(); ++i)
            if (extremes_[i].min < low || extremes_[i].max > high) found.push_back(i);
        return found;
    }
    BlockMoments measure(std::size_t index, std::ptrdiff_t, std::byte* room, std::uint32_t* tables) const override {
        return detail::measure_any<S>(block(index, room), rooms(room)[0], {options_, plan_, tables});
    }
    bool measure_pair(std::size_t index, std::byte* room, std::uint32_t* tables, BlockMoments* parts) const override {
        const std::array both{block(index, room), block(index + 1, room)};
        if (both[0].size != both[1].size) return false;
        const auto measured = detail::measure_any<S>(both, rooms(room), {options_, plan_, tables});
        std::copy(measured.begin(), measured.end(), parts);
        return true;
    }

 private:
    struct Piece {
        std::size_t begin;
        alignas(detail::kCacheLine) S elements[kNear * kSummaryBlock];
    };
    using Rooms = detail::BlockRoom<S>[2];
    static Rooms& rooms(std::byte* room) { return *reinterpret_cast<Rooms*>(room); }

    std::size_t begin_of(std::size_t index) const { return index < places_.blocks() ? places_.begin(index) : size_; }
    typename detail::SummaryBlocks<S>::Block block(std::size_t index, std::byte* room) const {
        const Piece& piece = *reinterpret_cast<const Piece*>(room + kRoom);
        return {piece.elements + (places_.begin(index) - piece.begin), begin_of(index + 1) - places_.begin(index)};
    }
    // A head may begin in one piece and end in the next.
    void copy_heads(const Piece& piece, std::size_t end) const {
        const std::size_t kept = std::min(details_.kept, details_.unit);
        for (std::size_t unit = piece.begin / details_.unit; unit * details_.unit < end; ++unit) {
            const std::size_t first = unit * details_.unit, from = std::max(first, piece.begin),
                              to = std::min(first + kept, end);
            if (from < to)
                std::copy_n(piece.elements + (from - piece.begin), to - from,
                            static_cast<S*>(details_.heads) + unit * details_.kept + (from - first));
        }
    }

    const SummaryOptions& options_;
    detail::BlockPlaces places_;
    detail::SlotPlan<detail::Wide<S>> plan_;
    const detail::File& file_;
    const std::string& path_;
    std::uint64_t offset_;
    std::size_t size_;
    const StoredDetails& details_;
    struct Extremes {
        double min, max;
    };
    mutable std::vector<Extremes> extremes_;  // each written by the task of its block
};

// Finite elements outside, in the blocks that have some.
template <class S>
std::uint64_t count_beyond(const StoredElements<S>& x, const StoredElements<S>& again, const SummaryOptions& limits) {
    const std::vector<std::size_t> blocks = x.beyond(limits.saturation_low, limits.saturation_high);
    std::atomic<std::uint64_t> count = 0;
    fanin::parallel_for(detail::ceil_div(blocks.size(), detail::Elements::kNear), [&](std::size_t task) {
        const auto room = detail::line_room(detail::Elements::kRoom + again.more_room());
        const std::size_t begin = task * detail::Elements::kNear,
                          end = std::min(begin + detail::Elements::kNear, blocks.size());
        for (std::size_t i = begin; i < end; ++i) {
            again.bring(blocks[i], 1, room[0].bytes);
            const BlockMoments part = again.measure(blocks[i], 0, room[0].bytes, nullptr);
            count += part.saturated - part.infs;  // infinities are saturated too
        }
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
