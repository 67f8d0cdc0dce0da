// Elements of a block as statistics take them: the type that they are measured in, and the accumulators of their sums.

namespace fanin::FANIN_ISA {
namespace {

// Sums that run side by side, the same on every instruction set; and the vectors that hold them.
constexpr std::size_t kAccumulators = 8;
constexpr std::size_t kParts = kAccumulators / kLanes<double>;

typedef std::int16_t VecI16 __attribute__((vector_size(FANIN_VECTOR_BYTES)));  // 16-bit elements, as their bits

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

// Elements of S are measured as T. What is narrower than T is widened once, by the first sweep, into memory that the later
// ones read.
template <class S>
struct Element {
    using T = S;
    static constexpr bool narrow = false;
    static constexpr T smallest_normal = Limits<S>::smallest_normal;
};
template <>
struct Element<Float16> {
    using T = float;
    static constexpr bool narrow = true;
    static constexpr float smallest_normal = 0x1p-14f;
};
template <>
struct Element<BFloat16> {
    using T = float;
    static constexpr bool narrow = true;
    static constexpr float smallest_normal = 0x1p-126f;
};
template <class S>
using Wider = typename Element<S>::T;

// As many elements as a vector of Wider<S> has lanes, and one.
template <class T>
FANIN_INLINE Vec<T> load_lanes(const T* p) {
    return load<T>(p);
}
FANIN_INLINE VecF load_lanes(const Float16* p) { return load_float16(&p->bits); }
FANIN_INLINE VecF load_lanes(const BFloat16* p) { return load_bfloat16(&p->bits); }
template <class T>
FANIN_INLINE T load_one(const T* p) {
    return *p;
}
FANIN_INLINE float load_one(const Float16* p) {
    Float16 lanes[kLanes<float>];
    for (Float16& lane : lanes) lane = *p;
    return load_lanes(lanes)[0];
}
FANIN_INLINE float load_one(const BFloat16* p) {
    const std::uint32_t u = static_cast<std::uint32_t>(p->bits) << 16;
    float value;
    __builtin_memcpy(&value, &u, sizeof value);
    return value;
}

// Eight consecutive elements in double: one, two or four vectors. Lane i of the whole is accumulator i.
struct Octet {
    VecD part[kParts];
};

// The accumulators as eight numbers, 0 to 7.
FANIN_INLINE void spread(const Octet& o, double* accumulators) {
    for (std::size_t p = 0; p < kParts; ++p) store<double>(accumulators + p * kLanes<double>, o.part[p]);
}
// Their sum, in the one order that every instruction set has.
FANIN_INLINE double total(const double* a) { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); }

// The sum of the lanes of an integer vector; exact.
template <class I>
FANIN_INLINE std::uint64_t lane_sum(I v) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < sizeof(I) / sizeof(v[0]); ++i) sum += static_cast<std::uint64_t>(v[i]);
    return sum;
}

// x - x is NaN for a NaN or an infinity.
template <class T>
FANIN_INLINE bool finite(T x) {
    return x - x == 0;
}

}  // namespace
}  // namespace fanin::FANIN_ISA
