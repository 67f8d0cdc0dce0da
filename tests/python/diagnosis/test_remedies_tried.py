"""Which remedy is taken: what each is tried with, which helps, which of those that help, and how it is said."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import advice, remedy
from fanin.diagnosis.advice import Fix
from fanin.diagnosis.attempt import RATES, Attempt
from fanin.diagnosis.trial import Trial

LAW = "xavier_normal(gain=tanh)"
LAST, BIASES, XAVIER = f"another last layer, {LAW}", "zero biases", "xavier_normal"
NET = fi.Network((6, 12, 12, 3), "tanh", "normal", seed=4, dtype="float64", bias_init="normal(std=1.0)")


def reached(score: float, cost: float, *, rate: float = 0.1, works=(0.03, 0.1)) -> Attempt:
    return Attempt(rate, score, cost, (1.0,), works)


@pytest.fixture
def best(monkeypatch):
    """Choose a remedy where attempts come out as given, in order; returns what was chosen and what was tried."""

    def choose(
        come_out, *, own=(0.4, 1.0), reference=0.5, drawn=None, optimizer=None, standard=True, steps=20, pace=3, constant=1.0
    ):
        left, calls = list(come_out), []

        def looking_ahead(net, rows, n, rates=RATES, pace=3):
            kind = next(
                name
                for name, one in starts.items()
                if np.array_equal(one.biases[0], net.biases[0])
                and np.array_equal(one.weights[0], net.weights[0])
                and np.array_equal(one.weights[2], net.weights[2])
            )
            calls.append((kind, rows, n, tuple(rates), pace))
            return left.pop(0)

        starts = {
            "own": NET,
            **{name: fix.apply(NET) for name, fix in advice.remedies(NET).items()},
            "law": Fix(LAW).apply(NET),
        }
        monkeypatch.setattr(remedy, "looking_ahead", looking_ahead)
        rows = SimpleNamespace(is_standard=lambda: standard, standardized=lambda: "standardized rows")
        draws = drawn or []
        trial = Trial(
            steps,
            None if own is None else reached(*own),
            None if reference is None else reached(reference, 0.9),
            LAW,
            constant,
            0.4,
            "stuck",
            None,
            None,
            pace,
        )
        found = remedy.best_fix(NET, rows, trial, optimizer, lambda i: draws[i] if i < len(draws) else None)
        assert not left, "all that was prepared was tried"
        return found, [(kind, "given" if given is rows else given, *rest) for kind, given, *rest in calls]

    return choose


def test_what_each_remedy_is_tried_with(best):
    """At the two largest rates that suit the reference, or all where no draw of it learned."""
    drawn = reached(0.5, 0.9, works=(0.01, 0.03, 0.1))
    (fix, words), calls = best([None, None, None], drawn=[drawn])
    assert [kind for kind, *_ in calls] == [LAST, BIASES, XAVIER]
    assert {tuple(rest) for _, *rest in calls} == {("given", 20, (0.1, 0.03), 3)}
    assert (fix, words) == (Fix(LAW), f"{LAW}: cost 0.9 after 60 steps at 0.1, now 1")
    (fix, words), calls = best([None, None, None], pace=1)
    assert {tuple(rest) for _, *rest in calls} == {("given", 20, RATES, 1)}
    assert (fix, words) == (None, "")


def test_another_rate_comes_first_where_an_optimizer_was_given(best):
    own = reached(0.8, 0.5, rate=0.3)
    (fix, words), calls = best([own, None, None, None], optimizer=fi.SGD(lr=1e-6), drawn=[reached(0.84, 0.4)])
    assert calls[0] == ("own", "given", 20, RATES, 3)
    assert (fix, words) == (Fix(None, zero_biases=False, rate=0.3), "SGD at 0.3: cost 0.5 after 60 steps, now 1")
    (fix, words), _ = best([None, None, None, None], optimizer=fi.SGD(lr=1e-6), drawn=[reached(0.84, 0.4)])
    assert fix == Fix(LAW)


def test_the_simplest_of_those_that_are_as_good(best):
    """Within five points of the best score: the rule for the activation, then what changes less of the network."""
    scores = {"law": 0.7, LAST: 0.75, BIASES: 0.6, XAVIER: 0.7}
    for changes, chosen in (
        ({}, Fix(LAW)),
        ({LAST: 0.76}, Fix(LAW, last_only=True, zero_biases=False)),
        ({BIASES: 0.85}, Fix(None)),
        ({XAVIER: 0.85}, Fix("xavier_normal")),
        ({XAVIER: 0.85, BIASES: 0.81}, Fix(None)),
        ({XAVIER: 0.85, BIASES: 0.79}, Fix("xavier_normal")),
    ):
        now = scores | changes
        (fix, words), _ = best([reached(now[name], 0.5) for name in (LAST, BIASES, XAVIER)], drawn=[reached(now["law"], 0.5)])
        assert fix == chosen
        assert words.endswith(": cost 0.5 after 60 steps at 0.1, now 1")


def test_nothing_more_is_tried_once_a_remedy_scores_nearly_1(best):
    for score, tried in ((0.95, 0), (0.94, 3)):
        _, calls = best([None] * tried, drawn=[reached(score, 0.1)])
        assert len(calls) == tried
    _, calls = best([reached(0.95, 0.1)])
    assert [kind for kind, *_ in calls] == [LAST]


@pytest.mark.parametrize(
    ("own", "constant", "cost", "words"),
    [
        ((0.4, 1.0), 2.0, 0.97, f"{LAW}: cost 0.97 after 60 steps at 0.1, now 1"),
        ((0.4, 1.0), 2.0, 0.985, ""),
        ((0.4, 5.0), 1.0, 0.98, f"{LAW}: cost 0.98 after 60 steps at 0.1, now 5"),
        ((0.4, 5.0), 1.0, 0.995, ""),
        (None, 1.0, 0.98, f"{LAW}: cost 0.98 after 60 steps at 0.1, diverges now"),
        (None, 1.0, 0.995, ""),
    ],
)
def test_what_helps_brings_the_cost_down(best, own, constant, cost, words):
    """Below the network's own and the constant prediction's, by more than a hundredth of the latter."""
    (fix, said), _ = best([None] * 3, own=own, constant=constant, drawn=[reached(0.5, cost)])
    assert (fix, said) == (Fix(LAW) if words else None, words)


def test_the_draw_that_was_tried_is_the_one_that_comes(best):
    draws = [reached(0.2, 0.9), None, reached(0.45, 0.5), reached(0.5, 0.4)]
    (fix, _), _ = best([None] * 3, drawn=draws)
    assert fix == Fix(LAW, seed=1)
    (fix, _), _ = best([None] * 3, drawn=[reached(0.3, 0.5)] * 7, reference=0.5)
    assert fix is None, "no draw is as good as the reference was"
    (fix, _), _ = best([None] * 3, drawn=[None] * 5 + [reached(0.5, 0.5)])
    assert fix == Fix(LAW, seed=4)
    (fix, _), _ = best([None] * 3, drawn=[None] * 6 + [reached(0.5, 0.5)])
    assert fix is None, "there are five repeats, and no more"


def test_inputs_of_another_size_are_standardized_where_that_helps(best):
    """It is said beside a remedy where the cost falls to less than half of that one's, or alone."""
    base = f"{LAW}: cost 0.8 after 60 steps at 0.1, now 1"
    for cost, words in ((0.39, f"{base}; standardized inputs and {LAW}: cost 0.39 at 0.1"), (0.4, base)):
        (fix, said), calls = best([None] * 3 + [reached(0.9, cost)], drawn=[reached(0.6, 0.8)], standard=False)
        assert (fix, said) == (Fix(LAW), words)
        assert calls[-1] == ("law", "standardized rows", 20, RATES, 3)
    for cost, words in ((0.9, f"standardized inputs and {LAW}: cost 0.9 at 0.1"), (1.0, "")):
        (fix, said), calls = best([None] * 3 + [reached(0.9, cost)], standard=False, pace=1)
        assert (fix, said) == (Fix(LAW) if words else None, words)
        assert calls[-1] == ("law", "standardized rows", 20, RATES, 1)
    assert best([None] * 4, standard=False)[0] == (None, "")


# ------------------------------------------------------------------------------------------------ what a fix does


def test_a_fix_keeps_what_is_no_weight():
    """The loss, the types, the activations, networks without biases; the network that it is applied to stays."""
    net = fi.Network((6, 12, 12, 2), ["relu", "tanh"], "normal", "mean_squared_error", seed=4, dtype="float64", bias=False)
    before = [w.copy() for w in net.weights]
    changed = Fix("he_normal", seed=9).apply(net)
    drawn = fi.Network(net.sizes, ["relu", "tanh"], "he_normal", "mean_squared_error", seed=9, dtype="float64", bias=False)
    for mine, theirs, old, kept in zip(changed.weights, drawn.weights, before, net.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(old, kept)
    assert (changed.dtype, changed.loss_name, changed.activations) == (net.dtype, net.loss_name, net.activations)
    assert not changed.biases
    single = fi.Network((6, 12, 2), "relu", "normal", seed=4)
    assert Fix("he_normal").apply(single).weights[0].dtype == np.float32


def test_what_a_fix_holds():
    assert vars(Fix("he_normal")) == {
        "law": "he_normal",
        "last_only": False,
        "zero_biases": True,
        "rate": None,
        "seed": 0,
    }


@pytest.mark.parametrize(
    ("activations", "law"),
    [
        (["tanh"], "xavier_normal(gain=tanh)"),
        (["identity"], "xavier_normal"),
        (["relu", "tanh"], "he_normal"),
        (["tanh", "relu"], "xavier_normal(gain=tanh)"),
        (["relu", "tanh", "tanh"], "xavier_normal(gain=tanh)"),
        (["selu", "selu", "relu"], "lecun_normal"),
        ([], "xavier_normal"),
    ],
)
def test_the_rule_is_that_of_most_layers(activations, law):
    net = fi.Network([4, *[5] * len(activations), 2], activations or "tanh", "xavier_normal", seed=0)
    assert advice.reference_law(net) == law


# ------------------------------------------------------------------------------------------------ applied


def test_what_is_applied_is_said_of_the_network():
    net = fi.Network((6, 8, 8, 3), "tanh", "normal(std=0.02)", seed=1)
    assert Fix(LAW).apply(net).init == LAW
    assert Fix(LAW, last_only=True).apply(net).init == f"normal(std=0.02), the last layer {LAW}"
    assert Fix(None).apply(net).init == net.init == "normal(std=0.02)"


def test_advice_is_applied_to_networks_of_fanin_alone():
    for d in (fi.Diagnosis("healthy", None, None, ""), fi.Diagnosis("dead", None, None, LAW, fix=Fix(LAW))):
        with pytest.raises(TypeError, match=r"net must be a fanin.Network, got list: fanin.interop.torch.fill draws a module"):
            d.apply([])
