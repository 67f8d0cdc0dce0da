// A summary of a matrix that is measured block by block, by whichever thread has the block in its cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "fanin/stats.hpp"
#include "stats/blocks.hpp"
#include "stats/histogram.hpp"

namespace fanin::detail {

// Each block is measured once, by any thread, in any order; result() merges them in the order of summarize(), so that the bits
// are the same. The view must outlive it. One Task a thread at a time: its tables are its own.
template <class T>
class RunningSummary {
 public:
    RunningSummary(MatrixView<const T> x, const SummaryOptions& options)
        : shape_{x.rows, x.cols},
          strides_{x.row_stride, x.col_stride},
          blocks_({x.data, shape_, strides_}),
          options_(options),
          plan_(options),
          parts_(blocks_.blocks()),
          histogram_(plan_.zero()) {}

    const SummaryBlocks<T>& blocks() const { return blocks_; }

    // One thread's counters over some blocks; add() hands them in.
    class Task {
     public:
        explicit Task(RunningSummary& whole) : whole_(whole), tables_(whole.plan_.table_size()) {}
        void measure(std::size_t index) {
            T buffer[kSummaryBlock];
            const auto [data, size] = whole_.blocks_.block(index, buffer);
            whole_.parts_[index] = measure_block(size, data, whole_.options_, whole_.plan_, tables_.data());
        }
        // A block of two arrays at once, each as its task says.
        static void measure_both(Task& x, Task& y, std::size_t index) {
            T buffers[2][kSummaryBlock];
            const auto [of_x, size] = x.whole_.blocks_.block(index, buffers[0]);
            const auto [of_y, same_size] = y.whole_.blocks_.block(index, buffers[1]);
            const auto parts = measure_pair(size, of_x, x.how(), of_y, y.how());
            x.whole_.parts_[index] = parts[0];
            y.whole_.parts_[index] = parts[1];
        }
        void add() {
            if (tables_.empty()) return;
            const std::lock_guard guard(whole_.lock_);
            whole_.plan_.add(tables_.data(), whole_.histogram_);
        }

     private:
        Measure<T> how() { return {whole_.options_, whole_.plan_, tables_.data()}; }

        RunningSummary& whole_;
        std::vector<std::uint32_t> tables_;
    };

    // Once every block has been measured.
    Summary result() { return summary_of(parts_, std::move(histogram_), options_); }

 private:
    std::array<std::size_t, 2> shape_;
    std::array<std::ptrdiff_t, 2> strides_;
    SummaryBlocks<T> blocks_;
    SummaryOptions options_;
    SlotPlan<T> plan_;
    std::vector<BlockMoments> parts_;
    Histogram histogram_;
    std::mutex lock_;  // of the histogram; integers add up to the same in any order
};

}  // namespace fanin::detail
