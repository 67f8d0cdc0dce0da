"""What a diagnosis once got wrong, each the example of a kind; the right word is the test."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import fanin as fi

RNG = np.random.default_rng(4)
CENTRES = 2 * RNG.standard_normal((4, 20))
Y = RNG.integers(0, 4, 400)
X = CENTRES[Y] + 0.5 * RNG.standard_normal((400, 20))


def course(costs, constant):
    return fi.diagnose(fi.History(costs=np.asarray(costs, dtype=float), constant_cost=constant))


def test_narrow_tanh_networks_are_healthy():
    """`xavier_normal` on two hidden layers of 32: the ratio of two layers scatters, and all of them train."""
    found = [fi.diagnose(fi.Network([20, 32, 32, 4], "tanh", seed=s), X, Y).verdict for s in range(10)]
    assert found == ["healthy"] * 10


def test_data_without_signal_is_no_illness():
    x, y = RNG.standard_normal((400, 20)), (np.arange(400) % 20 == 0).astype(int)
    d = fi.diagnose(fi.Network([20, 20, 20, 2], "tanh", seed=0), x, y)
    assert d.outlook is None
    assert d.verdict == "healthy"
    assert "no start learns from x" in str(d)


def test_a_trained_network_is_healthy():
    net = fi.Network([20, 30, 30, 4], "tanh", seed=1)
    net.fit(X, Y, epochs=60, optimizer=fi.SGD(lr=0.3))
    assert net.score(X, Y) == 1
    assert fi.diagnose(fi.trace(net, X, Y)).verdict == "healthy"


def test_the_odd_layer_is_named_with_its_own_figure():
    net = fi.Network([20, *[100] * 10, 4], "relu", "he_normal", seed=2)
    net.weights[5][...] = fi.init.normal(net.weights[5].shape, std=1e-7, seed=3, stream="odd")
    d = fi.diagnose(net, X, Y, trial=False)
    assert any(reason.startswith("hidden 6: n_in * Var(w) is 9.8e-13, in the other hidden layers 2.0") for reason in d.reasons)
    assert d.advice.startswith("larger weights in hidden 6, x 1.43e+06: he_normal")
    assert ("hidden 5", "hidden 6") in [one.layers for one in d.findings] or d.forward == "vanishing"


def test_two_layers_that_cancel_are_seen():
    net = fi.Network([20, *[50] * 6, 4], "relu", "he_normal", seed=2)
    net.weights[2][...] *= 1e-4
    net.weights[4][...] *= 1e4
    d = fi.diagnose(net, X, Y, trial=False)
    assert d.forward != "healthy"
    assert any("from hidden 2 to hidden 3" in one.text or "from hidden 4 to hidden 5" in one.text for one in d.findings)


def test_dead_units_of_biases_are_not_laid_to_depth():
    net = fi.Network([20, 50, 50, 4], "relu", "he_normal", seed=2)
    net.biases[0][...] = -10
    d = fi.diagnose(net, X, Y, trial=False)
    assert d.signal == "dead"
    assert "by itself" not in str(d)


def test_nan_weights_bring_no_note_about_means():
    net = fi.Network([20, 50, 4], "relu", "he_normal", seed=2)
    net.weights[0][3, 3] = np.nan
    d = fi.diagnose(net, X, Y)
    assert d.verdict == "diverged"
    assert not any("zero-mean" in note for note in d.notes)


def test_targets_that_are_not_scaled_and_inputs_that_do_not_vary():
    y = (RNG.uniform(25, 346, (400, 1))).astype("f4")
    net = fi.Network([20, 30, 1], "tanh", loss="mean_squared_error", seed=0)
    assert any("targets are not of unit size" in note for note in fi.diagnose(net, X, y).notes)
    net = fi.Network([20, 30, 4], "tanh", seed=0)
    d = fi.diagnose(net, np.full((400, 20), 0.5), Y)
    assert d.notes[0].startswith("inputs do not vary: every one is 0.5")


@pytest.mark.parametrize(
    ("costs", "constant", "verdict", "advice"),
    [
        ([2.33, *[205.0] * 20, *[10.6] * 100], 2.30, "diverged", "smaller learning rate"),
        ([0.7, 3e11, *[0.693] * 100], 0.693, "diverged", "smaller learning rate"),
        ([2.68, *[0.014] * 100], 2.30, "healthy", ""),
        ([0.011 - 1e-6 * i for i in range(100)], 2.30, "healthy", ""),  # goes on after it has converged
        ([2.8, 2.5, 2.4, *[2.305] * 100], 2.303, "plateau", "learning rate"),  # ends at chance
        ([*np.geomspace(2.3, 0.1, 50), *[1.9] * 50], 2.303, "diverged", "smaller learning rate"),  # rises again
    ],
)
def test_courses(costs, constant, verdict, advice):
    d = course(costs, constant)
    assert d.verdict == verdict
    assert advice in d.advice


def fit(net, x, y, rate, **options):
    """Train a copy that may well diverge."""
    copy = net.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy.fit(x, y, optimizer=fi.SGD(lr=rate), **options)
    return copy


@pytest.mark.parametrize("rate", [0.03, 1.0])
@pytest.mark.parametrize("every", [None, 5])
def test_inputs_of_bytes_that_kill_all_units_call_for_a_smaller_rate(rate, every):
    """Trained until nothing is left but biases, it was "plateau ... a *larger* learning rate"."""
    x = 255 * (X - X.min()) / (X.max() - X.min())
    net = fit(fi.Network([20, 50, 50, 4], "relu", "he_normal", seed=1), x, Y, rate, epochs=5, trace_every=every)
    assert any(layer.dead == 1 for layer in fi.trace(net, x, Y).hidden), "all units of a layer are dead"
    assert max(net.history.costs) > 1e5 * net.history.costs[0]
    d = fi.diagnose(net.history)
    assert d.verdict in ("plateau", "diverged")
    assert "a smaller learning rate" in d.advice
    assert "larger" not in d.advice


@pytest.mark.parametrize(("rate", "diverges"), [(0.03, False), (0.05, True)])
def test_targets_that_are_not_scaled_are_not_healthy(rate, diverges):
    """Targets of 25 to 346 were called healthy before they diverged, or learned nothing (R^2 of -.08)."""
    y = 25 + 107.0 * Y[:, None]
    net = fi.Network([20, 30, 30, 30, 1], "tanh", loss="mean_squared_error", seed=0)
    after = fit(net, X, y, rate, epochs=5)
    assert (max(after.history.costs) > 1e6 * after.history.costs[0]) == diverges
    assert after.score(X, y) < 0
    for d in (
        fi.diagnose(net, X, y, trial=False),
        fi.diagnose(net, X, y, optimizer=fi.SGD(lr=rate)),
        fi.diagnose(after.history),
    ):
        assert d.verdict != "healthy"
        assert d.outlook != "trains"
    assert "larger" not in d.advice
    assert ("fi.find_lr(net, x, y)" in d.advice) != diverges


def test_a_fit_knows_the_constant_prediction():
    net = fi.Network([20, 10, 4], seed=0)
    net.fit(X, Y, optimizer=fi.SGD(lr=0.1))
    share = np.bincount(Y) / len(Y)
    assert net.history.constant_cost == pytest.approx(-(share * np.log(share)).sum(), rel=1e-12)


def test_compare_scales_and_says_so():
    result = fi.compare(["xavier_normal"], 100 * X + 7, Y, hidden=[10], epochs=1, scale="standard")
    assert result.title().endswith(", standardized")
    assert result.settings["scale"] == "standard"
    assert abs(result.runs[0].trace.x.mean) < 0.2
    with pytest.raises(ValueError, match="scale must be one of none, standard, unit, got 'std'"):
        fi.compare(["xavier_normal"], X, Y, hidden=[10], epochs=1, scale="std")


def test_a_summary_of_nothing_has_no_sign():
    assert "-nan" not in repr(fi.summarize(np.zeros(0)))


def test_no_reason_lacks_its_words():
    """It read `hidden 1:; ReLU has 48 % at this depth by itself`."""
    for bias in (0, -1, -10):
        for layer in (0, 1):
            net = fi.Network([20, 50, 50, 4], "relu", "he_normal", seed=2)
            net.biases[layer][...] = bias
            assert ":;" not in str(fi.diagnose(net, X, Y, trial=False))


def test_seventeen_layers_whose_activations_are_a_few_ulp_apart_are_traced():
    net = fi.Network([20, *[30] * 17, 4], "tanh", "normal(std=0.02)", seed=0, dtype="float64")
    net.biases[-1][...] = 1
    t = fi.trace(net, X, Y)
    assert t.output.z.min == pytest.approx(1, abs=1e-6)
    assert fi.diagnose(t).signal == "vanishing"


def test_a_rate_that_is_too_large_is_named_beside_the_trace():
    """With traces it was "saturated, smaller weights: xavier_normal", which the network had."""
    x, y = fi.datasets.digits()
    net = fi.Network([64, 100, 100, 10], "tanh", seed=1)
    net.fit(x, y, epochs=3, optimizer=fi.SGD(lr=10), trace_every=20)
    d = fi.diagnose(net.history)
    assert d.verdict == "diverged"
    assert "a smaller learning rate" in d.advice
    assert "xavier_normal" not in d.advice
