// The blocks of a summary (docs/principles.md, "Statistics that merge"): where they lie, and how what was measured of them
// becomes one summary.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "division.hpp"
#include "fanin/stats.hpp"
#include "kernels/stats.hpp"
#include "stats/histogram.hpp"

namespace fanin::detail {

// Merges parts[0 .. n - 1] pairwise, level by level, into parts[0].
void merge_tree(BlockMoments* parts, std::size_t n);

// The summary of all parts, which it merges: blocks in order, or whole subtrees of their tree. None: of nothing.
Summary summary_of(std::vector<BlockMoments>& parts, Histogram histogram, const SummaryOptions& options);

// What one block of n elements contributes; its histogram goes into `tables`.
template <class T>
BlockMoments measure_block(std::size_t n, const T* x, const SummaryOptions& options, const SlotPlan<T>& plan,
                           std::uint32_t* tables);

// How a block is measured, and what its histogram is counted in.
template <class T>
struct Measure {
    const SummaryOptions& options;
    const SlotPlan<T>& plan;
    std::uint32_t* tables;
};

// Adds to the moments of a block what else was asked for: histogram and saturated elements.
template <class T>
void count_block(std::size_t n, const T* x, const Measure<T>& how, BlockMoments& part);

// Two blocks of n elements each, faster than one after the other.
template <class T>
std::array<BlockMoments, 2> measure_pair(std::size_t n, const T* x, const Measure<T>& of_x, const T* y, const Measure<T>& of_y);

// An array as rows of its last axis, and the blocks that they form, whatever its elements are. Axes of one element are
// dropped, leading axes that lie in memory like one are joined.
class BlockPlaces {
 public:
    BlockPlaces(std::span<const std::size_t> shape, std::span<const std::ptrdiff_t> strides);

    // Blocks have kSummaryBlock elements at most: several whole rows, or a piece of one.
    std::size_t blocks() const { return blocks_; }
    std::size_t rows_a_block() const { return rows_a_block_; }
    // The blocks of rows [0, row), row a multiple of rows_a_block() or the end.
    std::size_t blocks_before(std::size_t row) const { return ceil_div(row, rows_a_block_) * blocks_a_row_; }

    // Elements before a block, in C order.
    std::size_t begin(std::size_t index) const {
        const Place at = place(index);
        return at.row * cols_ + at.col;
    }

    // Where a block lies, in rows and columns of the last axis.
    struct Place {
        std::size_t row, rows, col, cols;
    };
    Place place(std::size_t index) const {
        const std::size_t row = blocks_a_row_ > 1 ? index / blocks_a_row_ : index * rows_a_block_;
        const std::size_t col = index % blocks_a_row_ * kSummaryBlock;
        return {row, std::min(rows_a_block_, rows_ - row), col, std::min(cols_ - col, kSummaryBlock)};
    }

 protected:
    // Where a row of the last axis begins.
    std::ptrdiff_t row_offset(std::size_t row) const {
        std::ptrdiff_t offset = 0;
        for (std::size_t axis = axes_; axis-- > 0; row /= size_[axis])
            offset += static_cast<std::ptrdiff_t>(row % size_[axis]) * stride_[axis];
        return offset;
    }

    // The elements of a block of the array at `data`, in `buffer` where they do not lie side by side: of all types of one size.
    // Compiled in stats.cpp.
    template <std::size_t size>
    std::span<const std::byte> bytes_of_block(std::size_t index, const std::byte* data, std::byte* buffer) const;

    std::size_t rows_ = 1, cols_ = 1;
    std::ptrdiff_t col_stride_ = 1;
    std::size_t axes_ = 0;  // leading ones
    std::size_t size_[kMaxRank];
    std::ptrdiff_t stride_[kMaxRank];
    bool flat_ = false;
    std::size_t rows_a_block_ = 1, blocks_a_row_ = 1, blocks_ = 0;
};

template <class T>
class SummaryBlocks : public BlockPlaces {
 public:
    explicit SummaryBlocks(ArrayView<const T> x) : BlockPlaces(x.shape, x.strides), data_(x.data) {}

    struct Block {
        const T* data;
        std::size_t size;
    };
    // The elements of a block, in `buffer` (kSummaryBlock of them) where they do not lie side by side. `offset`: of another
    // array with this one's shape and strides, so many elements further on.
    Block block(std::size_t index, T* buffer, std::ptrdiff_t offset = 0) const {
        const auto found = bytes_of_block<sizeof(T)>(index, reinterpret_cast<const std::byte*>(data_ + offset),
                                                     reinterpret_cast<std::byte*>(buffer));
        return {reinterpret_cast<const T*>(found.data()), found.size() / sizeof(T)};
    }

 private:
    const T* data_;
};

}  // namespace fanin::detail
