// Activations: value, derivative (both from z) and dz = da g'(z). Those with a kink are written here, so that NaN passes and
// relu(-0) is +0; the smooth ones in activation_smooth.inl, the sine in angle.inl. At a kink the derivative is the left one,
// hardtanh' is 0. A value and a derivative are types with one operator, so that each is compiled once into map_vectors;
// `z <= V{} ? V{} : z` and its like are written so that a NaN falls through to z.

namespace fanin::FANIN_ISA {
namespace {

// identity: 1 is its derivative at a NaN too.
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
// max(z, 0) by comparison: at_least would keep -0.
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
// min(max(z, -1), 1); the slope is 0 on the bounds.
struct HardtanhValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return clamped(z, typename LaneOf<V>::T(1));
    }
};
struct HardtanhDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V one = splat(typename LaneOf<V>::T(1)), y = abs(z);
        return y < one ? one : (y >= one ? V{} : z);
    }
};
// min(max(z, 0), 6); the slope is 0 on both kinks.
struct Relu6Value {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        return at_most(z <= V{} ? V{} : z, splat(typename LaneOf<V>::T(6)));
    }
};
struct Relu6Derivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V one = splat(typename LaneOf<V>::T(1)), six = splat(typename LaneOf<V>::T(6));
        return ((z <= V{}) | (z >= six)) ? V{} : (z > V{} ? one : z);
    }
};
// z min(max(z + 3, 0), 6) / 6; the slope's kinks are those of the clamp.
struct HardswishValue {  // z held at -3 on the left, where the other factor is 0; on the right that factor is 1
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V three = splat(typename LaneOf<V>::T(3)), six = splat(typename LaneOf<V>::T(6));
        const V t = at_least(z, -three);
        return t * (at_most(t + three, six) / six);
    }
};
struct HardswishDerivative {  // (2 z + 3) / 6 in [-3, 3]; the sum is exact near its root, so the quotient is right there
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V one = splat(typename LaneOf<V>::T(1)), three = splat(typename LaneOf<V>::T(3));
        const V t = clamped(z, typename LaneOf<V>::T(3));
        const V inside = ((t + t) + three) / splat(typename LaneOf<V>::T(6));
        return z <= -three ? V{} : (z > three ? one : inside);
    }
};
// z / (1 + |z|), the sign put on last.
struct SoftsignValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V y = at_most(abs(z), splat(FormatOf<V>::largest));  // infinity / infinity
        return from_bits(bits(y / (1 + y)) | sign_bit(z));
    }
};
struct SoftsignDerivative {  // squared last: (1 + |z|)^2 would overflow where the result has not vanished
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V inverse = 1 / (1 + abs(z));
        return inverse * inverse;
    }
};
// Those whose values are elementary functions: Tanh and Sigmoid of math_arrays.inl.
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

// Those with factors.
// z left of 0 times the slope; the slope at 0 is the left one.
template <class T>
struct LeakyReluValue {
    ActivationFactors<T> f;
    FANIN_INLINE Vec<T> operator()(Vec<T> z) const { return z < Vec<T>{} ? f.left * z : z; }
};
template <class T>
struct LeakyReluDerivative {
    ActivationFactors<T> f;
    FANIN_INLINE Vec<T> operator()(Vec<T> z) const {
        return z > Vec<T>{} ? splat(f.right) : (z <= Vec<T>{} ? splat(f.left) : z);
    }
};
// left (e^z - 1), with e^z = 2^k (1 + q): 2^k q + (2^k - 1); right z.
template <class T>
struct EluValue {
    ActivationFactors<T> f;
    FANIN_INLINE Vec<T> operator()(Vec<T> z) const {
        using F = MathFormat<T>;
        const ExpParts<Vec<T>> e = exp_parts(at_most(at_least(z, splat(F::expm1_low)), Vec<T>{}));
        const Vec<T> power = from_bits(bits(splat(T(1))) + e.k_bits);
        return by_sign(z, fma(power, e.q, power - 1) * f.left, z * f.right);
    }
};
// left e^z, through the subnormals; at 0 that is `left`.
template <class T>
struct EluDerivative {
    ActivationFactors<T> f;
    FANIN_INLINE Vec<T> operator()(Vec<T> z) const {
        using F = MathFormat<T>;
        const Vec<T> y = at_most(at_least(z, splat(-F::exp_scaled_low)), Vec<T>{});
        return z > Vec<T>{} ? splat(f.right) : scaled_exp(y).times(splat(f.left)) * (1 / F::big);
    }
};

// map_vectors for what takes few instructions: two more would count, so that the end has code of its own.
template <class T, class F>
FANIN_INLINE void map_quick(std::size_t n, const T* z, const T* da, T* out, const F& f) {
    constexpr std::size_t lanes = kLanes<T>;
    for (; kTogether && n >= 2 * lanes; n -= 2 * lanes, z += 2 * lanes, out += 2 * lanes) {
        Vec<T> low = f(load(z)), high = f(load(z + lanes));
        if (da != nullptr) {
            low = load(da) * low;
            high = load(da + lanes) * high;
            da += 2 * lanes;
        }
        store(out, low);
        store(out + lanes, high);
    }
    if (n != 0) map_vectors<T>(n, z, da, out, f);
}

// An F, with the factors where it has any.
template <class F, class T>
FANIN_INLINE F function_of(ActivationFactors<T> factors) {
    if constexpr (__is_empty(F)) return F{};
    else return F{factors};
}
// ActivationKernels::forward and backward of one activation; activation.cpp and the passes of dense layers call them, a range
// of elements a task. `a` may be z, dz may be da or z: each vector is read before it is written.
template <class T, class F>
void forward(std::size_t n, const T* z, T* a, ActivationFactors<T> factors) {
    map_vectors<T>(n, z, nullptr, a, function_of<F>(factors));
}
template <class T, class F>
void backward(std::size_t n, const T* z, const T* da, T* dz, ActivationFactors<T> factors) {
    map_vectors<T>(n, z, da, dz, function_of<F>(factors));
}
template <class T, class F>
void quick_forward(std::size_t n, const T* z, T* a, ActivationFactors<T> factors) {
    map_quick<T>(n, z, nullptr, a, function_of<F>(factors));
}
template <class T, class F>
void quick_backward(std::size_t n, const T* z, const T* da, T* dz, ActivationFactors<T> factors) {
    map_quick<T>(n, z, da, dz, function_of<F>(factors));
}

// Values, then derivatives, in the order of Activation::Kind.
template <class T>
constexpr ActivationKernels<T> activation_kernels() {
    return {
        {quick_forward<T, IdentityValue>, quick_forward<T, ReluValue>, quick_forward<T, LeakyReluValue<T>>,
         forward<T, EluValue<T>>, forward<T, EluValue<T>>, forward<T, GeluValue>, forward<T, GeluTanhValue>,
         forward<T, SiluValue>, forward<T, MishValue>, forward<T, SoftplusValue>, quick_forward<T, SoftsignValue>,
         forward<T, Tanh>, forward<T, Sigmoid>, quick_forward<T, HardtanhValue>, quick_forward<T, Relu6Value>,
         quick_forward<T, HardswishValue>, forward<T, SinValue>},
        {quick_backward<T, IdentityDerivative>, quick_backward<T, ReluDerivative>, quick_backward<T, LeakyReluDerivative<T>>,
         quick_backward<T, EluDerivative<T>>, quick_backward<T, EluDerivative<T>>, backward<T, GeluDerivative>,
         backward<T, GeluTanhDerivative>, backward<T, SiluDerivative>, backward<T, MishDerivative>, backward<T, Sigmoid>,
         quick_backward<T, SoftsignDerivative>, backward<T, TanhDerivative>, backward<T, SigmoidDerivative>,
         quick_backward<T, HardtanhDerivative>, quick_backward<T, Relu6Derivative>, quick_backward<T, HardswishDerivative>,
         backward<T, SinDerivative>}};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
