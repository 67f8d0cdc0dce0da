"""Verdicts: the networks of `fanin compare` at their start, and one network for every word."""

from __future__ import annotations

import json

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
    return fi.diagnose(net, train.x[:100], train.y[:100], trial=False)


def check(activation, depth, width, seed):
    for law, (verdict, forward, backward) in EXPECTED[activation].items():
        d = at_the_start(activation, law, depth, width, seed)
        assert d.signal == verdict, f"{law}, seed {seed}: {d}"
        assert forward in (None, d.forward), f"{law}, seed {seed}: {d}"
        assert d.backward == backward, f"{law}, seed {seed}: {d}"
    if activation == "relu" and depth == 10:
        assert at_the_start("relu", "xavier_normal", depth, width, seed).signal == "vanishing"


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
    d = fi.diagnose(net(init="constant(value=0.1)"), X, Y, trial=False)
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
    assert d.signal == d.forward == "dead"
    assert d.outlook == "trains", "ten units suffice: five trainings of 300 steps reach 91 to 98 % of these rows"
    assert "hidden 2 67 %" in str(d)
    n.biases[1][:29] = -1e3
    d = fi.diagnose(n, X, Y)
    assert d.verdict == d.forward == "dead"


def test_half_a_layer_of_dead_units_is_not_most():
    n = net(activation="relu", init="he_normal")
    n.biases[0][:15] = -1e3
    assert fi.diagnose(n, X, Y).forward != "dead"


def test_sigmoid_at_gain_one_loses_its_gradient():
    d = fi.diagnose(net(activation="sigmoid"), X, Y, trial=False)
    assert (d.verdict, d.forward, d.backward) == ("vanishing", "healthy", "vanishing")
    assert "gain near 4" in d.advice


@pytest.mark.parametrize("law", ["normal(std=0.01)", "normal(std=1)"])
def test_advice_for_tanh_names_a_law(law):
    assert "xavier_normal" in fi.diagnose(net(init=law), X, Y, trial=False).advice


def test_a_signal_that_costs_nothing_is_no_verdict():
    y = np.argmax(X[:, :4], axis=1)  # fitted in 300 steps by both laws; labels without sense by Xavier's alone
    d = fi.diagnose(net(init="fan_in_uniform"), X, y, trial=False)
    assert (d.verdict, d.signal, d.outlook, d.advice) == ("healthy", "vanishing", "trains", "")
    assert str(d).startswith("healthy: expected to train (activations: vanishing; gradients: vanishing)")


def test_advice_names_the_gain_of_deep_networks():
    d = fi.diagnose(net((8, *[60] * 30, 4), init="normal(std=0.05)"), X, Y, trial=False)
    assert d.verdict == "vanishing"
    assert "xavier_normal(gain=tanh), n_in * Var(w) = 2.54" in d.advice
    assert "larger weights" in d.advice


def test_logistic_regression_is_healthy():
    assert fi.diagnose(net((8, 4), init="zeros"), X, Y).verdict == "healthy"
    assert fi.diagnose(net((8, 1), init="zeros", loss="binary_cross_entropy"), X, Y % 2).verdict == "healthy"


def test_one_hidden_layer_has_no_depth_to_vanish_over():
    assert fi.diagnose(net((8, 30, 4)), X, Y).verdict == "healthy"
    assert fi.diagnose(net((8, 30, 4), init="zeros"), X, Y).verdict == "no gradient"


def test_activations_alone():
    d = fi.diagnose(fi.trace(net(init="fan_in_uniform"), X))
    assert (d.signal, d.forward, d.backward) == ("vanishing", "vanishing", None)
    assert "gradients: not measured" in str(d)


def test_values_that_are_not_finite():
    n = net()
    n.weights[1][3, 3] = np.nan
    assert fi.diagnose(n, X, Y).verdict == "diverged"
    n = net(activation="identity", dtype="float32")
    for w in n.weights:
        w *= np.float32(1e15)
    d = fi.diagnose(n, X, Y, trial=False)
    assert d.verdict == "diverged"
    assert "the weights are finite, what they make of the batch is not" in d.advice
    assert "hidden 3" in d.reasons[0]


def test_signals_that_reach_zero():
    """Below the smallest float32 a signal is exactly 0: its units are dead then, whatever killed them."""
    for scale, verdict in ((1e-15, "vanishing"), (1e-30, "dead")):
        n = net(activation="identity", dtype="float32")
        for w in n.weights[1:-1]:
            w *= np.float32(scale)
        d = fi.diagnose(n, X, Y, trial=False)
        assert (d.verdict, d.backward) == (verdict, "vanishing")
    # 1e-15 is a saddle that 300 plain steps at rate 1 leave (cost 1.231, as from the rule's weights); from 0 none does.
    assert fi.diagnose(n, X, Y).verdict == "dead"


def test_scatter_of_narrow_layers_is_said():
    """Width 6, two hidden layers: one ratio, whose logarithm scatters by sqrt(2 / 6) / 2 = 0.29, as much as the limit."""
    found = [fi.diagnose(net((8, 6, 6, 4), "identity", seed=s), X, Y) for s in range(40)]
    off = [d for d in found if d.forward != "healthy"]
    said = ["another draw may be healthy" in str(d) for d in off]
    assert 0 < sum(said) >= len(said) / 2, "the others have drawn scales that explain it"
    assert "another draw" not in str(fi.diagnose(net((8, 100, 100, 4), init="normal(std=0.5)", activation="identity"), X, Y))


def test_dead_units_stand_beside_those_that_depth_brings():
    n = net((8, *[200] * 20, 4), "relu", "he_normal")
    d = fi.diagnose(n, X, Y)
    layer = d.evidence[-1]
    assert layer.expected_dead == pytest.approx(layer.dead, abs=0.12)
    assert "ReLU has" in str(d)
    assert d.forward != "dead"


def test_tanh_under_its_own_rule_decays_by_itself():
    d = fi.diagnose(net((8, *[60] * 160, 4)), X, Y)
    if d.forward == "vanishing":
        assert "decays as 1 / sqrt(2 l) by itself" in str(d)
    steps = [one.expected_forward_ratio for one in d.evidence if one.expected_forward_ratio]
    assert steps[0] < 0.8
    assert steps[-1] > 0.99, "the rule's own decay slows down"


def test_evidence_by_layer():
    n = net((8, 30, 30, 30, 4), "relu", "he_normal")
    n.biases[1][:20] = -1e3
    n.weights[2][...] *= 4
    found = fi.diagnose(n, X, Y).evidence
    assert [one.name for one in found] == ["hidden 1", "hidden 2", "hidden 3"]
    assert "dead" in found[1].forward
    assert "grows" in found[2].forward
    assert found[2].n_var_w == pytest.approx(32, rel=0.3)


def test_thresholds_have_sources():
    d = fi.diagnose(net(), X, Y)
    assert d.thresholds["total"].value == 10
    assert (d.thresholds["shrink"].value, d.thresholds["grow"].value) == (0.75, 1.33)
    assert all(one.source for one in d.thresholds.values())


def test_assumptions_about_the_data():
    good = fi.diagnose(net(), X, Y)
    assert good.notes == ()
    assert any("not centred: mean 5" in note for note in fi.diagnose(net(), X + 5, Y).notes)
    assert any("not of unit size" in note for note in fi.diagnose(net(), X * 30, Y).notes)
    walk = np.cumsum(RNG.standard_normal((100, 8)), axis=1)
    assert any("neighbours correlate" in note for note in fi.diagnose(net(), walk, Y).notes)
    n = net()
    n.biases[1][3] = 0.5
    assert any(note.startswith("hidden 2: biases are not 0") for note in fi.diagnose(n, X, Y).notes)
    assert any("as expected for relu" in note for note in fi.diagnose(net(activation="relu", init="he_normal"), X, Y).notes)


def history(costs):
    return fi.History(costs=np.asarray(costs, dtype=float), epoch_costs=np.asarray(costs, dtype=float)[-1:])


def test_a_history_that_diverges():
    d = fi.diagnose(history([1.0, 2.0, np.inf, np.nan]))
    assert (d.verdict, d.forward, d.backward) == ("diverged", None, None)
    assert "step 3" in str(d)
    assert "smaller learning rate" in d.advice
    assert fi.diagnose(history(np.geomspace(1, 1e6, 50))).verdict == "diverged"


def test_a_history_on_a_plateau():
    assert fi.diagnose(history(np.linspace(3.99219, 3.98923, 100))).verdict == "plateau"
    assert fi.diagnose(history(np.full(500, np.log(10)))).verdict == "plateau"
    noisy = np.log(10) + 0.05 * RNG.standard_normal(2000)
    assert fi.diagnose(history(noisy)).verdict == "plateau"
    falls = noisy - np.linspace(0, 1, 2000)
    assert fi.diagnose(history(falls)).verdict == "healthy"
    assert fi.diagnose(history([1.0, 1.0])).verdict == "healthy", "two steps say nothing"


def test_a_large_change_is_never_scatter():
    for width in (1, 2, 3):
        n = net((8, *[width] * 3, 4), "identity")
        for w in n.weights[1:-1]:
            w[...] = 40 * np.eye(width)
        assert fi.diagnose(n, X, Y).signal == "exploding"


def test_trace_and_network_give_one_diagnosis():
    n = net()
    assert fi.diagnose(n, X, Y, trial=False) == fi.diagnose(fi.trace(n, X, Y))
    keys = {
        "verdict",
        "forward",
        "backward",
        "reasons",
        "notes",
        "advice",
        "layers",
        "thresholds",
        "signal",
        "outlook",
        "expected",
        "findings",
        "trial",
        "fix",
    }
    assert set(fi.diagnose(n, X, Y).to_dict()) == keys
    json.dumps(fi.diagnose(n, X, Y).to_dict())


def test_refusals():
    with pytest.raises(TypeError, match=r"fi.diagnose\(net, x, y\)"):
        fi.diagnose(net())
    with pytest.raises(ValueError, match="what must be a History of at least one step, got one of none"):
        fi.diagnose(fi.History())
    with pytest.raises(TypeError, match="what must be a Trace, a Network or a History, got str"):
        fi.diagnose("net")
    with pytest.raises(TypeError, match="has its data already"):
        fi.diagnose(fi.trace(net(), X), X)
