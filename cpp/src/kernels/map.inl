// Functions over arrays. A function of some hundred instructions is compiled once into each loop, its end included.

namespace fanin::FANIN_ISA {
namespace {

// Whether two vectors go together: one alone waits for its own chain of multiplications, unless each of those is a call.
inline constexpr bool kTogether = FANIN_HARDWARE_FMA != 0;

// out[i] = f(z[i]), times da[i] where da is not null; out may be z or da.
template <class T, class F>
FANIN_INLINE void map_vectors(std::size_t n, const T* z, const T* da, T* out, const F& f) {
    constexpr std::size_t lanes = kLanes<T>, step = kTogether ? 2 * lanes : lanes;
    while (n != 0) {
        const bool whole = n >= step;
        const std::size_t first = n < lanes ? n : lanes, second = n - first;  // elements of the two, where not whole
        Vec<T> low = whole ? load(z) : load_first(z, first), high{};
        if constexpr (kTogether) {
            high = f(whole ? load(z + lanes) : load_first(z + first, second));
            if (da != nullptr) high = (whole ? load(da + lanes) : load_first(da + first, second)) * high;
        }
        low = f(low);
        if (da != nullptr) {
            low = (whole ? load(da) : load_first(da, first)) * low;
            da += step;
        }
        if (!whole) {
            store_first(out, low, first);
            if constexpr (kTogether) store_first(out + first, high, second);
            return;
        }
        store(out, low);
        if constexpr (kTogether) store(out + lanes, high);
        n -= step, z += step, out += step;
    }
}

}  // namespace
}  // namespace fanin::FANIN_ISA
