"""Quadrature: against mpmath and closed forms, its error estimates, kinks that are named, found and refused."""

from __future__ import annotations

import math
import pickle

import mpmath
import numpy as np
import pytest
from scipy.special import erf

import fanin as fi
from fanin import theory


def clip(z):
    return np.clip(z, -0.3, 0.7)


def exact_tanh(q, of):
    s = mpmath.sqrt(q)
    ends = [0, *(mpmath.mpf(2) ** k / s for k in range(-2, 8) if mpmath.mpf(2) ** k < 9 * s), 9, 14]
    return 2 * mpmath.quad(lambda u: of(s * u) * mpmath.npdf(u), ends)


@pytest.mark.parametrize("q", [1e-6, 0.1, 1, 30, 1e4, 1e8])
def test_tanh_against_mpmath(q):
    with mpmath.workdps(25):
        assert theory.second_moment("tanh", q) == pytest.approx(float(exact_tanh(q, lambda z: mpmath.tanh(z) ** 2)), rel=1e-13)
        assert theory.chi("tanh", q) == pytest.approx(float(exact_tanh(q, lambda z: mpmath.sech(z) ** 4)), rel=1e-13)


@pytest.mark.parametrize("name", fi.activation.names())
@pytest.mark.parametrize("q", [1e-8, 0.3, 1, 12.5, 1e6])
def test_every_activation_of_the_core(name, q):
    """Errors are estimated below 1e-12, and a crude sum over 4e5 points agrees to its own error."""
    u = (np.arange(400_000) + 0.5) / 20_000 - 10
    weights = np.exp(-(u**2) / 2)
    weights /= weights.sum()
    z = math.sqrt(q) * u
    moments = (theory.mean(name, q), theory.second_moment(name, q), theory.chi(name, q))
    sums = (weights @ fi.activation.evaluate(name, z), weights @ fi.activation.evaluate(name, z) ** 2)
    slopes = fi.activation.derivative(name, z) ** 2
    for moment, crude in zip(moments, (*sums, weights @ slopes), strict=True):
        assert moment.error <= 1e-12 * max(abs(moment), math.sqrt(moments[1]))
        assert moment == pytest.approx(crude, rel=1e-4, abs=1e-4 * math.sqrt(moments[1]))


def test_a_variance_of_0_is_the_limit():
    assert theory.second_moment("sigmoid", 0.0) == 0.25
    assert theory.chi("relu", 0.0) == pytest.approx(0.5)  # half the slopes are 1
    assert theory.chi(lambda z: np.maximum(z, 0), 0.0) == pytest.approx(0.5, rel=1e-9)
    assert theory.chi("tanh", [0.0, 1.0]) == pytest.approx([1, 0.4644029024], rel=1e-9)


def test_closed_forms():
    """E sin^2 = (1 - e^(-2q)) / 2; E erf^2 = 2/pi asin(2q / (1 + 2q)); E (e^z)^2 = e^(2q); GELU, literature section 8."""
    for q in (0.01, 1.0, 5.0):
        assert theory.second_moment(np.sin, q) == pytest.approx((1 - math.exp(-2 * q)) / 2, rel=1e-12)
        assert theory.chi(np.sin, q) == pytest.approx((1 + math.exp(-2 * q)) / 2, rel=1e-11)
        assert theory.second_moment(erf, q) == pytest.approx(2 / math.pi * math.asin(2 * q / (1 + 2 * q)), rel=1e-12)
        assert theory.second_moment(np.exp, q) == pytest.approx(math.exp(2 * q), rel=1e-11)

    def gelu(z):
        return z * (1 + erf(z / math.sqrt(2))) / 2

    assert theory.mean(gelu, 1.0) == pytest.approx(1 / (2 * math.sqrt(math.pi)), rel=1e-13)
    assert theory.second_moment(gelu, 1.0) == pytest.approx(1 / 3 + 1 / (2 * math.pi * math.sqrt(3)), rel=1e-13)
    assert theory.chi(gelu, 1.0) == pytest.approx(1 / 3 + 2 / (3 * math.pi * math.sqrt(3)), rel=1e-12)


def phi(z):
    return (1 + math.erf(z / math.sqrt(2))) / 2


def test_kinks_that_are_found_named_and_differentiated_agree():
    exact = phi(0.7) - phi(-0.3)  # E g'^2, for z ~ N(0, 1)
    found = theory.chi(clip, 1.0)
    named = theory.chi(clip, 1.0, breakpoints=(-0.3, 0.7))
    given = theory.chi(clip, 1.0, breakpoints=(-0.3, 0.7), derivative=lambda z: 1.0 * ((z > -0.3) & (z < 0.7)))
    for value in (found, named, given):
        assert value == pytest.approx(exact, abs=2e-11)
        assert abs(value - exact) <= max(value.error, 2e-12)
    assert given == pytest.approx(exact, rel=1e-14)


def test_the_estimate_is_a_float_that_knows_its_error():
    value = theory.gain(np.sin)
    assert isinstance(value, float)
    assert 0 <= value.error < 1e-12
    assert f"{value:.4f}" == "1.5209"
    again = pickle.loads(pickle.dumps(value))
    assert (again, again.error) == (value, value.error)


def test_an_activation_is_prepared_once():
    g = theory.Activation(clip, breakpoints=(-0.3, 0.7))
    assert theory.gain(g) == theory.gain(clip, breakpoints=(-0.3, 0.7))
    assert str(g) == "clip"
    with pytest.raises(ValueError, match="those of the Activation"):
        theory.gain(g, breakpoints=(0.0,))


def test_what_cannot_be_reached_is_refused():
    with pytest.raises(ValueError, match=r"jumps at 0.123"):
        theory.gain(lambda z: np.where(z > 0.123, z, 0.0), "backward")
    with pytest.raises(ValueError, match="jumps at 0"):
        theory.gain(np.sign, "backward")
    assert theory.gain(np.sign) == pytest.approx(1, rel=1e-12)  # forward it has a gain
    with pytest.raises(ValueError, match=r"tol=1e-10 was not reached for the second moment of <lambda>.*breakpoints="):
        theory.gain(lambda z: np.floor(1e5 * z) / 1e5)
    rough = theory.gain(lambda z: np.floor(1e5 * z) / 1e5, tol=1e-3)
    assert rough == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match="is not finite"):
        theory.gain(lambda z: np.exp(z**2))


def test_refusals():
    with pytest.raises(ValueError, match="are for callables; 'tanh' has its own"):
        theory.gain("tanh", breakpoints=(0.0,))
    with pytest.raises(ValueError, match="breakpoints must be finite"):
        theory.gain(np.tanh, breakpoints=(math.inf,))
    with pytest.raises(TypeError, match="activation must be a name or a function, got int"):
        theory.gain(3)
    with pytest.raises(ValueError, match="convention must be"):
        theory.gain("tanh", convention="rms")
    with pytest.raises(ValueError, match="q must be above 0"):
        theory.gain("tanh", q=0.0)
    with pytest.raises(ValueError, match="derivative must work element by element"):
        theory.gain(np.tanh, "backward", derivative=lambda z: z[0])


def test_gain_at_other_variances_and_conventions():
    """Weights of that gain keep the variance q, or chi = 1."""
    for q in (0.01, 1.0, 7.0):
        forward, backward = theory.gain("tanh", q=q), theory.gain("tanh", "backward", q=q)
        assert theory.variance_map("tanh", q, sigma_w=forward) == pytest.approx(q, rel=1e-12)
        assert theory.chi("tanh", q, sigma_w=backward) == pytest.approx(1, rel=1e-12)
    assert theory.gain("relu", convention="variance") == pytest.approx(1 / math.sqrt(0.5 - 0.5 / math.pi), rel=1e-12)
