"""Losses against NumPy in float64, central differences and true values; the same bits everywhere; refusals."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

DTYPES = [np.float32, np.float64]


def batch(name: str, n: int, outputs: int, dtype: type, spread: float = 3.0):
    rng = np.random.default_rng(n * outputs)
    z = (spread * rng.standard_normal((n, outputs))).astype(dtype)
    if name == "cross_entropy":
        return z, rng.integers(0, outputs, n)
    if name == "mean_squared_error":
        return z, rng.standard_normal((n, outputs)).astype(dtype)
    return z, rng.choice([-1, 1] if name == "hinge" else [0, 1], n).astype(dtype)


def outputs_of(name: str) -> int:
    return {"cross_entropy": 7, "mean_squared_error": 3}.get(name, 1)


@pytest.mark.parametrize("name", fi.loss.names())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 33, 513])
def test_equals_numpy(name, dtype, n):
    z, y = batch(name, n, outputs_of(name), dtype)
    cost, dz = fi.loss.evaluate(name, z, y)
    expected, dz_expected = reference.LOSSES[name](z.astype(np.float64), y)
    # Rows: a few roundings of numbers of size |z| < 16 in T, then double. Gradients: |dz| <= 16 / n, a few roundings.
    eps = float(np.finfo(dtype).eps)
    assert cost == pytest.approx(expected, rel=16 * eps, abs=16 * eps)
    np.testing.assert_allclose(dz, dz_expected, rtol=64 * eps, atol=4 * eps / n)
    assert dz.dtype == dtype
    assert dz.shape == z.shape
    assert fi.loss.evaluate(name, z, y, gradient=False) == (cost, None)


@pytest.mark.parametrize("name", fi.loss.names())
def test_gradient_is_the_cost_s(name):
    z, y = batch(name, 9, outputs_of(name), np.float64)
    _, dz = fi.loss.evaluate(name, z, y)
    h = 1e-5  # truncation h^2, rounding eps / h: both near 1e-10
    for index in np.ndindex(*z.shape):
        up, down = z.copy(), z.copy()
        up[index] += h
        down[index] -= h
        slope = (fi.loss.evaluate(name, up, y).cost - fi.loss.evaluate(name, down, y).cost) / (2 * h)
        assert dz[index] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", fi.loss.names())
@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_everywhere(name, dtype, everywhere):
    z, y = batch(name, 40_000 if outputs_of(name) == 1 else 9000, outputs_of(name), dtype)
    found = set()
    for _ in everywhere(1, 3):
        cost, dz = fi.loss.evaluate(name, z, y)
        found.add((cost, dz.tobytes()))
    assert len(found) == 1


@pytest.mark.parametrize("name", fi.loss.names())
def test_strides_do_not_matter(name):
    z, y = batch(name, 20, outputs_of(name), np.float64)
    wide = np.repeat(z, 2, axis=1)[:, ::2]
    turned = np.asfortranarray(z)[::-1]
    plain = fi.loss.evaluate(name, z, y)
    assert fi.loss.evaluate(name, wide, np.repeat(y, 2, axis=0)[::2]).cost == plain.cost
    assert np.array_equal(fi.loss.evaluate(name, turned, y[::-1]).dz[::-1], plain.dz)


def test_one_output_may_be_a_vector():
    z, y = batch("hinge", 10, 1, np.float32)
    assert fi.loss.evaluate("hinge", z[:, 0], y).cost == fi.loss.evaluate("hinge", z, y).cost
    z, y = batch("mean_squared_error", 10, 1, np.float32)
    assert fi.loss.evaluate("mean_squared_error", z, y[:, 0]).cost == fi.loss.evaluate("mean_squared_error", z, y).cost


def test_sure_and_wrong_is_finite_and_sure_and_right_is_not_zero():
    z = np.array([[800.0, -800.0]])
    assert fi.loss.evaluate("cross_entropy", z, np.array([1])).cost == 1600
    assert fi.loss.evaluate("binary_cross_entropy", np.array([-800.0]), np.array([1.0])).cost == 800
    cost, dz = fi.loss.evaluate("binary_cross_entropy", np.array([50.0], np.float32), np.array([1], np.float32))
    assert cost == pytest.approx(np.exp(-50.0), rel=1e-6)
    assert dz[0] == pytest.approx(-np.exp(-50.0), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "z", "y", "message"),
    [
        ("cross_entropy", np.zeros((3, 2)), np.array([0, 1, 2]), r"y must hold labels in 0 \.\. 1, got 2 at row 2"),
        ("cross_entropy", np.zeros((3, 2)), np.array([0, -1, 1]), r"y must hold labels in 0 \.\. 1, got -1 at row 1"),
        ("cross_entropy", np.zeros((3, 2)), np.array([0, 1]), r"y must have shape \(batch,\) = \(3,\), got \(2,\)"),
        ("cross_entropy", np.zeros((3, 1)), np.zeros(3, int), "at least 2 outputs"),
        ("cross_entropy", np.zeros((0, 2)), np.zeros(0, int), "z must have at least one row"),
        ("cross_entropy", np.zeros((2, 2, 2)), np.zeros(2, int), "z must have shape"),
        (
            "binary_cross_entropy",
            np.zeros(2),
            np.array([0, 0.5]),
            "y must hold 0 and 1 for binary_cross_entropy, got 0.5 at row 1",
        ),
        ("binary_cross_entropy", np.zeros((2, 2)), np.zeros(2), "must have 1 output, got 2"),
        ("hinge", np.zeros(2), np.array([1.0, 0.0]), "y must hold -1 and 1 for hinge, got 0 at row 1"),
        (
            "mean_squared_error",
            np.zeros((2, 3)),
            np.zeros((3, 2)),
            r"y must have shape \(batch, outputs\) = \(2, 3\), got \(3, 2\)",
        ),
        ("mean_squared_error", np.zeros((2, 1)), np.array([0, np.nan]), "y must not hold NaN, got one at row 1"),
        ("crossentropy", np.zeros((2, 2)), np.zeros(2, int), "did you mean 'cross_entropy'"),
    ],
)
def test_bad_values(name, z, y, message):
    with pytest.raises(ValueError, match=message):
        fi.loss.evaluate(name, z, y)


@pytest.mark.parametrize(
    ("name", "z", "y", "message"),
    [
        ("cross_entropy", np.zeros((2, 2)), np.zeros(2, np.int32), "y must have dtype int64, got int32"),
        ("cross_entropy", np.zeros((2, 2), int), np.zeros(2, int), "z must have dtype float32 or float64, got int64"),
        ("hinge", np.zeros(2), np.ones(2, np.float32), "y must have dtype float64 like z, got float32"),
        ("hinge", [0.0], np.ones(1), "z must be a NumPy array, got list"),
    ],
)
def test_bad_types(name, z, y, message):
    with pytest.raises(TypeError, match=message):
        fi.loss.evaluate(name, z, y)
