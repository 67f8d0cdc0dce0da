"""Activations against 50-digit arithmetic; gains; parameters on their way through layers, networks and laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special

import fanin as fi
from fanin.verify import reference

DTYPES = [np.float32, np.float64]
LAMBDA, ALPHA = mpf("1.0507009873554805"), mpf("1.6732632423543772")
Function = Callable[[mpf], mpf]


def sigmoid(z: mpf) -> mpf:
    return 1 / (1 + mp.exp(-z))


def slope_of_sigmoid(z: mpf) -> mpf:
    return mp.exp(-abs(z)) / (1 + mp.exp(-abs(z))) ** 2


def gelu_argument(z: mpf) -> mpf:
    return 2 * mp.sqrt(2 / mp.pi) * (z + mpf("0.044715") * z**3)


def phi(z: mpf) -> mpf:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def elu(alpha: mpf, scale: mpf) -> tuple[Function, Function]:
    return (
        lambda z: scale * (z if z > 0 else alpha * mp.expm1(z)),
        lambda z: scale * (1 if z > 0 else alpha * mp.exp(z)),
    )


def mish_slope(z: mpf) -> mpf:
    u, d = mp.exp(z), 1 + (1 + mp.exp(z)) ** 2
    return u * (4 * (z + 1) + u * (4 * z + 6) + 4 * u**2 + u**3) / d**2


# Value and derivative, 60 digits. Those of leaky_relu for a slope that both types hold exactly.
EXACT: dict[str, tuple[Function, Function]] = {
    "identity": (lambda z: z, lambda z: mpf(1)),
    "relu": (lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),
    "leaky_relu(0.125)": (lambda z: z / 8 if z < 0 else z, lambda z: mpf(1) if z > 0 else mpf("0.125")),
    "elu": elu(mpf(1), mpf(1)),
    "elu(-3)": elu(mpf(-3), mpf(1)),
    "selu": elu(ALPHA, LAMBDA),
    "gelu": (lambda z: z * phi(z), lambda z: phi(z) + z * mp.npdf(z)),
    "gelu_tanh": (
        lambda z: z * sigmoid(gelu_argument(z)),
        lambda z: (
            sigmoid(gelu_argument(z)) + (3 * gelu_argument(z) - 4 * mp.sqrt(2 / mp.pi) * z) * slope_of_sigmoid(gelu_argument(z))
        ),
    ),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) + z * slope_of_sigmoid(z)),
    "mish": (lambda z: z * mp.tanh(mp.log1p(mp.exp(z))), mish_slope),
    "softplus": (lambda z: mp.log1p(mp.exp(z)), sigmoid),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: (1 / (1 + abs(z))) ** 2),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "sigmoid": (sigmoid, slope_of_sigmoid),
    "hardtanh": (lambda z: max(mpf(-1), min(mpf(1), z)), lambda z: mpf(abs(z) < 1)),
    "relu6": (lambda z: max(mpf(0), min(mpf(6), z)), lambda z: mpf(0 < z < 6)),
    "hardswish": (
        lambda z: z * max(mpf(0), min(mpf(6), z + 3)) / 6,
        lambda z: mpf(0) if z <= -3 else mpf(1) if z > 3 else (2 * z + 3) / 6,
    ),
    "sin": (mp.sin, mp.cos),
}
ROOTS = {"silu": -1.2784645427610738, "mish": -1.1924312145154165, "gelu_tanh": -0.7524614220710163}


def inputs(dtype: Any) -> np.ndarray:
    """Both signs of magnitudes from 2^-30 to where e^z is subnormal, and the neighbourhoods of roots."""
    rng = np.random.default_rng(3)
    far = 110 if dtype is np.float32 else 750
    spread = [2.0 ** rng.uniform(-30, 5, 60), rng.uniform(0, 3, 50), rng.uniform(3, 40, 30), rng.uniform(40, far, 20)]
    magnitudes = np.concatenate(spread)
    roots = [r + d for r in [-0.7517915246935645, *ROOTS.values()] for d in (-0.3, -1e-3, 0, 1e-7, 0.26)]
    return np.concatenate([magnitudes, -magnitudes, roots]).astype(dtype)


def ulps(got: Any, exact: mpf) -> float:
    info = np.finfo(type(got))
    _, exponent = mp.frexp(exact)
    unit = mpf(2) ** (max(int(exponent), info.minexp + 1) - info.nmant - 1)
    return float(abs(mpf(float(got)) - exact) / unit)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_against_sixty_digits(name: str, dtype: Any) -> None:
    """4 ULP, or 2^-23 (2^-52) within 1/4 of a root; values have none but 0, where they are relative."""
    z = inputs(dtype)
    a, d = fi.activation.evaluate(name, z), fi.activation.derivative(name, z)
    with mp.workdps(60):
        for x, value, slope in zip(z, a, d, strict=True):
            at = mpf(float(x))
            assert ulps(value, EXACT[name][0](at)) <= 4, x
            exact = EXACT[name][1](at)
            if abs(float(x) - ROOTS.get(name, np.nan)) <= 0.25:
                assert abs(mpf(float(slope)) - exact) <= np.finfo(dtype).eps, x
            else:
                assert ulps(slope, exact) <= 4, x


@pytest.mark.parametrize("name", fi.activation.names())
def test_equals_numpy_and_scipy(name: str) -> None:
    """`fanin.verify.reference`, in float64: its own formulas cancel far left, so absolutely, to 8 ULP of values up to 6."""
    z = np.linspace(-6, 6, 2001)
    np.testing.assert_allclose(fi.activation.evaluate(name, z), reference.ACTIVATIONS[name][0](z), rtol=1e-14, atol=6e-15)
    np.testing.assert_allclose(fi.activation.derivative(name, z), reference.ACTIVATIONS[name][1](z), rtol=1e-14, atol=6e-15)
    if name == "gelu":
        np.testing.assert_allclose(fi.activation.evaluate(name, z), z * special.ndtr(z), rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "mish"])
def test_the_left_tail_vanishes_gradually(name: str, dtype: Any) -> None:
    """1 + erf would be 0 from -5.5 on in float32; the value goes down through the subnormals to -0, and so the derivative."""
    end = {"gelu": 14.2, "gelu_tanh": 10.6, "silu": 107.0, "mish": 107.0}[name]
    if dtype is np.float64:
        end = {"gelu": 38.4, "gelu_tanh": 21.3, "silu": 750.0, "mish": 750.0}[name]
    z = np.array([-end], dtype)
    for function in (fi.activation.evaluate, fi.activation.derivative):
        at_end, beyond = function(name, z)[0], function(name, z * dtype(1.1))[0]
        assert -np.finfo(dtype).tiny < at_end < 0
        assert beyond == 0
        assert np.signbit(beyond)
        assert np.signbit(function(name, np.array([-np.inf], dtype))[0])


def test_special_values(everywhere: Any) -> None:
    """What docs/activations.md states, float64: g and g' at -inf, -0, +0, +inf."""
    la, lam = float(LAMBDA * ALPHA), float(LAMBDA)
    inf, z = np.inf, np.array([-np.inf, -0.0, 0.0, np.inf])
    table = {
        "identity": ([-inf, -0.0, 0, inf], [1, 1, 1, 1]),
        "relu": ([0, 0, 0, inf], [0, 0, 0, 1]),
        "leaky_relu": ([-inf, -0.0, 0, inf], [0.01, 0.01, 0.01, 1]),
        "elu": ([-1, -0.0, 0, inf], [0, 1, 1, 1]),
        "selu": ([-la, -0.0, 0, inf], [0, la, la, lam]),
        "gelu": ([-0.0, -0.0, 0, inf], [-0.0, 0.5, 0.5, 1]),
        "gelu_tanh": ([-0.0, -0.0, 0, inf], [-0.0, 0.5, 0.5, 1]),
        "silu": ([-0.0, -0.0, 0, inf], [-0.0, 0.5, 0.5, 1]),
        "mish": ([-0.0, -0.0, 0, inf], [-0.0, 0.6, 0.6, 1]),
        "softplus": ([0, np.log(2), np.log(2), inf], [0, 0.5, 0.5, 1]),
        "softsign": ([-1, -0.0, 0, 1], [0, 1, 1, 0]),
        "tanh": ([-1, -0.0, 0, 1], [0, 1, 1, 0]),
        "sigmoid": ([0, 0.5, 0.5, 1], [0, 0.25, 0.25, 0]),
        "hardtanh": ([-1, -0.0, 0, 1], [0, 1, 1, 0]),
        "relu6": ([0, 0, 0, 6], [0, 0, 0, 0]),
        "hardswish": ([-0.0, -0.0, 0, inf], [0, 0.5, 0.5, 1]),
        "sin": ([np.nan, -0.0, 0, np.nan], [np.nan, 1, 1, np.nan]),
    }
    assert list(table) == fi.activation.names()
    for _ in everywhere():
        for name, expected in table.items():
            for function, values in zip((fi.activation.evaluate, fi.activation.derivative), expected, strict=True):
                got = function(name, z)
                np.testing.assert_allclose(got, values, rtol=4e-16, err_msg=name)
                numbers = ~np.isnan(values)  # a NaN has no sign
                np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(values)[numbers], err_msg=name)


def test_sin_at_any_size(everywhere: Any) -> None:
    """On both sides of the limits of the reductions, 2^15 and 2^28, at the double nearest to a multiple of pi/2 (2^-60.9 from
    one; Kahan and McDonald's program nearpi found it, 1983), and at the largest numbers."""
    hard = float.fromhex("0x1.6ac5b262ca1ffp+849")
    for dtype, limit in ((np.float32, 2.0**15), (np.float64, 2.0**28)):
        edges = [np.nextafter(dtype(limit), dtype(to)) for to in (0, np.inf)]
        z = np.array([limit, *edges, 1e30, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal], dtype)
        z = np.concatenate([z, -z, [] if dtype is np.float32 else [hard]]).astype(dtype)
        for _ in everywhere():
            a, d = fi.activation.evaluate("sin", z), fi.activation.derivative("sin", z)
            with mp.workdps(360):
                for x, value, slope in zip(z, a, d, strict=True):
                    assert ulps(value, mp.sin(mpf(float(x)))) <= 4, x
                    assert ulps(slope, mp.cos(mpf(float(x)))) <= 4, x


def test_traits() -> None:
    sine, leaky = fi.activation.traits("sin"), fi.activation.traits("leaky_relu(slope=0.20)")
    assert (sine.bounds, sine.limits, sine.value_range, sine.kinks, sine.period) == (None, None, None, (), 2 * np.pi)
    assert (leaky.text, leaky.name, leaky.parameter, leaky.value) == ("leaky_relu(0.2)", "leaky_relu", "slope", 0.2)
    assert (leaky.kinks, leaky.period) == ((0.0,), None)
    assert fi.activation.traits("tanh").value_range == (-1, 1)
    assert fi.activation.traits("relu6").value_range is None
    with pytest.raises(ValueError, match="activation must be one of identity, "):
        fi.activation.traits("sine")


# ---------------------------------------------------------------------------------------------------- gains


@pytest.mark.parametrize("name", [n for n in EXACT if n != "identity"])
def test_gains_by_quadrature(name: str) -> None:
    """literature.md section 8, repeated: 1 / sqrt(E g(z)^2) in 30-digit arithmetic, correctly rounded."""
    with mp.workdps(30):
        second = mp.quad(lambda z: EXACT[name][0](z) ** 2 * mp.npdf(z), mp.linspace(-12, 12, 25))
        assert fi.activation.gain(name) == float(1 / mp.sqrt(second))


def test_gains_of_parameters_are_correctly_rounded() -> None:
    rng = np.random.default_rng(5)
    parameters = [0.0, 1.0, -1.0, 0.01, 0.2, 1e-200, 1e6, *rng.uniform(-2, 2, 300), *10.0 ** rng.uniform(-9, 6, 100)]
    with mp.workdps(60):
        constant = mp.exp(2) * mp.ncdf(-2) - 2 * mp.exp(mpf(1) / 2) * mp.ncdf(-1) + mpf(1) / 2
        for p in map(float, parameters):
            assert fi.activation.gain(f"leaky_relu({p!r})") == float(mp.sqrt(2 / (1 + mpf(p) ** 2))), p
            assert fi.activation.gain(f"elu({p!r})") == float(1 / mp.sqrt(mpf(1) / 2 + mpf(p) ** 2 * constant)), p


def test_gains_of_the_literature() -> None:
    """literature.md section 8, to the digits that it prints."""
    table = {
        "relu": 1.4142135624, "leaky_relu": 1.4141428570, "leaky_relu(0.1)": 1.4071950895, "leaky_relu(0.2)": 1.3867504906,
        "leaky_relu(0.25)": 1.3719886811, "elu": 1.2451983007, "selu": 1.0, "gelu": 1.5335304412, "silu": 1.6765324703,
        "mish": 1.4868475813, "softplus": 1.0418668355, "softsign": 2.337533363, "tanh": 1.5925374197, "sigmoid": 1.8462285453,
    }  # fmt: skip
    for name, gain in table.items():
        assert fi.activation.gain(name) == pytest.approx(gain, abs=5e-10)
        assert fi.theory.gain(name) == pytest.approx(gain, abs=2e-9)


# ---------------------------------------------------------------------------------------------------- parameters


def test_parameters_reach_layers() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((7, 5)), rng.standard_normal((4, 5))
    f = fi.dense_forward(x, w, activation="leaky_relu(0.2)")
    assert f.z is not None
    np.testing.assert_array_equal(f.a, np.where(f.z < 0, 0.2 * f.z, f.z))
    da = rng.standard_normal((7, 4))
    g = fi.dense_backward(da, x, w, f.z, activation="leaky_relu(slope=0.2)", need=("dz",))
    np.testing.assert_array_equal(g.dz, da * np.where(f.z < 0, 0.2, 1))
    with pytest.raises(ValueError, match=r"z must be given with activation 'elu\(0.5\)'"):
        fi.dense_backward(da, x, w, None, activation="elu(0.5)")


def test_parameters_reach_networks() -> None:
    net = fi.Network([3, 4, 4, 2], activation=["leaky_relu( slope=0.20 )", "elu(1)"], seed=1, dtype="float64")
    assert net.activations == ("leaky_relu(0.2)", "elu", "identity")
    assert "leaky_relu(0.2), elu" in repr(net)
    assert net.copy().activations == net.activations
    x = np.random.default_rng(2).standard_normal((6, 3))
    y = np.array([0, 1, 1, 0, 1, 0])
    for (dw, _), w in zip(net.gradients(x, y), net.weights, strict=True):  # central differences
        at = (1, 2)
        before = w[at]
        w[at] = before + 1e-6
        up = net.loss(x, y)
        w[at] = before - 1e-6
        down = net.loss(x, y)
        w[at] = before
        assert dw[at] == pytest.approx((up - down) / 2e-6, abs=1e-8)


def test_parameters_reach_laws() -> None:
    shape = (64, 100)
    std = fi.init.describe("xavier_normal(gain=leaky_relu(0.2))", shape).std
    assert std == fi.activation.gain("leaky_relu(0.2)") * 0.1
    law = fi.init.law("xavier_normal(gain='leaky_relu(slope=0.2)')")
    assert law == fi.init.law("xavier_normal(gain=leaky_relu(0.2))") != fi.init.law("xavier_normal(gain=leaky_relu)")
    assert fi.init.law(str(law)) == law
    drawn = fi.init.xavier_normal(shape, gain="leaky_relu(0.2)", seed=1, stream=0)
    np.testing.assert_array_equal(drawn, fi.init.law("xavier_normal(gain=leaky_relu(0.2))")(shape, seed=1, stream=0))
    with pytest.raises(ValueError, match=r"gain, as a word, must be one of identity, .*, got 'swish': did you mean 'silu'\?"):
        fi.init.law("xavier_normal(gain=swish)")
    with pytest.raises(ValueError, match="law must look like"):
        fi.init.law("xavier_normal(gain=leaky_relu(0.2)")
