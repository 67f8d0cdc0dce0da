"""Minimax polynomials of the kernels, and the digits of pi: prints the arrays of cpp/src/constants.hpp.

Each row of FITS names an array, the function g that the polynomial stands for, the interval, the degree, the weight of
the error and the type that the coefficients are rounded to. The Remez exchange runs in 80-digit arithmetic; the last
column printed is the largest weighted error *after* the coefficients were rounded, so the table is its own evidence.

    python scripts/minimax.py            # all of them
    python scripts/minimax.py kSin       # those whose name starts so

Needs mpmath (extra `test`).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mpmath import mp, mpf  # type: ignore[import-untyped]

mp.dps = 80
Function = Callable[[mpf], mpf]


def _series(f: Function, terms: Callable[[int], mpf]) -> Function:
    """Fill the removable singularity of f: the power series where |x| is tiny, f elsewhere."""

    def g(x: mpf) -> mpf:
        if abs(x) < mpf(10) ** -12:
            return sum((terms(k) * x**k for k in range(8)), mpf(0))
        return f(x)

    return g


QUARTER_PI = mp.pi / 4

# ln(1 + f) = f P(f)
log1p_over_f = _series(lambda f: mp.log1p(f) / f, lambda k: mpf((-1) ** k) / (k + 1))
# ln(1 + f) = f + f^2 Q(f)
log1p_tail = _series(lambda f: (mp.log1p(f) - f) / f**2, lambda k: mpf((-1) ** (k + 1)) / (k + 2))
# 2 atanh(s) = 2 s + s^3 R(s^2)
atanh_tail = _series(lambda z: (2 * mp.atanh(mp.sqrt(z)) - 2 * mp.sqrt(z)) / mp.sqrt(z) ** 3, lambda k: mpf(2) / (2 * k + 3))
# sin(pi/4 x) = x S(x^2), cos(pi/4 x) = C(x^2) for x in [-1, 1]
sin_quarter = _series(
    lambda y: mp.sin(QUARTER_PI * mp.sqrt(y)) / mp.sqrt(y),
    lambda k: (-1) ** k * QUARTER_PI ** (2 * k + 1) / mp.factorial(2 * k + 1),
)
# e^r = 1 + r + r^2 E(r)
exp_tail = _series(lambda r: (mp.expm1(r) - r) / r**2, lambda k: 1 / mp.factorial(k + 2))

# tanh x = x + x^3 R(x^2)
tanh_small = _series(
    lambda z: (mp.tanh(mp.sqrt(z)) - mp.sqrt(z)) / mp.sqrt(z) ** 3,
    lambda k: 2 ** (2 * k + 4) * (2 ** (2 * k + 4) - 1) * mp.bernoulli(2 * k + 4) / mp.factorial(2 * k + 4),
)

# The reduced arguments: a shade more than the half interval, for the rounding of the quotient.
HALF_LN2 = mp.log(2) / 2 * (1 + mpf(2) ** -15)
TANH_SMALL = mpf(13) / 32
EIGHTH_TURN = mpf("0.79") ** 2  # the square of what the reduction leaves: pi / 4 and a little
ROOT_HALF = mp.sqrt(mpf(1) / 2) - 1
ROOT_TWO = mp.sqrt(2) - 1


# sin r = r + r^3 S(r^2), cos r = 1 - r^2 / 2 + r^4 C(r^2)
sin_tail = _series(
    lambda y: (mp.sin(mp.sqrt(y)) - mp.sqrt(y)) / mp.sqrt(y) ** 3, lambda k: mpf((-1) ** (k + 1)) / mp.factorial(2 * k + 3)
)
cos_tail = _series(lambda y: (mp.cos(mp.sqrt(y)) - 1 + y / 2) / y**2, lambda k: mpf((-1) ** k) / mp.factorial(2 * k + 4))


def sin_weight(y: mpf) -> mpf:
    """Error of S relative to sin r."""
    return y / (1 + y * sin_tail(y))


def cos_weight(y: mpf) -> mpf:
    """Error of C relative to cos r."""
    return y**2 / mp.cos(mp.sqrt(y))


def cos_quarter(y: mpf) -> mpf:
    """Cosine of pi/4 x for y = x^2."""
    return mp.cos(QUARTER_PI * mp.sqrt(y))


def tanh_tail(s: mpf) -> mpf:
    """T of e^{2 s} = 1 + 2 (s + s^2 T(s))."""
    return 2 * exp_tail(2 * s)


@dataclass(frozen=True)
class Fit:
    """What to approximate, where, and how well is measured."""

    name: str
    g: Function
    low: mpf
    high: mpf
    degree: int
    weight: Function  # the error minimised is weight(x) * (P(x) - g(x))
    kind: str  # "f" rounds to float32, "d" to float64


def over(g: Function) -> Function:
    """Relative error of P itself."""
    return lambda x: 1 / g(x)


def expm1_weight(r: mpf) -> mpf:
    """Error of E relative to e^r - 1."""
    return abs(r) / (1 + r * exp_tail(r))


def tanh_weight(s: mpf) -> mpf:
    """Error of T relative to e^{2 s} - 1."""
    return abs(s) / (1 + s * tanh_tail(s))


def tanh_small_weight(z: mpf) -> mpf:
    """Error of R relative to tanh x."""
    return z / (1 + z * tanh_small(z))


def log_weight(f: mpf) -> mpf:
    """Error of Q relative to ln(1 + f)."""
    return abs(f) / log1p_over_f(f)


def central_inverse(w: mpf) -> mpf:
    """sqrt 2 erfinv(x) / x as a function of w = -2 ln(1 - x^2)."""
    if w < mpf(10) ** -30:
        return mp.sqrt(mp.pi / 2)
    x = mp.sqrt(-mp.expm1(-w / 2))
    return mp.sqrt(2) * mp.erfinv(x) / x


def central_weight(w: mpf) -> mpf:
    """Error of P as that of x P; the last term keeps the weight from vanishing at 0."""
    return mp.sqrt(-mp.expm1(-w / 2)) + mpf(2) ** -10


def erf_tail(y: mpf) -> mpf:
    """P of erf x = x + x P(x^2), y = x^2."""
    if y < mpf(10) ** -24:
        return 2 / mp.sqrt(mp.pi) * (1 - y / 3 + y**2 / 10) - 1
    return mp.erf(mp.sqrt(y)) / mp.sqrt(y) - 1


def phi_tail(y: mpf) -> mpf:
    """P of Phi(x) = 1/2 + x P(x^2), y = x^2."""
    return mp.sqrt(mpf(1) / 2) / 2 * (1 + erf_tail(y / 2))


# The root of GELU's derivative, Phi(-t) = t phi(t).
GELU_ROOT = mp.findroot(lambda t: mp.ncdf(-t) - t * mp.npdf(t), mpf("0.75"))


def gelu_slope(d: mpf) -> mpf:
    """P of Phi(-t) - t phi(t) = -d P(d), t = root + d; at 0 by the derivative, (t^2 - 2) phi(t)."""
    t = GELU_ROOT + d
    if abs(d) < mpf(10) ** -30:
        return -(t * t - 2) * mp.npdf(t)
    return (mp.ncdf(-t) - t * mp.npdf(t)) / -d


def upper_tail(s: mpf) -> mpf:
    """(t + 4) e^{t^2 / 2} Phi(-t) as a function of s = 1 - 8 / (t + 4)."""
    t = 8 / (1 - s) - 4
    return (t + 4) * mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2


FITS = [
    # the truncated normal's inversion up to 2.5 sigma, where w = 7.403, and its logarithm
    Fit("kInverseCentralF32", central_inverse, mpf(0), mpf("7.42"), 7, central_weight, "f"),
    Fit("kInverseLogF32", lambda f: -2 * log1p_over_f(f), mpf(-1) / 2, mpf(0), 6, lambda f: abs(f) + mpf(2) ** -20, "f"),
    # -ln u for the radius of Box-Muller: f in [-1/2, 0], both kinds
    Fit("kRadiusF32", lambda f: -2 * log1p_over_f(f), mpf(-1) / 2, mpf(0), 8, lambda f: 1 / (2 * log1p_over_f(f)), "f"),
    Fit("kRadiusF64", lambda f: -2 * log1p_over_f(f), mpf(-1) / 2, mpf(0), 20, lambda f: 1 / (2 * log1p_over_f(f)), "d"),
    Fit("kSinF32", sin_quarter, mpf(0), mpf(1), 3, over(sin_quarter), "f"),
    Fit("kCosF32", cos_quarter, mpf(0), mpf(1), 4, over(cos_quarter), "f"),
    Fit("kSinF64", sin_quarter, mpf(0), mpf(1), 6, over(sin_quarter), "d"),
    Fit("kCosF64", cos_quarter, mpf(0), mpf(1), 7, over(cos_quarter), "d"),
    Fit("kSineF32", sin_tail, mpf(0), EIGHTH_TURN, 2, sin_weight, "f"),
    Fit("kSineF64", sin_tail, mpf(0), EIGHTH_TURN, 5, sin_weight, "d"),
    # where y < 1 / 16, y^2 C(y) hardly counts
    Fit("kCosineF32", cos_tail, mpf(1) / 16, EIGHTH_TURN, 2, cos_weight, "f"),
    Fit("kCosineF64", cos_tail, mpf(1) / 16, EIGHTH_TURN, 5, cos_weight, "d"),
    # relative to e^r - 1, which is stricter than relative to e^r and what tanh needs
    Fit("kExpF32", exp_tail, -HALF_LN2, HALF_LN2, 4, expm1_weight, "f"),
    Fit("kExpF64", exp_tail, -HALF_LN2, HALF_LN2, 10, expm1_weight, "d"),
    Fit("kTanhF32", tanh_tail, -HALF_LN2 / 2, HALF_LN2 / 2, 4, tanh_weight, "f"),
    Fit("kTanhF64", tanh_tail, -HALF_LN2 / 2, HALF_LN2 / 2, 10, tanh_weight, "d"),
    Fit("kTanhSmallF32", tanh_small, mpf(0), TANH_SMALL**2, 3, tanh_small_weight, "f"),
    Fit("kTanhSmallF64", tanh_small, mpf(0), TANH_SMALL**2, 8, tanh_small_weight, "d"),
    Fit("kErfF32", erf_tail, mpf(0), mpf(1), 6, lambda y: 1 / (1 + erf_tail(y)), "f"),
    Fit("kErfF64", erf_tail, mpf(0), mpf(1), 12, lambda y: 1 / (1 + erf_tail(y)), "d"),
    Fit("kPhiF32", phi_tail, mpf(0), mpf(1), 6, over(phi_tail), "f"),
    Fit("kPhiF64", phi_tail, mpf(0), mpf(1), 12, over(phi_tail), "d"),
    Fit("kGeluSlopeF32", gelu_slope, -GELU_ROOT, mpf(5) / 4 - GELU_ROOT, 9, over(gelu_slope), "f"),
    Fit("kGeluSlopeF64", gelu_slope, -GELU_ROOT, mpf(5) / 4 - GELU_ROOT, 17, over(gelu_slope), "d"),
    # t in [1, 15.75] and [1, 40.5]: beyond them t Phi(-t) rounds to 0
    Fit("kUpperTailF32", upper_tail, mpf(-3) / 5, 1 - 8 / mpf("19.75"), 8, over(upper_tail), "f"),
    Fit("kUpperTailF64", upper_tail, mpf(-3) / 5, 1 - 8 / mpf("44.5"), 19, over(upper_tail), "d"),
    Fit("kLogF32", log1p_tail, ROOT_HALF, ROOT_TWO, 8, log_weight, "f"),
    Fit("kLogF64", log1p_tail, ROOT_HALF, ROOT_TWO, 20, log_weight, "d"),
]


def remez(fit: Fit) -> list[mpf]:
    """Coefficients, constant term first, of the polynomial that minimises the largest weighted error."""
    n = fit.degree + 2
    mid, half = (fit.low + fit.high) / 2, (fit.high - fit.low) / 2
    points = [mid - half * mp.cos(mp.pi * k / (n - 1)) for k in range(n)]
    coefficients: list[mpf] = []
    for _ in range(12):
        a = mp.matrix(n, n)
        b = mp.matrix(n, 1)
        for i, x in enumerate(points):
            w = fit.weight(x)
            for j in range(fit.degree + 1):
                a[i, j] = w * x**j
            a[i, n - 1] = (-1) ** i
            b[i] = w * fit.g(x)
        solution = mp.lu_solve(a, b)
        coefficients = [solution[j] for j in range(fit.degree + 1)]
        grid = [mid - half * mp.cos(mp.pi * k / (40 * n)) for k in range(40 * n + 1)]
        errors = [error_at(fit, coefficients, x) for x in grid]
        points = exchange(grid, errors, n)
        worst = max(abs(e) for e in errors)
        if worst - abs(solution[n - 1]) < worst * mpf(10) ** -4:
            break
    return coefficients


def exchange(grid: list[mpf], errors: list[mpf], n: int) -> list[mpf]:
    """Return the n alternating extrema of the error, one for each run of equal sign."""
    extrema: list[tuple[mpf, mpf]] = []
    for x, e in zip(grid, errors, strict=True):
        if extrema and (e > 0) == (extrema[-1][1] > 0):
            if abs(e) > abs(extrema[-1][1]):
                extrema[-1] = (x, e)
        else:
            extrema.append((x, e))
    while len(extrema) > n:  # an extra alternation sits at an end: drop the smaller one
        extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
    if len(extrema) < n:
        raise ValueError(f"found {len(extrema)} alternations, need {n}: the grid is too coarse or the degree too high")
    return [x for x, _ in extrema]


def error_at(fit: Fit, coefficients: list[mpf], x: mpf) -> mpf:
    """Weighted error of the polynomial at x."""
    return fit.weight(x) * (mp.polyval(coefficients[::-1], x) - fit.g(x))


def rounded(x: mpf, kind: str) -> float:
    """Round to the type of the array."""
    value = float(x)
    if kind == "d":
        return value
    narrow: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return narrow


def literal(value: float, kind: str) -> str:
    """Hexadecimal, with the 6 digits that a float32 has or the 13 of a float64."""
    head, exponent = value.hex().split("p")
    return f"{head[:-7] if kind == 'f' and '.' in head else head}p{exponent}"


def two_over_pi() -> None:
    """Print a word of zeros and 19 words of 2 / pi: the first 1216 bits of its fraction, truncated."""
    with mp.workdps(400):
        bits = int(mp.floor(2 / mp.pi * mpf(2) ** (64 * 19)))
    words = [bits >> 64 * k & (1 << 64) - 1 for k in reversed(range(20))]
    body = ",\n    ".join(f"{word:#018x}" for word in words)
    print(f"constexpr unsigned long long kTwoOverPi[] = {{\n    {body}}};\n")


def parts_of_half_pi(digits: int, suffix: str) -> None:
    """Print pi / 2 as a sum of three numbers, each rounded to so many digits."""
    rest = mp.pi / 2
    for k in (1, 2, 3):
        with mp.workprec(digits):
            part = +rest
        rest -= part
        name, kind = ("float", "F32") if suffix else ("double", "F64")
        print(f"inline constexpr {name} kHalfPi{k}{kind} = {literal(float(part), 'f' if suffix else 'd')}{suffix};")
    print()


def main() -> None:
    """Print the arrays whose names were asked for."""
    wanted = sys.argv[1:]
    if not wanted or "kTwoOverPi" in wanted:
        two_over_pi()
    if not wanted or "kHalfPi" in wanted:
        parts_of_half_pi(24, "F")
        parts_of_half_pi(53, "")
    for fit in FITS:
        if wanted and not any(fit.name.startswith(w) for w in wanted):
            continue
        values = [rounded(c, fit.kind) for c in remez(fit)]
        exact = [mpf(v) for v in values]
        grid = [fit.low + (fit.high - fit.low) * mpf(k) / 2000 for k in range(2001)]
        worst = max(abs(error_at(fit, exact, x)) for x in grid)
        ctype, suffix = ("float", "F") if fit.kind == "f" else ("double", "")
        print(
            f"// degree {fit.degree} on [{mp.nstr(fit.low, 6)}, {mp.nstr(fit.high, 6)}], error 2^{mp.nstr(mp.log(worst, 2), 4)}"
        )
        body = ",\n    ".join(literal(v, fit.kind) + suffix for v in values)
        print(f"constexpr {ctype} {fit.name}[] = {{\n    {body}}};\n")


if __name__ == "__main__":
    main()
