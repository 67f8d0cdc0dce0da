"""Laws of weights: exact against NumPy's float64, moments, addresses."""

from __future__ import annotations

import copy
import hashlib
import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fanin as fi
from fanin import _core

KEY: dict[str, Any] = {"seed": 7, "stream": "hidden1.weight"}
DTYPES = ["float32", "float64"]
N_OUT, N_IN = 301, 517

# k of std = sqrt(k / fan) or bound = sqrt(k / fan), and the fan, for every scaled law.
FAN_AVG = (N_IN + N_OUT) / 2
NORMAL = {"xavier_normal": (1, N_IN), "glorot_normal": (1, FAN_AVG), "he_normal": (2, N_IN), "lecun_normal": (1, N_IN)}
UNIFORM = {
    "fan_in_uniform": (1, N_IN),
    "xavier_uniform": (3, N_IN),
    "glorot_uniform": (3, FAN_AVG),
    "he_uniform": (6, N_IN),
    "lecun_uniform": (3, N_IN),
}
ALL = ["zeros", "ones", "constant(value=-0.3)", "identity(gain=1.5)", "normal(mean=0.1, std=0.2)", "uniform(low=-1, high=3)"]
ALL += [*NORMAL, *UNIFORM]  # the digests of these laws are as old as version 1; fanin.selftest holds the others


def draw(law: str, shape: Any, **options: Any) -> NDArray[Any]:
    return fi.init.law(law)(shape, **{**KEY, **options})


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", NORMAL)
def test_normal_laws_scale_one_standard_draw(law: str, dtype: str) -> None:
    k, fan = NORMAL[law]
    g = draw("normal", (N_OUT, N_IN), dtype=dtype)
    for gain in (1.0, 0.3):
        std = np.asarray(gain * np.sqrt(np.float64(k) / fan), dtype)
        # the mean is 0, so fma(std, g, 0) is the product, rounded once: equal bits
        np.testing.assert_array_equal(draw(f"{law}(gain={gain})", (N_OUT, N_IN), dtype=dtype), std * g)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", UNIFORM)
def test_uniform_laws_scale_one_standard_draw(law: str, dtype: str) -> None:
    k, fan = UNIFORM[law]
    v = draw("uniform(low=-1, high=1)", (N_OUT, N_IN), dtype=dtype)
    bound = np.asarray(0.7 * np.sqrt(np.float64(k) / fan), dtype)
    inside = np.nextafter(bound, np.zeros_like(bound))
    w = draw(f"{law}(gain=0.7)", (N_OUT, N_IN), dtype=dtype)
    np.testing.assert_array_equal(w, np.clip(bound * v, -inside, inside))
    assert np.abs(w).max() < bound


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", [*NORMAL, *UNIFORM, "normal(mean=0.1, std=0.2)", "uniform(low=-1, high=3)"])
def test_moments(law: str, dtype: str) -> None:
    w = draw(law, (N_OUT, N_IN), dtype=dtype).astype(np.float64)
    d = fi.init.describe(law, (N_OUT, N_IN))
    # 5 standard errors of N draws: std / sqrt(N); variance sqrt((kurtosis - 1) / N), kurtosis 3 or 1.8
    kurtosis = 1.8 if "uniform" in law else 3.0
    assert abs(w.mean() - d.mean) <= 5 * d.std / np.sqrt(w.size)
    assert abs(w.var() / d.std**2 - 1) <= 5 * np.sqrt((kurtosis - 1) / w.size)
    skew, fourth = (((w - d.mean) / d.std) ** 3).mean(), (((w - d.mean) / d.std) ** 4).mean()
    assert abs(skew) <= 5 * np.sqrt(15 / w.size)  # Var(x^3) is 15 for a normal, less for a uniform
    assert abs(fourth - kurtosis) <= 5 * np.sqrt(96 / w.size)  # Var(x^4) is 105 - 9


@pytest.mark.parametrize("dtype", DTYPES)
def test_he_is_sqrt_2_times_xavier(dtype: str) -> None:
    he, xavier = (draw(law, (N_OUT, N_IN), dtype=dtype).astype(np.float64) for law in ("he_normal", "xavier_normal"))
    # each side rounds twice, the std to the dtype and then the product: four half ULPs, two epsilons
    assert np.abs(he - np.sqrt(2) * xavier).max() <= 2 * np.finfo(dtype).eps * np.abs(he).max()
    same = draw("xavier_normal(gain=relu)", (N_OUT, N_IN), dtype=dtype).astype(np.float64)
    assert np.abs(he - same).max() <= 2 * np.finfo(dtype).eps * np.abs(he).max()


def test_modes_and_gains() -> None:
    shape = (N_OUT, N_IN)
    np.testing.assert_array_equal(draw("xavier_normal(mode=fan_avg)", shape), draw("glorot_normal", shape))
    np.testing.assert_array_equal(draw("xavier_uniform(mode=fan_avg)", shape), draw("glorot_uniform", shape))
    np.testing.assert_array_equal(draw("xavier_normal", shape), draw("lecun_normal", shape))
    assert fi.init.describe("he_normal(mode=fan_out)", shape).std == np.sqrt(2 / N_OUT)
    assert not draw("he_uniform(gain=0)", shape).any()
    np.testing.assert_array_equal(fi.init.he_normal(shape, gain=np.float32(0.5), **KEY), draw("he_normal(gain=0.5)", shape))


def test_fixed_laws() -> None:
    assert not fi.init.zeros((3, 4)).any()
    assert (fi.init.ones(5, dtype="float64") == 1).all()
    assert (fi.init.constant((2, 3), value=0.1) == np.float32(0.1)).all()
    for shape in [(3, 5), (5, 3), (4, 4), (1, 1), (0, 3)]:
        np.testing.assert_array_equal(fi.init.identity(shape, gain=-1.5), np.float32(-1.5) * np.eye(*shape) + 0)
    assert not np.signbit(fi.init.constant(3, value=-0.0)).any()
    assert not np.signbit(fi.init.identity((3, 3), gain=-1.5)[0, 1])


def test_golden_digests() -> None:
    """The bits of this release: a change here is a change of `ALGORITHM_VERSION`, announced in the changelog."""
    digests = {}
    for dtype in DTYPES:
        digest = hashlib.sha256()
        for law in ALL:
            digest.update(draw(law, (61, 67), dtype=dtype).astype(np.dtype(dtype).newbyteorder("<")).tobytes())
        digests[dtype] = digest.hexdigest()[:16]
    assert digests == {"float32": "0baee1b82c407533", "float64": "5dc3494e9f625657"}


# ------------------------------------------------------------------------------------------------ addresses


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_block_has_the_bits_of_the_whole(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=4), label="shape"))
    law = data.draw(st.sampled_from(["normal", "uniform(low=0, high=1)", "constant(value=2)", "he_normal", "glorot_uniform"]))
    axes: dict[str, Any] = {"in_axis": (), "out_axis": 0} if len(shape) == 1 else {}
    dtype = data.draw(st.sampled_from(DTYPES))
    block = []
    for n in shape:
        start = data.draw(st.integers(0, n))
        stop = data.draw(st.integers(start, n))
        negative = data.draw(st.booleans())
        block.append(slice(start - n if negative and start < n else start, None if negative and stop == n else stop))
    whole = draw(law, shape, dtype=dtype, **axes)
    part = draw(law, shape, dtype=dtype, block=tuple(block), **axes)
    np.testing.assert_array_equal(part, whole[tuple(block)])
    out = np.full(tuple(2 * n + 1 for n in part.shape), -7, dtype)  # in place, with gaps and reversed axes
    view = out[tuple(slice(-2, None, -2) if data.draw(st.booleans()) else slice(1, None, 2) for _ in shape)]
    assert draw(law, shape, block=tuple(block), out=view, **axes) is view
    np.testing.assert_array_equal(view, part)
    view[...] = -7
    assert (out == -7).all()


def test_block_forms() -> None:
    whole = draw("he_normal", (6, 5))
    np.testing.assert_array_equal(draw("he_normal", (6, 5), block=(2, slice(None))), whole[2:3])
    np.testing.assert_array_equal(draw("he_normal", (6, 5), block=[-1, np.int64(-2)]), whole[5:6, 3:4])
    np.testing.assert_array_equal(draw("normal", 9, block=slice(-4, None)), draw("normal", 9)[-4:])
    np.testing.assert_array_equal(draw("identity", (6, 5), block=(slice(1, 4), slice(2, 5))), np.eye(6, 5)[1:4, 2:5])
    assert draw("he_normal", (6, 5), block=(slice(6, 6), slice(None))).shape == (0, 5)


@pytest.mark.parametrize("law", ALL)
def test_strides_threads_and_instruction_sets_change_nothing(law: str, everywhere: Any) -> None:
    shape = (523, 389)  # four tasks
    fi.set_num_threads(1)
    expected = draw(law, shape)
    for _, threads in everywhere(1, 2, 3, 8):
        np.testing.assert_array_equal(draw(law, shape), expected)
        if threads < 8:
            continue
        for out in [
            np.zeros(shape[::-1], np.float32).T,
            np.zeros(shape, np.float32)[::-1, ::-1],
            np.zeros((shape[0], 2 * shape[1]), np.float32)[:, ::2],
            np.zeros((shape[1], shape[0]), np.float32)[::-1].T,
        ]:
            np.testing.assert_array_equal(draw(law, shape, out=out), expected)


def test_streams_and_seeds_differ() -> None:
    draws = [draw("normal", 10_000, seed=s, stream=t) for s in (0, 1, 2**64 - 1) for t in (0, 1, "a", "b")]
    for i, a in enumerate(draws):
        for b in draws[:i]:
            assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)
    np.testing.assert_array_equal(draw("normal", 5, stream=np.int64(3)), draw("normal", 5, stream=3))


def test_without_a_seed_fresh_entropy() -> None:
    assert (fi.init.normal(8) != fi.init.normal(8)).any()


def test_dtype_follows_out() -> None:
    w = np.zeros((3, 4))
    assert fi.init.he_normal(w.shape, out=w, **KEY) is w
    np.testing.assert_array_equal(w, draw("he_normal", (3, 4), dtype=np.float64))
    assert fi.init.he_normal((3, 4)).dtype == np.float32
    assert fi.init.normal([2, np.int32(3)], dtype=float).shape == (2, 3)


# ------------------------------------------------------------------------------------------------ laws and descriptions


def test_every_law_is_a_function_with_the_same_parameters() -> None:
    for name in _core.law_names():
        function = getattr(fi.init, name)
        assert name in fi.init.__all__
        own = {
            p.name: p.default
            for p in inspect.signature(function).parameters.values()
            if p.name not in {"shape", "in_axis", "out_axis", "batch_axis", "seed", "stream", "dtype", "out", "block"}
        }
        required = {p: 0.5 * i for i, (p, default) in enumerate(own.items()) if default is inspect.Parameter.empty}
        law = fi.init.Law(name, **required)
        assert law.parameters == {**own, **required}
        np.testing.assert_array_equal(function((5, 4), **required, **KEY), law((5, 4), **KEY))
        assert "Other parameters" in (function.__doc__ or "")
        if not required:
            assert fi.init.law(function) == fi.init.law(name) == law


def test_laws_are_values() -> None:
    law = fi.init.Law("xavier_uniform", gain="tanh", mode="fan_out")
    assert repr(law) == str(law) == "xavier_uniform(gain=tanh, mode=fan_out)"
    assert fi.init.law(repr(law)) == law == fi.init.law(law)
    assert {law, fi.init.law("xavier_uniform( gain='tanh', mode=\"fan_out\" )")} == {law}
    assert law != fi.init.law("xavier_uniform(gain=tanh)")
    assert law != "xavier_uniform(gain=tanh, mode=fan_out)"
    assert pickle.loads(pickle.dumps(law)) == copy.deepcopy(law) == law
    assert fi.init.Law("he_normal", gain="identity") == fi.init.Law("he_normal")
    assert hash(fi.init.Law("he_normal", gain="identity")) == hash(fi.init.Law("he_normal"))
    assert fi.init.law("normal(std=0.1)").parameters == {"mean": 0.0, "std": 0.1}
    assert law.needs_fans
    assert not fi.init.Law("zeros").needs_fans
    with pytest.raises(AttributeError, match="never changes"):
        law.name = "zeros"  # type: ignore[misc]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e300))
def test_texts_read_back(mean: float, std: float) -> None:
    law = fi.init.Law("normal", mean=mean, std=std)
    assert fi.init.law(str(law)) == law


def test_fans() -> None:
    def fans(shape: Any, **axes: Any) -> tuple[int | None, int | None]:
        d = fi.init.describe("zeros", shape, **axes)
        return d.fan_in, d.fan_out

    assert fans((300, 784)) == (784, 300)
    assert fans((64, 3, 4, 4)) == (48, 1024)
    assert fans((3, 3, 16, 32), in_axis=-2, out_axis=-1) == (144, 288)
    assert fans((8, 4, 16), in_axis=(0, 1), out_axis=2) == (32, 16)
    assert fans((128,), in_axis=0, out_axis=()) == (128, 1)
    assert fans((), in_axis=(), out_axis=[]) == (1, 1)
    assert fans((12, 64, 512), in_axis=2, out_axis=1, batch_axis=0) == (512, 64)
    assert fans((512, 12, 64), in_axis=0, out_axis=2, batch_axis=[1]) == (512, 64)
    assert fans((5,)) == (None, None)


def test_describe() -> None:
    d = fi.init.describe("glorot_normal", (300, 784))
    # the forward and the backward gain of 784 x 300 that the article's learners ask about
    assert (round(d.n_var or 0, 3), round(d.n_out_var or 0, 3)) == (1.446, 0.554)
    assert d.bound == np.inf
    u = fi.init.describe(fi.init.fan_in_uniform, (300, 784))
    assert u.bound == u.high == -u.low == np.sqrt(1 / 784)
    assert u.n_var == pytest.approx(1 / 3, rel=1e-15)
    text = str(fi.init.describe("he_normal(gain=0.5)", (64, 3, 4, 4)))
    assert "he_normal(gain=0.5)" in text
    assert "n_in = 48, n_out = 1024" in text
    assert "n_in Var(w)   0.5" in text
    eye = fi.init.describe("identity(gain=2)", (3, 5))
    assert eye.mean == pytest.approx(np.mean(2 * np.eye(3, 5)))
    assert eye.std == pytest.approx(np.std(2 * np.eye(3, 5)))
    assert fi.init.describe("constant(value=0.5)", 3).bound == 0.5


# ------------------------------------------------------------------------------------------------ documentation
