"""What arguments do: tolerances and what is known of a function reach every integral; defaults; the least numbers."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

import fanin as fi
from fanin import theory
from fanin.theory import correlation, edge, equilibrium, jacobian, mean_variance
from fanin.theory.integrals import moments
from fanin.theory.integrals.quadrature import Shape

CALLS = {
    "gain": lambda g, **o: theory.gain(g, **o),
    "gain, backward": lambda g, **o: theory.gain(g, "backward", **o),
    "gain, variance": lambda g, **o: theory.gain(g, convention="variance", **o),
    "mean": lambda g, **o: theory.mean(g, 1.0, **o),
    "second_moment": lambda g, **o: theory.second_moment(g, 1.0, **o),
    "variance_map": lambda g, **o: theory.variance_map(g, 1.0, **o),
    "chi": lambda g, **o: theory.chi(g, 1.0, **o),
    "correlation_map": lambda g, **o: theory.correlation_map(g, 0.5, 1.0, **o),
    "correlation_map, ends": lambda g, **o: theory.correlation_map(g, [-1.0, 1.0], 1.0, **o),
    "correlation_slope": lambda g, **o: theory.correlation_slope(g, 0.5, 1.0, **o),
    "fixed_point": lambda g, **o: theory.fixed_point(g, sigma_w=1.5, sigma_b=0.3, **o),
    "fixed_point, 0": lambda g, **o: theory.fixed_point(g, sigma_w=0.0, q0=1e-300, **o),
    "edge_of_chaos": lambda g, **o: theory.edge_of_chaos(g, q=1.0, **o),
    "edge_of_chaos, sigma_w": lambda g, **o: theory.edge_of_chaos(g, sigma_w=1.3, **o),
    "mean_variance_map": lambda g, **o: theory.mean_variance_map(g, 0.1, 1.0, omega=0.5, **o),
    "jacobian_variance": lambda g, **o: theory.jacobian_variance(g, 1.0, 3, **o),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_tolerance_reaches_every_integral(name, monkeypatch):
    """That of the slopes which only steer Newton's method is 1e-6 at least."""
    seen = []

    def watched(function, place):
        def call(*args, **options):
            seen.append(options["tol"] if place is None else args[place])
            return function(*args, **options)

        return call

    for module in (moments, correlation, jacobian, mean_variance):
        monkeypatch.setattr(module, "integral", watched(module.integral, None))
    monkeypatch.setattr(correlation, "expect_pair", watched(correlation.expect_pair, 4))
    monkeypatch.setattr(moments, "expect", watched(moments.expect, 4))
    CALLS[name]("tanh", tol=3e-5)
    assert set(seen) == {3e-5}
    seen.clear()
    CALLS[name]("tanh")
    assert set(seen) <= {1e-10, 1e-6}
    assert 1e-10 in seen
    with pytest.raises(ValueError, match=r"tol=1e-20 was not reached for the (second moment|mean|variance|slope)"):
        CALLS[name]("tanh", tol=1e-20)


def bent(z):
    return np.clip(z, -0.3, 0.7)


def bent_slope(z):
    return 1.0 * ((z > -0.3) & (z < 0.7))


@pytest.mark.parametrize("name", CALLS)
def test_what_is_known_of_a_function_is_taken(name, monkeypatch):
    seen = []
    for module in (moments, correlation, edge, equilibrium, jacobian, mean_variance):

        def watched(*args, resolve=module.resolve):
            seen.append(args)
            return resolve(*args)

        monkeypatch.setattr(module, "resolve", watched)
    given = {"derivative": bent_slope, "breakpoints": (-0.3, 0.7)}
    CALLS[name](bent, **given)
    assert seen[0] == (bent, bent_slope, (-0.3, 0.7))
    assert all(isinstance(args[0], theory.Activation) and args[1:] == (None, None) for args in seen[1:])
    seen.clear()
    CALLS[name](theory.Activation(bent, **given))
    assert all(args[1:] == (None, None) for args in seen)


def test_what_quadrature_is_told():
    """Kinks, the width of the narrowest feature, how far a function is followed, its period."""
    assert theory.Activation("relu").shape(1.0, slopes=False) == Shape((0.0,), 1.0, 10.0, math.inf)
    assert theory.Activation("tanh").shape(4.0, slopes=True) == Shape((), 1.0, 10.0, math.inf)
    assert theory.Activation(bent).shape(1.0, slopes=False) == Shape((), 2.0**-6, 38.0)
    known = theory.Activation(bent, breakpoints=(0.7, -0.3))
    assert known.shape(1.0, slopes=False) == known.shape(1.0, slopes=False, kinks=True) == Shape((-0.3, 0.7), 1.0, 38.0)
    assert theory.Activation(bent, derivative=bent_slope).shape(1.0, slopes=True) == Shape((), 2.0**-6, 38.0)
    found = theory.Activation(bent).shape(1.0, slopes=True)
    assert (found.breakpoints, found.feature, found.reach) == (pytest.approx((-0.3, 0.7), abs=1e-9), 1.0, 38.0)
    found = theory.Activation(bent).shape(1.0, slopes=False, kinks=True)
    assert found.breakpoints == pytest.approx((-0.3, 0.7), abs=1e-9)


def test_at_zero():
    for g, expected in (
        ("relu", (0, 0, 1)),
        ("tanh", (0, 1, 1)),
        (bent, (0, 1, 1)),
        (lambda z: np.abs(z) + 2, (2, -1, 1)),
        (theory.Activation(np.exp, derivative=lambda z: 3 * z + 1), (1, 1, 1)),
    ):
        prepared = g if isinstance(g, theory.Activation) else theory.Activation(g)
        assert prepared.at_zero() == pytest.approx(expected, abs=1e-8)


def test_names_of_functions():
    assert [str(theory.Activation(g)) for g in ("leaky_relu(0.2)", bent, partial(np.maximum, 0))] == [
        "leaky_relu(0.2)",
        "bent",
        "the function",
    ]


def test_defaults():
    assert theory.mean_variance_map("relu", 3.0, 2.0) == theory.mean_variance_map("relu", 3.0, 2.0, omega=0.0, tau=1.0)
    assert theory.mean_variance_map("relu", 3.0, 2.0).mean == pytest.approx(math.sqrt(1 / math.pi), rel=1e-12)
    assert theory.selu_map(3.0, 2.0) == theory.selu_map(0.0, 2.0)
    published = [[0, 0.088834], [0, 0.782648]]  # Klambauer et al. 2017, theorem 1
    assert theory.selu_jacobian() == pytest.approx(np.array(published), abs=1e-6)
    assert theory.arc_cosine(0.3) == theory.arc_cosine(0.3, 1) != theory.arc_cosine(0.3, 0)
    assert theory.correlation_map("tanh", 0.5, 1.0) == theory.correlation_map("tanh", 0.5, 1.0, sigma_w=1.0, sigma_b=0.0)
    assert theory.correlation_slope("tanh", 0.5, 1.0) == theory.correlation_slope("tanh", 0.5, 1.0, sigma_w=1.0)
    assert theory.fixed_point("relu", sigma_w=math.sqrt(2)).q == 1.0
    assert theory.finite_width([5]) == theory.finite_width([5], "relu", kurtosis=3)
    assert theory.jacobian_moments(5, 3) == theory.jacobian_moments(5, 3, "identity")
    assert theory.jacobian_variance("tanh", 1.0, 3) == theory.jacobian_variance("tanh", 1.0, 3, weights="gaussian")
    assert theory.predict_variance([3, 4], n_var=0.5).forward == (0.5,)
    assert theory.relative_fluctuation("tanh", 2.0) == theory.relative_fluctuation("tanh", 2.0, "forward")
    assert theory.gain("tanh") == theory.gain("tanh", "forward", q=1.0, convention="second_moment")


def test_the_least_numbers_that_are_taken():
    assert theory.largest_eigenvalue(1) == 4
    assert theory.finite_width([1], kurtosis=1).beta == 1
    assert theory.dead_fraction(0.0, 1) == theory.dead_fraction(1.0, 1) == 0.5
    assert theory.classify(0.0, 1) == "vanishing"
    assert theory.predict_variance([1, 1], n_var=2).backward == (2.0,)
    assert theory.correlation_map("tanh", [], 1.0).shape == theory.correlation_slope("tanh", [], 1.0).shape == (0,)
    assert theory.edge_of_chaos("tanh", q=0.0) == theory.EdgeOfChaos(1.0, 0.0, 0.0)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_edge_at_a_variance_of_0(scale):
    """An odd function of slope s at 0 is there at sigma_w = 1 / s, and only there without biases."""
    g = theory.Activation(
        lambda z: np.tanh(scale * z), derivative=lambda z: scale / np.cosh(np.minimum(scale * np.abs(z), 300)) ** 2
    )
    found = theory.edge_of_chaos(g, sigma_w=1 / scale)
    assert (found.q, found.sigma_b, found.sigma_w) == (0, 0, pytest.approx(1 / scale, rel=1e-12))
    found = theory.edge_of_chaos(g, sigma_b=0.0)
    assert (found.q, found.sigma_b, found.sigma_w) == (0, 0, pytest.approx(1 / scale, rel=1e-12))


def test_the_edge_of_a_function_that_is_not_0_at_0(said):
    """A variance of 0 is no point of it: the bias alone brings one back."""

    def shifted(z):
        return np.tanh(z) + 0.01

    found = theory.edge_of_chaos(shifted, sigma_w=1.2)
    assert found.q > 0.01
    assert theory.chi("tanh", found.q, sigma_w=1.2) == pytest.approx(1, abs=1e-8)
    assert found.sigma_b**2 == pytest.approx(found.q - 1.2**2 * (theory.second_moment("tanh", found.q) + 1e-4), abs=1e-9)
    message = "ValueError: no edge of chaos of shifted with sigma_w = 1 for q in [1e-12, 1e6]"
    assert said(lambda: theory.edge_of_chaos(shifted, sigma_w=1.0)) == message


def test_small_weights_of_single_precision_are_squared_in_double():
    net = fi.Network([4, 3, 2], "tanh", "zeros", seed=0)
    net.weights[0][...], net.biases[0][...] = 1e-30, 1e-25
    layer = theory.expected_trace(net, np.ones((2, 4))).layers[0]
    assert (layer.n_var_w, layer.var_b) == (pytest.approx(4e-60), pytest.approx(1e-50))
    for part, value in (("weights", math.nan), ("biases", math.inf)):
        broken = fi.Network([4, 3, 2], "tanh", seed=0)
        getattr(broken, part)[1][0] = value
        with pytest.raises(ValueError, match=f"^the network's {part} must be finite$"):
            theory.expected_trace(broken, np.ones((2, 4)))
