"""softmax and log_softmax: accuracy, special rows, axes, strides, the same bits everywhere, refusals."""

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
BOTH = [fi.activation.softmax, fi.activation.log_softmax]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [1, 2, 10, 513, 2000])
def test_equals_scipy(classes: int, dtype: Any) -> None:
    """In float64: z - m is rounded (|z - m| eps / 2 of e^(z - m)), the rest is a few eps."""
    z = np.random.default_rng(0).normal(0, 5, (20, classes)).astype(dtype)
    wide = z.astype(np.float64)
    rtol = (6 + 0.5 * np.ptp(wide)) * np.finfo(dtype).eps
    p = fi.activation.softmax(z)
    np.testing.assert_allclose(p, special.softmax(wide, axis=-1), rtol=rtol)
    np.testing.assert_allclose(fi.activation.log_softmax(z), special.log_softmax(wide, axis=-1), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(p.sum(axis=-1, dtype=np.float64), 1, rtol=rtol)
    np.testing.assert_allclose(p, reference.softmax(z), rtol=rtol + 1e-5 * (dtype is np.float32))
    rtol = 1e-4 if dtype is np.float32 else 1e-13  # the reference's own sum
    np.testing.assert_allclose(fi.activation.log_softmax(z), reference.log_softmax(z), rtol=rtol, atol=rtol)


def test_the_sure_class_keeps_its_digits() -> None:
    """-ln(1 + 3 e^-60), which ln(softmax) rounds to 0."""
    got = fi.activation.log_softmax(np.array([60.0, 0.0, 0.0, 0.0]))
    with mp.workdps(40):
        exact = -mp.log1p(3 * mp.exp(mpf(-60)))
        assert abs(mpf(float(got[0])) - exact) <= 4 * abs(exact) * mpf(2) ** -53


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_rows(dtype: Any) -> None:
    inf, nan = np.inf, np.nan
    for z, p, log_p in [
        ([0.0, inf, 5.0], [0, 1, 0], [-inf, 0, -inf]),
        ([-inf, 3.0], [0, 1], [-inf, 0]),
        ([-inf], [1], [0]),
        ([inf], [1], [0]),
        ([nan], [nan], [nan]),
        ([1.0, nan, inf], [nan] * 3, [nan] * 3),
        ([inf, inf], [nan] * 2, [nan] * 2),
        ([-inf, -inf], [nan] * 2, [nan] * 2),
        ([3e38, -3e38], [1, 0], [0, -inf if dtype is np.float32 else -6e38]),
    ]:
        np.testing.assert_array_equal(fi.activation.softmax(np.array(z, dtype)), np.array(p, dtype))
        np.testing.assert_array_equal(fi.activation.log_softmax(np.array(z, dtype)), np.array(log_p, dtype))


@pytest.mark.parametrize("function", BOTH)
def test_axes_strides_and_out(function: Callable[..., Any]) -> None:
    z = np.random.default_rng(1).standard_normal((4, 5, 6))
    for axis in (-3, -2, -1, 0, 1, 2):
        moved = np.ascontiguousarray(np.moveaxis(z, axis, -1))
        expected = np.moveaxis(function(moved), -1, axis)
        np.testing.assert_array_equal(function(z, axis=axis), expected)
        np.testing.assert_array_equal(function(np.asfortranarray(z), axis=axis), expected)
        np.testing.assert_array_equal(function(z[::-1, ::2], axis=axis), function(z[::-1, ::2].copy(), axis=axis))
        out = np.full((4, 5, 12), 7.0)
        assert function(z, axis=axis, out=out[:, :, ::2]).base is out
        np.testing.assert_array_equal(out[:, :, ::2], expected)
        assert (out[:, :, 1::2] == 7).all()
        own = z.copy()
        assert function(own, axis=axis, out=own) is own
        np.testing.assert_array_equal(own, expected)
    assert function(np.empty((3, 0))).shape == (3, 0)
    assert function(np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_everywhere(function: Callable[..., Any], dtype: Any, everywhere: Any) -> None:
    z = np.random.default_rng(2).normal(0, 10, (700, 130)).astype(dtype)
    seen = {function(z).tobytes() for _ in everywhere(1, 2, 3)}
    assert len(seen) == 1
    np.testing.assert_array_equal(function(z)[300:301], function(z[300:301]))


@pytest.mark.parametrize("function", BOTH)
def test_refusals(function: Callable[..., Any]) -> None:
    z = np.zeros((3, 4), np.float32)
    frozen = np.zeros_like(z)
    frozen.setflags(write=False)
    cases: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (TypeError, "z must be a NumPy array, got list", lambda: function([1.0])),
        (TypeError, "z must have dtype float32 or float64, got int64", lambda: function(np.zeros(3, np.int64))),
        (ValueError, "z must have 1 to 32 axes, got 0", lambda: function(np.array(1.0))),
        (ValueError, r"axis must be in -2 .. 1 for z of shape \(3, 4\), got 2", lambda: function(z, axis=2)),
        (TypeError, "out must have dtype float32 like z, got float64", lambda: function(z, out=np.zeros((3, 4)))),
        (ValueError, r"out must have the shape of z, \(3, 4\), got \(4, 3\)", lambda: function(z, out=np.zeros((4, 3), "f"))),
        (ValueError, "out must be writable", lambda: function(z, out=frozen)),
        (ValueError, "out must be z itself or share no memory", lambda: function(z[1:], out=z[:-1])),
        (TypeError, "out must be a NumPy array, got int", lambda: function(z, out=3)),
    ]
    for error, message, call in cases:
        with pytest.raises(error, match=message):
            call()
    assert not z.any()
