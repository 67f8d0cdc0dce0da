"""Rows of the article's checklist that are theory, and what networks do beside it."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import fanin as fi
from fanin import theory

LAWS = {"tanh": "xavier_normal", "relu": "he_normal"}


@cache
def ten_layers(activation):
    """One seed: 1000 inputs of 500 unit normals through ten layers of 500; the trace, and what is expected of the law."""
    net = fi.Network([500] * 11 + [10], activation, LAWS[activation], seed=34)
    x = fi.init.normal((1000, 500), seed=34, stream="x")
    return fi.trace(net, x), theory.expected_trace(net, x, law=LAWS[activation])


def test_row_33_mean_of_the_activations(literature):
    trace, expected = ten_layers("tanh")
    for layer, theirs in zip(trace.hidden, expected.hidden, strict=True):
        literature.check(f"tanh, {layer.name}: mean of a", layer.a.mean, expected=theirs.a_mean, within=5e-3)
        assert theirs.a_mean == 0
    trace, expected = ten_layers("relu")
    first = trace.hidden[0]
    literature.check("ReLU, hidden 1: mean of a", first.a.mean, computed=0.564, expected=expected.hidden[0].a_mean, within=0.01)
    last = trace.hidden[9]
    literature.check(
        "ReLU, hidden 10: mean of a", last.a.mean, computed=0.564, expected=expected.hidden[9].a_mean, within=0.25 * 0.564
    )


@pytest.mark.parametrize(("activation", "scatter"), [("tanh", (0.001, 0.014)), ("relu", (0.003, 0.12))])
def test_row_34_variance_of_the_activations(literature, activation, scatter):
    """Predicted to 1e-4 against quadrature; measured within 4 relative standard deviations: the library's, the row's."""
    trace, expected = ten_layers(activation)
    x = fi.init.normal((1000, 500), seed=34, stream="x")
    q = np.square(x, dtype=np.float64).mean(axis=1)  # of each row
    u, weights = np.polynomial.hermite_e.hermegauss(200)
    for index, (layer, theirs) in enumerate(zip(trace.hidden, expected.hidden, strict=True)):
        if activation == "tanh":
            q = np.tanh(np.sqrt(q)[:, None] * u) ** 2 @ weights / weights.sum()
            spread = math.sqrt(q.mean())
        else:  # n Var(w) = 2, and by hand: the rule of Gauss and Hermite is poor at a kink
            spread = math.sqrt(q.mean() - np.sqrt(q / math.pi).mean() ** 2)
        assert theirs.a_std == pytest.approx(spread, abs=1e-4)
        within = 4 * theirs.a_error * theirs.a_std
        literature.check(f"{activation}, {layer.name}: std of a", layer.a.std, expected=theirs.a_std, within=within)
        if index in (0, 9):
            assert abs(layer.a.std / theirs.a_std - 1) <= 4 * scatter[index // 9]


@pytest.mark.parametrize(("gain", "computed"), [(5 / 3, 1.09), (3.0, 1.36), (0.5, 0.50)])
def test_row_35_backward_factor(literature, gain, computed):
    factors, expected = [], []
    x, y = fi.init.normal((500, 100), seed=35, stream="x"), np.arange(500) % 10
    for seed in range(10):
        net = fi.Network([100] * 6 + [10], "tanh", f"xavier_normal(gain={gain!r})", seed=seed)
        trace, theirs = fi.trace(net, x, y), theory.expected_trace(net, x)
        factors.append((trace.hidden[0].da.rms / trace.hidden[-1].da.rms) ** 0.25)
        expected.append((theirs.hidden[0].da_rms / theirs.hidden[-1].da_rms) ** 0.25)
    what = f"tanh, gain {gain:.4g}: gradient's factor a layer"
    literature.check(what, np.mean(factors), computed=computed, within=0.02)
    literature.check(what, np.mean(factors), computed=computed, expected=np.mean(expected), within=0.02)


def test_row_36_gradients_on_digits(literature):
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    gradients_to_the_input(
        literature, x, y, {"xavier_normal": (0.735, 0.05), "fan_in_uniform": (0.186, 0.015), "normal": (30, 5)}
    )


def test_row_36_gradients_on_mnist(literature, mnist):
    x, y = fi.datasets.mnist(mnist)
    gradients_to_the_input(literature, x, y, {"xavier_normal": (0.83, 0.1), "fan_in_uniform": (0.19, 0.03), "normal": (30, 8)})


def gradients_to_the_input(literature, x, y, table):
    for law, (computed, within) in table.items():
        ratios, expected = [], []
        for seed in range(15):
            net = fi.Network([x.shape[1], 300, 300, 300, 300, 10], "tanh", law, seed=seed)
            trace = fi.trace(net, x[:100], y[:100])
            theirs = theory.expected_trace(net, x[:100], law=law).hidden
            ratios.append(trace.hidden[0].da.rms / trace.hidden[-1].da.rms)
            expected.append(theirs[0].da_rms / theirs[-1].da_rms)
        literature.check(f"{law}: rms dA1 / dA4", np.median(ratios), computed=computed, within=within)
        # Rows whose signal is larger are saturated more: theory averages over rows as if they had gradients of one size.
        assert np.median(ratios) == pytest.approx(np.median(expected), rel=0.1)


def test_row_38_mean_and_variance_are_kept(literature):
    """Identity, Var(w) = 1/n: 20 layers of 512, one vector: the variance's mean over 100 seeds, and a single one's band."""
    x = fi.init.normal((1, 512), seed=38, stream="x", dtype="float64")
    ratios = []
    for seed in range(100):
        a = x
        for layer in range(20):
            a = fi.dense_forward(a, fi.init.xavier_normal((512, 512), seed=seed, stream=layer, dtype="float64")).a
        ratios.append(np.mean(a**2) / np.mean(x**2))
    literature.check("mean over 100 seeds of the variance's ratio", np.mean(ratios), published=1, within=0.12)
    law = theory.finite_width([512] * 20, "identity")
    band = math.sqrt(law.second_moment - 1)
    literature.check("sd of a single seed", np.std(ratios), expected=band, within=0.08)
    net = fi.Network([512] * 21, "identity", "xavier_normal", "mean_squared_error", seed=0)
    assert 2 * theory.expected_trace(net, x).output.a_error == pytest.approx(band, rel=0.05)


def test_row_39_forward_and_backward(literature):
    sizes = [784, 300, 300, 300, 300, 10]
    forward, backward = (
        theory.predict_variance(sizes, "xavier_normal"),
        theory.predict_variance(sizes, "xavier_normal(mode=fan_out)"),
    )
    assert forward.forward == pytest.approx([1] * 5)
    assert backward.backward == pytest.approx([1] * 5)
    assert (forward.forward_verdict, backward.backward_verdict) == ("healthy", "healthy")
    both = theory.predict_variance([784, 300], "glorot_normal")
    literature.check("784 > 300, fan_avg: forward", both.n_var[0], computed=1.446, within=6e-4)
    literature.check("784 > 300, fan_avg: backward", both.n_out_var[0], computed=0.553, within=6e-4)
    last = theory.predict_variance([300, 10], "glorot_normal")
    literature.check("300 > 10, fan_avg: forward", last.n_var[0], computed=1.935, within=6e-4)
    literature.check("300 > 10, fan_avg: backward", last.n_out_var[0], computed=0.065, within=6e-4)
    # fan_in keeps the signal and multiplies gradients by 300/784 and 10/300; fan_out the other way round.
    assert forward.backward[0] == pytest.approx(10 / 784)
    assert backward.forward[-1] == pytest.approx(784 / 10)


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_row_45_histogram_widths(literature, data, request):
    """Prediction from the user's own batch within 3 % of the measured std at 300 units (here of 15 networks' mean)."""
    if data == "digits":
        pytest.importorskip("sklearn")
    x = (fi.datasets.digits() if data == "digits" else fi.datasets.mnist(request.getfixturevalue("mnist"))).x[:100]
    table = (
        {"xavier_normal": (0.82, 0.04), "fan_in_uniform": (3**-1.5, 0.012)}
        if data == "mnist"
        else {"xavier_normal": (0.717, 0.04)}
    )
    for law, (computed, within) in table.items():
        measured, expected = [], []
        for seed in range(15):
            net = fi.Network([x.shape[1], 300, 300, 300, 300, 10], "tanh", law, seed=seed)
            measured.append([layer.a.std for layer in fi.trace(net, x).hidden])
            expected.append([layer.a_std for layer in theory.expected_trace(net, x, law=law).hidden])
        spread = np.mean(measured, axis=0)
        literature.check(f"{data}, {law}: std of A4 over A1", spread[3] / spread[0], computed=computed, within=within)
        for layer in range(4):
            theirs = float(np.mean(expected, axis=0)[layer])
            literature.check(f"{data}, {law}: std of A{layer + 1}", spread[layer], expected=theirs, within=0.03 * theirs)


def test_row_46_constant_variance(literature):
    """Factors of the std from one hidden layer to the next, forward and backward, on inputs of MNIST's mean square, 0.102.

    Of the laws that the article draws, both are in [.8, 1.25] only for Xavier (tanh) and He (ReLU).
    """
    x = math.sqrt(0.1019) * fi.init.normal((100, 784), seed=46, stream="x")
    kept = set()
    for activation, own in (("tanh", "xavier_normal"), ("relu", "he_normal")):
        for law in {"fan_in_uniform", "xavier_normal", own, "normal"}:
            net = fi.Network([784, 300, 300, 300, 300, 10], activation, law, seed=46)
            hidden = theory.expected_trace(net, x, law=law).hidden
            forward = [b.a_rms / a.a_rms for a, b in pairwise(hidden)]
            backward = [layer.backward_ratio for layer in hidden[:-1]]
            if all(0.8 <= factor <= 1.25 for factor in (*forward, *backward)):
                kept.add((activation, law))
            if (activation, law) == ("tanh", "xavier_normal"):
                literature.check("tanh, Xavier: forward factor", np.mean(forward), computed=0.93, within=0.015)
                literature.check("tanh, Xavier: backward factor", np.mean(backward), computed=0.94, within=0.015)
    assert kept == {("tanh", "xavier_normal"), ("relu", "he_normal")}


def test_row_50_linear_regime(literature):
    for q, computed in {0.01: 0.98055, 0.1: 0.84214, 0.5: 0.54735, 1: 0.39429, 2: 0.25999}.items():
        ratio = theory.second_moment("tanh", q) / q
        literature.check(f"Var(tanh z) / Var(z) at Var(z) = {q}", ratio, computed=computed, within=1e-4)
    q = 1.0
    for layer in range(1, 101):
        q = theory.variance_map("tanh", q)
        if layer in (10, 100):
            computed = {10: 0.2285, 100: 0.0712}[layer]
            literature.check(f"std of tanh, Xavier, layer {layer}", math.sqrt(q), computed=computed, within=1e-4)


def test_row_51_derivation(literature):
    chain = theory.derivation(seed=51)
    assert chain.holds
    assert [step.number for step in chain.steps] == list(range(1, 10))
    product = chain[3].checks[0]
    literature.check("Var(XY)", product.measured, computed=12.25, within=0.005 * 12.25)
    assert chain[3].caveats[0].measured == pytest.approx(2, abs=0.03)
    for check in chain[6].checks:
        literature.check(check.what, check.measured, expected=check.predicted, within=check.error)
    text = str(chain)
    for words in ("vanishing", "healthy", "exploding", "harmonic mean", "n Var(W)"):
        assert words in text


def test_row_52_predicted_variance(literature):
    for n_var, computed in {0.5: 0.03125, 1.0: 1.0, 2.0: 32.0}.items():
        found = theory.predict_variance([300] * 6, n_var=n_var).forward[-1]
        literature.check(f"300^6, n Var(W) = {n_var}", found, computed=computed, within=0)
    assert theory.predict_variance([64, 512, 128, 256], n_var=2).forward == (2, 4, 8)
    for law, factor in {"fan_in_uniform": 1 / 3, "he_normal": 2, "normal(std=0.1)": 1.0}.items():
        n_var = theory.predict_variance([784, 300, 10], law).n_var
        wanted = (7.84, 3.0) if law.startswith("normal") else (factor, factor)
        assert n_var == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("n_var", "verdict", "computed"), [(0.9, "vanishing", 5e-3), (1, "healthy", 1), (1.1, "exploding", 117)]
)
def test_row_53_three_cases(literature, n_var, verdict, computed):
    found = theory.predict_variance([100] * 51, n_var=n_var)
    assert found.forward_verdict == found.backward_verdict == verdict
    literature.check(f"50 layers, n Var(W) = {n_var}", found.forward[-1], computed=computed, within=0.04 * computed)


@pytest.mark.parametrize("sizes", [[512] * 21, [784, 300, 300, 10]], ids=str)
def test_row_54_backward(literature, sizes):
    powers = []
    for seed in range(40):
        dz = fi.init.normal((50, sizes[-1]), seed=seed, stream="dz")
        found = [float(np.mean(np.square(dz)))]
        for layer in reversed(range(len(sizes) - 1)):
            w = fi.init.xavier_normal((sizes[layer + 1], sizes[layer]), mode="fan_out", seed=seed, stream=layer)
            dz = fi.dense_backward(dz, np.zeros((50, sizes[layer]), np.float32), w, None, need=("dx",)).dx
            found.append(float(np.mean(np.square(dz))))
        powers.append(found)
    means = np.mean(powers, axis=0)
    assert theory.predict_variance(sizes, "xavier_normal(mode=fan_out)").backward == pytest.approx([1] * (len(sizes) - 1))
    literature.check(
        f"{len(sizes) - 1} layers, fan_out: mean square of da, least over most",
        means.min() / means.max(),
        published=1,
        within=0.1,
    )


def test_row_56_tanh_and_sigmoid(literature):
    """Xavier is for tanh; a sigmoid network multiplies gradients by 0.236 a layer at gain 1, and by 0.63 at gain 4."""
    for gain, computed, within in ((1, 0.236, 0.005), (4, 0.63, 0.03)):
        p = theory.fixed_point("sigmoid", sigma_w=gain)
        literature.check(
            f"sigmoid, gain {gain}: gradient's factor a layer", math.sqrt(p.chi_1), computed=computed, within=within
        )
    q = theory.fixed_point("sigmoid", sigma_w=1.0).q
    spread = math.sqrt(theory.second_moment("sigmoid", q) - theory.mean("sigmoid", q) ** 2)
    literature.check("sigmoid, gain 1: std of the activations", spread, computed=0.121, within=1e-3)
    assert theory.classify(theory.chi("sigmoid", q) ** 10, 10) == "vanishing"


def test_row_57_relu(literature):
    """Xavier halves a ReLU layer's second moment: 2^-50 in the rms after 100; means at layer 6 are exact by homogeneity."""
    x = fi.init.normal((10, 512), seed=57, stream="x")
    rms = {}
    for law in ("xavier_normal", "he_normal"):
        a = x
        for layer in range(100):
            a = fi.dense_forward(a, fi.init.law(law)((512, 512), seed=57, stream=layer), activation="relu").a
        rms[law] = fi.summarize(a)
    expected = math.sqrt(theory.predict_variance([512] * 101, n_var=0.5).forward[-1])
    assert expected == pytest.approx(2.0**-50)
    literature.check(
        "log2 rms, ReLU, Xavier, layer 100", math.log2(rms["xavier_normal"].rms), expected=-50, within=math.log2(5)
    )
    assert 0.15 <= rms["he_normal"].std <= 3
    means = []
    for std, computed in ((0.1, 0.5), (0.14, 0.98), (0.28, 3.92)):
        factor = theory.variance_map("relu", 1.0, sigma_w=10 * std)
        literature.check(f"ReLU, std {std}: factor of the second moment", factor, computed=computed, within=1e-12)
        a = fi.init.normal((1, 100), seed=57, stream="one", dtype="float64")
        for layer in range(6):
            a = fi.dense_forward(
                a, fi.init.normal((100, 100), std=std, seed=57, stream=layer, dtype="float64"), activation="relu"
            ).a
        means.append(a.mean())
    for std, ratio, computed in ((0.14, means[1] / means[0], 1.4**6), (0.28, means[2] / means[0], 2.8**6)):
        literature.check(
            f"ReLU, std {std}: mean at layer 6 over that of std 0.1", ratio, computed=computed, within=1e-4 * computed
        )


def test_row_59_weights_of_another_library(literature):
    """Ten tanh layers with PyTorch's default, U(+-1/sqrt n): n Var(W) = 1/3, and a signal that shrinks by .577 a layer."""
    rng = np.random.default_rng(59)
    weights = [rng.uniform(-1, 1, (300, 300)).astype(np.float32) / np.float32(math.sqrt(300)) for _ in range(11)]
    net = fi.Network([300] * 12, "tanh", weights)
    x = rng.standard_normal((500, 300)).astype(np.float32)
    expected = theory.expected_trace(net, x)
    for layer in expected.layers:
        literature.check(f"{layer.name}: n Var(W)", layer.n_var_w, published=1 / 3, within=0.005)
    factor = expected.hidden[9].a_std / expected.hidden[8].a_std
    literature.check("signal's factor a layer", factor, computed=0.577, within=0.003)
    assert theory.gain("tanh") == pytest.approx(1.5925, abs=1e-4)
