"""Rows of the article's checklist, and Glorot and Bengio's formulas, that concern the draw of weights alone."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi


def test_row_02_initialize_the_parameters() -> None:
    for law in ("xavier_normal", "he_normal", "glorot_uniform", "fan_in_uniform"):
        first, second = (fi.init.law(law)((1000, 1000), seed=2, stream="w") for _ in range(2))
        assert first.tobytes() == second.tobytes()
        std = fi.init.describe(law, (1000, 1000)).std
        w = first.astype(np.float64)
        assert abs(w.mean()) < 4e-3 * std
        assert abs(w.var() / std**2 - 1) < 0.006


def test_row_12_weights_constant_and_biases_zero() -> None:
    alpha = 0.5
    w, b = fi.init.constant((2, 2), value=alpha), fi.init.zeros(2)
    assert (w == alpha).all()
    assert (b == 0).all()
    assert (fi.init.constant(2, value=0.01) == np.float32(0.01)).all()


def test_row_40_xavier() -> None:
    w = fi.init.xavier_normal((300, 784), seed=40, stream="hidden1.weight")
    assert w.astype(np.float64).std() == pytest.approx(0.0357143, rel=0.006)
    assert fi.init.describe("xavier_normal", (300, 784)).std == np.sqrt(1 / 784)


def test_row_43_biases_are_zero() -> None:
    for dtype in ("float32", "float64"):
        b = fi.init.zeros(300, dtype=dtype)
        assert (b == 0).all()
        assert not np.signbit(b).any()


def test_row_55_harmonic_mean() -> None:
    variance = fi.init.describe("glorot_normal", (300, 784)).std ** 2
    harmonic = 2 / (1 / (1 / 784) + 1 / (1 / 300))
    assert variance == pytest.approx(2 / (784 + 300), abs=1e-15)
    assert variance == pytest.approx(harmonic, abs=1e-15)
    assert variance == pytest.approx(0.0018450185, abs=5e-11)


@pytest.mark.parametrize(("law", "n_var"), [("fan_in_uniform", 1 / 3), ("glorot_uniform", 1.0)])
def test_glorot_and_bengio_equations_1_and_16(law: str, n_var: float) -> None:
    # n Var(W) = 1/3 (eq. 15) and 1 (eq. 12); 5 standard errors of the variance of 10^6 uniform draws: 5 sqrt(0.8 / 10^6)
    w = fi.init.law(law)((1000, 1000), seed=1, stream="w").astype(np.float64)
    assert 1000 * w.var() == pytest.approx(n_var, rel=5 * np.sqrt(0.8e-6))
    assert np.abs(w).max() < fi.init.describe(law, (1000, 1000)).bound
