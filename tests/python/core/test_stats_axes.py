"""Summaries along axes, quantiles, saturation and streams, against NumPy in float64."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

import fanin as fi


def sample(*shape, dtype="float32"):
    return np.random.default_rng(5).normal(0.2, 1.5, shape).astype(dtype)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, (0, 2), (2, 0), (0, 1, 2), ()])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_axes_equal_numpy_and_slices(axis, dtype):
    x = sample(5, 33, 12, dtype=dtype)[:, ::-3]
    s = fi.summarize(x, axis=axis)
    axes = axis if isinstance(axis, tuple) else (axis,)
    wide = x.astype(float)
    assert s.shape == wide.mean(axis=axes).shape
    np.testing.assert_allclose(s.mean, wide.mean(axis=axes), rtol=0, atol=1e-14)
    np.testing.assert_allclose(s.var, wide.var(axis=axes), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(s.max, wide.max(axis=axes))
    assert s.count.dtype == np.int64
    assert len(s) == s.count.size == len(list(s))
    kept = [i for i in range(3) if i not in {a % 3 for a in axes}]
    moved = np.moveaxis(x, kept, list(range(len(kept))))
    for index in itertools.product(*(range(x.shape[i]) for i in kept)):
        assert s[index] == fi.summarize(np.asarray(moved[index]), bins=None)


def test_axes_of_many_rows_and_of_few():
    x = sample(300, 40)
    for threads in (1, 2, 3):
        fi.set_num_threads(threads)
        for axis in (0, 1):
            s = fi.summarize(x, axis=axis, bins=16, range=(-2, 2))
            for i in (0, 17, 39):
                assert s[i] == fi.summarize(x[:, i] if axis == 0 else x[i], bins=16, range=(-2, 2))
    fi.set_num_threads(2)
    long = sample(1, 100_000)
    assert fi.summarize(long, axis=1)[0] == fi.summarize(long[0], bins=None)
    assert fi.summarize(np.zeros((0, 3)), axis=0).mean.shape == (3,)
    assert fi.summarize(np.zeros((3, 0)), axis=0).mean.shape == (0,)


def test_summaries_add_compare_and_pickle(said):
    x = sample(60, 4)
    whole, parts = fi.summarize(x, axis=0), fi.summarize(x[:20], axis=0) + fi.summarize(x[20:], axis=0)
    np.testing.assert_array_equal(whole.min, parts.min)
    np.testing.assert_allclose(whole.m4, parts.m4, rtol=1e-12)
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert whole != parts or whole == parts
    assert len({whole, pickle.loads(pickle.dumps(whole))}) == 1
    assert repr(whole) == "<Summaries of shape (4,)>"
    assert {"mean", "saturated"} <= set(dir(whole))
    assert (whole + whole).shape == (4,)
    other = fi.summarize(x + 1, axis=0)
    assert whole != other
    assert whole != whole.shape
    assert whole != fi.summarize(x[:, :2], axis=0)
    assert len({whole, other}) == 2
    assert said(lambda: whole + fi.summarize(x, axis=1)) == (
        "ValueError: summaries must have the same shape to be added, got (4,) and (60,)"
    )
    assert said(lambda: whole + 1) == "TypeError: unsupported operand type(s) for +: 'Summaries' and 'int'"
    assert said(lambda: whole.average).startswith("AttributeError: Summaries has no attribute 'average'; it has count, nans, ")
    for index in (4, -5):
        assert said(lambda index=index: whole[index]) == f"IndexError: index must lie in the shape (4,), got {index}"
    assert said(lambda: whole[0, 0]) == "IndexError: index must have one number for each of the axes (4,), got (0, 0)"
    assert whole[-4] == whole[0]
    assert whole[-1] == whole[3]


AXIS = "axis must hold different axes of x, in -2 .. 1, got"


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (2, f"ValueError: {AXIS} 2"),
        (-3, f"ValueError: {AXIS} -3"),
        ((0, 0), f"ValueError: {AXIS} (0, 0)"),
        ((1, 1), f"ValueError: {AXIS} (1, 1)"),
        ((0, -2), f"ValueError: {AXIS} (0, -2)"),
        (0.5, "TypeError: axis must be an integer or a tuple of integers, got 0.5"),
        ("0", "TypeError: axis must be an integer or a tuple of integers, got '0'"),
    ],
)
def test_wrong_axes(said, axis, message):
    assert said(lambda: fi.summarize(sample(3, 4), axis=axis)) == message


def test_axes_count_from_the_end_too():
    x = sample(3, 4)
    assert fi.summarize(x, axis=-2) == fi.summarize(x, axis=0)
    assert fi.summarize(x, axis=(-2, -1)) == fi.summarize(x, axis=(0, 1))


def test_numbers_of_no_summaries_keep_their_types():
    none = fi.summarize(np.zeros((3, 0)), axis=0)
    assert (none.zeros.dtype, none.mean.dtype) == (np.int64, np.float64)


@pytest.mark.parametrize("options", [{}, {"bins": 64, "range": (-1, 1)}, {"bins": 500, "range": (-8, 8)}])
def test_quantiles_bound_those_of_numpy(options):
    x = sample(4001)
    s = fi.summarize(x, **options)
    for q in np.linspace(0, 1, 101):
        exact, found = np.quantile(x.astype(float), q), s.quantile(q)
        # numpy interpolates in floating point: a place may be off by an ULP
        assert found.low - 1e-12 <= exact <= found.high + 1e-12
        assert found.low <= float(found) <= found.high
    assert s.quantile(0).value == x.min()
    assert s.quantile(1).high == x.max()
    assert repr(fi.summarize(np.array([1.0])).quantile(0.5)) == "<Quantile 1 in [1, 1]>"
    with pytest.raises(ValueError, match=r"q must be in \[0, 1\], got 2"):
        s.quantile(2)
    with pytest.raises(ValueError, match="bins=None"):
        fi.summarize(x, bins=None).quantile(0.5)


def test_saturation_counts_what_lies_outside():
    x = np.tanh(sample(3000) * 2)
    x[:3] = np.nan, np.inf, -np.inf
    s = fi.summarize(x, saturation=(-0.97, 0.97))
    wide = x.astype(float)
    assert s.saturated == np.sum((wide < -0.97) | (wide > 0.97))
    assert s.saturation == (-0.97, 0.97)
    assert "saturated" in repr(s)
    assert fi.Summary.from_dict(s.to_dict()) == s
    assert (s + s).saturated == 2 * s.saturated
    plain = fi.summarize(x)
    assert (plain.saturated, plain.saturation) == (0, None)
    assert plain != s
    with pytest.raises(ValueError, match="same saturation bounds"):
        s + plain
    assert fi.summarize(x, saturation=(-np.inf, 0.97)).saturated == np.sum(wide > 0.97)
    for bad in ((1, 0), (np.nan, 1), (1,), 3, "ab"):
        with pytest.raises(ValueError, match="saturation must"):
            fi.summarize(x, saturation=bad)


def test_summarizer_takes_pieces():
    x = sample(90, 100)
    s, other = fi.Summarizer(bins=20, range=(-3, 3)), fi.Summarizer(bins=20, range=(-3, 3))
    assert s.summary.count == 0
    for piece in np.split(x[:60], 3):
        s.update(piece)
    other.update(x[60:])
    s.merge(other)
    whole = fi.summarize(x, bins=20, range=(-3, 3))
    assert s.summary.histogram == whole.histogram
    assert (s.summary.count, s.summary.min, s.summary.max) == (whole.count, whole.min, whole.max)
    for r, name in enumerate(("m2", "m3", "m4"), 2):
        assert abs(getattr(s.summary, name) - getattr(whole, name)) <= 1e-13 * x.size * whole.std**r
    s.merge(whole)
    assert s.summary.count == 2 * x.size
    s.update(x[:0].astype("float64"))
    assert repr(s).startswith("<Summarizer: <Summary: 18000 elements")
    with pytest.raises(ValueError, match="same histogram bins"):
        s.merge(fi.summarize(x))
    with pytest.raises(TypeError):
        s.update([1.0])
    with pytest.raises(TypeError, match="x must"):
        s.update(np.zeros(3, complex))


def test_wide_accumulators():
    noise = np.random.default_rng(6).normal(0, 1e-4, 10**6).astype("float32")
    x = 1 + noise
    s = fi.summarize(x, bins=None)
    wide = x.astype("longdouble")
    assert abs(s.mean / float(wide.mean()) - 1) < 1e-13
    assert abs(s.var / float(wide.var()) - 1) < 1e-7
    y = np.random.default_rng(7).standard_normal(10**5) + 1e4  # a mean of 1e4 times its std
    d = y.astype("longdouble") - y.astype("longdouble").mean()
    kurtosis = float((d**4).mean() / (d**2).mean() ** 2)
    assert abs(fi.summarize(y, bins=None).kurtosis / kurtosis - 1) < 1e-9


@pytest.mark.slow
def test_wide_accumulators_of_1e8_elements():
    x = fi.init.normal((10**8,), std=1e-4, seed=1, stream="noise")
    x += 1
    s = fi.summarize(x, bins=None)
    mean = np.mean(x, dtype=np.longdouble)
    var = sum(np.square(part.astype(np.longdouble) - mean).sum() for part in np.split(x, 100)) / x.size
    assert abs(s.mean / float(mean) - 1) < 1e-7
    assert abs(s.var / float(var) - 1) < 1e-7
