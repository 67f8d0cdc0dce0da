// Philox4x32-10 and the laws' base draws, over vectors.
//
// Layout. A vector of 64-bit lanes carries one block a lane, each of the four counter words in the low half of a vector of
// its own: the 32 x 32 -> 64 bit multiply reads just the low halves, so no shuffle is needed between rounds, and what
// stands in the upper halves is never cleaned. Lane 2i takes block i, lane 2i + 1 block lanes/2 + i, so that the in-lane
// unpacks of interleave_* give the elements in order:
//
//     words 0, 2 -> radius [b0.w0 b0.w2 bk.w0 bk.w2 | b1.w0 ...]    words 1, 3 -> angle, the same way
//     interleave_low(cos, sin) = elements of blocks 0, 1, ..., k - 1     interleave_high = blocks k, ..., 2k - 1

namespace fanin::FANIN_ISA {
namespace {

constexpr std::size_t kBlocks = FANIN_VECTOR_BYTES / 8;  // blocks a vector

// The words of kBlocks blocks: each in the low half of the lanes of w0 to w3, where the upper half is garbage, and two and two
// side by side. Who takes one form costs nothing of the other.
struct PhiloxBlocks {
    VecU64 w0, w1, w2, w3;
    VecU32 even, odd;  // [w0 w2] and [w1 w3]
};

// What the blocks of one seed, one stream and one upper half of the block number share: the round keys from round 2 on, and
// as much of rounds 0 and 1 as does not depend on the lower half. Whole vectors: operands in memory, where so many numbers
// to broadcast would take the registers.
struct Philox {
    VecU64 low[kPhiloxRounds], high[kPhiloxRounds], last;
    VecU64 into_c2_0, into_c0_1, into_c2_1, c3_1;

    FANIN_INLINE Philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t upper_block) {
        const std::uint64_t mask = 0xffffffffu, c2 = stream & mask, c3 = stream >> 32;
        std::uint64_t k0 = seed & mask, k1 = seed >> 32;
        for (int r = 0; r < kPhiloxRounds; ++r) {
            low[r] = splat_u64(k0);
            high[r] = splat_u64(k1);
            if (r == 0) {
                const std::uint64_t p1 = c2 * kPhiloxMultiplier1, c0 = (p1 >> 32) ^ upper_block ^ k0;
                const std::uint64_t next = c0 * kPhiloxMultiplier0;
                into_c2_0 = splat_u64(c3 ^ k1);
                into_c0_1 = splat_u64((p1 & mask) ^ ((k0 + kPhiloxWeyl0) & mask));
                into_c2_1 = splat_u64((next >> 32) ^ ((k1 + kPhiloxWeyl1) & mask));
                c3_1 = splat_u64(next & mask);
            }
            if (r == kPhiloxRounds - 1) last = splat_u64(k0 | k1 << 32);
            k0 = (k0 + kPhiloxWeyl0) & mask;
            k1 = (k1 + kPhiloxWeyl1) & mask;
        }
    }

    // All ten rounds: two are half done (above), the last gives both forms of its words.
    // The blocks whose lower halves stand in the low halves of `block`; n vectors side by side, so that no round waits for
    // the one before it.
    template <std::size_t n>
    FANIN_INLINE void operator()(const VecU64 (&block)[n], PhiloxBlocks (&out)[n]) const {
        const VecU64 m0 = splat_u64(kPhiloxMultiplier0), m1 = splat_u64(kPhiloxMultiplier1);
        VecU64 c0[n], c1[n], c2[n], c3[n];
        for (std::size_t i = 0; i < n; ++i) {
            const VecU64 p0 = multiply_low32(block[i], m0), p1 = multiply_low32((p0 >> 32) ^ into_c2_0, m1);
            c0[i] = (p1 >> 32) ^ into_c0_1;
            c1[i] = p1;
            c2[i] = p0 ^ into_c2_1;
            c3[i] = c3_1;
        }
        constexpr int kLast = kPhiloxRounds - 1;
#pragma GCC unroll 10
        for (int r = 2; r < kLast; ++r) {
#pragma GCC unroll 4
            for (std::size_t i = 0; i < n; ++i) {
                const VecU64 p0 = multiply_low32(c0[i], m0), p1 = multiply_low32(c2[i], m1);
                c0[i] = (p1 >> 32) ^ c1[i] ^ low[r];
                c2[i] = (p0 >> 32) ^ c3[i] ^ high[r];
                c1[i] = p1;
                c3[i] = p0;
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            const VecU64 p0 = multiply_low32(c0[i], m0), p1 = multiply_low32(c2[i], m1);
            out[i] = {(p1 >> 32) ^ c1[i] ^ low[kLast],
                      p1,
                      (p0 >> 32) ^ c3[i] ^ high[kLast],
                      p0,
                      high_words(p1, p0) ^ low_words(c1[i], c3[i]) ^ bit_cast<VecU32>(last),
                      low_words(p1, p0)};
        }
    }
};

// Block numbers first, first + 1, ... in the lane order of the layout above.
FANIN_INLINE VecU64 block_numbers(std::uint64_t first) {
    VecU64 v;
    for (std::size_t i = 0; i < kBlocks; ++i) v[i] = first + (i % 2 == 0 ? i / 2 : kBlocks / 2 + i / 2);
    return v;
}

// ------------------------------------------------------------------------------------------------ Box-Muller

// sqrt(-2 ln u), u = (word + 1/2) 2^-32 kept to 32 bits: for words in the upper half, 1 - u is what is converted.
// With f = m - 1 in [-1/2, 0] the two terms of the logarithm have one sign and nothing cancels: 1.5 ULP.
FANIN_INLINE VecF radius(VecU32 word) {
    const VecI32 upper = bit_cast<VecI32>(word) >> 31;
    const VecF y = to_float(bit_cast<VecI32>(word) ^ upper) + 0.5f;
    const VecU32 y_bits = bits(y);
    const VecF mantissa = from_bits((y_bits & 0x007fffffu) | 0x3f000000u);  // y = mantissa 2^e, in [1/2, 1)
    const VecF e = to_float(bit_cast<VecI32>(y_bits >> 23) - (126 + 32));   // of u = y 2^-32
    const LaneMask near_one = lanes_with<31>(word);
    const VecF f = select(near_one, y * -0x1p-32f, mantissa - 1.0f);
    const VecF high = select(near_one, splat(0.0f), e * (-2.0f * kLn2F32));
    return sqrt(fma(f, horner(kRadiusF32, f), high));
}
// t + 1/2 for 0 <= t < 2^52, exactly.
FANIN_INLINE VecD plus_half(VecI64 t) { return (bit_cast<VecD>(t | 0x4330000000000000ll) - 0x1p52) + 0.5; }

// The same from 53 bits (the upper ones of the 64), where every integer is exact in double.
FANIN_INLINE VecD radius(VecU64 word) {
    const VecI64 k = bit_cast<VecI64>(word >> 11);
    const VecI64 upper = -(k >> 52);
    const VecD y = plus_half((k ^ upper) & 0xfffffffffffffll);
    const VecU64 y_bits = bits(y);
    const VecD mantissa = from_bits((y_bits & 0xfffffffffffffull) | 0x3fe0000000000000ull);
    const VecD e = to_double_51(bit_cast<VecI64>(y_bits >> 52) - (1022 + 53));
    const VecD f = upper ? y * -0x1p-53 : mantissa - 1.0;
    const VecD high = upper ? splat(0.0) : e * (-2.0 * kLn2F64);
    return sqrt(fma(f, horner(kRadiusF64, f), high));
}

// sin and cos of 2 pi word 2^-32: the nearest multiple of a quarter turn is taken off in integers, exactly; the rest, at
// most an eighth of a turn, is x pi/4 with x in [-1, 1].
FANIN_INLINE SinCos<VecF> sincos_word(VecU32 word) {
    const VecU32 shifted = word + 0x20000000u;  // the quarter, upper 2 bits
    const VecF x = to_float(bit_cast<VecI32>(word << 2)) * 0x1p-31f;
    const VecF y = x * x;
    const VecF s = x * horner(kSinF32, y), c = horner(kCosF32, y);
    const LaneMask odd = lanes_with<30>(shifted);  // quarter 1 or 3: the two change places
    return {from_bits(bits(select(odd, c, s)) ^ (shifted & 0x80000000u)),
            from_bits(bits(select(odd, s, c)) ^ ((shifted + 0x40000000u) & 0x80000000u))};
}
// The same from the upper 53 bits of 64.
FANIN_INLINE SinCos<VecD> sincos_word(VecU64 word) {
    const VecU64 shifted = (word & ~0x7ffull) + 0x2000000000000000ull;
    const VecI64 rest = bit_cast<VecI64>((shifted & 0x3fffffffffffffffull) >> 11) - 0x4000000000000ll;  // |rest| <= 2^50
    const VecD x = to_double_51(rest) * 0x1p-50;
    const VecD y = x * x;
    const VecD s = x * horner(kSinF64, y), c = horner(kCosF64, y);
    const VecI64 odd = -bit_cast<VecI64>((shifted >> 62) & 1);
    return {from_bits(bits(odd ? c : s) ^ (shifted & 0x8000000000000000ull)),
            from_bits(bits(odd ? s : c) ^ ((shifted + 0x4000000000000000ull) & 0x8000000000000000ull))};
}

// ------------------------------------------------------------------------------------------------ draws

// A draw turns the words of kBlocks blocks into two vectors of elements in order.
template <class T>
struct Pair {
    Vec<T> low, high;
};

// mean + std g: cosine and sine of one angle give two normal numbers for one radius (Box and Muller 1958).
template <class T>
struct Normal {
    T mean, std;
    FANIN_INLINE Pair<float> operator()(const PhiloxBlocks& b, float) const {
        const VecF r = radius(b.even);
        const SinCos<VecF> a = sincos_word(b.odd);
        return finish<float>(r * a.cos, r * a.sin);
    }
    FANIN_INLINE Pair<double> operator()(const PhiloxBlocks& b, double) const {
        const VecD r = radius(bit_cast<VecU64>(low_words(b.w0, b.w1)));
        const SinCos<VecD> a = sincos_word(bit_cast<VecU64>(low_words(b.w2, b.w3)));
        return finish<double>(r * a.cos, r * a.sin);
    }
    // One fused step an element: whatever mean and std are, g is the same, and std g + mean is rounded once.
    template <class U>
    FANIN_INLINE Pair<U> finish(Vec<U> even, Vec<U> odd) const {
        const Vec<U> m = splat(mean), s = splat(std);
        return {fma(s, interleave_low(even, odd), m), fma(s, interleave_high(even, odd), m)};
    }
};

// mid + half_width v, v uniform on odd multiples in (-1, 1), kept between the numbers next to the bounds.
template <class T>
struct Uniform {
    T mid, half_width, lowest, highest;
    // Odd multiples of 2^-24: 2 (word >> 8) + 1 - 2^24 has at most 24 bits.
    FANIN_INLINE VecF base(VecU32 word) const { return to_float(bit_cast<VecI32>((word >> 7) | 1u) - 0x1000000) * 0x1p-24f; }
    // Odd multiples of 2^-53: 2 k + 1 - 2^53 with k = word >> 11, as a sign and (t + 1/2) 2^-52.
    FANIN_INLINE VecD base(VecU64 word) const {
        const VecI64 k = bit_cast<VecI64>(word >> 11);
        const VecI64 negative = (k >> 52) - 1;
        const VecD magnitude = plus_half((k ^ negative) & 0xfffffffffffffll) * 0x1p-52;
        return from_bits(bits(magnitude) ^ (bit_cast<VecU64>(negative) & 0x8000000000000000ull));
    }
    FANIN_INLINE Pair<float> operator()(const PhiloxBlocks& b, float) const { return finish<float>(base(b.even), base(b.odd)); }
    FANIN_INLINE Pair<double> operator()(const PhiloxBlocks& b, double) const {
        return finish<double>(base(bit_cast<VecU64>(low_words(b.w0, b.w1))), base(bit_cast<VecU64>(low_words(b.w2, b.w3))));
    }
    template <class U>
    FANIN_INLINE Pair<U> finish(Vec<U> even, Vec<U> odd) const {
        return {scale<U>(interleave_low(even, odd)), scale<U>(interleave_high(even, odd))};
    }
    // Only rounding can bring an element to a bound.
    template <class U>
    FANIN_INLINE Vec<U> scale(Vec<U> v) const {
        const Vec<U> x = fma(splat(half_width), v, splat(mid)), low = splat(lowest), high = splat(highest);
        const Vec<U> above = x < low ? low : x;
        return above > high ? high : above;
    }
};

// A draw makes Pairs of m PhiloxBlocks; what it does not do side by side is done one after the other.
template <class T, class Draw, std::size_t m>
FANIN_INLINE void draw_each(const Draw& draw, const PhiloxBlocks (&words)[m], Pair<T> (&pairs)[m]) {
    if constexpr (requires { draw(words, pairs); }) draw(words, pairs);
    else
        for (std::size_t i = 0; i < m; ++i) pairs[i] = draw(words[i], T{});
}

// A draw whose elements are rounded to a 16-bit format, which is chosen as it runs: one loop serves both.
template <class Draw>
struct Rounded {
    Draw draw;
    bool is_bfloat16;
    FANIN_INLINE Pair<float> operator()(const PhiloxBlocks& b, float) const { return draw(b, float{}); }
};

// The elements of neighbouring pairs, to memory.
template <class T, class Draw, std::size_t m>
FANIN_INLINE void store_pairs(const Draw&, T* to, const Pair<T> (&pairs)[m]) {
    for (std::size_t i = 0; i < m; ++i) {
        store<T>(to + 2 * i * kLanes<T>, pairs[i].low);
        store<T>(to + (2 * i + 1) * kLanes<T>, pairs[i].high);
    }
}
template <class T, class Draw, std::size_t m>
FANIN_INLINE void store_pairs(const Rounded<Draw>& draw, std::uint16_t* to, const Pair<T> (&pairs)[m]) {
    if (draw.is_bfloat16)
        for (std::size_t i = 0; i < m; ++i)
            store_rounded(reinterpret_cast<BFloat16*>(to + 2 * i * kLanes<T>), pairs[i].low, pairs[i].high);
    else
        for (std::size_t i = 0; i < m; ++i)
            store_rounded(reinterpret_cast<Float16*>(to + 2 * i * kLanes<T>), pairs[i].low, pairs[i].high);
}

// Blocks from `block` on that share its upper half.
FANIN_INLINE std::uint64_t blocks_alike(std::uint64_t block) { return 0x100000000u - (block & 0xffffffffu); }

// Writes n elements from first_index on, of blocks with one upper half. A group is what one vector of blocks gives; whole
// groups go straight to memory, the two ends through a buffer. A few groups go together, and while their words become elements
// the words of the next are made: independent chains, finely mixed, where one after the other would wait.
template <class T, class Draw, class Out>
FANIN_INLINE void fill_alike(const Draw& draw, std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index,
                             std::size_t n, Out* out) {
    constexpr std::size_t kGroup = 2 * kLanes<T>;
    constexpr std::size_t kBlockElements = kGroup / kBlocks;
    constexpr std::size_t kTogether = !FANIN_HARDWARE_FMA || requires { requires Draw::alone; } ? 1
                                      : sizeof(T) == sizeof(float)                              ? 4
                                                                                                : 2;
    std::uint64_t block = first_index / kBlockElements;
    const Philox philox(seed, stream, block >> 32);
    // One group, whole. Not inlined: it stands in three places, and is in the loop of none.
    auto group = [&](std::uint64_t first_block, Out* to) __attribute__((noinline)) {
        const VecU64 numbers[] = {block_numbers(first_block)};
        PhiloxBlocks words[1];
        Pair<T> pairs[1];
        philox(numbers, words);
        draw_each<T>(draw, words, pairs);
        store_pairs<T>(draw, to, pairs);
    };
    // Elements skip .. skip + count - 1 of a group.
    auto part = [&](std::uint64_t first_block, std::size_t skip, std::size_t count, Out* to) {
        Out buffer[kGroup];
        group(first_block, buffer);
        for (std::size_t i = 0; i < count; ++i) to[i] = buffer[skip + i];
    };
    if (const std::size_t skip = first_index % kBlockElements; skip != 0 && n != 0) {
        const std::size_t count = n < kBlockElements - skip ? n : kBlockElements - skip;
        part(block, skip, count, out);
        out += count;
        n -= count;
        ++block;
    }
    // The pipeline: words of the next groups are made before those in hand are drawn; the last ones are drawn alone.
    if (n >= kTogether * kGroup) {
        VecU64 numbers[kTogether];
        for (std::size_t i = 0; i < kTogether; ++i) numbers[i] = block_numbers(block + i * kBlocks);
        PhiloxBlocks words[kTogether], next[kTogether];
        philox(numbers, words);
        // Inlined always: as a call it takes the words through memory.
        auto draw_all = [&]() __attribute__((always_inline)) {
            Pair<T> pairs[kTogether];
            draw_each<T>(draw, words, pairs);
            store_pairs<T>(draw, out, pairs);
            out += kTogether * kGroup;
            n -= kTogether * kGroup;
            block += kTogether * kBlocks;
        };
        while (n >= 2 * kTogether * kGroup) {  // NOLINT(bugprone-infinite-loop): draw_all() lowers n
            for (std::size_t i = 0; i < kTogether; ++i) numbers[i] += kTogether * kBlocks;
            philox(numbers, next);
            draw_all();
            for (std::size_t i = 0; i < kTogether; ++i) words[i] = next[i];
        }
        draw_all();
    }
    for (; n >= kGroup; n -= kGroup, out += kGroup, block += kBlocks) group(block, out);
    if (n != 0) part(block, 0, n, out);
}

// out[j] = element first_index + j of the draw, j < n, in the bits that any other cut of the range gives. Cut only where the
// upper half of the block number changes.
template <class T, class Draw, class Out>
FANIN_INLINE void fill(const Draw& draw, std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n,
                       Out* out) {
    constexpr std::size_t kBlockElements = 2 * kLanes<T> / kBlocks;
    while (n != 0) {
        const std::uint64_t left = blocks_alike(first_index / kBlockElements) * kBlockElements - first_index % kBlockElements;
        const std::size_t count = n < left ? n : left;
        fill_alike<T>(draw, seed, stream, first_index, count, out);
        first_index += count;
        out += count;
        n -= count;
    }
}

// RandomKernels: tasks of random_tasks.hpp and init/fill.cpp call them with disjoint ranges.
template <class T>
void fill_normal(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, T mean, T std, T* out) {
    fill<T>(Normal<T>{mean, std}, seed, stream, first_index, n, out);
}

// Elements in [lowest, highest], which lie inside the open interval.
template <class T>
void fill_uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, T mid, T half_width,
                  T lowest, T highest, T* out) {
    fill<T>(Uniform<T>{mid, half_width, lowest, highest}, seed, stream, first_index, n, out);
}

// NarrowRandomKernels: rounded while they are in registers.
template <class Draw>
[[gnu::noinline]] void fill_rounded(const Rounded<Draw>& draw, std::uint64_t seed, std::uint64_t stream,
                                    std::uint64_t first_index, std::size_t n, std::uint16_t* out) {
    fill<float>(draw, seed, stream, first_index, n, out);
}
template <class S>
void fill_narrow_normal(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, float mean,
                        float std, S* out) {
    fill_rounded<Normal<float>>({{mean, std}, __is_same(S, BFloat16)}, seed, stream, first_index, n, &out->bits);
}
template <class S>
void fill_narrow_uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_index, std::size_t n, float mid,
                         float half_width, float lowest, float highest, S* out) {
    fill_rounded<Uniform<float>>({{mid, half_width, lowest, highest}, __is_same(S, BFloat16)}, seed, stream, first_index, n,
                                 &out->bits);
}

// PhiloxWords: the words of the blocks from first_block on, n of them, four a block in the order of the generator's definition.
[[maybe_unused]] void philox_words(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, std::size_t n,
                                   std::uint32_t* out) {
    constexpr std::size_t kGroup = 4 * kBlocks;
    while (n != 0) {
        const Philox philox(seed, stream, first_block >> 32);
        const std::uint64_t left = blocks_alike(first_block) * 4;
        const std::size_t end = n < left ? n : left;
        for (std::size_t done = 0; done < end; done += kGroup) {
            const VecU64 numbers[] = {block_numbers(first_block + done / 4)};
            PhiloxBlocks words[1];
            philox(numbers, words);
            const VecF even = bit_cast<VecF>(words[0].even), odd = bit_cast<VecF>(words[0].odd);
            const VecF halves[] = {interleave_low(even, odd), interleave_high(even, odd)};
            __builtin_memcpy(out + done, halves, (end - done < kGroup ? end - done : kGroup) * sizeof *out);
        }
        first_block += end / 4;
        out += end;
        n -= end;
    }
}

}  // namespace
}  // namespace fanin::FANIN_ISA
