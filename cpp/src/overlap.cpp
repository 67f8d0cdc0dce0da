#include "overlap.hpp"

#include <algorithm>
#include <numeric>

#include "division.hpp"
#include "message.hpp"

namespace fanin::detail {
namespace {

// A sum of multiples of steps near a target: sum of i_k * step_k in [target - slack, target + slack], 0 <= i_k <= most_k.
struct Search {
    struct Term {
        std::intptr_t step, most;
    };
    std::array<Term, 2 * kMaxRank> terms;                        // the largest step first, no two alike
    std::array<std::intptr_t, 2 * kMaxRank + 1> reach, divisor;  // of the terms from k on: the largest sum; what divides all
    std::size_t count = 0;
    std::intptr_t slack;
    // Steps left. Views of one array need some 3 for each axis; NumPy's shares_memory, which solves the same problem, was
    // called with max_work=10000 here before.
    int work = 10000;

    // Whether there is such a sum of the terms from `k` on; true where the work is used up.
    bool found(std::size_t k, std::intptr_t target) {
        if (target < -slack || target - slack > reach[k]) return false;
        if (k == count) return true;
        const std::intptr_t apart = (target % divisor[k] + divisor[k]) % divisor[k];
        if (apart > slack && divisor[k] - apart > slack) return false;  // every sum is a multiple of the divisor
        if (--work < 0) return true;
        const auto [step, most] = terms[k];
        const std::intptr_t least = target - slack - reach[k + 1];  // what this term must bring at least
        const std::intptr_t first = least <= 0 ? 0 : ceil_div(least, step);
        const std::intptr_t last = std::min(most, (target + slack) / step);
        for (std::intptr_t i = first; i <= last; ++i)
            if (found(k + 1, target - i * step)) return true;
        return false;
    }
};

}  // namespace

Extent::Extent(const void* data, std::size_t element, const std::size_t* shape, const std::ptrdiff_t* strides, std::size_t n)
    : low(reinterpret_cast<std::intptr_t>(data)), high(low), size(static_cast<std::intptr_t>(element)) {
    for (std::size_t i = 0; i < n; ++i)
        if (shape[i] == 0) return;
    for (std::size_t i = 0; i < n; ++i) {
        if (shape[i] == 1) continue;
        const std::intptr_t step = strides[i] * size, span = step * static_cast<std::intptr_t>(shape[i] - 1);
        (step < 0 ? low : high) += span;
        Axis axis{step < 0 ? -step : step, shape[i]};
        std::size_t at = rank++;
        for (; at > 0 && axes[at - 1].step < axis.step; --at) axes[at] = axes[at - 1];
        axes[at] = axis;
    }
    high += size;
}

bool may_overlap(const Extent& a, const Extent& b) {
    if (a.low == a.high || b.low == b.high || a.low >= b.high || b.low >= a.high) return false;
    // Elements meet where (a.low + sum of i step) - (b.low + sum of j step) lies between -a.size and b.size. With j counted
    // from its far end all terms are positive; equal steps, the rule for views of one array, become one term.
    Search search;
    std::intptr_t target = b.low - a.low;
    for (std::size_t i = 0, j = 0; i < a.rank || j < b.rank;) {
        const bool from_a = j == b.rank || (i < a.rank && a.axes[i].step >= b.axes[j].step);
        const Extent::Axis axis = from_a ? a.axes[i++] : b.axes[j++];
        if (axis.step == 0) continue;  // stays in place
        const auto most = static_cast<std::intptr_t>(axis.count - 1);
        if (!from_a) target += most * axis.step;
        if (search.count > 0 && search.terms[search.count - 1].step == axis.step) search.terms[search.count - 1].most += most;
        else search.terms[search.count++] = {axis.step, most};
    }
    search.reach[search.count] = search.divisor[search.count] = 0;
    for (std::size_t k = search.count; k-- > 0;) {
        search.reach[k] = search.reach[k + 1] + search.terms[k].step * search.terms[k].most;
        search.divisor[k] = std::gcd(search.divisor[k + 1], search.terms[k].step);
    }
    // Elements of different sizes would have a window that is not symmetric: the larger size answers for both, and an
    // element of a larger type that ends where another begins may count as sharing.
    search.slack = std::max(a.size, b.size) - 1;
    return search.found(0, target);
}

void require_distinct(const Extent& out, const char* name) {
    if (out.low == out.high) return;
    std::intptr_t reach = 0;  // from the first byte of an element to the last that the axes so far bring it to
    for (std::size_t k = out.rank; k-- > 0;) {
        const auto [step, count] = out.axes[k];
        if (step <= reach)
            refuse(
                {name, " must have a place for each element, got ", (step == 0 ? "a zero stride" : "elements that overlap")});
        reach += step * static_cast<std::intptr_t>(count - 1);
    }
}

void require_same_or_disjoint(const Extent& out, const char* out_name, bool same, const Extent& in, const char* in_name) {
    require_distinct(out, out_name);
    if (!same && may_overlap(out, in))
        refuse({out_name, " must be ", in_name, " itself or share no memory with it, got an overlapping view"});
}

}  // namespace fanin::detail
