// Kernels of `stats`: two sweeps over a block that stays in the first-level cache, and the two histograms.
//
// Both sweeps exist with and without a mask of the finite elements. The plain one runs first: its sum tells whether the
// mask is needed, since one NaN or infinity makes it NaN or infinite. Where all elements are finite both give the same
// bits, because a masked element adds +0 and no accumulator is ever -0.

namespace fanin::FANIN_ISA {
namespace {

constexpr std::size_t kAccumulators = 8;
constexpr std::size_t kParts = kAccumulators / kLanes<double>;

template <class T>
struct Limits;
template <>
struct Limits<float> {
    static constexpr float infinity = __builtin_inff(), smallest_normal = 0x1p-126f;
};
template <>
struct Limits<double> {
    static constexpr double infinity = __builtin_inf(), smallest_normal = 0x1p-1022;
};

// Eight consecutive elements in double: one, two or four vectors. Lane i of the whole is accumulator i.
struct Octet {
    VecD part[kParts];
};

FANIN_INLINE void spread(const Octet& o, double* accumulators) {
    for (std::size_t p = 0; p < kParts; ++p) store<double>(accumulators + p * kLanes<double>, o.part[p]);
}
FANIN_INLINE double total(const double* a) { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); }

template <class I>
FANIN_INLINE std::uint64_t lane_sum(I v) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < sizeof(I) / sizeof(v[0]); ++i) sum += static_cast<std::uint64_t>(v[i]);
    return sum;
}

template <class T>
FANIN_INLINE bool finite(T x) {
    return x - x == 0;
}

// ------------------------------------------------------------------------------------------------ first sweep

template <class T>
struct FirstSweep {
    double sum = 0;
    T low = Limits<T>::infinity, high = -Limits<T>::infinity;  // signs of zero not settled yet
    std::uint64_t zeros = 0, tiny = 0;                         // tiny: zeros and subnormals
    std::uint64_t nans = 0, infs = 0;                          // counted under the mask only
};

template <class T, bool masked>
FANIN_INLINE FirstSweep<T> first_sweep(std::size_t n, const T* x) {
    using V = Vec<T>;
    using Mask = typename Simd<T>::Int;
    constexpr std::size_t kStep = kLanes<T> > kAccumulators ? kLanes<T> : kAccumulators;
    const V infinity = splat(Limits<T>::infinity), smallest_normal = splat(Limits<T>::smallest_normal);
    const VecD wide_infinity = splat(Limits<double>::infinity);
    Octet sum{};
    V low = infinity, high = -infinity;
    Mask zeros{}, tiny{}, nans{}, infs{};
    std::size_t j = 0;
    for (; j + kStep <= n; j += kStep) {
        for (std::size_t k = 0; k < kStep; k += kLanes<T>) {
            const V v = load<T>(x + j + k);
            V v_low = v, v_high = v;
            if constexpr (masked) {
                const Mask in = abs(v) < infinity;
                v_low = in ? v : infinity;
                v_high = in ? v : -infinity;
                nans -= v != v;
                infs -= abs(v) == infinity;
            }
            low = v_low < low ? v_low : low;
            high = v_high > high ? v_high : high;
            zeros -= v == V{};
            tiny -= abs(v) < smallest_normal;
        }
        for (std::size_t k = 0; k < kStep; k += kAccumulators)
            for (std::size_t p = 0; p < kParts; ++p) {
                VecD v = load_wide(x + j + k + p * kLanes<double>);
                if constexpr (masked) v = abs(v) < wide_infinity ? v : VecD{};
                sum.part[p] += v;
            }
    }
    FirstSweep<T> r;
    for (std::size_t i = 0; i < kLanes<T>; ++i) {
        r.low = low[i] < r.low ? low[i] : r.low;
        r.high = high[i] > r.high ? high[i] : r.high;
    }
    r.zeros = lane_sum(zeros);
    r.tiny = lane_sum(tiny);
    r.nans = lane_sum(nans);
    r.infs = lane_sum(infs);
    double accumulators[kAccumulators];
    spread(sum, accumulators);
    for (; j < n; ++j) {
        const T v = x[j];
        if (masked && !finite(v)) {
            v != v ? ++r.nans : ++r.infs;
            continue;
        }
        r.low = v < r.low ? v : r.low;
        r.high = v > r.high ? v : r.high;
        r.zeros += v == 0;
        r.tiny += v < Limits<T>::smallest_normal && v > -Limits<T>::smallest_normal;
        accumulators[j % kAccumulators] += static_cast<double>(v);
    }
    r.sum = total(accumulators);
    return r;
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

struct PowerSums {
    double s1, s2, s3, s4;
};

// Sums of d, d^2, d^3 = d^2 d, d^4 = d^2 d^2, d = x - mean.
template <class T, bool masked, bool whole>
FANIN_INLINE PowerSums second_sweep(std::size_t n, const T* x, double mean) {
    const VecD means = splat(mean), infinity = splat(Limits<double>::infinity);
    Octet s1{}, s2{}, s3{}, s4{};
    std::size_t j = 0;
    for (; j + kAccumulators <= n; j += kAccumulators)
        for (std::size_t p = 0; p < kParts; ++p) {
            const VecD v = load_wide(x + j + p * kLanes<double>);
            VecD d = v - means;
            if constexpr (masked) d = abs(v) < infinity ? d : VecD{};
            const VecD d2 = d * d;
            s1.part[p] += d;
            s2.part[p] += d2;
            if constexpr (whole) {
                s3.part[p] += d2 * d;
                s4.part[p] += d2 * d2;
            }
        }
    double a1[kAccumulators], a2[kAccumulators], a3[kAccumulators], a4[kAccumulators];
    spread(s1, a1);
    spread(s2, a2);
    spread(s3, a3);
    spread(s4, a4);
    for (; j < n; ++j) {
        if (masked && !finite(x[j])) continue;
        const std::size_t k = j % kAccumulators;
        const double d = static_cast<double>(x[j]) - mean, d2 = d * d;
        a1[k] += d;
        a2[k] += d2;
        if (whole) {
            a3[k] += d2 * d;
            a4[k] += d2 * d2;
        }
    }
    return {total(a1), total(a2), total(a3), total(a4)};
}

template <class T, bool masked>
FANIN_INLINE PowerSums second_sweep(std::size_t n, const T* x, double mean, bool whole) {
    return whole ? second_sweep<T, masked, true>(n, x, mean) : second_sweep<T, masked, false>(n, x, mean);
}

template <class T>
void stats_block(std::size_t n, const T* x, bool whole, BlockMoments* out) {
    FirstSweep<T> first = first_sweep<T, false>(n, x);
    const bool all_finite = finite(first.sum);
    if (!all_finite) first = first_sweep<T, true>(n, x);
    const std::uint64_t count = n - first.nans - first.infs;
    if (first.low == 0) first.low = holds_zero(n, x, true) ? -T(0) : T(0);
    if (first.high == 0) first.high = holds_zero(n, x, false) ? T(0) : -T(0);
    BlockMoments b{n,
                   first.nans,
                   first.infs,
                   first.zeros,
                   first.tiny - first.zeros,
                   0,
                   0,
                   0,
                   0,
                   static_cast<double>(first.low),
                   static_cast<double>(first.high),
                   0};
    if (b.min == b.max) {
        b.mean = b.min + 0.0;  // never -0
    } else if (count != 0) {
        const double size = static_cast<double>(count), mean = first.sum / size;
        const PowerSums s = all_finite ? second_sweep<T, false>(n, x, mean, whole) : second_sweep<T, true>(n, x, mean, whole);
        // Powers of d - delta, delta the mean of d: what the rounding of `mean` left.
        const double delta = s.s1 / size, drift = s.s1 * delta;
        b.mean = mean + delta;
        b.m2 = s.s2 - drift;
        b.m3 = s.s3 - delta * (3 * s.s2 - 2 * drift);
        b.m4 = s.s4 - delta * (4 * s.s3 - delta * (6 * s.s2 - 3 * drift));
        if (b.m2 < 0) b.m2 = 0;
        if (b.m4 < 0) b.m4 = 0;
        if (!whole) b.m3 = b.m4 = 0;
    }
    *out = b;
}

// ------------------------------------------------------------------------------------------------ histograms

// Slots are computed in vectors and counted from a buffer, a chunk at a time.
constexpr std::size_t kSlotChunk = 512;

template <class I>
FANIN_INLINE void count_slots(std::size_t n, const I* slots, std::uint32_t* tables, std::size_t stride) {
    std::size_t i = 0;
    for (; i + kSlotTables <= n; i += kSlotTables)
        for (std::size_t t = 0; t < kSlotTables; ++t) ++tables[t * stride + static_cast<std::size_t>(slots[i + t])];
    for (; i < n; ++i) ++tables[static_cast<std::size_t>(slots[i])];
}

FANIN_INLINE VecI64 linear_slot(VecD x, const LinearSlots& s) {
    // t + kMagic has the nearest integer to t in its last bits, for |t| < 2^50.
    constexpr double kMagic = 0x1.8p52;
    const VecD distance = x - s.centre;
    VecD t = distance * (distance < VecD{} ? splat(s.scale_below) : splat(s.scale_above));
    const VecD lowest = splat(s.lowest), highest = splat(s.highest);
    t = t < lowest ? lowest : t;
    t = t > highest ? highest : t;
    const VecD shifted = t + kMagic;
    const VecI64 nearest = bit_cast<VecI64>(shifted) - (bit_cast<VecI64>(splat(kMagic)) - s.centre_slot);
    const VecI64 one_too_high = ((shifted - kMagic) > t) + (x == s.last);  // -1 each: rounded up; on the last edge
    return nearest + one_too_high;
}

template <class T>
void linear_slots(std::size_t n, const T* x, const LinearSlots& s, bool all_finite, std::uint32_t* tables, std::size_t stride) {
    const VecD infinity = splat(Limits<double>::infinity);
    const VecI64 not_finite = splat_i64(static_cast<std::int64_t>(s.bins) + 2);
    std::int64_t slots[kSlotChunk];
    T rest[kLanes<double>];
    for (std::size_t begin = 0; begin < n; begin += kSlotChunk) {
        const std::size_t size = n - begin < kSlotChunk ? n - begin : kSlotChunk;
        for (std::size_t j = 0; j < size; j += kLanes<double>) {
            const T* from = x + begin + j;
            if (size - j < kLanes<double>) {
                for (std::size_t i = 0; i < kLanes<double>; ++i) rest[i] = i < size - j ? from[i] : T(0);
                from = rest;
            }
            const VecD v = load_wide(from);
            VecI64 slot = linear_slot(v, s);
            if (!all_finite) slot = abs(v) < infinity ? slot : not_finite;
            __builtin_memcpy(slots + j, &slot, sizeof slot);
        }
        if (!s.exact) {
            for (std::size_t j = 0; j < size; ++j) {
                const double v = static_cast<double>(x[begin + j]);
                if (!finite(v)) continue;
                auto slot = static_cast<std::size_t>(slots[j]);
                while (slot > 0 && v < s.bounds[slot - 1]) --slot;
                while (slot <= s.bins && v >= s.bounds[slot]) ++slot;
                slots[j] = static_cast<std::int64_t>(slot);
            }
        }
        count_slots(size, slots, tables, stride);
    }
}

// 1 + 256 +- k, where k is 0 for zero, 1 .. 256 for the exponents -128 .. 127, and 257 for what is not finite.
FANIN_INLINE VecI32 power_slot(VecF x) {
    const VecI32 magnitude = bit_cast<VecI32>(bits(x) & 0x7fffffffu);
    // The exponent field f stands for f - 127, so k = f + 2; below it, 2^-127 begins at half of the smallest normal.
    const VecI32 k = (magnitude >> 23) - (magnitude > 0) - (magnitude >= 0x00400000);
    const VecI32 sign = bit_cast<VecI32>(bits(x)) >> 31;
    return ((k ^ sign) - sign) + 257;
}
FANIN_INLINE VecI64 power_slot(VecD x) {
    const VecD magnitude = abs(x), lowest = splat(0x1p-128), highest = splat(0x1p127);
    VecD kept = magnitude < lowest ? lowest : magnitude;
    kept = kept > highest ? highest : kept;
    VecI64 k = bit_cast<VecI64>(bits(kept) >> 52) - (1023 - 128 - 1);
    k = magnitude == VecD{} ? VecI64{} : k;
    k = magnitude < splat(Limits<double>::infinity) ? k : splat_i64(257);
    const VecI64 sign = -bit_cast<VecI64>(bits(x) >> 63);
    return ((k ^ sign) - sign) + 257;
}

template <class T>
void power_slots(std::size_t n, const T* x, std::uint32_t* tables, std::size_t stride) {
    using Int = typename Simd<T>::Int;
    T rest[kLanes<T>];
    decltype(Int{}[0] + 0) slots[kSlotChunk];
    for (std::size_t begin = 0; begin < n; begin += kSlotChunk) {
        const std::size_t size = n - begin < kSlotChunk ? n - begin : kSlotChunk;
        for (std::size_t j = 0; j < size; j += kLanes<T>) {
            const T* from = x + begin + j;
            if (size - j < kLanes<T>) {
                for (std::size_t i = 0; i < kLanes<T>; ++i) rest[i] = i < size - j ? from[i] : T(0);
                from = rest;
            }
            const Int slot = power_slot(load<T>(from));
            __builtin_memcpy(slots + j, &slot, sizeof slot);
        }
        count_slots(size, slots, tables, stride);
    }
}

template <class T>
std::uint64_t count_outside(std::size_t n, const T* x, double low, double high) {
    const VecD lows = splat(low), highs = splat(high);
    VecI64 outside{};
    std::size_t j = 0;
    for (; j + kLanes<double> <= n; j += kLanes<double>) {
        const VecD v = load_wide(x + j);
        outside -= (v < lows) | (v > highs);
    }
    std::uint64_t count = lane_sum(outside);
    for (; j < n; ++j) count += static_cast<double>(x[j]) < low || static_cast<double>(x[j]) > high;
    return count;
}

template <class T>
constexpr StatsKernels<T> stats_kernels() {
    return {stats_block<T>, linear_slots<T>, power_slots<T>, count_outside<T>};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
