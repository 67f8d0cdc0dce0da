"""Verdicts: the networks of `fanin compare` at their start, and one network for every word."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi

pytest.importorskip("sklearn")
RNG = np.random.default_rng(9)
X = RNG.standard_normal((100, 8))
Y = RNG.integers(0, 4, 100)

# (activation, law, depth) -> verdict, forward, backward (None: not asserted)
EXPECTED = {
    "tanh": {
        "zeros": ("no gradient", None, "no gradient"),
        "fan_in_uniform": ("vanishing", "vanishing", "vanishing"),
        "xavier_normal": ("healthy", "healthy", "healthy"),
        "normal": ("saturated", "saturated", "exploding"),
    },
    "relu": {"zeros": ("no gradient", None, "no gradient"), "he_normal": ("healthy", "healthy", "healthy")},
}


def at_the_start(activation, law, depth, width, seed):
    """The diagnosis that `fanin compare` makes: 100 training rows of the digits."""
    x, y = fi.datasets.digits()
    train, _ = fi.datasets.split(x, y, 397, seed)
    net = fi.Network([64, *[width] * depth, 10], activation=activation, init=law, seed=seed)
    return fi.diagnose(net, train.x[:100], train.y[:100])


def check(activation, depth, width, seed):
    for law, (verdict, forward, backward) in EXPECTED[activation].items():
        d = at_the_start(activation, law, depth, width, seed)
        assert d.verdict == verdict, f"{law}, seed {seed}: {d}"
        assert forward in (None, d.forward), f"{law}, seed {seed}: {d}"
        assert d.backward == backward, f"{law}, seed {seed}: {d}"
    if activation == "relu" and depth == 10:
        assert at_the_start("relu", "xavier_normal", depth, width, seed).verdict == "vanishing"


@pytest.mark.parametrize("activation", EXPECTED)
@pytest.mark.parametrize(("depth", "width"), [(4, 300), (2, 100), (10, 100)])
def test_verdicts_of_compare(activation, depth, width):
    for seed in range(3):
        check(activation, depth, width, seed)


@pytest.mark.slow
@pytest.mark.parametrize("activation", EXPECTED)
@pytest.mark.parametrize(("depth", "width"), [(4, 300), (2, 300), (10, 300), (4, 100), (2, 100), (10, 100)])
def test_verdicts_of_compare_for_20_seeds(activation, depth, width):
    for seed in range(20):
        check(activation, depth, width, seed)


def net(sizes=(8, 30, 30, 30, 4), activation="tanh", init="xavier_normal", **options):
    return fi.Network(list(sizes), activation=activation, init=init, **{"seed": 2, "dtype": "float64", **options})


def test_constant_weights_are_symmetric_and_the_layers_are_named():
    d = fi.diagnose(net(init="constant(value=0.1)"), X, Y)
    assert d.verdict == "symmetric"
    assert "hidden 1, hidden 2, hidden 3: units have the same weights" in str(d)
    assert "random" in d.advice


def test_trained_from_zeros_a_sigmoid_network_stays_symmetric():
    """Row 10 of the checklist: all weights move, and the units of a layer together; the verdict names the layer."""
    n = net((2, 6, 3, 1), "sigmoid", "zeros", loss="binary_cross_entropy")
    x = RNG.standard_normal((100, 2))
    y = np.arange(100) < 60
    n.fit(x, y, epochs=50, batch_size=100, optimizer=fi.SGD(lr=0.1))
    assert np.all(n.weights[2] != 0)
    d = fi.diagnose(n, x, y)
    assert d.verdict == "symmetric"
    assert "hidden 1, hidden 2: units" in str(d)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_zeros_give_no_gradient(activation):
    d = fi.diagnose(net(activation=activation, init="zeros"), X, Y)
    assert (d.verdict, d.backward) == ("no gradient", "no gradient")
    assert "hidden 1" in d.reasons[-2] + d.reasons[-1]


def test_dead():
    n = net(activation="relu", init="he_normal")
    n.biases[1][:20] = -1e3
    d = fi.diagnose(n, X, Y)
    assert d.verdict == d.forward == "dead"
    assert "hidden 2 67 %" in str(d)


def test_half_a_layer_of_dead_units_is_not_most():
    n = net(activation="relu", init="he_normal")
    n.biases[0][:15] = -1e3
    assert fi.diagnose(n, X, Y).forward != "dead"


def test_sigmoid_at_gain_one_loses_its_gradient():
    d = fi.diagnose(net(activation="sigmoid"), X, Y)
    assert (d.verdict, d.forward, d.backward) == ("vanishing", "healthy", "vanishing")
    assert "gain near 4" in d.advice


def test_logistic_regression_is_healthy():
    assert fi.diagnose(net((8, 4), init="zeros"), X, Y).verdict == "healthy"
    assert fi.diagnose(net((8, 1), init="zeros", loss="binary_cross_entropy"), X, Y % 2).verdict == "healthy"


def test_one_hidden_layer_has_no_depth_to_vanish_over():
    assert fi.diagnose(net((8, 30, 4)), X, Y).verdict == "healthy"
    assert fi.diagnose(net((8, 30, 4), init="zeros"), X, Y).verdict == "no gradient"


def test_activations_alone():
    d = fi.diagnose(fi.trace(net(init="fan_in_uniform"), X))
    assert (d.verdict, d.forward, d.backward) == ("vanishing", "vanishing", None)
    assert "gradients: not measured" in str(d)


def test_values_that_are_not_finite():
    n = net()
    n.weights[1][3, 3] = np.nan
    assert fi.diagnose(n, X, Y).verdict == "diverged"
    n = net(activation="identity", dtype="float32")
    for w in n.weights:
        w *= np.float32(1e15)
    d = fi.diagnose(n, X, Y)
    assert d.verdict == "exploding", "the weights are finite; what they do is not"
    assert "hidden 3" in d.reasons[0]


def test_signals_that_reach_zero():
    """Below the smallest float32 a signal is exactly 0: its units are dead then, whatever killed them."""
    for scale, verdict in ((1e-15, "vanishing"), (1e-30, "dead")):
        n = net(activation="identity", dtype="float32")
        for w in n.weights[1:-1]:
            w *= np.float32(scale)
        d = fi.diagnose(n, X, Y)
        assert (d.verdict, d.backward) == (verdict, "vanishing")


def test_scatter_of_narrow_layers_flips_no_verdict():
    """Width 6, two hidden layers: one ratio, whose logarithm scatters by sqrt(2 / 6) / 2 = 0.29, as much as the limit."""
    healthy = [fi.diagnose(net((8, 6, 6, 4), "identity", seed=s), X, Y).verdict == "healthy" for s in range(40)]
    assert sum(healthy) >= 26  # forward and backward within 0.58, two standard deviations each: 91 % when independent


def test_a_large_change_is_never_scatter():
    for width in (1, 2, 3):
        n = net((8, *[width] * 3, 4), "identity")
        for w in n.weights[1:-1]:
            w[...] = 40 * np.eye(width)
        assert fi.diagnose(n, X, Y).verdict == "exploding"


def test_trace_and_network_give_one_diagnosis():
    n = net()
    assert fi.diagnose(n, X, Y) == fi.diagnose(fi.trace(n, X, Y))
    assert set(fi.diagnose(n, X, Y).to_dict()) == {"verdict", "forward", "backward", "reasons", "advice"}


def test_refusals():
    with pytest.raises(TypeError, match=r"fi.diagnose\(net, x, y\)"):
        fi.diagnose(net())
    with pytest.raises(TypeError, match="what must be a Trace or a Network, got str"):
        fi.diagnose("net")
    with pytest.raises(TypeError, match="has its data already"):
        fi.diagnose(fi.trace(net(), X), X)
