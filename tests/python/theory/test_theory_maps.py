"""Correlation maps, fixed points, the edge of chaos: closed forms, identities and refusals; published values are anchors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory


def relu(z):
    return np.maximum(z, 0)


def hardtanh(z):
    return np.clip(z, -1, 1)


CORRELATIONS = [-1.0, -0.999, -0.4, 0.0, 0.3, 0.9, 0.999999, 1.0]


@pytest.mark.parametrize("c", CORRELATIONS)
def test_relu_by_quadrature_is_the_arc_cosine_kernel(c):
    assert theory.correlation_map(relu, c, 1.3) == pytest.approx(theory.arc_cosine(c), abs=1e-12)
    assert theory.correlation_map("relu", c, 1.3) == pytest.approx(theory.arc_cosine(c), abs=1e-15)
    assert theory.correlation_slope(relu, c, 1.3) == pytest.approx(theory.arc_cosine(c, 0) / 2, abs=1e-10)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_sine_in_closed_form(c):
    """E sin z1 sin z2 = e^(-q) sinh(q c)."""
    assert theory.correlation_map(np.sin, c, 1.3) == pytest.approx(math.sinh(1.3 * c) / math.sinh(1.3), abs=1e-13)
    assert theory.correlation_slope(np.sin, c, 1.3, derivative=np.cos) == pytest.approx(math.exp(-1.3) * math.cosh(1.3 * c))


@pytest.mark.parametrize("name", fi.activation.names())
def test_ends_and_slope_of_every_activation(name):
    """C(1) = 1; the covariance's derivative is the slope, by central differences; c = 1 gives chi."""
    q, h = 1.7, 1e-4
    assert theory.correlation_map(name, 1.0, q, sigma_w=1.2, sigma_b=0.4) == pytest.approx(1, rel=1e-13)
    assert theory.correlation_slope(name, 1.0, q) == pytest.approx(theory.chi(name, q), rel=1e-12)
    up, down = (theory.correlation_map(name, 0.3 + d, q) for d in (h, -h))
    slope = theory.correlation_slope(name, 0.3, q) * q / theory.variance_map(name, q)
    assert (up - down) / (2 * h) == pytest.approx(slope, rel=1e-5)


def test_kinks_of_a_pair():
    """A clipped line near c = 1: with kinks found, named, and the derivative given."""
    values = [
        theory.correlation_slope(hardtanh, 0.999, 1.3, breakpoints=(-1, 1), derivative=lambda z: 1.0 * (np.abs(z) < 1)),
        theory.correlation_slope(hardtanh, 0.999, 1.3, breakpoints=(-1, 1)),
        theory.correlation_slope(hardtanh, 0.999, 1.3),
    ]
    assert values[1:] == pytest.approx([values[0]] * 2, rel=1e-10)
    assert theory.correlation_map(hardtanh, -0.999, 1.3) == pytest.approx(
        -theory.correlation_map(hardtanh, 0.999, 1.3), rel=1e-12
    )


def test_arrays_keep_their_shape():
    c = np.array([[0.0, 0.5], [-0.5, 1.0]])
    for found in (theory.correlation_map("tanh", c, 1.0), theory.correlation_slope("tanh", c, 1.0), theory.arc_cosine(c)):
        assert found.shape == (2, 2)
    assert theory.correlation_map("tanh", c, 1.0)[0, 1] == theory.correlation_map("tanh", 0.5, 1.0)


def test_names_and_functions_agree_on_fixed_points():
    by_name, by_function = (theory.fixed_point(g, sigma_w=2.5, sigma_b=0.3) for g in ("tanh", np.tanh))
    for field in ("q", "chi_1", "c", "chi_c", "xi_q", "xi_c"):
        assert getattr(by_function, field) == pytest.approx(getattr(by_name, field), rel=1e-9)


def test_relu_is_on_the_edge_at_he():
    p = theory.fixed_point("relu", sigma_w=math.sqrt(2), q0=3.0)
    assert (p.q, p.c, p.phase, p.xi_q, p.xi_c) == (3.0, 1.0, "edge of chaos", math.inf, math.inf)
    ordered = theory.fixed_point("relu", sigma_w=1.0, sigma_b=0.3)
    assert (ordered.q, ordered.chi_1, ordered.phase) == (pytest.approx(0.18), pytest.approx(0.5), "ordered")
    assert ordered.stable
    chaotic = theory.fixed_point("relu", sigma_w=1.5)
    assert (chaotic.q, chaotic.phase) == (math.inf, "chaotic")
    assert math.isnan(chaotic.c)
    assert not chaotic.stable
    assert theory.edge_of_chaos("relu", sigma_b=0.0).sigma_w == pytest.approx(math.sqrt(2))


def test_a_fixed_point_is_fixed():
    for name in fi.activation.names():
        p = theory.fixed_point(name, sigma_w=1.1, sigma_b=0.5)
        if math.isfinite(p.q):
            assert theory.variance_map(name, p.q, sigma_w=1.1, sigma_b=0.5) == pytest.approx(p.q, rel=1e-12)
            h = 1e-4 * p.q
            up, down = (theory.variance_map(name, p.q + d, sigma_w=1.1) for d in (h, -h))
            assert (up - down) / (2 * h) == pytest.approx(p.slope_q, rel=1e-5)


def test_edge_of_any_function():
    edge = theory.edge_of_chaos(np.sin, sigma_b=0.2)
    p = theory.fixed_point(np.sin, sigma_w=edge.sigma_w, sigma_b=edge.sigma_b, q0=edge.q)
    assert (p.q, p.chi_1) == (pytest.approx(edge.q, rel=1e-8), pytest.approx(1, abs=1e-9))


def test_depth_scale():
    assert theory.depth_scale(math.exp(-0.5)) == pytest.approx(2)
    assert theory.depth_scale(1.0) == theory.depth_scale(1.2) == math.inf
    assert theory.depth_scale(0.0) == 0


def test_refusals():
    with pytest.raises(ValueError, match=r"c must be in \[-1, 1\], got 1.5"):
        theory.correlation_map("tanh", 1.5, 1.0)
    with pytest.raises(ValueError, match="q must be above 0"):
        theory.correlation_map("tanh", 0.5, 0.0)
    with pytest.raises(ValueError, match="next variance must be above 0"):
        theory.correlation_map(lambda z: 0 * z, 0.5, 1.0)
    with pytest.raises(ValueError, match="order must be 0 or 1"):
        theory.arc_cosine(0.5, 2)
    with pytest.raises(ValueError, match="sigma_w must be finite and at least 0"):
        theory.fixed_point("tanh", sigma_w=-1.0)
    with pytest.raises(ValueError, match="q0 must be above 0"):
        theory.fixed_point("tanh", sigma_w=1.0, q0=0.0)
    with pytest.raises(TypeError, match="exactly one of sigma_b, sigma_w and q"):
        theory.edge_of_chaos("tanh", sigma_b=0.1, q=1.0)
    with pytest.raises(ValueError, match=r"no edge of chaos of relu with sigma_b = 0.1"):
        theory.edge_of_chaos("relu", sigma_b=0.1)
    with pytest.raises(ValueError, match=r"no edge of chaos of tanh with sigma_w = 0.5"):
        theory.edge_of_chaos("tanh", sigma_w=0.5)
