"""Columns scaled by what the training rows say, against sums in exact fractions; and what cannot be scaled."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fanin.datasets.splitting import scaled

COLUMNS = {
    "some": [1.0, -2.0, 4.5, 3.0],
    "constant": [5.0, 5.0, 5.0, 5.0],
    "zeros": [0.0, 0.0, 0.0, 0.0],
    "small": [1e-160, -3e-160, 2e-160, 0.0],  # squares below what float64 holds
    "large": [1e160, -3e160, 2e160, 0.0],
    "constant and small": [1e-300] * 4,
    "below zero": [-3e160, -3e160, -1e160, -2e160],
    "subnormal": [5e-324, 0.0, 1e-323, 0.0],
}


@pytest.mark.parametrize("how", ["standard", "unit"])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_column(how, name):
    column = np.array(COLUMNS[name])
    held = np.array([column[2], column[0]])
    x, other = scaled(how, column[:, None], held[:, None])
    exact = [Fraction(v) for v in COLUMNS[name]]
    low, high, mean = min(exact), max(exact), sum(exact) / 4
    if high == low:
        expected = np.zeros(4)
    elif how == "unit":
        expected = np.array([float((v - low) / (high - low)) for v in exact])
    else:
        var = sum((v - mean) ** 2 for v in exact) / 4
        expected = np.array([float(np.sqrt(float((v - mean) ** 2 / var))) * (1 if v >= mean else -1) for v in exact])
    np.testing.assert_allclose(x[:, 0], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(other[:, 0], expected[[2, 0]], rtol=1e-12, atol=1e-15)
    assert x.dtype == other.dtype == np.float64


@pytest.mark.parametrize("how", ["standard", "unit"])
def test_columns_beside_each_other_are_scaled_alone(how):
    together = np.array(list(COLUMNS.values())).T
    whole, held = scaled(how, together, together[:2])
    for i in range(together.shape[1]):
        alone, beside = scaled(how, together[:, i : i + 1], together[:2, i : i + 1])
        np.testing.assert_allclose(whole[:, i : i + 1], alone, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(held[:, i : i + 1], beside, rtol=1e-14, atol=1e-15)


def test_arrays_are_changed_where_that_was_allowed():
    for own in (False, True):
        train, held = np.array([[1.0], [3.0]]), np.array([[5.0]])
        found = scaled("standard", train, held, own=own)
        assert [part.tolist() for part in found] == [[[-1], [1]], [[3]]]
        assert (found[0] is train) == (found[1] is held) == own
        assert train.tolist() == ([[-1], [1]] if own else [[1], [3]])
    plain, held = np.array([[1], [3]]), np.array([[5]])
    assert scaled("none", plain, held) == (plain, held)
    assert scaled("unit", plain, held)[1].tolist() == [[2]]


def test_refusals(said):
    two = np.array([[1.0], [2.0]])
    assert said(lambda: scaled("minmax", two, two)) == "ValueError: scale must be one of none, standard, unit, got 'minmax'"
    for ends in ([-1.7e308, 1.7e308], [1.7e308, -1.7e308]):
        wide = np.array(ends)[:, None]
        message = "ValueError: scale standard: the numbers are too large, up to 1.7e+308"
        assert said(lambda wide=wide: scaled("standard", wide, two)) == message
    tiny = np.array([[1e-300], [2e-300]])
    message = "ValueError: scale unit: a held-out number is too far from the training rows to be scaled"
    assert said(lambda: scaled("unit", tiny, np.array([[1e300]]))) == message
