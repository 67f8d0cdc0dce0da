// Moments of a block: two sweeps over it while it stays in the first-level cache.
//
// Both sweeps exist with and without a mask of the finite elements. The plain one runs first: its sum tells whether the
// mask is needed, since one NaN or infinity makes it NaN or infinite. Where all elements are finite both give the same
// bits, because a masked element adds +0 and no accumulator is ever -0.

namespace fanin::FANIN_ISA {
namespace {

// ------------------------------------------------------------------------------------------------ first sweep

// What the first sweep learns of a block.
template <class T>
struct FirstSweep {
    double sum = 0;
    T low = Limits<T>::infinity, high = -Limits<T>::infinity;  // signs of zero not settled yet
    T least = Limits<T>::infinity;                             // magnitude
    std::uint64_t nans = 0, infs = 0;                          // counted under the mask only
};

// Sum, extremes and least magnitude of each block of n elements; element i goes to accumulator i mod 8. masked: what is not
// finite is counted and left out of the rest. Of several blocks of the same size side by side, so that their chains of
// additions overlap. Narrow elements are left in `wide`.
template <class S, bool masked, std::size_t blocks>
FANIN_INLINE void first_sweep(std::size_t n, const S* const (&x)[blocks], Wider<S>* const (&wide)[blocks],
                              FirstSweep<Wider<S>> (&result)[blocks]) {
    using T = Wider<S>;
    using V = Vec<T>;
    using Mask = typename Simd<T>::Int;
    constexpr std::size_t kStep = kLanes<T> > kAccumulators ? kLanes<T> : kAccumulators;
    const V infinity = splat(Limits<T>::infinity);
    const VecD wide_infinity = splat(Limits<double>::infinity);
    struct Lanes {
        Octet sum;
        V low, high, least;
        Mask nans, infs;
    } lanes[blocks];
    // Extremes start from the other end, so that an empty mask leaves them there.
    for (Lanes& s : lanes) {
        s = Lanes{};
        s.low = s.least = infinity;
        s.high = -infinity;
    }
    std::size_t j = 0;
    for (; j + kStep <= n; j += kStep) {
#pragma GCC unroll 2
        for (std::size_t b = 0; b < blocks; ++b) {
            Lanes& s = lanes[b];
            for (std::size_t k = 0; k < kStep; k += kLanes<T>) {
                const V v = load_lanes(x[b] + j + k);
                if constexpr (Element<S>::narrow) store<T>(wide[b] + j + k, v);
                V v_low = v, v_high = v;
                if constexpr (masked) {
                    const Mask in = abs(v) < infinity;
                    v_low = in ? v : infinity;
                    v_high = in ? v : -infinity;
                    s.nans -= v != v;
                    s.infs -= abs(v) == infinity;
                }
                s.low = v_low < s.low ? v_low : s.low;
                s.high = v_high > s.high ? v_high : s.high;
                s.least = abs(v) < s.least ? abs(v) : s.least;
            }
            // Extremes are taken in T above, sums in double here: the loads hit the first-level cache twice.
            for (std::size_t k = 0; k < kStep; k += kAccumulators)
                for (std::size_t p = 0; p < kParts; ++p) {
                    VecD v;
                    if constexpr (Element<S>::narrow) v = load_wide(wide[b] + j + k + p * kLanes<double>);
                    else v = load_wide(x[b] + j + k + p * kLanes<double>);
                    if constexpr (masked) v = abs(v) < wide_infinity ? v : VecD{};
                    s.sum.part[p] += v;
                }
        }
    }
    // The lanes of each block together, and the elements that filled no step, to the accumulators whose turn it is.
    for (std::size_t b = 0; b < blocks; ++b) {
        const Lanes& s = lanes[b];
        FirstSweep<T>& r = result[b];
        r = {};
        for (std::size_t i = 0; i < kLanes<T>; ++i) {
            r.low = s.low[i] < r.low ? s.low[i] : r.low;
            r.high = s.high[i] > r.high ? s.high[i] : r.high;
            r.least = s.least[i] < r.least ? s.least[i] : r.least;
        }
        r.nans = lane_sum(s.nans);
        r.infs = lane_sum(s.infs);
        double accumulators[kAccumulators];
        spread(s.sum, accumulators);
        for (std::size_t i = j; i < n; ++i) {
            const T v = load_one(x[b] + i);
            if constexpr (Element<S>::narrow) wide[b][i] = v;
            if (masked && !finite(v)) {
                v != v ? ++r.nans : ++r.infs;
                continue;
            }
            r.low = v < r.low ? v : r.low;
            r.high = v > r.high ? v : r.high;
            const T magnitude = v < 0 ? -v : v;
            r.least = magnitude < r.least ? magnitude : r.least;
            accumulators[i % kAccumulators] += static_cast<double>(v);
        }
        r.sum = total(accumulators);
    }
}

// The first sweep of a block that holds what is not finite.
template <class T>
[[gnu::noinline]] void masked_sweep(std::size_t n, const T* const (&x)[1], FirstSweep<T> (&result)[1]) {
    first_sweep<T, true, 1>(n, x, {nullptr}, result);
}

// Zeros and subnormals.
template <class T>
FANIN_INLINE void count_small(std::size_t n, const T* x, T least_normal, std::uint64_t& zeros, std::uint64_t& subnormals) {
    using Mask = typename Simd<T>::Int;
    const Vec<T> smallest_normal = splat(least_normal);
    Mask zero{}, small{};
    std::size_t j = 0;
    for (; j + kLanes<T> <= n; j += kLanes<T>) {
        const Vec<T> v = load<T>(x + j);
        zero -= v == Vec<T>{};
        small -= abs(v) < smallest_normal;
    }
    zeros = lane_sum(zero);
    std::uint64_t all = lane_sum(small);
    for (; j < n; ++j) {
        zeros += x[j] == 0;
        all += x[j] < least_normal && x[j] > -least_normal;
    }
    subnormals = all - zeros;
}

// The same of 16-bit elements, from their bits: a block has so few that no 16-bit count overflows. any_zero: whether there may
// be zeros to count.
template <class S, bool any_zero>
FANIN_INLINE void count_small_narrow(std::size_t n, const S* x, std::uint64_t& zeros, std::uint64_t& subnormals) {
    constexpr std::size_t lanes = FANIN_VECTOR_BYTES / sizeof(S);
    constexpr std::int16_t kNormal = Element<S>::smallest_normal > Limits<float>::smallest_normal ? 0x400 : 0x80;
    VecI16 zero{}, small{};
    std::size_t j = 0;
    for (; j + lanes <= n; j += lanes) {
        VecI16 v;
        __builtin_memcpy(&v, x + j, sizeof v);
        const VecI16 magnitude = v & 0x7fff;
        if constexpr (any_zero) zero -= magnitude == 0;
        small -= magnitude < kNormal;
    }
    auto sum = [](VecI16 counts) {
        const VecU32 pairs = bit_cast<VecU32>(counts);
        return lane_sum((pairs & 0xffffu) + (pairs >> 16));
    };
    zeros = sum(zero);
    std::uint64_t all = sum(small);
    for (; j < n; ++j) {
        zeros += (x[j].bits & 0x7fffu) == 0;
        all += (x[j].bits & 0x7fffu) < kNormal;
    }
    subnormals = all - zeros;
}

// Whether a zero of that sign is among the elements.
template <class T>
FANIN_INLINE bool holds_zero(std::size_t n, const T* x, bool negative) {
    using Bits = typename Simd<T>::Bits;
    const Bits wanted = bits(splat(negative ? -T(0) : T(0)));
    Bits found{};
    std::size_t j = 0;
    for (; j + kLanes<T> <= n; j += kLanes<T>) found |= bit_cast<Bits>(bits(load<T>(x + j)) == wanted);
    bool any = lane_sum(found) != 0;
    for (; j < n; ++j) any |= x[j] == 0 && static_cast<bool>(__builtin_signbit(x[j])) == negative;
    return any;
}

// ------------------------------------------------------------------------------------------------ second sweep

// Sums of d, d^2, d^3 and d^4 over the finite elements of a block; the last two are 0 where they were not asked for.
struct PowerSums {
    double s1, s2, s3, s4;
};

// What follows the blocks in memory, in elements of so many bytes.
template <std::size_t blocks>
struct Ahead {
    const char* of[blocks];
    std::size_t bytes;
};

// Sums of d, d^2, d^3 = d^2 d, d^4 = d^2 d^2, d = x - mean; of several blocks side by side. The elements that follow the
// blocks are asked for meanwhile, since they are mostly measured next. One function for all that are measured as T.
template <class T, bool masked, bool whole, std::size_t blocks>
[[gnu::noinline]] void second_sweep(std::size_t n, const T* const (&x)[blocks], const Ahead<blocks>& ahead,
                                    const double (&mean)[blocks], PowerSums (&result)[blocks]) {
    const VecD infinity = splat(Limits<double>::infinity);
    struct Lanes {
        Octet s1, s2, s3, s4;
        VecD mean;
    } lanes[blocks];
    for (std::size_t b = 0; b < blocks; ++b) {
        lanes[b] = Lanes{};
        lanes[b].mean = splat(mean[b]);
    }
    std::size_t j = 0;
    for (; j + kAccumulators <= n; j += kAccumulators) {
#pragma GCC unroll 2
        for (std::size_t b = 0; b < blocks; ++b) __builtin_prefetch(ahead.of[b] + ahead.bytes * j);
#pragma GCC unroll 2
        for (std::size_t b = 0; b < blocks; ++b)
            for (std::size_t p = 0; p < kParts; ++p) {
                Lanes& s = lanes[b];
                const VecD v = load_wide(x[b] + j + p * kLanes<double>);
                VecD d = v - s.mean;
                if constexpr (masked) d = abs(v) < infinity ? d : VecD{};
                const VecD d2 = d * d;
                s.s1.part[p] = add_beside(s.s1.part[p], d);
                s.s2.part[p] += d2;
                if constexpr (whole) {
                    s.s3.part[p] = add_beside(s.s3.part[p], d2 * d);
                    s.s4.part[p] += d2 * d2;
                }
            }
    }
    for (std::size_t b = 0; b < blocks; ++b) {
        double a1[kAccumulators], a2[kAccumulators], a3[kAccumulators], a4[kAccumulators];
        spread(lanes[b].s1, a1);
        spread(lanes[b].s2, a2);
        spread(lanes[b].s3, a3);
        spread(lanes[b].s4, a4);
        for (std::size_t i = j; i < n; ++i) {
            if (masked && !finite(x[b][i])) continue;
            const std::size_t k = i % kAccumulators;
            const double d = static_cast<double>(x[b][i]) - mean[b], d2 = d * d;
            a1[k] += d;
            a2[k] += d2;
            if (whole) {
                a3[k] += d2 * d;
                a4[k] += d2 * d2;
            }
        }
        result[b] = {total(a1), total(a2), total(a3), total(a4)};
    }
}

// second_sweep with `whole`, whether d^3 and d^4 are wanted, as a run-time number.
template <class T, bool masked, std::size_t blocks>
FANIN_INLINE void second_sweep(std::size_t n, const T* const (&x)[blocks], const Ahead<blocks>& ahead,
                               const double (&mean)[blocks], bool whole, PowerSums (&result)[blocks]) {
    whole ? second_sweep<T, masked, true>(n, x, ahead, mean, result)
          : second_sweep<T, masked, false>(n, x, ahead, mean, result);
}

// What the first sweep says of a block of S, `own`, now in T.
template <class S, class T>
[[gnu::noinline]] BlockMoments counted(std::size_t n, const S* own, const T* x, FirstSweep<T> first) {
    if (first.low == 0) first.low = holds_zero(n, x, true) ? -T(0) : T(0);
    if (first.high == 0) first.high = holds_zero(n, x, false) ? T(0) : -T(0);
    const auto low = static_cast<double>(first.low), high = static_cast<double>(first.high);
    const double mean = low == high ? low + 0.0 : 0;  // never -0
    std::uint64_t zeros = 0, subnormals = 0;
    constexpr T least_normal = Element<S>::smallest_normal;
    if (first.least < least_normal) {
        if constexpr (!Element<S>::narrow) count_small(n, x, least_normal, zeros, subnormals);
        else if (first.least == 0) count_small_narrow<S, true>(n, own, zeros, subnormals);
        else count_small_narrow<S, false>(n, own, zeros, subnormals);
    }
    return {n, first.nans, first.infs, zeros, subnormals, mean, 0, 0, 0, low, high, 0};
}

// Adds what the second sweep says of `count` finite elements. Powers of d - delta, delta the mean of d: what the rounding of
// `mean` left.
FANIN_INLINE void centre(BlockMoments& b, double mean, const PowerSums& s, double count, bool whole) {
    const double delta = s.s1 / count, drift = s.s1 * delta;
    b.mean = mean + delta;
    b.m2 = s.s2 - drift;
    if (b.m2 < 0) b.m2 = 0;
    if (!whole) return;
    b.m3 = s.s3 - delta * (3 * s.s2 - 2 * drift);
    b.m4 = s.s4 - delta * (4 * s.s3 - delta * (6 * s.s2 - 3 * drift));
    if (b.m4 < 0) b.m4 = 0;
}

// The moments of one block of n >= 1 elements. A constant block ends after the first sweep: its moments are exactly 0.
// Narrow elements are in `wide` then.
template <class S>
FANIN_INLINE void measure(std::size_t n, const S* x, Wider<S>* wide, bool whole, BlockMoments* out) {
    using T = Wider<S>;
    FirstSweep<T> first[1];
    first_sweep<S, false, 1>(n, {x}, {wide}, first);
    const T* in[1];
    if constexpr (Element<S>::narrow) in[0] = wide;
    else in[0] = x;
    const bool all_finite = finite(first[0].sum);
    if (!all_finite) masked_sweep(n, in, first);
    *out = counted<S>(n, x, in[0], first[0]);
    const auto count = static_cast<double>(n - first[0].nans - first[0].infs);
    // Nothing finite, or a constant: `counted` has said all of it.
    if (count == 0 || first[0].low == first[0].high) return;
    const double mean[] = {first[0].sum / count};
    const Ahead<1> ahead{{reinterpret_cast<const char*>(x + n)}, sizeof(S)};
    PowerSums sums[1];
    all_finite ? second_sweep<T, false>(n, in, ahead, mean, whole, sums)
               : second_sweep<T, true>(n, in, ahead, mean, whole, sums);
    centre(*out, mean[0], sums[0], count, whole);
}

// Of two blocks side by side, in the bits of each alone, where neither needs a mask and neither is constant; otherwise false,
// and each must go alone.
template <class S>
FANIN_INLINE bool measure_both(std::size_t n, const S* const (&x)[2], Wider<S>* const (&wide)[2], bool whole,
                               BlockMoments* out) {
    using T = Wider<S>;
    FirstSweep<T> first[2];
    first_sweep<S, false>(n, x, wide, first);
    for (const FirstSweep<T>& f : first)
        if (!finite(f.sum) || f.low == f.high) return false;
    const T* in[2];
    double mean[2];
    const auto count = static_cast<double>(n);
    for (std::size_t b = 0; b < 2; ++b) {
        if constexpr (Element<S>::narrow) in[b] = wide[b];
        else in[b] = x[b];
        out[b] = counted<S>(n, x[b], in[b], first[b]);
        mean[b] = first[b].sum / count;
    }
    const Ahead<2> ahead{{reinterpret_cast<const char*>(x[0] + 2 * n), reinterpret_cast<const char*>(x[1] + 2 * n)}, sizeof(S)};
    PowerSums sums[2];
    second_sweep<T, false>(n, in, ahead, mean, whole, sums);
    for (std::size_t b = 0; b < 2; ++b) centre(out[b], mean[b], sums[b], count, whole);
    return true;
}

// StatsKernels::block and pair, and NarrowStatsKernels'; stats/stats.cpp calls them.
template <class T>
void stats_block(std::size_t n, const T* x, bool whole, BlockMoments* out) {
    measure<T>(n, x, nullptr, whole, out);
}

// Two neighbouring blocks of n elements, out[0] and out[1].
template <class T>
void stats_pair(std::size_t n, const T* x, const T* y, bool whole, BlockMoments* out) {
    if (measure_both<T>(n, {x, y}, {nullptr, nullptr}, whole, out)) return;
    stats_block(n, x, whole, out);
    stats_block(n, y, whole, out + 1);
}

template <class S>
void stats_narrow_block(std::size_t n, const S* x, float* wide, bool whole, BlockMoments* out) {
    measure<S>(n, x, wide, whole, out);
}

template <class S>
void stats_narrow_pair(std::size_t n, const S* x, float* wide_x, const S* y, float* wide_y, bool whole, BlockMoments* out) {
    if (measure_both<S>(n, {x, y}, {wide_x, wide_y}, whole, out)) return;
    stats_narrow_block(n, x, wide_x, whole, out);
    stats_narrow_block(n, y, wide_y, whole, out + 1);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
