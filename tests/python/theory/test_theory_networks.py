"""Whole networks: SELU's map, finite width, the product form, the expected trace and the derivation."""

from __future__ import annotations

import math
import pkgutil

import numpy as np
import pytest
from scipy.special import digamma, polygamma

import fanin as fi
from fanin import theory
from fanin.theory import width


@pytest.mark.parametrize(
    ("mean", "variance", "omega", "tau"), [(0, 1, 0, 1), (0.1, 0.8, 0.1, 1.1), (-0.5, 3, 0.7, 0.8), (0, 0.1, 0, 1)]
)
def test_selu_in_closed_form_is_the_integral(mean, variance, omega, tau):
    exact = theory.selu_map(mean, variance, omega=omega, tau=tau)
    found = theory.mean_variance_map(theory.selu, mean, variance, omega=omega, tau=tau, breakpoints=(0.0,))
    assert tuple(found) == pytest.approx(tuple(exact), abs=1e-13)
    h, jacobian = 1e-5, theory.selu_jacobian(mean, variance, omega=omega, tau=tau)
    by_mean = np.subtract(*(theory.selu_map(mean + d, variance, omega=omega, tau=tau) for d in (h, -h))) / (2 * h)
    by_variance = np.subtract(*(theory.selu_map(mean, variance + d, omega=omega, tau=tau) for d in (h, -h))) / (2 * h)
    assert jacobian == pytest.approx(np.stack([by_mean, by_variance], axis=1), abs=1e-8)


def test_the_pooled_map_counts_the_mean():
    m = theory.mean_variance_map("relu", 1.0, 1.0, pooled=True)
    assert m.mean == pytest.approx(math.sqrt(2 / (2 * math.pi)), rel=1e-12)
    assert m.variance == pytest.approx(1 - 1 / math.pi, rel=1e-12)


def test_digamma_and_trigamma():
    x = np.array([0.5, 1, 1.5, 7.3, 100, 1e5])
    assert width.digamma(x) == pytest.approx(digamma(x), rel=1e-14)
    assert width.trigamma(x) == pytest.approx(polygamma(1, x), rel=1e-14)


def test_finite_width_of_narrow_layers():
    """One unit: alive half of the time, then 2 z^2 with z > 0: the log of chi-squared with 1 degree of freedom, times 2."""
    law = theory.finite_width([1])
    assert law.dead == 0.5
    assert law.log_mean == pytest.approx(digamma(0.5) + math.log(4), rel=1e-14)
    assert law.log_var == pytest.approx(polygamma(1, 0.5), rel=1e-14)
    assert (law.second_moment, law.beta) == (6, 1)
    assert theory.finite_width([]).log_mean == 0


def test_jacobian_moments_of_one_layer():
    """n = 1: the eigenvalue is w^2, E w^4 = 3; ReLU: 2 w^2 half of the time, E = (1/2) 4 * 3."""
    assert theory.jacobian_moments(1, 1).second == 3
    assert theory.jacobian_moments(1, 1, "relu").second == 6
    assert theory.jacobian_moments(100, 0) == (1, 1)
    assert theory.jacobian_variance("identity", 1.0, 7) == pytest.approx(7)


def test_product_form():
    p = theory.predict_variance([2, 4, 8], n_var=[0.5, 2.0], variance=3.0)
    assert p.forward == (1.5, 3.0)
    assert p.n_out_var == (1.0, 4.0)
    assert p.backward == (4.0, 4.0)
    laws = theory.predict_variance([2, 4, 8], ["he_normal", "xavier_normal"])
    assert laws.n_var == pytest.approx((2, 1))


NETWORKS = [
    ([50] + [100] * 4 + [10], "tanh", "xavier_normal", "zeros", 200),
    ([50] + [100] * 4 + [10], "relu", "he_normal", "zeros", 200),
    ([50] + [100] * 4 + [10], "relu", "he_normal", "zeros", 1),
    ([50] + [100] * 4 + [10], "tanh", "normal(std=0.3)", "normal(std=0.3)", 100),
    ([50] + [100] * 4 + [10], "sigmoid", "xavier_normal", "zeros", 100),
]


@pytest.mark.parametrize(("sizes", "activation", "law", "bias", "rows"), NETWORKS)
def test_expected_trace_and_its_error(sizes, activation, law, bias, rows):
    """40 networks: means within 4 standard errors and 2 % of bias (O(1/n)), scatter within what 40 allow.

    A standard deviation of 40 has a relative error of 11 %; the theory is first order in 1/n, and gradients of the rows are
    taken to be independent at the output: a factor of 1.5.
    """
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((rows, sizes[0])), rng.integers(0, sizes[-1], rows)
    std, da = [], []
    for seed in range(40):
        net = fi.Network(sizes, activation, law, seed=seed, dtype="float64", bias_init=bias)
        trace = fi.trace(net, x, y)
        std.append([layer.a.std for layer in trace.hidden])
        da.append([layer.da.rms / trace.output.dz.rms for layer in trace.hidden])
    expected = theory.expected_trace(net, x, law=law).hidden
    for index, layer in enumerate(expected):
        for values, mean, error in ((std, layer.a_std, layer.a_error), (da, layer.da_rms, layer.da_error)):
            logs = np.log(np.array(values)[:, index] / mean)
            # E log is below log E by half the variance.
            assert abs(logs.mean() + error**2 / 2) <= 4 * error / math.sqrt(40) + 0.02
            assert 0.65 <= logs.std(ddof=1) / error <= 1.5


def test_expected_trace_of_a_network_s_own_weights():
    net = fi.Network([20, 50, 50, 3], "tanh", "fan_in_uniform", seed=2, bias_init="constant(value=0.5)")
    x = fi.init.normal((300, 20), seed=3, stream="x")
    expected = fi.theory.expected_trace(net, x)
    assert [layer.name for layer in expected.layers] == ["hidden 1", "hidden 2", "output"]
    assert [layer.n_var_w for layer in expected.layers] == pytest.approx(
        [w.shape[1] * float(np.mean(np.square(w))) for w in net.weights], rel=1e-5
    )
    assert [layer.var_b for layer in expected.layers] == pytest.approx([0.25] * 3)
    q = expected.layers[0].n_var_w * float(np.mean(np.square(x))) + 0.25
    assert expected.layers[0].z_std == pytest.approx(math.sqrt(q), rel=1e-5)
    assert expected.output.da_rms == 1
    assert expected.hidden[0].backward_ratio == pytest.approx(expected.hidden[0].da_rms / expected.hidden[1].da_rms)
    assert str(expected).splitlines()[0].split()[0] == "layer"
    assert max(map(len, str(expected).splitlines())) <= 100
    assert expected.to_dict()["layers"][0]["activation"] == "tanh"


def test_expected_trace_agrees_with_trace():
    """One definition of the expected spread, whatever the number of rows is."""
    net = fi.Network([20, 50, 50, 3], "relu", "he_normal", seed=2)
    x = fi.init.normal((200, 20), seed=3, stream="x")
    for ours, theirs in zip(fi.theory.expected_trace(net, x).layers, fi.trace(net, x).layers, strict=True):
        assert ours.a_std == pytest.approx(theirs.expected_std, rel=1e-4)


def test_expected_trace_of_zeros():
    net = fi.Network([4, 5, 5, 2], "tanh", "zeros", seed=0)
    expected = theory.expected_trace(net, np.ones((3, 4)))
    assert [layer.a_std for layer in expected.layers] == [0, 0, 0]
    assert [layer.da_rms for layer in expected.hidden] == [0, 0]


def test_derivation_reads_well():
    chain = theory.derivation(seed=3)
    assert chain.holds
    assert str(chain).startswith("1. In the linear regime")
    assert max(map(len, str(chain).splitlines())) <= 128
    with pytest.raises(KeyError, match="steps 1 to 9"):
        chain[10]


def test_refusals():
    net = fi.Network([4, 5, 2], seed=0)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, n_in\) = \(1 or more, 4\), got \(3, 5\)"):
        theory.expected_trace(net, np.ones((3, 5)))
    with pytest.raises(ValueError, match="NaN or infinity in row 1"):
        theory.expected_trace(net, [[1, 2, 3, 4], [1, 2, 3, math.nan]])
    with pytest.raises(ValueError, match="one entry for each of the 2 layers"):
        theory.expected_trace(net, np.ones((3, 4)), law=["zeros"])
    with pytest.raises(TypeError, match="exactly one of init and n_var"):
        theory.predict_variance([2, 3])
    with pytest.raises(ValueError, match="2 layers need 2 factors or laws, got 3"):
        theory.predict_variance([2, 3, 4], n_var=[1, 1, 1])
    with pytest.raises(ValueError, match="two widths or more"):
        theory.predict_variance([2], n_var=1.0)
    with pytest.raises(ValueError, match="activation must be"):
        theory.finite_width([3], "tanh")
    with pytest.raises(ValueError, match="widths must be at least 1"):
        theory.finite_width([0])
    with pytest.raises(ValueError, match="depth must be at least 1"):
        theory.largest_eigenvalue(0)
    with pytest.raises(ValueError, match="weights must be"):
        theory.jacobian_variance("tanh", 1.0, 3, weights="uniform")
    with pytest.raises(ValueError, match=r"variance . tau must be above 0"):
        theory.selu_map(0.0, 0.0)


MODULES = [f"fanin.theory.{module.name}" for module in pkgutil.iter_modules(theory.__path__)]
