// Histograms of a block: the slot of every element in vectors, then counted.

namespace fanin::FANIN_ISA {
namespace {

// Slots are computed in vectors and counted from a buffer, a chunk at a time.
constexpr std::size_t kSlotChunk = 512;

// Counts n slots; neighbours go to different tables, so that equal ones do not wait for each other's stored counter.
template <class I>
FANIN_INLINE void count_slots(std::size_t n, const I* slots, std::uint32_t* tables, std::size_t stride) {
    std::uint32_t* of[kSlotTables];
    for (std::size_t t = 0; t < kSlotTables; ++t) of[t] = tables + t * stride;
    std::size_t i = 0;
    for (; i + kSlotTables <= n; i += kSlotTables)
#pragma GCC unroll 4
        for (std::size_t t = 0; t < kSlotTables; ++t) ++of[t][static_cast<std::size_t>(slots[i + t])];
    for (; i < n; ++i) ++tables[static_cast<std::size_t>(slots[i])];
}

// The guessed slot of each x, 0 .. bins + 1; of a NaN any number, which the caller replaces. stats/histogram.cpp repeats these
// operations one element at a time (guess), to try them at every bound.
FANIN_INLINE VecI64 linear_slot(VecD x, const LinearSlots& s) {
    const VecD distance = x - s.centre;
    VecD t = distance * (distance < VecD{} ? splat(s.scale_below) : splat(s.scale_above));
    const VecD lowest = splat(s.lowest), highest = splat(s.highest);
    t = t < lowest ? lowest : t;
    t = t > highest ? highest : t;
#if FANIN_VECTOR_BYTES == 64
    constexpr int kDown = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
    const VecI64 slot = (VecI64)_mm512_cvt_roundpd_epi64((__m512d)t, kDown) + s.centre_slot;
    return x == s.last ? slot - 1 : slot;
#else
    // t + kMagic has the nearest integer to t in its last bits, for |t| < 2^50.
    constexpr double kMagic = 0x1.8p52;
    const VecD shifted = t + kMagic;
    const VecI64 nearest = bit_cast<VecI64>(shifted) - (bit_cast<VecI64>(splat(kMagic)) - s.centre_slot);
    const VecI64 one_too_high = ((shifted - kMagic) > t) + (x == s.last);  // -1 each: rounded up; on the last edge
    return nearest + one_too_high;
#endif
}

// StatsKernels::linear_slots. Where the guess is not exact, the bounds move each element to its slot.
template <class T>
void linear_slots(std::size_t n, const T* x, const LinearSlots& s, bool all_finite, std::uint32_t* tables, std::size_t stride) {
    const VecD infinity = splat(Limits<double>::infinity);
    const VecI64 not_finite = splat_i64(static_cast<std::int64_t>(s.bins) + 2);
    std::int64_t slots[kSlotChunk];
    T rest[kLanes<double>];  // the last elements, and zeros, whose slots are not counted
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
// The same of doubles: kept between 2^-128 and 2^127 first, where the exponent field alone tells the slot.
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

// StatsKernels::power_slots.
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

// The same of 16-bit elements, from their bits.
FANIN_INLINE VecI16 signed_slot(VecI16 x, VecI16 k) {
    const VecI16 sign = x >> 15;
    return ((k ^ sign) - sign) + 257;
}
FANIN_INLINE VecI16 power_slot(VecI16 x, const BFloat16*) {
    const VecI16 magnitude = x & 0x7fff;
    return signed_slot(x, (magnitude >> 7) - (magnitude > 0) - (magnitude >= 0x40));
}

// Of float16 the exponent field f stands for f - 15, so k = f + 114; a subnormal number is m 2^-24, m below 2^10, so that
// k = 105 + floor(log2 m).
#if FANIN_VECTOR_BYTES == 64
// floor(log2 i), of 0 such a number that k is 0: what vpermw looks up.
constexpr std::int16_t kLogs[] = {-105, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
                                  4,    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};
FANIN_INLINE VecI16 power_slot(VecI16 x, const Float16*) {
    const VecI16 magnitude = x & 0x7fff, exponent = magnitude >> 10;
    const __m512i logs = _mm512_loadu_si512(kLogs);
    const VecI16 upper = (VecI16)_mm512_permutexvar_epi16((__m512i)(magnitude >> 5), logs) + 110;
    const VecI16 lower = (VecI16)_mm512_permutexvar_epi16((__m512i)magnitude, logs) + 105;
    const VecI16 subnormal = magnitude >= 32 ? upper : lower;
    const VecI16 normal = magnitude >= 0x7c00 ? VecI16{} + 257 : exponent + 114;
    return signed_slot(x, magnitude < 0x400 ? subnormal : normal);
}
#else
FANIN_INLINE VecI16 power_slot(VecI16 x, const Float16*) {
    const VecI16 magnitude = x & 0x7fff;
    VecI16 subnormal = (magnitude > 0) & 105;
#pragma GCC unroll 9
    for (int i = 1; i < 10; ++i) {
        const auto power = static_cast<std::int16_t>(1 << i);
        subnormal -= magnitude >= power;
    }
    const VecI16 normal = magnitude >= 0x7c00 ? VecI16{} + 257 : (magnitude >> 10) + 114;
    return signed_slot(x, magnitude < 0x400 ? subnormal : normal);
}
#endif

// NarrowStatsKernels::power_slots.
template <class S>
void narrow_power_slots(std::size_t n, const S* x, std::uint32_t* tables, std::size_t stride) {
    constexpr std::size_t lanes = FANIN_VECTOR_BYTES / sizeof(S);
    S rest[lanes];
    std::uint16_t slots[kSlotChunk];
    for (std::size_t begin = 0; begin < n; begin += kSlotChunk) {
        const std::size_t size = n - begin < kSlotChunk ? n - begin : kSlotChunk;
        for (std::size_t j = 0; j < size; j += lanes) {
            const S* from = x + begin + j;
            if (size - j < lanes) {
                for (std::size_t i = 0; i < lanes; ++i) rest[i] = i < size - j ? from[i] : S{};
                from = rest;
            }
            VecI16 v;
            __builtin_memcpy(&v, from, sizeof v);
            const VecI16 slot = power_slot(v, from);
            __builtin_memcpy(slots + j, &slot, sizeof slot);
        }
        count_slots(size, slots, tables, stride);
    }
}

// StatsKernels::count_outside. Comparisons with a NaN are false, so that it counts on neither side.
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

}  // namespace
}  // namespace fanin::FANIN_ISA
