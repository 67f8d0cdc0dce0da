// How a draw is divided among threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "division.hpp"
#include "fanin/threads.hpp"

namespace fanin::detail {

// Elements a task draws: some 50 us, so that threads pay and an interrupt is seen soon.
inline constexpr std::size_t kTaskElements = std::size_t{1} << 16;

// fill(begin, count) for consecutive ranges that cover [0, n).
template <class Fill>
void in_tasks(std::size_t n, Fill&& fill) {
    const std::size_t tasks = ceil_div(n, kTaskElements);
    fanin::parallel_for(tasks, [&](std::size_t task) {
        const std::size_t begin = task * kTaskElements;
        fill(begin, std::min(kTaskElements, n - begin));
    });
}

}  // namespace fanin::detail
