"""The gains of PyTorch's torch.nn.init: what its users saw, in issue 24991, pull request 50664 and forum thread 20854."""

from __future__ import annotations

import math

import pytest

import fanin as fi
from fanin import theory

N = 1000


@pytest.mark.parametrize(
    ("name", "published"),
    [("sigmoid", 4.8091), ("tanh", 1.5976), ("relu", 1.7068), ("leaky_relu(0.2)", 1.5421), ("selu", 1.0003), ("elu", 1.2695)],
)
def test_gains_of_issue_24991(literature, name, published):
    """Gains for the variance, each from N = 10^5 normals: 5 standard errors, of gain sqrt((kurtosis - 1) / 4 N) each."""
    gain = theory.gain(name, convention="variance")
    values = fi.activation.evaluate(name, fi.init.normal((10**6,), seed=0, stream="z"))
    within = 5 * gain * math.sqrt((fi.summarize(values).kurtosis - 1) / 4e5)
    literature.check(f"gain of {name}, for the variance", gain, published=published, within=within)


def test_its_tanh_gain_is_above_the_exact_one():
    """Its tanh gain of 5/3 is 4.7 % above the exact one, and multiplies gradients by sqrt(1.2098) a layer."""
    assert 5 / 3 / theory.gain("tanh") == pytest.approx(1.0465, abs=5e-5)
    q = theory.fixed_point("tanh", sigma_w=5 / 3).q
    assert theory.chi("tanh", q, sigma_w=5 / 3) == pytest.approx(1.2098313203828, rel=1e-12)


def test_tanh_gain_by_theory(literature):
    q = theory.fixed_point("tanh", sigma_w=5 / 3).q
    spread = math.sqrt(theory.second_moment("tanh", q))
    literature.check("std that tanh settles at, gain 5/3: theory", spread, computed=0.65134705, within=5e-9)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [10, 20, 100])
def test_tanh_gain(literature, depth):
    """A user saw 0.6518 and "0.65x" (PyTorch forum, thread 20854), whatever the input's scale."""
    x = fi.init.normal((100, N), seed=9, stream="x")
    for layer in range(depth):
        x = fi.dense_forward(x, fi.init.xavier_normal((N, N), gain=5 / 3, seed=9, stream=layer), activation="tanh").a
    literature.check(
        f"std of tanh, gain 5/3, layer {depth}", fi.summarize(x).std, published=0.6518, expected=0.6513, within=0.01
    )


def test_selu_gain_by_theory(literature):
    """Gain 3/4: standard deviations of layers 1, 11, 21, ..., and where they end."""
    q, found = 1.0, []
    for layer in range(1, 92):
        q = (9 / 16) * q
        m = theory.mean_variance_map(theory.selu, 0.0, q, breakpoints=(0.0,))
        q = m.variance + m.mean**2
        found += [math.sqrt(m.variance)] if layer % 10 == 1 else []
    for i, computed in enumerate([0.7967, 0.3092, 0.2381, 0.2154, 0.2064, 0.2026, 0.2009, 0.2002, 0.1998, 0.1997]):
        what = f"std of SELU, gain 3/4, layer {10 * i + 1}: theory"
        literature.check(what, found[i], computed=computed, within=6e-5)
    m = theory.mean_variance_map(theory.selu, 0.0, theory.fixed_point(theory.selu, sigma_w=0.75).q)
    literature.check("mean that SELU settles at, gain 3/4: theory", m.mean, computed=-0.0334695, within=6e-8)
    literature.check("std that SELU settles at, gain 3/4: theory", math.sqrt(m.variance), computed=0.1995714, within=6e-8)


@pytest.mark.slow
def test_selu_gain(literature):
    """The log of PyTorch's pull request 50664."""
    x = fi.init.normal((100, N), seed=9, stream="x", dtype="float64")
    for layer in range(100):
        w = fi.init.lecun_normal((N, N), gain=0.75, seed=9, stream=layer, dtype="float64")
        x = theory.selu(fi.dense_forward(x, w).z)
    literature.check("std of SELU, gain 3/4, layer 100", x.std(), published=0.1996, within=0.012)
