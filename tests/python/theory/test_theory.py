"""Gains and maps against the published values (tests compute nothing with the code that they test)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

from fanin import theory

# phi: (forward gain, backward gain), quadrature with 34 digits (printed to 1e-10).
GAINS = {
    "identity": (1.0, 1.0),
    "relu": (1.4142135624, 1.4142135624),
    "tanh": (1.5925374197, 1.4674135916),
    "sigmoid": (1.8462285453, 4.7226460859),
}
CALLABLES = {
    "tanh": (np.tanh, 1.5925374197, 1.4674135916),
    "relu": (lambda z: np.maximum(z, 0), 1.4142135624, 1.4142135624),
    "leaky": (lambda z: np.where(z > 0, z, 0.2 * z), 1.3867504906, 1.3867504906),
    "sin": (np.sin, 1.5208666232, 1.3272506003),
    "sin30": (lambda z: np.sin(30 * z), 1.4142135624, 0.0471404521),
    "erf": (erf, 1.4671669505, 1.3252183529),
    "silu": (lambda z: z / (1 + np.exp(-z)), 1.6765324703, 1.6233202580),
    "softplus": (lambda z: np.logaddexp(0, z), 1.0418668355, 1.8462285453),
    "softsign": (lambda z: z / (1 + np.abs(z)), 2.3375333631, 2.0957806089),
    "gelu": (lambda z: z * (1 + erf(z / np.sqrt(2))) / 2, 1.5335304412, 1.4811144127),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), 1.2451983007, 1.2234285576),
    "hardtanh": (lambda z: np.clip(z, -1, 1), 1.3920361404, 1.2102870624),
    "relu6": (lambda z: np.clip(z, 0, 6), 1.4142135651, 1.4142135638),
}


@pytest.mark.parametrize("name", GAINS)
def test_gains_of_names(name):
    assert theory.gain(name) == pytest.approx(GAINS[name][0], abs=1e-9)
    assert theory.gain(name, "backward") == pytest.approx(GAINS[name][1], abs=1e-9)


@pytest.mark.parametrize("name", CALLABLES)
def test_gains_of_functions(name):
    function, forward, backward = CALLABLES[name]
    assert theory.gain(function) == pytest.approx(forward, abs=1e-9)
    assert theory.gain(function, direction="backward") == pytest.approx(backward, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma_w2", "sigma_b2", "fixed_point", "chi"),
    [
        (1.69, 0.09, 0.60704679190932, 0.93980742868215),
        (6.25, 0.09, 4.0791238752822, 1.585224765006),
        (16, 0.09, 12.604149497844, 2.3672610355459),
        (25 / 9, 0, 1.1784804903859, 1.2098313203828),
    ],
)
def test_variance_map_and_chi_at_published_fixed_points(sigma_w2, sigma_b2, fixed_point, chi):
    """Poole et al. 2016 and Schoenholz et al. 2016, to 14 digits."""
    sigma_w, sigma_b = np.sqrt(sigma_w2), np.sqrt(sigma_b2)
    assert theory.variance_map("tanh", fixed_point, sigma_w=sigma_w, sigma_b=sigma_b) == pytest.approx(fixed_point, rel=1e-12)
    assert theory.chi("tanh", fixed_point, sigma_w=sigma_w) == pytest.approx(chi, rel=1e-12)


def test_tanh_shrinks_a_normal_signal_as_published():
    z = np.array([0.01, 0.1, 0.5, 1, 2])
    assert theory.second_moment("tanh", z) / z == pytest.approx([0.98055, 0.84214, 0.54735, 0.39429, 0.25999], abs=1e-5)


def test_variance_map_decays_algebraically_at_gain_one():
    """tanh, sigma_w = 1: 2 l q_l -> 1; q_10, q_100, q_1000 from literature, printed to 6 digits."""
    q, seen = 1.0, {}
    for layer in range(1, 1001):
        q = theory.variance_map("tanh", q)
        seen[layer] = q
    assert [seen[10], seen[100], seen[1000]] == pytest.approx([0.0522001, 0.00506902, 0.000501164], rel=2e-6)


def test_wide_and_narrow_pre_activations():
    # A saturated tanh: E g'^2 -> (4/3) / sqrt(2 pi q), the integral of sech^4 times the density at 0; corrections are O(1/q).
    assert theory.chi("tanh", 1e8) == pytest.approx(4 / 3 / np.sqrt(2 * np.pi * 1e8), rel=1e-7)
    assert theory.chi("tanh", 0) == 1
    assert theory.chi(np.tanh, 0) == pytest.approx(1, rel=1e-9)
    assert theory.second_moment("tanh", 0) == 0
    assert theory.mean("relu", 4.0) == pytest.approx(2 / np.sqrt(2 * np.pi), rel=1e-12)


def test_fluctuations_of_identity_and_relu():
    """Hanin and Nica 2018: 2 and 5, at any scale."""
    for q in (1e-6, 1.0, 1e4):
        for direction in ("forward", "backward"):
            assert theory.relative_fluctuation("identity", q, direction) == pytest.approx(2, rel=1e-10)
            assert theory.relative_fluctuation("relu", q, direction) == pytest.approx(5, rel=1e-10)
    assert theory.relative_fluctuation("tanh", 0.0) == pytest.approx(2, rel=1e-6)


def test_shapes_are_kept():
    q = np.array([[0.5, 1.0], [2.0, 3.0]])
    assert np.shape(theory.variance_map("tanh", q)) == (2, 2)
    assert isinstance(theory.variance_map("tanh", 1.0), float)


def test_refusals():
    with pytest.raises(ValueError, match="direction must be"):
        theory.gain("tanh", "sideways")
    with pytest.raises(ValueError, match="no forward gain"):
        theory.gain(lambda z: 0 * z)
    with pytest.raises(ValueError, match="element by element"):
        theory.gain(lambda z: z.sum())
    with pytest.raises(ValueError, match="q must be at least 0"):
        theory.variance_map("tanh", [1.0, -1.0])
    with pytest.raises(ValueError, match="q must be at least 0"):
        theory.variance_map("tanh", float("nan"))
    with pytest.raises(ValueError, match="tanh"):
        theory.gain("tanhh")
