"""Rows of the article's checklist that a diagnosis, a trace or the laws answer."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

import fanin as fi

stats = pytest.importorskip("scipy.stats")

LAWS = {"tanh": "xavier_normal", "relu": "he_normal"}


@cache
def ten_layers(activation, law=None, seed=33):
    """A network of ten hidden layers of 500, and 1000 inputs with labels."""
    net = fi.Network([500] * 11 + [10], activation, law or LAWS[activation], seed=seed)
    x = fi.init.normal((1000, 500), seed=seed, stream="x")
    return net, x, np.arange(1000) % 10


def test_row_33_mean_that_is_not_zero_is_flagged(literature):
    net, x, y = ten_layers("tanh")
    d = fi.diagnose(net, x, y)
    for layer in d.trace.hidden:
        literature.check(f"tanh, {layer.name}: mean of a", layer.a.mean, published=0, within=5e-3)
    assert not any("zero-mean" in note for note in d.notes)
    net, x, y = ten_layers("relu")
    d = fi.diagnose(net, x, y)
    literature.check("ReLU, hidden 1: mean of a", d.trace.hidden[0].a.mean, computed=0.564, within=0.01)
    literature.check("ReLU, hidden 10: mean of a", d.trace.hidden[9].a.mean, computed=0.564, within=0.25 * 0.564)
    assert any("not zero-mean, as expected for relu: mean 0.5" in note for note in d.notes)


def test_row_37_forward_equations():
    """a[l] has shape (m, n[l]), the transpose of the article's; weights of either layout; an activation for each layer."""
    net = fi.Network([5, 7, 6, 3], activation=["tanh", "relu"], seed=37, dtype="float64")
    assert net.activations == ("tanh", "relu", "identity")
    x = np.random.default_rng(37).standard_normal((4, 5))
    a = x
    for w, b, g, n in zip(net.weights, net.biases, (np.tanh, lambda z: np.maximum(z, 0), lambda z: z), (7, 6, 3), strict=True):
        f = fi.dense_forward(a, w, b, activation={7: "tanh", 6: "relu", 3: "identity"}[n])
        assert f.a.shape == (4, n)
        np.testing.assert_allclose(f.a, g(w @ a.T + b[:, None]).T, atol=1e-14)  # the article's columns
        other = np.ascontiguousarray(w.T)  # (n_in, n_out)
        np.testing.assert_array_equal(fi.dense_forward(a, other.T, b).z, f.z)
        a = f.a
    out_in, in_out = fi.init.describe("xavier_normal", (7, 5)), fi.init.describe("xavier_normal", (5, 7), in_axis=0, out_axis=1)
    assert (out_in.fan_in, out_in.fan_out) == (in_out.fan_in, in_out.fan_out) == (5, 7)
    assert out_in.std == in_out.std
    assert "n_in = 5, n_out = 7" in str(out_in)


VARIANCES = {  # n_in = 500, n_out = 2000
    "xavier_normal": 1 / 500,
    "xavier_normal(mode=fan_out)": 1 / 2000,
    "xavier_normal(mode=fan_avg)": 2 / 2500,
    "xavier_uniform": 1 / 500,
    "xavier_truncated": 1 / 500,
    "glorot_normal": 2 / 2500,
    "glorot_uniform": 2 / 2500,
    "glorot_truncated": 2 / 2500,
    "he_normal": 2 / 500,
    "he_normal(mode=fan_out)": 2 / 2000,
    "he_uniform": 2 / 500,
    "he_truncated": 2 / 500,
    "lecun_normal": 1 / 500,
    "lecun_uniform": 1 / 500,
    "lecun_truncated": 1 / 500,
    "xavier_normal(gain=tanh)": 1.5925374197**2 / 500,
    "fan_in_uniform": 1 / 1500,
    "orthogonal": 1 / 2000,
}


@pytest.mark.parametrize("law", VARIANCES)
def test_row_41_derived_methods(literature, law):
    w = fi.init.law(law)((2000, 500), seed=41, stream="w").astype(np.float64)
    literature.check(f"{law}: variance over the formula's", w.var() / VARIANCES[law], expected=1, within=0.006)
    if "uniform" in law:
        bound = math.sqrt(3 * VARIANCES[law])
        assert np.abs(w).max() <= bound * (1 + 1e-7)
        assert np.abs(w).max() > 0.9999 * bound
    if "truncated" in law:  # cut at two sigmas of a law whose std is that much larger
        cut = 2 * math.sqrt(VARIANCES[law]) / 0.87962566
        assert 0.9999 * cut < np.abs(w).max() <= cut * (1 + 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_row_42_the_distribution(dtype):
    w = fi.init.xavier_normal((300, 784), seed=42, stream="hidden1.weight", dtype=dtype).astype(np.float64).ravel()
    assert stats.kstest(w, stats.norm(scale=784**-0.5).cdf).pvalue > 1e-3
    u = fi.init.xavier_uniform((300, 784), seed=42, stream="hidden1.weight", dtype=dtype).astype(np.float64).ravel()
    bound = math.sqrt(3 / 784)
    assert stats.kstest(u, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


def flags(x, y):
    net = fi.Network([x.shape[1], 300, 10], "tanh", seed=47)
    return fi.diagnose(net, x, y)


def test_row_47_inputs_of_mnist_are_not_centred(literature, mnist):
    x, y = fi.datasets.mnist(mnist)
    d = flags(x, y)
    literature.check("MNIST: mean of the pixels", d.trace.x.mean, computed=0.1325, within=1e-4)
    literature.check("MNIST: their std", d.trace.x.std, computed=0.3105, within=1e-4)
    literature.check("MNIST: E[x^2]", d.trace.x.rms**2, computed=0.1140, within=1e-4)
    assert any("not centred: mean 0.132, std 0.31" in note or "not centred: mean 0.133, std 0.31" in note for note in d.notes)
    assert any("E[x^2] = 0.114; standardize them" in note for note in d.notes)


def test_row_47_inputs_of_the_digits_are_not_centred(literature):
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    d = flags(x, y)
    literature.check("digits: mean of the pixels", d.trace.x.mean, computed=0.305, within=1e-3)
    literature.check("digits: their std", d.trace.x.std, computed=0.376, within=1e-3)
    literature.check("digits: E[x^2]", d.trace.x.rms**2, computed=0.235, within=1e-3)
    assert any("not centred" in note for note in d.notes)
    assert any("standardize" in note for note in d.notes)
    std = x.std(axis=0)
    standard = (x - x.mean(axis=0)) / np.where(std > 0, std, 1)
    assert not any("centred" in note or "standardize" in note for note in flags(standard, y).notes)


def test_row_48_pixels_of_mnist_are_not_independent(literature, mnist):
    x, y = fi.datasets.mnist(mnist)
    d = flags(x, y)
    literature.check("MNIST: correlation of neighbours", d.trace.neighbours, computed=0.75, within=0.03)
    assert any("neighbours correlate" in note for note in d.notes)


def test_row_48_pixels_of_the_digits(literature):
    """Published without the pairs of one row's end and the next one's start, an eighth of those that count here."""
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    d = flags(x, y)
    literature.check("digits: correlation of neighbours", d.trace.neighbours, computed=0.39, within=0.07)
    assert not any("neighbours" in note for note in d.notes)


def test_row_48_variance_of_a_product(literature):
    """Var(XY) = 1 for independent unit normals; the formula fails for X = Y, where it is 2."""
    v, u = (fi.init.normal((10**6,), seed=48, stream=name, dtype="float64") for name in "vu")
    # Var of a product's sample variance: kurtosis 9 and (for squares) 15 of unit normals; 4 standard errors of 10^6 draws.
    literature.check("Var(XY), independent", (v * u).var(), expected=1, within=4 * math.sqrt(8 / 10**6))
    literature.check("Var(XY), X = Y", (v * v).var(), expected=2, within=4 * math.sqrt(56 / 10**6))


def test_row_49_biases_that_are_not_zero():
    net, x, y = ten_layers("tanh", seed=49)
    assert not any("biases" in note for note in fi.diagnose(net, x, y).notes)
    net.biases[3][7] = 0.25
    assert any(note.startswith("hidden 4: biases are not 0") for note in fi.diagnose(net, x, y).notes)


def test_row_56_activation_by_law(literature):
    net, x, y = ten_layers("tanh")
    d = fi.diagnose(net, x, y)
    assert d.verdict == "healthy"
    literature.check("tanh, Xavier, hidden 10: std of a", d.trace.hidden[9].a.std, computed=0.228, within=0.01)
    net, x, y = ten_layers("sigmoid", "xavier_normal")
    d = fi.diagnose(net, x, y)
    scales = [float(layer.da.rms) for layer in d.trace.hidden]
    factor = (scales[0] / scales[-1]) ** (1 / 9)
    literature.check("sigmoid, gain 1: gradient's factor a layer", factor, computed=0.236, within=0.005)
    assert (d.verdict, d.backward) == ("vanishing", "vanishing")
    assert "gain near 4" in d.advice
    assert "tanh" in d.advice


@pytest.mark.parametrize(
    ("law", "cited"),
    [
        ("glorot_normal", "Glorot and Bengio"),
        ("glorot_uniform", "Glorot and Bengio"),
        ("he_normal", "He et al. 2015"),
        ("he_uniform", "He et al. 2015"),
        ("lecun_normal", "LeCun et al. 1998"),
        ("orthogonal", "Saxe"),
        ("fan_in_uniform", "Glorot and Bengio"),
    ],
)
def test_row_58_sources(law, cited):
    assert cited in getattr(fi.init, law).__doc__


def test_row_59_diagnosis_of_weights_of_another_library(literature):
    """Ten tanh layers with PyTorch's default, U(+-1/sqrt n), as arrays."""
    rng = np.random.default_rng(59)
    weights = [rng.uniform(-1, 1, (300, 300)).astype(np.float32) / np.float32(math.sqrt(300)) for _ in range(10)]
    weights.append(rng.uniform(-1, 1, (10, 300)).astype(np.float32) / np.float32(math.sqrt(300)))
    net = fi.Network([300] * 11 + [10], "tanh", weights)
    d = fi.diagnose(net, rng.standard_normal((500, 300)), rng.integers(0, 10, 500))
    assert (d.verdict, d.forward, d.backward) == ("vanishing", "vanishing", "vanishing")
    for one in d.evidence:
        literature.check(f"{one.name}: n Var(w)", one.n_var_w, published=1 / 3, within=0.005)
    literature.check("expected factor a layer", d.evidence[-1].expected_forward_ratio, computed=0.577, within=0.003)
    literature.check("measured", d.evidence[-1].forward_ratio, computed=0.577, within=0.05)
    assert "xavier_normal, n_in * Var(w) = 1 (n_in * Var(w) is 0.33" in d.advice
    assert "x 1.73" in d.advice


def test_row_59_dead_units_beside_those_of_the_depth(literature):
    """The share 0.102 is the median over seeds of 1000 inputs of unit variance, He, width 500."""
    dead, expected = [], []
    for seed in range(5):
        net, x, y = ten_layers("relu", seed=seed)
        d = fi.diagnose(net, x, y)
        assert d.verdict == "healthy"
        assert "by itself" in str(d)
        dead.append(d.evidence[9].dead)
        expected.append(d.evidence[9].expected_dead)
    literature.check("ReLU, hidden 10: dead units", np.median(dead), computed=0.102, within=0.03)
    literature.check("ReLU, hidden 10: expected", np.median(expected), computed=0.102, within=0.03)


def test_row_59_dead_units_over_the_depth(literature):
    """What 50 layers of 500 under He's law lose by themselves, on 1000 inputs; the table is of one network."""
    net = fi.Network([500] * 51 + [10], "relu", "he_normal", seed=59)
    trace = fi.trace(net, fi.init.normal((1000, 500), seed=59, stream="x"), stats="moments")
    for depth, computed in {1: 0, 2: 0, 5: 0.018, 10: 0.102, 20: 0.223, 30: 0.291, 50: 0.351}.items():
        layer = trace.hidden[depth - 1]
        literature.check(f"hidden {depth}: expected dead units", layer.expected_dead, computed=computed, within=0.03)
        literature.check(f"hidden {depth}: dead units", layer.dead, expected=layer.expected_dead, within=0.06)
