// From SummaryOptions to counted slots to a Histogram (stats/stats.cpp, kernels/stats.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "fanin/stats.hpp"
#include "kernels/stats.hpp"

namespace fanin::detail {

// The edges of a linear histogram; see Histogram::edges().
std::vector<double> linear_edges(std::size_t bins, double low, double high);

// What the kernel of a histogram over elements of type T needs: made once a call, shared by the threads.
template <class T>
class SlotPlan {
 public:
    // Costs a few operations a bin for a linear histogram, nothing otherwise. The options are valid.
    explicit SlotPlan(const SummaryOptions& options);
    SlotPlan(const SlotPlan&) = delete;
    SlotPlan& operator=(const SlotPlan&) = delete;

    // Counters that a task hands to count(): kSlotTables tables, 0 where there is no histogram.
    std::size_t table_size() const { return kSlotTables * stride_; }
    // Counts a block's elements into a task's tables; `all_finite` saves the test.
    void count(std::size_t n, const T* x, bool all_finite, std::uint32_t* tables) const;

    // Adds a task's tables to the histogram, which is zero() at first.
    Histogram zero() const;
    void add(const std::uint32_t* tables, Histogram& histogram) const;

 private:
    SummaryOptions options_;
    std::size_t stride_ = 0;
    std::vector<double> bounds_;
    LinearSlots linear_{};
};

}  // namespace fanin::detail
