"""The truncated, scaled and sparse laws, the 16-bit formats, and laws as objects with moments and a dictionary."""

from __future__ import annotations

import json
from math import ceil, inf, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import fanin as fi
from fanin import _core

KEY: dict[str, Any] = {"seed": 7, "stream": "hidden1.weight"}
SHAPE = (301, 517)  # n_out, n_in
DTYPES = ["float32", "float64"]
TWO_SIGMA = 0.87962566103423975  # the standard deviation of N(0, 1) cut at two sigmas


def draw(law: str, shape: Any = SHAPE, **options: Any) -> NDArray[Any]:
    return fi.init.law(law)(shape, **{**KEY, **options})


# ------------------------------------------------------------------------------------------------ truncated


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("law", "variance"),
    [
        ("xavier_truncated", 1 / 517),
        ("xavier_truncated(mode=fan_out, gain=2)", 4 / 301),
        ("glorot_truncated", 2 / (517 + 301)),
        ("he_truncated", 2 / 517),
        ("he_truncated(mode=fan_geo_avg)", 2 / sqrt(517 * 301)),
        ("lecun_truncated(gain=tanh)", fi.activation.gain("tanh") ** 2 / 517),
    ],
)
def test_truncated_laws_have_the_stated_variance(law: str, variance: float, dtype: str) -> None:
    w = draw(law, dtype=dtype).astype(float)
    bound = 2 * sqrt(variance) / TWO_SIGMA
    m = fi.init.law(law).moments(SHAPE)
    assert m.mean == 0
    assert m.variance == pytest.approx(variance, rel=1e-14)
    assert m.bounds == pytest.approx((-bound, bound), rel=1e-14)
    assert np.abs(w).max() <= bound
    assert np.abs(w).max() > 0.999 * bound
    # 5 standard errors; the kurtosis at two sigmas is 2.3655
    assert abs(w.mean()) <= 5 * sqrt(variance / w.size)
    assert abs(w.var() / variance - 1) <= 5 * sqrt(1.3655 / w.size)


@pytest.mark.parametrize(
    ("lower", "upper"), [(-2, 2), (-1, 3), (0, inf), (-inf, 1), (-0.5, 0.25), (4, 5), (3, inf), (-30, -29), (1, 1.001)]
)
def test_moments_of_the_truncated_normal(lower: float, upper: float) -> None:
    law = fi.init.Law("truncated_normal", lower=lower, upper=upper)
    exact = stats.truncnorm(lower, upper)
    # SciPy's closed forms cancel far out and in slivers; the draws themselves are held to the law below
    if abs(lower) < 10 and upper - lower > 0.1:
        assert law.mean == pytest.approx(exact.mean(), rel=1e-9, abs=1e-15)
        assert law.variance == pytest.approx(exact.var(), rel=1e-8)
    assert law.bounds == (lower, upper)
    for dtype in DTYPES:
        t = fi.init.truncated_normal(200_000, lower=lower, upper=upper, dtype=dtype, **KEY)
        assert lower <= t.min() <= t.max() <= upper
        t = t.astype(float)
        assert abs(t.mean() - law.mean) <= 5 * sqrt(law.variance / t.size) + abs(law.mean) * 1e-7
        if upper - lower > 0.1:  # in a sliver float32 has few numbers
            fourth = ((t - law.mean) ** 4).mean() / law.variance**2
            assert abs(t.var() / law.variance - 1) <= 5 * sqrt((fourth - 1) / t.size)


def test_corrected_makes_std_that_of_the_draws() -> None:
    plain, corrected = fi.init.Law("truncated_normal", std=0.02), fi.init.Law("truncated_normal", std=0.02, corrected=True)
    assert sqrt(plain.variance) == pytest.approx(0.02 * TWO_SIGMA, rel=1e-15)
    assert sqrt(corrected.variance) == pytest.approx(0.02, rel=1e-15)
    assert plain.bounds == (-0.04, 0.04)
    assert corrected.bounds == pytest.approx((-0.04 / TWO_SIGMA, 0.04 / TWO_SIGMA), rel=1e-15)
    np.testing.assert_array_equal(
        draw("truncated_normal(std=0.02, corrected=true)"), draw(f"truncated_normal(std={0.02 / TWO_SIGMA!r})")
    )
    one_sided = fi.init.Law("truncated_normal", mean=1, std=0.5, lower=0, upper=inf, corrected=True)
    assert sqrt(one_sided.variance) == pytest.approx(0.5, rel=1e-15)


def test_bounds_of_the_truncated_normal_are_rounded_inward() -> None:
    for dtype in DTYPES:
        t = fi.init.truncated_normal(100_000, mean=0.1, std=0.3, dtype=dtype, **KEY)
        low, high = 0.1 - 0.6, 0.1 + 0.6
        assert low <= float(t.min()) <= float(t.max()) <= high
    np.testing.assert_array_equal(fi.init.truncated_normal(5, mean=0.5, std=0, **KEY), np.full(5, 0.5, np.float32))


# ------------------------------------------------------------------------------------------------ variance scaling


@pytest.mark.parametrize(
    ("scaling", "same"),
    [
        ("variance_scaling", "lecun_normal"),
        ("variance_scaling(scale=2)", "he_normal"),
        ("variance_scaling(scale=2, mode=fan_out, gain=3)", "he_normal(mode=fan_out, gain=3)"),
        ("variance_scaling(mode=fan_avg, distribution=uniform)", "glorot_uniform"),
        ("variance_scaling(mode=fan_geo_avg, distribution=uniform)", "xavier_uniform(mode=fan_geo_avg)"),
        ("variance_scaling(scale=2, distribution=truncated)", "he_truncated"),
    ],
)
def test_variance_scaling_is_the_family_of_the_scaled_laws(scaling: str, same: str) -> None:
    for dtype in DTYPES:
        np.testing.assert_array_equal(draw(scaling, dtype=dtype), draw(same, dtype=dtype))
    assert fi.init.law(scaling).moments(SHAPE) == fi.init.law(same).moments(SHAPE)


# ------------------------------------------------------------------------------------------------ sparse


@pytest.mark.parametrize("sparsity", [0, 0.1, 0.5, 0.51, 0.9, 1])
@pytest.mark.parametrize("shape", [(1, 5), (7, 3), (301, 40), (20, 1)])
def test_sparse_has_the_stated_zeros_in_every_column(shape: tuple[int, int], sparsity: float) -> None:
    w = fi.init.sparse(shape, sparsity=sparsity, std=0.1, **KEY)
    zeros = ceil(sparsity * shape[0])  # PyTorch's count
    assert ((w == 0).sum(axis=0) == zeros).all()
    dense = fi.init.normal(shape, std=0.1, **KEY)
    assert (w[w != 0] == dense[w != 0]).all()
    m = fi.init.law(f"sparse(sparsity={sparsity}, std=0.1)").moments(shape)
    assert m.variance == pytest.approx((1 - zeros / shape[0]) * 0.01, abs=1e-16)


@pytest.mark.parametrize("sparsity", [0.2, 0.7])
def test_zeros_of_sparse_are_spread_evenly(sparsity: float) -> None:
    rows, cols = 20, 50_000
    zero = fi.init.sparse((rows, cols), sparsity=sparsity, **KEY) == 0
    p = ceil(sparsity * rows) / rows
    assert np.abs(zero.mean(axis=1) - p).max() <= 5 * sqrt(p * (1 - p) / cols)
    together = zero[0] & zero[1]  # two rows of one column: without replacement
    pair = p * (p * rows - 1) / (rows - 1)
    assert abs(together.mean() - pair) <= 5 * sqrt(pair * (1 - pair) / cols)
    neighbours = zero[:, :-1] & zero[:, 1:]  # two columns: independent
    assert abs(neighbours.mean() - p * p) <= 5 * sqrt(p * p * (1 - p * p) / neighbours.size)


def test_sparse_is_addressable() -> None:
    for dtype in [*DTYPES, "float16"]:
        whole = fi.init.sparse((90, 70), sparsity=0.6, dtype=dtype, **KEY)
        for block in [(slice(10, 33), slice(5, 60)), (slice(89, 90), slice(0, 70)), (slice(0, 90), slice(69, 70)), (3, 4)]:
            part = fi.init.sparse((90, 70), sparsity=0.6, dtype=dtype, block=block, **KEY)
            index = tuple(slice(b, b + 1) if isinstance(b, int) else b for b in block)
            np.testing.assert_array_equal(part, whole[index])
        zeros = fi.init.sparse((90, 70), sparsity=0.6, dtype="float64", **KEY) == 0
        np.testing.assert_array_equal(whole == 0, zeros)  # the places do not depend on the dtype
        out = np.empty((70, 90), dtype).T
        np.testing.assert_array_equal(fi.init.sparse((90, 70), sparsity=0.6, out=out, **KEY), whole)


# ------------------------------------------------------------------------------------------------ 16 bits


@pytest.mark.parametrize("law", ["he_normal", "glorot_uniform", "lecun_truncated", "constant(value=0.1)", "normal(std=1e-7)"])
def test_16_bit_draws_are_the_float32_draws_rounded_once(law: str) -> None:
    whole = draw(law)
    half = draw(law, dtype=np.float16)
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, whole.astype(np.float16))
    bits = np.empty(SHAPE, np.uint16)
    assert draw(law, dtype="bfloat16", out=bits) is bits
    word = whole.view(np.uint32)
    np.testing.assert_array_equal(bits, (word + 0x7FFF + (word >> 16 & 1)) >> 16)  # nearest, ties to even
    np.testing.assert_array_equal(draw(law, dtype="float16", out=bits).view(np.float16), half)
    block = (slice(100, 201), slice(3, 400))
    np.testing.assert_array_equal(draw(law, dtype="float16", block=block), half[block])
    out = np.empty(SHAPE[::-1], np.float16).T
    np.testing.assert_array_equal(draw(law, out=out), half)


@pytest.mark.parametrize("law", ["normal(mean=1, std=0.02)", "normal(std=1e-6)", "uniform(low=-0.1, high=0.3)"])
def test_16_bit_draws_of_any_length_and_place(law: str, everywhere: Any) -> None:
    """On each instruction set; the second shape has tasks of 2 MB, whose new pages are asked for at once."""
    for shape, cuts in (((1, 700), (0, 1, 2, 3, 63, 64, 65, 130, 511)), ((2050, 2111), (2111 * 7 + 5,))):
        word = draw(law, shape).view(np.uint32)
        wanted = ((word + 0x7FFF + (word >> 16 & 1)) >> 16).astype(np.uint16)
        half = draw(law, shape).astype(np.float16)
        for where in everywhere(2):
            for cut in cuts:
                block = (slice(cut // shape[1], None), slice(cut % shape[1], None))
                size = half[block].shape
                bits = np.full(size[0] * size[1] + 2, 0x1234, np.uint16)  # one on either side stays
                draw(law, shape, dtype="bfloat16", block=block, out=bits[1:-1].reshape(size))
                np.testing.assert_array_equal(bits[1:-1].reshape(size), wanted[block], err_msg=str(where))
                assert bits[0] == bits[-1] == 0x1234
                np.testing.assert_array_equal(draw(law, shape, dtype="float16", block=block), half[block], err_msg=str(where))


def test_bfloat16_of_ml_dtypes() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    w = fi.init.he_normal(SHAPE, dtype="bfloat16", **KEY)
    assert w.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(w, fi.init.he_normal(SHAPE, **KEY).astype(ml_dtypes.bfloat16))
    np.testing.assert_array_equal(fi.init.he_normal(SHAPE, dtype=ml_dtypes.bfloat16, **KEY), w)
    out = np.empty(SHAPE, ml_dtypes.bfloat16)
    np.testing.assert_array_equal(fi.init.he_normal(SHAPE, out=out, **KEY), w)


def test_bfloat16_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(TypeError, match=r"dtype bfloat16 needs the package ml_dtypes .*uint16"):
        fi.init.he_normal(SHAPE, dtype="bfloat16")


# ------------------------------------------------------------------------------------------------ dirac, SIREN


@pytest.mark.parametrize(("shape", "groups"), [((6, 4, 3), 1), ((6, 4, 3), 3), ((4, 8, 2, 3), 2), ((12, 2, 3, 4, 5), 4)])
def test_dirac_is_pytorch_s(shape: tuple[int, ...], groups: int) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
    np.testing.assert_array_equal(fi.init.dirac(shape, groups=groups), expected)
    described = fi.init.describe(fi.init.Law("dirac", groups=groups), shape)
    assert described.mean == pytest.approx(expected.mean(), rel=1e-6)  # a float32 sum
    assert (described.low, described.high) == (0, 1)
    with pytest.raises(ValueError, match=r"groups must divide n_out = 5, got 2"):
        fi.init.dirac((5, 4, 3), groups=2)


def test_siren_uniform_is_that_of_sitzmann_2020() -> None:
    """Section 3.2; with inputs of variance 1/2, that of a sine of large argument, omega_0 W x then has variance 1."""
    shape, omega = (256, 300), 30
    bound = np.sqrt(6 / 300) / omega
    assert fi.init.describe("siren_uniform", shape).bound == bound
    assert fi.init.describe("siren_uniform(first=true)", shape).bound == 1 / 300
    assert omega**2 * 300 * fi.init.law("siren_uniform").moments(shape).variance / 2 == pytest.approx(1, rel=1e-12)
    v = draw("uniform(low=-1, high=1)", shape, dtype="float64")
    np.testing.assert_allclose(draw("siren_uniform", shape, dtype="float64"), bound * v, rtol=4e-16)
    law = fi.init.Law("siren_uniform", first=True)
    assert law.parameters == {"omega_0": 30.0, "first": True}
    assert fi.init.Law.from_dict(law.to_dict()) == law == fi.init.law("siren_uniform(first=True)")


# ------------------------------------------------------------------------------------------------ objects


def test_moments() -> None:
    assert fi.init.law("normal(mean=1, std=2)").moments(3) == (1, 4, (-inf, inf))
    uniform = fi.init.law("uniform(low=-1, high=3)")
    assert (uniform.mean, uniform.variance, uniform.bounds) == (1, 4 / 3, (-1, 3))
    assert fi.init.law("zeros").bounds == (0, 0)
    he = fi.init.Law("he_normal")
    assert he.moments((3, 3, 16, 32), in_axis=2, out_axis=3).variance == pytest.approx(2 / 144, rel=1e-15)
    assert he.moments((8, 300, 784), in_axis=2, out_axis=1, batch_axis=0).variance == pytest.approx(2 / 784, rel=1e-15)
    for law in ("he_normal", "identity", "dirac", "orthogonal", "sparse(sparsity=0.5)"):
        with pytest.raises(ValueError, match=r"depend on the shape: write law.moments\(\(n_out, n_in\)\)"):
            _ = fi.init.law(law).variance


def test_dictionaries() -> None:
    for law in [
        fi.init.Law("he_normal", gain="tanh", mode="fan_out"),
        fi.init.Law("truncated_normal", upper=inf, corrected=True),
        fi.init.Law("sparse", sparsity=0.9),
        fi.init.Law("zeros"),
    ]:
        state = json.loads(json.dumps(law.to_dict()))
        assert fi.init.Law.from_dict(state) == law
        assert state["algorithm_version"] == fi.ALGORITHM_VERSION
    state["algorithm_version"] = 10**6
    with pytest.raises(ValueError, match=r"algorithm_version must be 2, that of this release, got 1000000.*write Law\('zeros'"):
        fi.init.Law.from_dict(state)
    with pytest.raises(ValueError, match="state must have law, parameters and algorithm_version, got law"):
        fi.init.Law.from_dict({"law": "zeros"})
    assert fi.init.Law("truncated_normal", corrected=True).parameters["corrected"] is True
    assert hash(fi.init.law("truncated_normal(corrected=True)")) == hash(fi.init.Law("truncated_normal", corrected=True))


def test_describe_prints_axes_and_fans() -> None:
    text = str(fi.init.describe("he_truncated", (12, 64, 512), in_axis=2, out_axis=1, batch_axis=0))
    assert "axes          in 2, out 1, batch 0" in text
    assert "n_in = 512, n_out = 64" in text
    assert "n_in Var(w)   2 (forward)" in text
    # a division by the wrong fan shows at once
    assert "n_in Var(w)   0.765306" in str(fi.init.describe("he_normal(mode=fan_out)", (784, 300)))


def test_rank_0_and_1_say_what_to_write() -> None:
    for shape in [(), (5,)]:
        for law in ("he_truncated", "variance_scaling"):
            with pytest.raises(ValueError, match=r"at least 2 axes.*state them, as in_axis="):
                draw(law, shape)
    assert draw("he_truncated", (50,), in_axis=0, out_axis=()).shape == (50,)


def test_every_law_draws_in_every_format() -> None:
    for name in _core.law_names():
        for dtype in (*DTYPES, "float16"):
            assert draw(_core.law_traits(name).example, (9, 11), dtype=dtype).dtype == dtype
