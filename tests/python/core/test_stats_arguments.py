"""What `summarize` takes and what it refuses, word for word; arrays that lie in files."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fanin as fi
from fanin.stats import summarize_stored

BINS, RANGE = "write bins=64", 'write range=(-1, 1), or bins="powers" where none is known'
X = np.random.default_rng(3).standard_normal((6, 50)).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "options", "error", "said"),
    [
        ([1.0, 2.0], {}, TypeError, 'x must be an array, got list: write numpy.asarray(x, dtype="float64")'),
        (
            np.ma.masked_less(X, 0),
            {},
            TypeError,
            "x must be a plain array, got a masked one: write x.compressed() or x.filled(numpy.nan)",
        ),
        (X, {"moments": "three"}, ValueError, 'moments must be "all" or "two", got \'three\''),
        (X, {"bins": "many"}, ValueError, "bins must be a number, \"powers\" or None, got 'many'"),
        (X, {"bins": 1.5}, TypeError, 'bins must be a number, "powers" or None, got 1.5'),
        (X, {"range": (-1, 1), "bins": None}, ValueError, "bins must be a number where range is given, got bins=None: " + BINS),
        (X, {"bins": 64}, ValueError, "range must be given with bins=64: " + RANGE),
    ],
)
def test_refusals(x, options, error, said):
    with pytest.raises(error, match="^" + re.escape(said) + "$"):
        fi.summarize(x, **options)


def test_a_wrong_range_is_named():
    with pytest.raises((TypeError, ValueError), match=re.escape("range must be (low, high), two numbers, got 3")):
        fi.summarize(X, bins=8, range=3)


@pytest.mark.parametrize("x", [X.astype(">f4"), X.astype(np.longdouble), X.astype(np.complex64), X.astype("U8")])
def test_types_that_are_refused(x):
    with pytest.raises(TypeError, match=r"^x must hold native real numbers of at most 64 bits, got \S+: write"):
        fi.summarize(x)


def test_arrays_in_files(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"head" + X.tobytes())
    found, beyond = summarize_stored(str(path), 4, "F32", X.shape)
    assert (found, beyond) == (fi.summarize(X, bins=None), 0)
    heads = np.zeros((6, 2), np.float32)
    found, beyond = summarize_stored(str(path), 4, "F32", X.shape, heads=heads, deviations=2.0)
    assert np.array_equal(heads, X[:, :2])
    assert beyond == np.count_nonzero(np.abs(X - float(found.mean)) > 2 * float(found.std)) > 0
    short, _ = summarize_stored(str(path), 204, "F32", (5, 50))
    assert short == fi.summarize(X[1:], bins=None)


def test_axes_that_do_not_fit_are_refused():
    rows = fi.summarize(X, axis=1, bins=None)
    assert hash(rows) == hash(fi.summarize(X.copy(), axis=1, bins=None))
    with pytest.raises(ValueError, match="shape"):
        rows + fi.summarize(X[:3], axis=1, bins=None)
