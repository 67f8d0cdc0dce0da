"""summarize against NumPy in float64 and extended precision, its bits and its merging."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fanin as fi
from fanin.stats import stats_options, summarize_bfloat16, summary_options

SHAPES = [(), (0,), (1,), (7,), (8,), (9,), (4095,), (4096,), (4097,), (3, 5000), (1000, 7), (0, 5), (5, 0), (70, 3, 400)]


def sample(shape, dtype="float32", mean=0.3, std=1.5, seed=0):
    return np.asarray(np.random.default_rng(seed).normal(mean, std, shape), dtype)


def salted(shape, dtype="float32", seed=1):
    """Normal numbers with zeros of both signs, subnormals, infinities and NaNs among them."""
    x = sample(shape, dtype, seed=seed)
    tiny = np.finfo(dtype).smallest_subnormal
    grains = np.array([0, -0.0, tiny, -tiny * 3, np.inf, -np.inf, np.nan, 1, -1, 0.5, np.finfo(dtype).tiny], dtype)
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.3, rng.choice(grains, shape), x)


def power_counts(x):
    """The histogram over signed powers of two in a few lines of NumPy."""
    x = x[np.isfinite(x)].astype("float64")
    k = np.clip(np.frexp(x)[1] - 1, -128, 127) + 129
    return np.bincount(np.where(x == 0, 256, np.where(x < 0, 256 - k, 256 + k)), minlength=513)


def check_fields(s, x):
    """Counts, extremes and bins exactly; sums of powers relative to n std^r.

    Both sweeps and the merges add some log2(n / 8) times, so rounding stays near 1e-15 of the sum of |terms|, which for r = 3
    is n std^3 times a number below 2 for these samples: 1e-12 leaves room for the heaviest of them.
    """
    tiny = np.finfo(x.dtype).tiny
    assert s.count == x.size
    assert s.nans == np.isnan(x).sum()
    assert s.infs == np.isinf(x).sum()
    assert s.zeros == (x == 0).sum()
    assert s.subnormals == ((x != 0) & (np.abs(x) < tiny)).sum()
    inside = x[np.isfinite(x)].astype(np.longdouble)
    assert s.finite == inside.size
    if inside.size == 0:
        assert all(math.isnan(v) for v in (s.mean, s.min, s.max, s.var, s.std, s.rms, s.skewness, s.kurtosis))
        return
    assert (s.min, s.max) == (inside.min(), inside.max())
    n, mean = inside.size, inside.mean()
    d = inside - mean
    std, rms = np.sqrt((d**2).mean()), np.sqrt((inside**2).mean())
    assert abs(s.mean - mean) <= 1e-12 * rms
    assert abs(s.rms - rms) <= 1e-12 * rms
    assert abs(s.m2 - (d**2).sum()) <= 1e-12 * n * std**2
    assert abs(s.var - std**2) <= 1e-12 * std**2
    assert abs(s.std - std) <= 1e-12 * std
    if s.moments == "two":
        assert all(math.isnan(v) for v in (s.m3, s.m4, s.skewness, s.kurtosis))
        return
    assert abs(s.m3 - (d**3).sum()) <= 1e-12 * n * std**3
    assert abs(s.m4 - (d**4).sum()) <= 1e-12 * (d**4).sum()
    if std == 0:
        assert math.isnan(s.skewness)
        assert math.isnan(s.kurtosis)
    else:
        assert abs(s.skewness - (d**3).mean() / std**3) <= 3e-12
        assert abs(s.kurtosis - (d**4).mean() / std**4) <= 3e-12 * s.kurtosis


def check_linear(s, x, bins, low, high):
    wide = x[np.isfinite(x)].astype("float64")
    counts, edges = np.histogram(wide, bins, (low, high))
    h = s.histogram
    assert h.kind == "linear"
    assert h.range == (low, high)
    np.testing.assert_array_equal(h.edges, edges)
    np.testing.assert_array_equal(h.counts, counts)
    assert (h.below, h.above) == ((wide < low).sum(), (wide > high).sum())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("make", [sample, salted])
def test_every_field_equals_numpy(shape, dtype, make):
    x = make(shape, dtype)
    s = fi.summarize(x)
    check_fields(s, x)
    assert s.histogram.kind == "powers"
    assert s.histogram.range is None
    np.testing.assert_array_equal(s.histogram.counts, power_counts(x))
    two = fi.summarize(x, bins=None, moments="two")
    check_fields(two, x)
    assert two.histogram is None
    assert two.moments == "two"
    check_linear(fi.summarize(x, bins=64, range=(-1, 1)), x, 64, -1.0, 1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("bins", "low", "high"),
    [
        (10, 0, 1),
        (60, -3, 3),
        (7, 0.1, 0.7),
        (3, -0.3, -0.1),
        (1, -1e30, 1e30),
        (1000, -1e-3, 2e-3),
        (49, -0.7, 0.7),
        (333, 1e-8, 1),
    ],
)
def test_a_linear_histogram_is_numpys(bins, low, high, dtype):
    low, high = float(low), float(high)
    edges = np.linspace(low, high, bins + 1)
    near = edges.astype(dtype)
    up, down = np.nextafter(near, np.inf, dtype=dtype), np.nextafter(near, -np.inf, dtype=dtype)
    x = np.concatenate([near, up, down, sample(20_000, dtype, (low + high) / 2, (high - low) / 2), salted(1000, dtype)])
    check_linear(fi.summarize(x, bins=bins, range=(low, high)), x, bins, low, high)


@settings(deadline=None, max_examples=200)
@given(
    x=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40),
        elements=st.floats(-4, 4, width=32)
        | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, *map(float, np.float32([0.1, -0.3]))]),
    ),
    bins=st.integers(1, 100),
    low=st.floats(-5, 5),
    width=st.floats(0.01, 10),
)
def test_any_array_and_any_range(x, bins, low, width):
    s = fi.summarize(x, bins=bins, range=(low, low + width))
    check_linear(s, x, bins, low, low + width)
    whole = fi.summarize(x)
    np.testing.assert_array_equal(whole.histogram.counts, power_counts(x))
    assert (whole.count, whole.nans, whole.infs, whole.zeros) == (x.size, np.isnan(x).sum(), np.isinf(x).sum(), (x == 0).sum())
    inside = x[np.isfinite(x)].astype("float64")
    if inside.size:
        assert (whole.min, whole.max) == (inside.min(), inside.max())
        assert abs(whole.mean - math.fsum(inside) / inside.size) <= 1e-14 * np.abs(inside).max()
        assert whole.var >= 0


def test_the_edges_of_powers():
    h = fi.summarize(np.array([0.0, -0.0, 1, 1.5, 2, -1, 1e-300, -1e300, 2.0**-128, 2.0**127])).histogram
    assert h.edges.shape == (514,)
    assert h.counts.shape == (513,)
    for x, b in [(0.0, 256), (1.0, 385), (2.0, 386), (-1.0, 127), (1e-300, 257), (-1e300, 0), (2.0**127, 512)]:
        assert h.edges[b] <= x <= h.edges[b + 1]
        assert h.counts[b] == {256: 2, 385: 2, 257: 2}.get(b, 1)
    assert (h.edges[0], h.edges[256], h.edges[257], h.edges[-1]) == (-np.inf, 0, 0, np.inf)
    np.testing.assert_array_equal(h.edges, -h.edges[::-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_strides_isa_and_threads(dtype, everywhere):
    x = salted((257, 1030), dtype)  # two groups of blocks
    copies = [
        np.asfortranarray(x),
        x[::-1, ::-1].copy()[::-1, ::-1],
        np.repeat(x, 3, axis=1)[:, ::3],
        np.frombuffer(b"\0" * x.itemsize + x.tobytes(), dtype, offset=x.itemsize).reshape(x.shape),
        x[:, None, :],
    ]
    for options in ({}, {"bins": 37, "range": (-1, 2)}, {"bins": None, "moments": "two"}):
        expected = fi.summarize(x, **options)
        assert all(fi.summarize(c, **options) == expected for c in copies)
        for where in everywhere(1, 2, 3, 8):
            assert fi.summarize(x, **options) == expected, where


def test_zeros_keep_their_order():
    s = fi.summarize(np.array([0.0, -0.0, 0.0]))
    assert math.copysign(1, s.min) == -1
    assert math.copysign(1, s.max) == 1
    assert fi.summarize(np.zeros(3)) != fi.summarize(-np.zeros(3))


@pytest.mark.parametrize("value", [0.1, -3e-20, 1e10])
def test_a_constant_has_no_variance(value):
    s = fi.summarize(np.full((3, 12345), value))
    assert s.mean == value
    assert (s.m2, s.m3, s.m4, s.std) == (0, 0, 0, 0)


def test_wide_accumulators():
    """A mean of 1 and noise of 1e-4: what float32 accumulators would lose. Exact figures from integers of 2^-24."""
    noise = np.random.default_rng(3).normal(0, 1e-4, 1_000_000)
    x = (1 + noise).astype("float32")
    k = np.rint((x.astype("float64") - 1) * 2**24).astype("int64")
    n, total, squares = len(k), int(k.sum()), int((k * k).sum())
    mean, var = 1 + total / n * 2.0**-24, (squares * n - total**2) / n**2 * 2.0**-48
    s = fi.summarize(x)
    assert abs(s.mean - mean) <= 1e-13 * mean
    assert abs(s.var - var) <= 1e-11 * var


def test_kurtosis_far_from_zero():
    """A mean of 1e4 std: float64 keeps 1e-12 of a std, and central powers lose nothing to the mean."""
    noise = np.random.default_rng(4).laplace(size=200_000)
    shifted = noise + 1e4 * noise.std()
    d = noise - noise.mean()
    expected = (d**4).mean() / (d**2).mean() ** 2
    assert abs(fi.summarize(shifted).kurtosis - expected) <= 1e-9 * expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"bins": 50, "range": (-2, 2)}, {"bins": None}])
def test_shards_add_up_to_the_whole(dtype, options):
    x = salted(150_000, dtype, seed=5)
    whole = fi.summarize(x, **options)
    rng = np.random.default_rng(6)
    for _ in range(10):
        cuts = np.sort(rng.integers(0, x.size, rng.integers(0, 12)))
        parts = [fi.summarize(part, **options) for part in np.split(x, cuts)]
        s = sum(parts)
        for name in ("count", "nans", "infs", "zeros", "subnormals", "min", "max", "histogram"):
            assert getattr(s, name) == getattr(whole, name)
        n, std = whole.finite, whole.std
        assert abs(s.mean - whole.mean) <= 1e-13 * std
        for r in (2, 3, 4):
            assert abs(getattr(s, f"m{r}") - getattr(whole, f"m{r}")) <= 1e-13 * n * std**r
        assert s == sum(fi.summarize(part, **options) for part in np.split(x, cuts))


def test_merging_with_nothing():
    s, nothing, lost = fi.summarize(sample(100)), fi.summarize(sample(0)), fi.summarize(np.full(3, np.nan, "float32"))
    assert s + nothing == s == nothing + s
    assert (s + lost).mean == s.mean
    assert ((s + lost).count, (s + lost).nans) == (103, 3)
    assert math.isnan((nothing + lost).mean)


def test_summaries_that_do_not_fit():
    x = sample(10)
    s = fi.summarize(x)
    with pytest.raises(ValueError, match=r"same histogram bins to be added, got signed powers of two and no histogram"):
        s + fi.summarize(x, bins=None)
    with pytest.raises(ValueError, match=r"got 4 bins over \(0, 1\) and 4 bins over \(0, 2\)"):
        fi.summarize(x, bins=4, range=(0, 1)) + fi.summarize(x, bins=4, range=(0, 2))
    with pytest.raises(TypeError):
        s + 1
    with pytest.raises(TypeError):
        1 + s
    mixed = fi.summarize(x, bins=None) + fi.summarize(x, bins=None, moments="two")
    assert mixed.moments == "two"
    assert math.isnan(mixed.m4)


@pytest.mark.parametrize("options", [{}, {"bins": 5, "range": (-1, 2)}, {"bins": None, "moments": "two"}])
@pytest.mark.parametrize("n", [0, 1000])
def test_dict_json_pickle(options, n):
    s = fi.summarize(salted(n), **options)
    assert fi.Summary.from_dict(s.to_dict()) == s
    assert fi.Summary.from_dict(json.loads(json.dumps(s.to_dict()))) == s
    restored = pickle.loads(pickle.dumps(s))
    assert restored == s
    assert hash(restored) == hash(s)
    assert s != 3
    if s.histogram is not None:
        changed = s.to_dict()
        changed["histogram"]["counts"][0] += 1
        assert fi.Summary.from_dict(changed) != s


def test_from_dict_refuses():
    data = fi.summarize(sample(10)).to_dict()
    with pytest.raises(ValueError, match="data must have an entry 'm2'"):
        fi.Summary.from_dict({k: v for k, v in data.items() if k != "m2"})
    data["histogram"]["counts"].pop()
    with pytest.raises(ValueError, match="counts must have 513 entries, got 512"):
        fi.Summary.from_dict(data)


def test_repr():
    text = repr(fi.summarize(np.array([0.0, 1, 2, np.nan]), bins=2, range=(0, 2)))
    assert text == (
        "<Summary: 4 elements, mean 1, std 0.816497, min 0, max 2, skewness 0, kurtosis 1.5, 1 zeros, 1 NaNs, "
        "histogram of 2 bins over (0, 2)>"
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bins": "powers", "saturation": (-1, 1)},
        {"bins": 7, "range": (-2, 2), "moments": "two", "saturation": (-0.5, 1.5)},
        {"bins": None, "moments": "two"},
    ],
)
def test_options_mean_the_same_everywhere(options):
    """Of a whole, along an axis, piece by piece, pickled on the way, in ``stats=`` and of the bits of bfloat16."""
    x = (sample(300).view(np.uint32) & 0xFFFF0000).view(np.float32)  # numbers that bfloat16 has too
    whole = fi.summarize(x, **options)
    assert whole.moments == options.get("moments", "all")
    assert whole.saturation == options.get("saturation")
    assert (whole.histogram is None) == ("bins" in options and options["bins"] is None)
    along = fi.summarize(x[None], axis=1, **options)[0]
    assert along == (whole if options else fi.summarize(x, bins=None))  # along axes no histogram unless asked for
    stream = pickle.loads(pickle.dumps(fi.Summarizer(**options)))
    stream.update(x[:0])
    stream.update(x)
    assert stream.summary == whole
    again = pickle.loads(pickle.dumps(stream))
    assert again.summary == whole
    again.update(x)
    assert again.summary == whole + whole
    assert fi._core.summarize(x, stats_options(options)) == whole
    bits = (x.view(np.uint32) >> 16).astype(np.uint16)
    narrow = summarize_bfloat16(bits, **options)
    assert narrow == whole
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert fi.summarize(bits.view(ml_dtypes.bfloat16), **options) == whole
    small = x.astype(ml_dtypes.float8_e4m3fn)
    assert fi.summarize(small, **options) == fi.summarize(small.astype("float32"), **options)


def test_read_only_and_misaligned_arrays_are_fine():
    x = sample(100)
    x.flags.writeable = False
    assert fi.summarize(x).count == 100
    packed = np.zeros(100, np.dtype([("a", "i1"), ("b", x.dtype)]))
    packed["b"] = x
    assert not packed["b"].flags.aligned
    assert fi.summarize(packed["b"]) == fi.summarize(x)


def test_the_argument_stats(said):
    x = sample(1000)
    assert stats_options(False) is None
    for stats, same in [(True, {}), ("moments", {"bins": None, "moments": "two"}), ({"bins": 3, "range": (0, 1)}, None)]:
        assert fi._core.summarize(x, stats_options(stats)) == fi.summarize(x, **(stats if same is None else same))
    for stats in ("all", 3, None):
        expected = f'ValueError: stats must be True, False, "moments" or dict(bins=, range=), got {stats!r}'
        assert said(lambda stats=stats: stats_options(stats)) == expected
    expected = "ValueError: stats must have the keys bins, range, moments and saturation only, got 'bin'"
    assert said(lambda: stats_options({"bin": 3})) == expected
    assert isinstance(summary_options(), fi.stats.SummaryOptions)
