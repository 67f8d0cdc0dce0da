// The truncated normal by inversion: one uniform number an element, so that elements stay addressable.
//
// u = (word + 1/2) 2^-32 (float64: 53 bits) is made together with 1 - u, each from the integer that keeps its small values
// exact; the tail that is smaller is the one inverted, so nothing cancels near either bound.

namespace fanin::FANIN_ISA {
namespace {

// A uniform number in (0, 1) and what is left to 1, both with their small values exact.
template <class V>
struct UnitPair {
    V u, rest;  // rest = 1 - u
};

// Of a word of 32 bits: the half that it lies in is told by the top bit, and the number below 1/2 is converted.
FANIN_INLINE UnitPair<VecF> unit_pair(VecU32 word) {
    const VecI32 upper = bit_cast<VecI32>(word) >> 31;
    const VecF small = (to_float(bit_cast<VecI32>(word) ^ upper) + 0.5f) * 0x1p-32f;
    const VecF large = 1.0f - small;
    return {upper ? large : small, upper ? small : large};
}
// The same from an integer of `size` bits in each lane, size <= 53.
FANIN_INLINE UnitPair<VecD> unit_pair(VecI64 k, int size) {
    const VecI64 upper = -(k >> (size - 1));
    const VecD scale = splat(size == 32 ? 0x1p-32 : 0x1p-53);
    const VecD small = plus_half((k ^ upper) & ((std::int64_t{1} << (size - 1)) - 1)) * scale;
    const VecD large = 1.0 - small;
    return {upper ? large : small, upper ? small : large};
}

// ------------------------------------------------------------------------------------------------ float64 inverses

// The z > 0 with Q(z) = tail, tail in (0, 1/2] (AS 241; the three regions are computed and one is chosen).
FANIN_INLINE VecD inverse_tail(VecD tail) {
    const VecD q = 0.5 - tail;
    const VecD central = fma(-q, q, splat(0.180625));
    const VecD r = sqrt(-log(tail));
    const VecD near = r - 1.6, far = r - 5.0;
    const VecI64 is_central = q <= 0.425, is_near = r <= 5.0;
    const VecD numerator = is_central ? q * horner(kInverseA, central)
                           : is_near  ? horner(kInverseC, near)
                                      : horner(kInverseE, far);
    const VecD denominator = is_central ? horner(kInverseB, central)
                             : is_near  ? horner(kInverseD, near)
                                        : horner(kInverseF, far);
    return numerator / denominator;
}

// The z whose probability is p of the way through the interval, by the tail that is smaller; relative error of the tail that of
// the law's own numbers.
FANIN_INLINE VecD general_inverse(const TruncatedLaw& law, UnitPair<VecD> p) {
    const VecD width = splat(law.width);
    const VecD below = fma(p.u, width, splat(law.left)), above = fma(p.rest, width, splat(law.right));
    const VecI64 left = below < above;
    const VecD z = inverse_tail(left ? below : above);
    return left ? -z : z;
}

// ln Q(z) falls from ln Q(a) by e = -ln(1 - p mass) = -ln((1 - p) + p rho), p the probability counted from a; the first
// form is exact where p is small, the second where 1 - p is. Two steps of Newton on
// (z^2 - a^2) / 2 + ln(z / a) - ln S(z) + ln S(a) = e from z^2 = a^2 + 2 e: the start is off by ln(z / a) / z < 0.002, the
// first step by less than 1e-7 and the second by rounding alone. Called, not inlined: rare, and two kilobytes.
[[gnu::noinline]] VecD far_inverse(const TruncatedLaw& law, UnitPair<VecD> p) {
    const VecD a = splat(law.near);
    const VecD from = law.negative ? p.rest : p.u, to = law.negative ? p.u : p.rest;
    const VecD e = from < 0.5 ? -log1p(from * -law.mass) : -log(fma(from, splat(law.rho), to));
    auto series = [](VecD z) { return horner(kMillsSeries, 1.0 / (z * z)); };
    const VecD at_bound = series(a);
    VecD z = sqrt(fma(a, a, 2.0 * e));
    for (int step = 0; step < 2; ++step) {
        const VecD s = series(z), d = z - a;
        const VecD value = fma(0.5 * d, z + a, log1p(d / a) - log1p((s - at_bound) / at_bound)) - e;
        z = z - value * s / z;
    }
    return law.negative ? -z : z;
}

// ------------------------------------------------------------------------------------------------ draws

// x kept inside the bounds that the law has in T: the last rounding may leave them.
template <class T>
FANIN_INLINE Vec<T> clamp(Vec<T> x, T lowest, T highest) {
    return at_most(at_least(x, splat(lowest)), splat(highest));
}

// x = 2 Phi(z) - 1 comes from the word as a signed number, t = (1 - |x|) / 2 from its distance to the nearer end: each keeps
// its small values. 1 - x^2 = 4 t (1 - t).
// float32 inside 2.5 sigmas: z = x P(-2 ln(1 - x^2)), all in float32. `symmetric` bounds save the choice of the tail.
template <bool symmetric>
struct TruncatedCentral {
    float left, right, width, first_tail, first_x, mean, std, lowest, highest;
    // The probability beyond the draw, on the side where it is the smaller.
    FANIN_INLINE VecF smaller_tail(VecU32 word) const {
        if constexpr (symmetric) {
            const VecI32 end_distance = bit_cast<VecI32>(word) ^ (bit_cast<VecI32>(word) >> 31);
            return fma(to_float(end_distance), splat(width * 0x1p-32f), splat(first_tail));
        } else {
            const UnitPair<VecF> p = unit_pair(word);
            const VecF below = fma(p.u, splat(width), splat(left)), above = fma(p.rest, splat(width), splat(right));
            return below < above ? below : above;
        }
    }
    // n vectors side by side: the logarithm splits y = 1 - x^2 = 2^e m, m - 1 in [-1/2, 0].
    template <std::size_t n>
    FANIN_INLINE void elements(const VecU32 (&words)[n], VecF (&z)[n]) const {
        VecF x[n], y[n], e[n], w[n];
        for (std::size_t i = 0; i < n; ++i) {
            const VecF t = smaller_tail(words[i]);
            x[i] = fma(to_float(bit_cast<VecI32>(words[i] ^ 0x80000000u)), splat(width * 0x1p-31f), splat(first_x));
            y[i] = fma(-t, t, t);
        }
        for (std::size_t i = 0; i < n; ++i) {
            const VecU32 y_bits = bits(y[i]);
            y[i] = from_bits((y_bits & 0x007fffffu) | 0x3f000000u) - 1.0f;
            e[i] = to_float(bit_cast<VecI32>(y_bits >> 23) - 124);
        }
        horner(kInverseLogF32, y, w);
        for (std::size_t i = 0; i < n; ++i) w[i] = fma(y[i], w[i], e[i] * (-2.0f * kLn2F32));
        horner(kInverseCentralF32, w, y);
        for (std::size_t i = 0; i < n; ++i) z[i] = clamp<float>(fma(splat(std), x[i] * y[i], splat(mean)), lowest, highest);
    }
    // Draws of m vectors of blocks; a block gives four elements, as it gives them to the other laws.
    template <std::size_t m>
    FANIN_INLINE void operator()(const PhiloxBlocks (&blocks)[m], Pair<float> (&pairs)[m]) const {
        VecU32 words[2 * m];
        VecF z[2 * m];
        for (std::size_t i = 0; i < m; ++i) {
            words[2 * i] = blocks[i].even;
            words[2 * i + 1] = blocks[i].odd;
        }
        elements(words, z);
        for (std::size_t i = 0; i < m; ++i)
            pairs[i] = {interleave_low(z[2 * i], z[2 * i + 1]), interleave_high(z[2 * i], z[2 * i + 1])};
    }
};

// Every other interval, inverted in double; `far`: beyond 30 sigmas, where Q itself would vanish.
template <class T, bool far>
struct TruncatedWide {
    const TruncatedLaw& law;
    T mean, std, lowest, highest;
    static constexpr bool alone = far || sizeof(T) == sizeof(float);  // beside its inverses the words cost nothing
    // The standard draw of an integer of `size` bits a lane.
    FANIN_INLINE VecD inverse(VecI64 k, int size) const {
        const UnitPair<VecD> p = unit_pair(k, size);
        if constexpr (far) return far_inverse(law, p);
        else return general_inverse(law, p);
    }
    // The words are inverted in two halves, as many doubles as a vector holds.
    FANIN_INLINE VecF elements(VecU32 words) const {
        typedef std::uint32_t HalfU __attribute__((vector_size(FANIN_VECTOR_BYTES / 2)));
        typedef float HalfF __attribute__((vector_size(FANIN_VECTOR_BYTES / 2)));
        HalfU half[2];
        HalfF z[2];
        __builtin_memcpy(half, &words, sizeof half);
        for (int i = 0; i < 2; ++i)
            z[i] = __builtin_convertvector(inverse(__builtin_convertvector(half[i], VecI64), 32), HalfF);
        VecF both;
        __builtin_memcpy(&both, z, sizeof both);
        return clamp<float>(fma(splat(std), both, splat(mean)), lowest, highest);
    }
    // Called, not inlined: a copy of some kilobytes. Inside, four inverses are in flight.
    [[gnu::noinline]] Pair<float> operator()(const PhiloxBlocks& b, float) const {
        const VecF even = elements(b.even), odd = elements(b.odd);
        return {interleave_low(even, odd), interleave_high(even, odd)};
    }
    FANIN_INLINE Pair<double> operator()(const PhiloxBlocks& b, double) const {
        if constexpr (far) return called(b);
        else return doubles(b);
    }
    [[gnu::noinline]] Pair<double> called(const PhiloxBlocks& b) const { return doubles(b); }
    FANIN_INLINE Pair<double> doubles(const PhiloxBlocks& b) const {
        auto element = [&](VecU64 low, VecU64 high) {
            const VecI64 k = bit_cast<VecI64>(bit_cast<VecU64>(low_words(low, high)) >> 11);
            return clamp<double>(fma(splat(std), inverse(k, 53), splat(mean)), lowest, highest);
        };
        const VecD even = element(b.w0, b.w1), odd = element(b.w2, b.w3);
        return {interleave_low(even, odd), interleave_high(even, odd)};
    }
};

// use(draw) with the draw of a central law.
template <class Use>
FANIN_INLINE void with_central(const TruncatedLaw& law, float mean, float std, float lowest, float highest, Use&& use) {
    const auto left = static_cast<float>(law.left), right = static_cast<float>(law.right),
               width = static_cast<float>(law.width), first_tail = static_cast<float>(law.left + law.width * 0x1p-33),
               first_x = static_cast<float>(law.left - law.right + law.width * 0x1p-32);
    if (law.left == law.right) use(TruncatedCentral<true>{left, right, width, first_tail, first_x, mean, std, lowest, highest});
    else use(TruncatedCentral<false>{left, right, width, first_tail, first_x, mean, std, lowest, highest});
}

// RandomKernels::fill_truncated. A law keeps one path for all of its elements, so that each is a function of its index alone.
template <class T>
void fill_truncated(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, const TruncatedLaw& law,
                    T mean, T std, T lowest, T highest, T* out) {
    if constexpr (sizeof(T) == sizeof(float)) {
        if (law.path == TruncatedPath::central) {
            with_central(law, mean, std, lowest, highest,
                         [&](const auto& draw) { fill<T>(draw, seed, stream, first_index, n, out); });
            return;
        }
    }
    if (law.path == TruncatedPath::far)
        fill<T>(TruncatedWide<T, true>{law, mean, std, lowest, highest}, seed, stream, first_index, n, out);
    else fill<T>(TruncatedWide<T, false>{law, mean, std, lowest, highest}, seed, stream, first_index, n, out);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
