// Activations: value, derivative (both from z) and dz = da g'(z). relu is written so that NaN passes and -0 becomes +0.

namespace fanin::FANIN_ISA {
namespace {

struct IdentityValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return z;
    }
};
struct IdentityDerivative {
    template <class V>
    FANIN_INLINE V operator()(V) const {
        return splat(typename LaneOf<V>::T(1));
    }
};
struct ReluValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return z <= V{} ? V{} : z;
    }
};
struct ReluDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V one = splat(typename LaneOf<V>::T(1));
        return z <= V{} ? V{} : (z > V{} ? one : z);
    }
};
struct TanhDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return tanh_derivative(z);
    }
};
struct SigmoidDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return sigmoid_derivative(z);
    }
};

template <class T, class Derivative>
void backward(std::size_t n, const T* z, const T* da, T* dz) {
    const Derivative derivative;
    constexpr std::size_t kStep = kLanes<T>;
    for (; n >= 2 * kStep; n -= 2 * kStep, z += 2 * kStep, da += 2 * kStep, dz += 2 * kStep) {
        const Vec<T> low = load(da) * derivative(load(z)), high = load(da + kStep) * derivative(load(z + kStep));
        store(dz, low);
        store(dz + kStep, high);
    }
    if (n >= kStep) {
        store(dz, load(da) * derivative(load(z)));
        n -= kStep, z += kStep, da += kStep, dz += kStep;
    }
    if (n != 0) store_first(dz, load_first(da, n) * derivative(load_first(z, n)), n);
}

template <class T>
constexpr ActivationKernels<T> activation_kernels() {
    return {{map_unary<T, IdentityValue>, map_unary<T, ReluValue>, map_unary<T, Tanh>, map_unary<T, Sigmoid>},
            {map_unary<T, IdentityDerivative>, map_unary<T, ReluDerivative>, map_unary<T, TanhDerivative>,
             map_unary<T, SigmoidDerivative>},
            {backward<T, IdentityDerivative>, backward<T, ReluDerivative>, backward<T, TanhDerivative>,
             backward<T, SigmoidDerivative>}};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
