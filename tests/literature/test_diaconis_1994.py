"""Orthogonal weights are Haar-distributed: moments of traces (Diaconis and Shahshahani 1994), single elements, the first row.

For Q uniform on O(n), with k <= n / 2 the traces of powers have the moments of independent normal variables:
E tr Q = 0, Var tr Q = 1, E tr Q^2 = 1, Var tr Q^2 = 2. The Q of a LAPACK factorization without the sign of R's diagonal
(Mezzadri, math-ph/0609050) has a mean trace of -2.4 at n = 16.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import fanin as fi

M, N = 4000, 16


@pytest.fixture(scope="module")
def draws() -> NDArray[np.float64]:
    """4000 matrices of 16 x 16, float32, one stream each."""
    return np.stack([fi.init.orthogonal((N, N), seed=2, stream=i) for i in range(M)]).astype(np.float64)


def within(values: NDArray[np.float64], mean: float, variance: float) -> None:
    """Mean and variance within 5 standard errors; that of the variance is sqrt(2) of it for a normal variable."""
    assert abs(values.mean() - mean) < 5 * np.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 5 * np.sqrt(2 / values.size)


def test_traces(draws: NDArray[np.float64]) -> None:
    within(np.trace(draws, axis1=1, axis2=2), 0, 1)
    within(np.trace(draws @ draws, axis1=1, axis2=2), 1, 2)


def test_these_moments_tell_a_missing_sign(draws: NDArray[np.float64]) -> None:
    raw = np.linalg.qr(np.random.default_rng(1).standard_normal((M, N, N)))[0]
    assert abs(np.trace(raw, axis1=1, axis2=2).mean() + 2.38) < 5 / np.sqrt(M)
    assert abs(np.trace(draws, axis1=1, axis2=2).mean()) < 5 / np.sqrt(M)


def test_both_determinants_are_equally_likely(draws: NDArray[np.float64]) -> None:
    assert abs((np.linalg.det(draws) > 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(M)


def test_invariance(draws: NDArray[np.float64]) -> None:
    """A fixed rotation on either side changes no moment: tr(A Q) has mean 0 and variance 1 for every orthogonal A."""
    a = np.linalg.qr(np.random.default_rng(3).standard_normal((N, N)))[0]
    within(np.trace(a @ draws, axis1=1, axis2=2), 0, 1)
    within(np.trace(np.roll(draws, 5, axis=1), axis1=1, axis2=2), 0, 1)


def test_every_element_has_one_law(draws: NDArray[np.float64]) -> None:
    """Elements have E q^2 = 1 / n and E q^4 = 3 / (n (n + 2)), the last rows' and columns' too."""
    q2 = (draws**2).mean(0)
    assert np.abs(draws.mean(0)).max() < 5.5 / np.sqrt(M * N)  # 256 means: 5.5 standard errors
    assert np.abs(q2 - 1 / N).max() < 5.5 * np.sqrt((3 / (N * (N + 2)) - 1 / N**2) / M)
    # E q^8 = 105 / (n (n + 2) (n + 4) (n + 6)) bounds the variance of q^4
    assert np.abs((draws**4).mean(0) - 3 / (N * (N + 2))).max() < 5.5 * np.sqrt(105 / (N * (N + 2) * (N + 4) * (N + 6)) / M)


def test_two_elements_of_a_row_repel(draws: NDArray[np.float64]) -> None:
    """E q_ij^2 q_ik^2 = 1 / (n (n + 2)); on two different rows and columns (n + 1) / ((n - 1) n (n + 2))."""
    row = (draws[:, 3, 2] ** 2 * draws[:, 3, 9] ** 2).mean()
    across = (draws[:, 3, 2] ** 2 * draws[:, 11, 9] ** 2).mean()
    error = 5 * np.sqrt(9 / (N * (N + 2) * (N + 4) * (N + 6)) / M)  # E q^4 r^4 on a row
    assert abs(row - 1 / (N * (N + 2))) < error
    assert abs(across - (N + 1) / ((N - 1) * N * (N + 2))) < 1.5 * error


@pytest.mark.parametrize("shape", [(4, 12), (12, 4)])
def test_rectangular(shape: tuple[int, int]) -> None:
    """The part of an orthogonal matrix: E (sum of the diagonal)^2 = 4 / 12, whichever side is longer."""
    w = np.stack([fi.init.orthogonal(shape, seed=5, stream=i, dtype="float64") for i in range(M)])
    within(np.trace(w, axis1=1, axis2=2), 0, 4 / 12)
    within(w.reshape(M, -1)[:, -1] * np.sqrt(12), 0, 1)  # kurtosis 36 / 14 < 3: within() allows more


def test_orthonormal() -> None:
    for gain in (1.0, 1.5):
        w = fi.init.orthogonal((1000, 800), gain=gain, seed=2, stream="w").astype(np.float64)
        assert np.abs(w.T @ w - gain**2 * np.eye(800)).max() < 1e-5 * gain**2
        np.testing.assert_allclose(np.linalg.svd(w, compute_uv=False), gain, rtol=1e-5)
