"""The orthogonal law: orthonormal to the stated bars, an independent construction, layouts, blocks, threads, refusals."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fanin as fi

KEY: dict[str, Any] = {"seed": 7, "stream": "hidden1.weight"}
DTYPES = ["float32", "float64"]
BAR = {"float32": 1e-5, "float64": 1e-13}


def defect(w: NDArray[Any]) -> float:
    """Return max |W W^T - I|, over the shorter side, in float64."""
    w = w.astype(np.float64)
    if w.shape[0] > w.shape[1]:
        w = w.T
    return float(np.abs(w @ w.T - np.eye(len(w))).max())


def from_normal_draws(n: int, m: int, dtype: str) -> NDArray[np.float64]:
    """Stewart's product of reflections, one by one in float64, from the normal law's own draws; n <= m."""
    g = fi.init.normal((n, m), dtype=dtype, **KEY).astype(np.float64)
    p = np.zeros((n, m))
    for j in reversed(range(n)):
        v = g[j, j:].copy()
        sign = -1.0 if v[0] >= 0 else 1.0
        v[0] -= sign * np.linalg.norm(v)
        p[j, j] = sign
        p[j:, j:] -= np.outer(p[j:, j:] @ v, v) * (2 / (v @ v))
    return p


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1024, 1024), (300, 784), (784, 300), (1, 50), (96, 97), (97, 97), (10, 20_000)])
def test_orthonormal(shape: tuple[int, int], dtype: str) -> None:
    assert defect(fi.init.orthogonal(shape, dtype=dtype, **KEY)) < BAR[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 7), (95, 95), (130, 200), (200, 300)])
def test_is_stewarts_product(shape: tuple[int, int], dtype: str) -> None:
    # n reflections, each within a few eps of exact: 1e-5 and 1e-13 leave a factor of at least 10 at n = 200
    w = fi.init.orthogonal(shape, dtype=dtype, **KEY)
    np.testing.assert_allclose(w, from_normal_draws(*shape, dtype), rtol=0, atol=BAR[dtype])
    if shape[0] != shape[1]:  # a square matrix counts as wide
        np.testing.assert_array_equal(fi.init.orthogonal(shape[::-1], dtype=dtype, **KEY), w.T)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gain_multiplies_last(dtype: str) -> None:
    shape = (40, 60)
    w = fi.init.orthogonal(shape, dtype=dtype, **KEY)
    np.testing.assert_array_equal(fi.init.orthogonal(shape, gain=0.7, dtype=dtype, **KEY), np.asarray(0.7, dtype) * w)
    tanh = np.asarray(fi.activation.gain("tanh"), dtype)
    np.testing.assert_array_equal(fi.init.orthogonal(shape, gain="tanh", dtype=dtype, **KEY), tanh * w)
    zero = fi.init.orthogonal(shape, gain=0, dtype=dtype, **KEY)
    assert not zero.any()
    assert not np.signbit(zero).any()


def test_kernels_are_flattened() -> None:
    w = fi.init.orthogonal((64, 3, 4, 4), **KEY)
    np.testing.assert_array_equal(w.reshape(64, 48), fi.init.orthogonal((64, 48), **KEY))
    keras = fi.init.orthogonal((4, 4, 3, 64), in_axis=-2, out_axis=-1, **KEY)
    np.testing.assert_array_equal(keras.reshape(48, 64), fi.init.orthogonal((48, 64), **KEY).reshape(48, 64))
    vector = fi.init.orthogonal(50, in_axis=(), out_axis=0, dtype="float64", **KEY)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-15)


def test_batch_axes_number_matrices() -> None:
    w = fi.init.orthogonal((4, 30, 20), batch_axis=0, in_axis=2, out_axis=1, dtype="float64", **KEY)
    assert max(defect(m) for m in w) < BAR["float64"]
    np.testing.assert_array_equal(w[0], fi.init.orthogonal((30, 20), dtype="float64", **KEY))
    assert all(
        abs((w[i] * w[j]).sum()) < 10 for i in range(4) for j in range(i)
    )  # traces of independent matrices: variance 20/30
    heads = fi.init.orthogonal((30, 4, 20), batch_axis=1, in_axis=2, dtype="float64", **KEY)
    np.testing.assert_array_equal(heads, np.moveaxis(w, 0, 1))
    assert fi.init.describe("orthogonal", (4, 30, 20), batch_axis=0, in_axis=2, out_axis=1).std == 30**-0.5


def test_float16_is_the_float32_draw_rounded() -> None:
    w = fi.init.orthogonal((60, 90), gain=1.3, **KEY)
    for options in ({}, {"out": np.empty((90, 60), np.float16).T}):
        half = fi.init.orthogonal((60, 90), gain=1.3, dtype="float16", **options, **KEY)
        np.testing.assert_array_equal(half, w.astype(np.float16))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_block_has_the_bits_of_the_whole(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 14), min_size=2, max_size=4), label="shape"))
    axes = st.permutations(range(len(shape)))
    first, second, *_ = data.draw(axes, label="axes")
    layout: dict[str, Any] = {"in_axis": first, "out_axis": second, "dtype": data.draw(st.sampled_from(DTYPES))}
    bounds = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    block = tuple(slice(*b) for b in bounds)
    whole = fi.init.orthogonal(shape, **layout, **KEY)
    part = fi.init.orthogonal(shape, block=block, **layout, **KEY)
    np.testing.assert_array_equal(part, whole[block])
    out = np.full(tuple(2 * n + 1 for n in part.shape), -7, part.dtype)
    view = out[tuple(slice(-2, None, -2) if data.draw(st.booleans()) else slice(1, None, 2) for _ in shape)]
    assert fi.init.orthogonal(shape, block=block, out=view, **layout, **KEY) is view
    np.testing.assert_array_equal(view, part)
    view[...] = -7
    assert (out == -7).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(301, 417), (417, 301), (301, 301)])
def test_strides_threads_and_instruction_sets_change_nothing(shape: tuple[int, int], dtype: str, everywhere: Any) -> None:
    fi.set_num_threads(1)
    expected = fi.init.orthogonal(shape, dtype=dtype, **KEY)
    for _ in everywhere(1, 2, 5):
        np.testing.assert_array_equal(fi.init.orthogonal(shape, dtype=dtype, **KEY), expected)
    for out in (
        np.empty(shape[::-1], dtype).T,
        np.empty(shape, dtype)[::-1, ::-1],
        np.empty((shape[0], 2 * shape[1]), dtype)[:, ::2],
        np.empty((2 * shape[0], shape[1]), dtype)[::-2],
    ):
        np.testing.assert_array_equal(fi.init.orthogonal(shape, out=out, **KEY), expected)
    rows = fi.init.orthogonal(shape, dtype=dtype, block=(slice(97, 205), slice(None)), **KEY)
    np.testing.assert_array_equal(rows, expected[97:205])
    cols = fi.init.orthogonal(shape, dtype=dtype, block=(slice(None), slice(97, 205)), **KEY)
    np.testing.assert_array_equal(cols, expected[:, 97:205])


def test_rows_of_a_longer_matrix_begin_alike() -> None:
    """A row depends on the vectors up to its own alone, to within rounding (the blocks of reflections differ)."""
    long = fi.init.orthogonal((150, 200), dtype="float64", **KEY)
    short = fi.init.orthogonal((60, 200), dtype="float64", **KEY)
    np.testing.assert_allclose(short, long[:60], rtol=0, atol=1e-13)


def test_golden_digests() -> None:
    """The bits of this release: a change here is a change of `ALGORITHM_VERSION`, announced in the changelog."""
    digests = {}
    for dtype in DTYPES:
        digest = hashlib.sha256()
        for shape in [(61, 67), (200, 300), (300, 200)]:
            w = fi.init.orthogonal(shape, gain=0.9, dtype=dtype, **KEY)
            digest.update(w.astype(np.dtype(dtype).newbyteorder("<")).tobytes())
        digests[dtype] = digest.hexdigest()[:16]
    assert digests == {"float32": "f2dd32c38daadaa1", "float64": "570af566d5dba1ee"}


def test_description() -> None:
    d = fi.init.describe("orthogonal(gain=2)", (64, 3, 4, 4))
    assert (d.mean, d.std, d.low, d.high) == (0, 2 / 8, -2, 2)
    assert d.n_var == pytest.approx(4 * 48 / 64)
    assert fi.init.describe(fi.init.orthogonal, (300, 784)).n_var == pytest.approx(1)  # rows of norm 1: the signal is kept
    w = fi.init.orthogonal((64, 3, 4, 4), gain=2, dtype="float64", **KEY)
    assert (w**2).mean() == pytest.approx(d.std**2, rel=1e-12)  # not a mere expectation: rows or columns have unit norm
    assert np.abs(w).max() <= 2


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        (((5,),), {}, ValueError, r"shape must have at least 2 axes.*got \(5,\)"),
        (((3, 4),), {"gain": -1}, ValueError, "gain must be finite and at least 0, got -1"),
        (((3, 4),), {"gain": 1e39}, ValueError, "float32 holds"),
        (((3, 4),), {"in_axis": 2}, ValueError, r"in_axis must name axes of shape \(3, 4\), got 2"),
        (((3, 4),), {"in_axis": 0}, ValueError, "must be different axes"),
        (((3, 4),), {"block": (slice(0, 4), 0)}, ValueError, "inside the shape"),
        (((3, 4),), {"std": 1}, TypeError, "std"),
        (((3, 4),), {"seed": 3}, ValueError, "needs stream="),
    ],
)
def test_refusals(args: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str) -> None:
    out = np.full(args[0], 42, np.float32)
    with pytest.raises(error, match=message):
        fi.init.orthogonal(*args, **options, **({} if "block" in options else {"out": out}))
    assert (out == 42).all()


def test_empty() -> None:
    assert fi.init.orthogonal((0, 4)).shape == (0, 4)
    assert fi.init.orthogonal((4, 0, 3)).shape == (4, 0, 3)
    assert fi.init.orthogonal((300, 200), block=(slice(5, 5), slice(None))).shape == (0, 200)
