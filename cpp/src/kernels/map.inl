// Functions over arrays. A function of some hundred instructions is compiled once into each loop, its end included.

namespace fanin::FANIN_ISA {
namespace {

// Whether two vectors go together: one alone waits for its own chain of multiplications, unless each of those is a call.
inline constexpr bool kTogether = FANIN_HARDWARE_FMA != 0;

// The first n elements of two neighbouring vectors, n at most both, and to memory.
template <class T>
FANIN_INLINE void load_both(const T* p, std::size_t n, Vec<T>& low, Vec<T>& high) {
    const std::size_t first = n < kLanes<T> ? n : kLanes<T>;
    low = load_first(p, first);
    if constexpr (kTogether) high = load_first(p + first, n - first);
}
template <class T>
FANIN_INLINE void store_both(T* p, std::size_t n, Vec<T> low, Vec<T> high) {
    const std::size_t first = n < kLanes<T> ? n : kLanes<T>;
    store_first(p, low, first);
    if constexpr (kTogether) store_first(p + first, high, n - first);
}

// out[i] = f(z[i]), times da[i] where da is not null; out may be z or da.
template <class T, class F>
FANIN_INLINE void map_vectors(std::size_t n, const T* z, const T* da, T* out, const F& f) {
    constexpr std::size_t lanes = kLanes<T>, step = kTogether ? 2 * lanes : lanes;
    if (n == 0) return;
    do {
        Vec<T> low{}, high{};
        if (n < step) load_both<T>(z, n, low, high);
        else {
            low = load(z);
            if constexpr (kTogether) high = load(z + lanes);
        }
        low = f(low);
        if constexpr (kTogether) high = f(high);
        if (da != nullptr) {
            Vec<T> by_low{}, by_high{};
            if (n < step) load_both<T>(da, n, by_low, by_high);
            else {
                by_low = load(da);
                if constexpr (kTogether) by_high = load(da + lanes);
            }
            low = by_low * low;
            if constexpr (kTogether) high = by_high * high;
            da += step;
        }
        if (n < step) return store_both<T>(out, n, low, high);
        store(out, low);
        if constexpr (kTogether) store(out + lanes, high);
        n -= step, z += step, out += step;
    } while (n != 0);
}

}  // namespace
}  // namespace fanin::FANIN_ISA
