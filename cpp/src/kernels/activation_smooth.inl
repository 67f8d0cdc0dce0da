// Smooth activations and their derivatives, both from z. With u = e^-|..| in (0, 1] every one of them is a quotient of short
// polynomials in u, another on each side of 0, and the side is a selection: nothing overflows, nothing cancels but at the
// roots of the derivatives. On the left, where the result follows e^z into the subnormals, u comes scaled (ScaledExp) and the
// scale goes off last, in one rounding. Reference: reference/activation_smooth.hpp.

namespace fanin::FANIN_ISA {
namespace {

// What is selected on the left, and what on the right; NaN goes right and stays.
template <class V>
FANIN_INLINE V by_sign(V z, V left, V right) {
    return z < V{} ? left : right;
}
// numerator / denominator, scaled back on the left.
template <class V>
FANIN_INLINE V quotient(V z, V left, V right, V denominator) {
    using F = FormatOf<V>;
    using T = typename LaneOf<V>::T;
    return by_sign(z, left, right) / denominator * by_sign(z, splat(1 / F::big), splat(T(1)));
}

// z sigmoid(y), y of the sign of z: left t e^y / (1 + u) with t = z kept off -infinity, right z / (1 + u).
template <class V>
FANIN_INLINE V gated(V z, V t, const ScaledExp<V>& e) {
    return quotient(z, e.times(t), z, 1 + e.unscaled());
}
// sigmoid(y) + v sigmoid'(y): left u (1 + v + u) / (1 + u)^2, right (1 + u (1 + v)) / (1 + u)^2. 1 + v is exact near the
// root, where v is about -1.28; v_low is what v lost in rounding.
template <class V>
FANIN_INLINE V gated_derivative(V z, V v, V v_low, const ScaledExp<V>& e) {
    using T = typename LaneOf<V>::T;
    const V one = splat(T(1)), u = e.unscaled();
    return quotient(z, e.times((1 + v) + (u + v_low)), fma(u, 1 + v, one), fma(u, u + 2, one));
}

// z in [-limit, limit].
template <class V>
FANIN_INLINE V clamped(V z, typename LaneOf<V>::T limit) {
    return at_most(at_least(z, splat(-limit)), splat(limit));
}

// z sigmoid(z). Beyond the limit z is held, where e^-|z| has vanished for certain; on the right z itself is the result.
struct SiluValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V t = clamped(z, FormatOf<V>::exp_scaled_low);
        return gated(z, t, scaled_exp(-abs(t)));
    }
};
// v is z itself, exact, so that 1 + v cancels nothing next to the root.
struct SiluDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V t = clamped(z, FormatOf<V>::exp_scaled_low);
        return gated_derivative(z, t, V{}, scaled_exp(-abs(t)));
    }
};

// GELU's tanh form is z sigmoid(y), y = 2 sqrt(2 / pi) (z + 0.044715 z^3): |y| to twice the precision, as a sum of two.
template <class V>
struct GeluTanhArgument {
    V y, low;
    FANIN_INLINE ScaledExp<V> exp_of_negative() const { return scaled_exp(-y, -low); }
};
template <class V>
FANIN_INLINE GeluTanhArgument<V> gelu_tanh_argument(V t) {  // t = |z|
    using F = FormatOf<V>;
    const V square = t * t, square_low = fma(t, t, -square);
    const V cubic = square * F::gelu_cubic;
    const V cubic_low =
        fma(square, splat(F::gelu_cubic), -cubic) + fma(square, splat(F::gelu_cubic_low), square_low * F::gelu_cubic);
    const V sum = cubic + F::gelu_linear, part = sum - F::gelu_linear;
    const V sum_low = ((F::gelu_linear - (sum - part)) + (cubic - part)) + (cubic_low + F::gelu_linear_low);
    const V y = t * sum;
    return {y, fma(t, sum, -y) + t * sum_low};
}
// y is held where e^-y has vanished; its low part is worth a relative error of the exponential.
struct GeluTanhValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        const V t = clamped(z, FormatOf<V>::gelu_tanh_end);
        return gated(z, t, gelu_tanh_argument(abs(t)).exp_of_negative());
    }
};
// v = z dy/dz = 3 y - 2 a z, a the linear coefficient; both terms as sums of two, for z > 0 and with the sign of z then.
struct GeluTanhDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using F = FormatOf<V>;
        using T = typename LaneOf<V>::T;
        const V t = at_most(abs(z), splat(F::gelu_tanh_end)), three = splat(T(3)), twice = splat(2 * F::gelu_linear);
        const GeluTanhArgument<V> a = gelu_tanh_argument(t);
        const V triple = a.y * T(3), triple_low = fma(a.y, three, -triple) + a.low * T(3);
        const V line = t * twice, line_low = fma(t, twice, -line) + t * (2 * F::gelu_linear_low);
        const V v = triple - line, v_low = ((triple - v) - line) + (triple_low - line_low);
        return gated_derivative(z, by_sign(z, -v, v), by_sign(z, -v_low, v_low), a.exp_of_negative());
    }
};

// z Phi(z). |z| < 1: Phi is 1/2 + z P(z^2). Beyond, with t = |z|: left z e^(-t^2 / 2) R(t), right z - z of the same.
struct GeluValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using F = FormatOf<V>;
        using T = typename LaneOf<V>::T;
        const V t = at_most(abs(z), splat(F::normal_end));
        const V tail = scaled_bell(t).times(upper_tail(t));
        const V far = by_sign(z, -t * tail * (1 / F::big), z * (1 - tail * (1 / F::big)));
        const V near = z * fma(z, F::phi_poly(z * z), splat(T(0.5)));
        return t < splat(T(1)) ? near : far;
    }
};
// Phi(z) + z phi(z): left Phi(-t) - t phi(t), right 1 - the same. t < 5/4: a polynomial times the distance from the root, so
// that the root costs nothing. Beyond: e^(-t^2 / 2) (R(t) - t / sqrt(2 pi)).
struct GeluDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using F = FormatOf<V>;
        using T = typename LaneOf<V>::T;
        const V t = at_most(abs(z), splat(F::normal_end));
        const V density = splat(-F::normal_density), low = splat(-F::normal_density_low);
        const V far = scaled_bell(t).times(fma(t, density, fma(t, low, upper_tail(t)))) * (1 / F::big);
        const V distance = (F::gelu_root - t) + F::gelu_root_low;
        const V near = distance * F::gelu_slope_poly(-distance);
        const V left = t < splat(T(1.25)) ? near : far;
        return by_sign(z, left, 1 - left);
    }
};

// z tanh(softplus(z)): left z u (u + 2) / (u (u + 2) + 2), right z (1 + 2 u) / (1 + 2 u + 2 u^2).
struct MishValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using F = FormatOf<V>;
        using T = typename LaneOf<V>::T;
        const V one = splat(T(1)), two = splat(T(2));
        const V t = clamped(z, F::exp_scaled_low);
        const ScaledExp<V> e = scaled_exp(-abs(t));
        const V u = e.unscaled();
        const V denominator = by_sign(z, fma(u, u + 2, two), fma(u, u + u + 2, one));
        return quotient(z, e.times(fma(t, u, t + t)), fma(t + t, u, z), denominator);
    }
};
// Left u w / (2 + 2 u + u^2)^2, w = 4 (z + 1) + (4 z + 6) u + 4 u^2 + u^3; right with numerator and denominator times u^4, so
// that 1 + 2 u + 2 u^2 is squared: either as n + base, with what rounding took from both.
struct MishDerivative {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using F = FormatOf<V>;
        using T = typename LaneOf<V>::T;
        const V one = splat(T(1)), two = splat(T(2)), four = splat(T(4));
        const V t = clamped(z, F::exp_scaled_low);
        const ScaledExp<V> e = scaled_exp(-abs(t));
        const V u = e.unscaled();
        const V constant = (t + 1) * T(4), linear = fma(t, four, splat(T(6)));
        const V w = fma(u, fma(u, u + 4, linear), constant), right = fma(u, fma(u, fma(u, constant, linear), four), one);
        const V base = by_sign(z, two, one), multiple = by_sign(z, u, u + u);
        const V n = fma(multiple, u, u + u), n_low = fma(multiple, u, (u + u) - n);
        const V root = base + n, low = ((base - root) + n) + n_low;
        return quotient(z, e.times(w), right, fma(root, root, (root + root) * low));
    }
};

// max(z, 0) + ln(1 + e^-|z|); the derivative is sigmoid.
struct SoftplusValue {
    template <class V>
    FANIN_INLINE V operator()(V z) const {
        using T = typename LaneOf<V>::T;
        return at_least(z, V{}) + log1p(exp_of_negative(-abs(z), T(1)));
    }
};

}  // namespace
}  // namespace fanin::FANIN_ISA
