"""What theory says against sums, closed forms and quadratures that are written out here; and all of its refusals, in full."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import fanin as fi
from fanin import theory

DERIVATION = Path(__file__).parents[2] / "data" / "derivation.txt"

# The trapezoidal rule, right to rounding here: it converges geometrically for functions that are analytic around the line.
NODES = np.linspace(-10, 10, 801)
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()


def expectation(f, q):
    return float(WEIGHTS @ f(math.sqrt(q) * NODES))


def pair(f, q, c):
    z = math.sqrt(q) * NODES
    other = c * z[:, None] + math.sqrt(1 - c * c) * z
    return float(WEIGHTS @ (f(z)[:, None] * f(other)) @ WEIGHTS)


def tanh_slope(z):
    return 1 / np.cosh(z) ** 2


@pytest.mark.parametrize("c", [-0.7, 0.0, 0.3, 0.95])
def test_two_inputs_of_tanh(c):
    q, w, b = 0.8, 1.7, 0.4
    following = w**2 * expectation(lambda z: np.tanh(z) ** 2, q) + b**2
    mapped = theory.correlation_map("tanh", c, q, sigma_w=w, sigma_b=b)
    assert mapped == pytest.approx((w**2 * pair(np.tanh, q, c) + b**2) / following, abs=1e-10)
    assert 0 < mapped.error < 1e-10
    slope = theory.correlation_slope("tanh", c, q, sigma_w=w)
    assert slope == pytest.approx(w**2 * pair(tanh_slope, q, c), abs=1e-10)
    assert 0 < slope.error < 1e-9


def test_two_inputs_of_a_step():
    """The sign has no slope, and its correlation map needs none: E sign(z1) sign(z2) = 2 / pi asin(c)."""
    for c in (-1.0, -0.2, 0.5, 1.0):
        assert theory.correlation_map(np.sign, c, 1.0) == pytest.approx(2 / math.pi * math.asin(c), abs=1e-9)


@pytest.mark.parametrize("c", [0.1, 0.5, 0.9, 0.99])
def test_dead_units_of_a_few_inputs(c):
    """One input, and the orthant probabilities of two and three normal numbers (Sheppard 1899)."""
    assert theory.dead_fraction(c, 1) == pytest.approx(1 / 2, abs=1e-13)
    assert theory.dead_fraction(c, 2) == pytest.approx(1 / 4 + math.asin(c) / (2 * math.pi), abs=1e-13)
    assert theory.dead_fraction(c, 3) == pytest.approx(1 / 8 + 3 * math.asin(c) / (4 * math.pi), abs=1e-13)
    assert theory.dead_fraction(-c, 3) == 1 / 8


@pytest.mark.parametrize("sigma_b", [0.05, 0.3])
def test_the_edge_from_each_side(sigma_b):
    """The point of a sigma_b is that of its sigma_w, and of its q."""
    edge = theory.edge_of_chaos("tanh", sigma_b=sigma_b)
    assert edge.sigma_b == sigma_b
    assert theory.chi("tanh", edge.q, sigma_w=edge.sigma_w) == pytest.approx(1, abs=1e-9)
    assert theory.variance_map("tanh", edge.q, sigma_w=edge.sigma_w, sigma_b=sigma_b) == pytest.approx(edge.q, rel=1e-9)
    for given in ({"sigma_w": edge.sigma_w}, {"q": edge.q}):
        again = theory.edge_of_chaos("tanh", **given)
        assert (again.sigma_w, again.sigma_b, again.q) == pytest.approx((edge.sigma_w, sigma_b, edge.q), rel=1e-6)


def test_fixed_points_of_correlations():
    chaotic = theory.fixed_point("tanh", sigma_w=2.5, sigma_b=0.3)
    assert 0.1 < chaotic.c < 0.2
    q = chaotic.q
    assert theory.correlation_map("tanh", chaotic.c, q, sigma_w=2.5, sigma_b=0.3) == pytest.approx(chaotic.c, abs=1e-12)
    assert chaotic.chi_c == theory.correlation_slope("tanh", chaotic.c, q, sigma_w=2.5)
    assert chaotic.chi_1 == theory.chi("tanh", q, sigma_w=2.5)
    odd = theory.fixed_point("tanh", sigma_w=2.5)
    assert odd.c == 0  # two inputs of no correlation keep none
    assert odd.chi_c == pytest.approx(2.5**2 * expectation(tanh_slope, odd.q) ** 2, rel=1e-7)
    ordered = theory.fixed_point("tanh", sigma_w=0.9)
    assert (ordered.q, ordered.c, ordered.phase, ordered.stable) == (0, 1, "ordered", True)
    for slope in (ordered.chi_1, ordered.chi_c, ordered.slope_q):
        assert slope == pytest.approx(0.81, rel=1e-12)
    assert ordered.xi_q == ordered.xi_c == pytest.approx(-1 / math.log(0.81), rel=1e-9)
    biased = theory.fixed_point("tanh", sigma_w=0.9, sigma_b=0.5)
    assert (biased.c, biased.chi_c) == (1, biased.chi_1)


@pytest.mark.parametrize(("activation", "n"), [("identity", 1), ("relu", 1), ("identity", 7), ("relu", 7)])
def test_jacobians_of_several_layers(activation, n):
    """The recurrence as a matrix; with one unit a layer J J^T is a product of w^2: E w^4 = 3, of ReLU's half of 4 * 3."""
    step = {"identity": [[1 + 1 / n, 1], [2 / n**2, 1]], "relu": [[1 + 3 / n, 2], [4 / n**2, 1 + 1 / n]]}[activation]
    for depth in (0, 1, 2, 5):
        found = theory.jacobian_moments(n, depth, activation)
        u, t = np.linalg.matrix_power(np.array(step), depth) @ [1.0, 1.0]
        assert (found.second, found.square) == (pytest.approx(u, rel=1e-12), pytest.approx(t, rel=1e-12))
        if n == 1:
            assert found.second == pytest.approx({"identity": 3, "relu": 6}[activation] ** depth, rel=1e-12)


@pytest.mark.parametrize("q", [0.05, 1.0])
def test_spectra_of_tanh(q):
    second, fourth = (expectation(lambda z, k=k: tanh_slope(z) ** k, q) for k in (2, 4))
    for weights, more in (("gaussian", 1), ("orthogonal", 0)):
        expected = 7 * (fourth / second**2 - 1 + more)
        assert theory.jacobian_variance("tanh", q, 7, weights=weights) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="jumps at"):
        theory.jacobian_variance(np.sign, q, 7)


@pytest.mark.parametrize(
    ("rms", "depth", "verdict"),
    [
        (1.32, 1, "healthy"),
        (1.34, 1, "exploding"),
        (0.76, 1, "healthy"),
        (0.74, 1, "vanishing"),
        (1.9, 2, "exploding"),  # (4/3)^2 = 1.78
        (1.7, 2, "healthy"),
        (9.9, 50, "healthy"),
        (10.1, 50, "exploding"),
        (0.099, 50, "vanishing"),
        (0.0, 3, "vanishing"),
    ],
)
def test_verdicts_of_a_factor(rms, depth, verdict):
    assert theory.classify(rms**2, depth) == verdict


def test_scales_of_two_relu_units():
    """Of 2 units one or both are active, as 2 to 1: logarithms of chi-squared numbers, by the law of total variance."""
    euler = 0.5772156649015329
    one, both = -euler - 2 * math.log(2) + math.log(2), -euler + math.log(2)  # psi(1/2), psi(1), each of (4 / n) = 2
    mean = (2 * one + both) / 3
    var = (2 * (math.pi**2 / 2 + (one - mean) ** 2) + math.pi**2 / 6 + (both - mean) ** 2) / 3
    law = theory.finite_width([2, 2])
    assert law.log_mean == pytest.approx(2 * mean, rel=1e-12)
    assert law.log_var == pytest.approx(2 * var, rel=1e-12)
    assert law.second_moment == pytest.approx(3.5**2, rel=1e-12)
    assert law.dead == pytest.approx(1 - 0.75**2, rel=1e-12)
    assert (law.beta, law.log_std) == (1, pytest.approx(math.sqrt(2 * var), rel=1e-12))


def test_scales_of_linear_layers():
    law = theory.finite_width([4, 6], "identity")
    assert law.second_moment == pytest.approx((1 + 2 / 4) * (1 + 2 / 6), rel=1e-12)
    assert (law.dead, law.beta) == (0, pytest.approx(1 / 4 + 1 / 6))
    uniform, normal = theory.finite_width([10], kurtosis=1.8), theory.finite_width([10])
    assert uniform.second_moment == pytest.approx(normal.second_moment - 12 * 1.2 / 100, rel=1e-12)
    assert uniform.log_mean == pytest.approx(normal.log_mean + 6 * 1.2 / 100, rel=1e-12)


def test_scatter_of_linear_layers_with_biases():
    """One row through identities: each layer adds 2 / n to the relative variance, of which a bias takes its part away."""
    w, b, widths = 0.9, 0.3, (10, 20, 30)
    square, scatter = 1.0, 0.0
    net = fi.Network([5, *widths, 2], "identity", "zeros", bias_init="zeros", seed=0)
    scales = [theory.expected.LayerScale("identity", n_in, n, w, b) for n_in, n in zip((5, *widths), widths, strict=False)]
    found = theory.expected.expect(np.ones(1), theory.integrals.scatter.Pairs(np.ones((1, 5))), [*scales, scales[-1]])
    for n, layer in zip(widths, found.layers, strict=False):
        fraction = w * square / (w * square + b)
        square = w * square + b
        scatter = scatter * fraction**2 + 2 / n
        assert layer.a_rms == pytest.approx(math.sqrt(square), rel=1e-12)
        assert layer.a_error == pytest.approx(math.sqrt(scatter) / 2, rel=1e-9)
    assert [layer.a_error for layer in theory.expected_trace(net, np.ones((1, 5))).hidden] == [0, 0, 0]


def test_the_table_of_an_expected_trace():
    net = fi.Network([20, 50, 50, 3], "tanh", "fan_in_uniform", seed=2, bias_init="constant(value=0.5)")
    expected = theory.expected_trace(net, fi.init.normal((300, 20), seed=3, stream="x"))
    head, *rows = str(expected).splitlines()
    heads = ["layer", "in > out", "n Var(w)", "std of z", "mean of a", "std of a", "+-", "rms of da", "+-"]
    assert head == f"{heads[0]:<10}" + "".join(f"{word:>11}" for word in heads[1:])
    for row, layer in zip(rows, expected.layers, strict=True):
        assert row.startswith(f"{layer.name:<10}")
        numbers = [f"{one:.4g}" for one in (layer.n_var_w, layer.z_std, layer.a_mean, layer.a_std)]
        numbers += [f"{100 * layer.a_error:.2g}", "%", f"{layer.da_rms:.4g}", f"{100 * layer.da_error:.2g}", "%"]
        assert row[10:].split() == [f"{layer.n_in}>{layer.n_out}", *numbers]


def test_derivation_in_full():
    """Word for word, measured numbers apart: they are those of a sample, and `holds` compares them."""
    chain = theory.derivation(seed=3)
    text = re.sub(r"measured \S+ \+- \S+|it is \S+", "measured", str(chain))
    assert text + "\n" == DERIVATION.read_text()
    for number, step in enumerate(chain.steps, 1):
        assert chain[number] is step
        for check in step.checks:
            assert check.error <= 0.1 * abs(check.predicted)
        for caveat in step.caveats:
            assert abs(caveat.measured - caveat.predicted) > 0.2 * caveat.predicted
    assert chain[2].caveats[0].measured == pytest.approx(100, rel=0.05)  # Var(10 w a)
    assert chain[3].caveats[0].measured == pytest.approx(2, rel=0.02)  # Var(z^2)


def steep(z):
    return np.exp(z**2)


def half_steep(z):
    """Its square has a mean under N(0, 1), its fourth power has none."""
    return np.exp(z**2 / 6)


def jagged(z):
    return np.floor(1e5 * z) / 1e5


CASES = {
    "the second moment of steep is not finite": lambda: theory.variance_map(steep, 1.0),
    "the second moment of the derivative of steep is not finite": lambda: theory.chi(steep, 1.0),
    "the mean of steep is not finite": lambda: theory.mean(steep, 1.0),
    "the second moment of half_steep is not finite": lambda: theory.correlation_map(half_steep, 0.5, 2.0),
    "the covariance of the derivatives of half_steep is not finite": lambda: theory.correlation_slope(half_steep, 1.0, 2.0),
    "the variance of half_steep is not finite": lambda: theory.mean_variance_map(half_steep, 0, 1.6),
    "the fourth moment of half_steep is not finite": lambda: theory.relative_fluctuation(half_steep, 1.0),
    "the slope of steep is not finite": lambda: theory.jacobian_variance(steep, 1.0, 3),
    'weights must be "gaussian" or "orthogonal", got \'x\'': lambda: theory.jacobian_variance("tanh", 1.0, 3, weights="x"),
    "flat has no slope at q = 1.0": lambda: theory.jacobian_variance(flat, 1.0, 3),
    'activation must be "identity" or "relu", got \'tanh\'': lambda: theory.jacobian_moments(3, 2, "tanh"),
    "n must be at least 1 and depth at least 0, got 0 and 2": lambda: theory.jacobian_moments(0, 2),
    "n must be at least 1 and depth at least 0, got 1 and -1": lambda: theory.jacobian_moments(1, -1),
    "depth must be at least 1, got 0": lambda: theory.largest_eigenvalue(0),
    "factor must be at least 0 and depth at least 1, got -1 and 3": lambda: theory.classify(-1, 3),
    "factor must be at least 0 and depth at least 1, got 1 and 0": lambda: theory.classify(1, 0),
    "sizes must hold two widths or more, each at least 1, got [3]": lambda: theory.predict_variance([3], "zeros"),
    "sizes must hold two widths or more, each at least 1, got [3, 0]": lambda: theory.predict_variance([3, 0], "zeros"),
    "1 layers need 1 factors or laws, got 2": lambda: theory.predict_variance([3, 4], ["zeros"] * 2),
    'activation must be "relu" or "identity", got \'tanh\'': lambda: theory.finite_width([3], "tanh"),
    "widths must be at least 1, got [0]": lambda: theory.finite_width([0]),
    "kurtosis must be at least 1, and 3 for the identity, got 0.5": lambda: theory.finite_width([3], kurtosis=0.5),
    "kurtosis must be at least 1, and 3 for the identity, got 2": lambda: theory.finite_width([3], "identity", kurtosis=2),
    "correlation must be at most 1, got 1.5": lambda: theory.dead_fraction(1.5, 3),
    "batch must be at least 1, got 0": lambda: theory.dead_fraction(0.5, 0),
    "q must be at least 0 and finite, got -1.0": lambda: theory.variance_map("tanh", [0.0, -1.0]),
    "q must be at least 0 and finite, got inf": lambda: theory.variance_map("tanh", [1.0, np.inf]),
    "c must be in [-1, 1], got 1.5": lambda: theory.correlation_map("tanh", [0, 1.5], 1.0),
    "q must be above 0 and finite, got 0.0": lambda: theory.correlation_map("tanh", 0.5, 0.0),
    "the next variance must be above 0, got 0.0": lambda: theory.correlation_map(flat, 0.5, 1.0),
    "order must be 0 or 1, got 2": lambda: theory.arc_cosine(0.5, 2),
    "sigma_w must be finite and at least 0, got -1.0": lambda: theory.fixed_point("tanh", sigma_w=-1.0),
    "sigma_b must be finite and at least 0, got -1": lambda: theory.fixed_point("tanh", sigma_w=1.0, sigma_b=-1),
    "q0 must be above 0 and below 1e+30, got 0.0": lambda: theory.fixed_point("tanh", sigma_w=1.0, q0=0.0),
    "no edge of chaos of tanh with sigma_w = 0.5 for q in [1e-12, 1e6]": lambda: theory.edge_of_chaos("tanh", sigma_w=0.5),
    "no edge of chaos of relu with sigma_b = 0.5 for q in [1e-12, 1e6]": lambda: theory.edge_of_chaos("relu", sigma_b=0.5),
    "no edge of chaos of softplus at q = 4: sigma_b^2 would be -2.68376": lambda: theory.edge_of_chaos("softplus", q=4.0),
    "variance * tau must be above 0 and finite, got 0.0": lambda: theory.selu_map(0, 0.0),
    'direction must be "forward" or "backward", got \'up\'': lambda: theory.gain("tanh", direction="up"),
    'convention must be "second_moment" or "variance", got \'rms\'': lambda: theory.gain("tanh", convention="rms"),
    "q must be above 0 and finite, got 0": lambda: theory.gain("tanh", q=0),
    "flat has no forward gain: the moment that it keeps is 0.0": lambda: theory.gain(flat),
    "sign jumps at 0: the square of its derivative has no mean": lambda: theory.gain(np.sign, "backward"),
}


def flat(z):
    return 0 * z


@pytest.mark.parametrize("message", CASES)
def test_refusals_in_full(said, message):
    assert said(CASES[message]) == f"ValueError: {message}"


def test_wrong_types_in_full(said):
    for message, call in {
        "activation must be a name or a function, got int": lambda: theory.gain(3),
        "predict_variance takes exactly one of init and n_var": lambda: theory.predict_variance([3, 4]),
        "edge_of_chaos takes exactly one of sigma_b, sigma_w and q": lambda: theory.edge_of_chaos("tanh"),
    }.items():
        assert said(call) == f"TypeError: {message}"
    assert said(lambda: theory.gain(jagged)).startswith(
        "ValueError: tol=1e-10 was not reached for the second moment of jagged: its relative error may be "
    )
