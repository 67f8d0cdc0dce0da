"""The figures that the expected outlook is read from, of traces whose layers are set by hand, and what comes of them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import forecast

X = fi.init.normal((60, 6), seed=2, stream="x", dtype="float64")
Y = np.arange(60) % 3
SIZES = (6, 10, 8, 12, 3)
NET = fi.Network(SIZES, "tanh", "orthogonal", seed=4, dtype="float64", bias_init="normal(std=0.5)")
TRACE = fi.trace(NET, X, Y)
FORWARD = fi.trace(NET, X)


def of(rms: float, mean: float = 0.0) -> fi.Summary:
    """A summary with a root mean square, and with a mean."""
    std = math.sqrt(rms**2 - mean**2)
    return fi.summarize(np.array([mean - std, mean + std]))


def with_layers(t: fi.Trace, *changes: dict[str, Any], **fields: Any) -> fi.Trace:
    """The trace with other figures in its layers, the first ones first."""
    padded = [*changes, *[{}] * (len(t.layers) - len(changes))]
    layers = tuple(dataclasses.replace(layer, **change) for layer, change in zip(t.layers, padded, strict=True))
    return dataclasses.replace(t, layers=layers, **fields)


HIDDEN = [
    {"a": of(10.0), "n_var_w": 10.0, "dead": 0.25, "saturated": None, "copies": 2, "cosine": 0.9, "effective_rank": 5.0},
    {"a": of(0.1), "n_var_w": 0.1, "dead": 0.5, "saturated": 0.4, "copies": 4, "cosine": 0.0, "effective_rank": 2.0},
    {"a": of(1.0, -0.6), "n_var_w": 1000.0, "dead": 0.0, "saturated": 0.2, "copies": 3, "cosine": 0.99, "effective_rank": 3.0},
    {"z": of(100.0), "n_var_w": 0.01},
]
GAIN = 2 * math.log10(fi.activation.gain("tanh"))


def test_figures_of_the_way_forward():
    """Scales as decimal logarithms; n Var(w) beside the squared gain of the activation."""
    biases = [0.1, 0.4, 0.3, 0.2]
    layers = [one | {"b": of(size)} for one, size in zip(HIDDEN, biases, strict=True)]
    found = forecast.features(with_layers(FORWARD, *layers, x=of(10.0, 6.0)))
    expected = {
        "depth": 3,
        "forward falls": 2,
        "forward grows": 1 + math.log10(0.8),
        "a, last": math.log10(0.8),
        "a, least": -1,
        "z of the output": 2,
        "n var(w) of the output": -2,
        "n var(w), least": -1,
        "n var(w), most": 3,
        "gain": GAIN,
        "beside the rule, least": -1 - GAIN,
        "beside the rule, most": 3 - GAIN,
        "beside the rule, mean": 1 - GAIN,
        "beside the rule, first": 1 - GAIN,
        "beside the rule, last": 3 - GAIN,
        "dead": 0.5,
        "saturated": 0.4,
        "copies": 0.5,
        "mean of a": 0.6,
        "dead, mean": 0.25,
        "saturated, mean": 0.2,
        "units": 8,
        "x": 1,
        "mean of x": 0.75,
        "biases": 0.4,
        "regression": 0,
        "inputs alike, first": -1,
        "inputs alike, last": -2,
        "rank, last": 3,
        "rank, least": 2,
    }
    assert found == {name: pytest.approx(value, abs=1e-12) for name, value in expected.items()}


def test_figures_that_are_missing_or_not_finite():
    """Nothing known of the inputs' angles counts as alike; of ranks as 0; no biases as biases of 0."""
    bare = fi.trace(fi.Network(SIZES, "tanh", "orthogonal", seed=4, dtype="float64", bias=False), X, Y)
    found = forecast.features(bare)
    assert (found["biases"], found["agreement of biases"]) == (0.0, 0.0)
    lost = {"cosine": None, "effective_rank": None, "a": fi.summarize(np.zeros(3))}
    found = forecast.features(with_layers(FORWARD, lost, lost, lost, x=fi.summarize(np.full(60, 2.0))))
    assert [found[name] for name in ("inputs alike, first", "inputs alike, last", "rank, last", "rank, least")] == [
        -30,
        -30,
        0,
        0,
    ]
    assert found["mean of a"] == 0
    assert found["mean of x"] == pytest.approx(1e9), "at most"
    above = {"cosine": 1.0000001}
    assert forecast.features(with_layers(FORWARD, above))["inputs alike, first"] == -30
    assert forecast.features(dataclasses.replace(FORWARD, loss_name="mean_squared_error"))["regression"] == 1
    bare = dataclasses.replace(TRACE, x=fi.summarize(X, bins=None))
    assert set(forecast.features(TRACE)) - set(forecast.features(bare)) == {
        "inputs alike, first",
        "inputs alike, last",
        "rank, last",
        "rank, least",
    }


GRADIENTS = [
    {"da": of(1e-4), "dz": of(1e-3), "dw": of(0.1), "db": of(0.01), "w": of(1.0)},
    {"da": of(1e-2), "dz": of(1e-2), "dw": of(1e-3), "db": of(1.0), "w": of(0.1)},
    {"da": of(1e-3), "dz": of(1e-1), "dw": of(1.0), "db": of(0.1), "w": of(0.1)},
    {"da": of(1.0), "dz": of(1.0), "dw": of(0.01), "db": of(0.1), "w": of(10.0)},
]


def test_figures_of_the_way_back():
    scales = [{"a": of(10.0)}, {"a": of(0.1)}, {"a": of(1.0)}, {}]
    layers = [one | scale for one, scale in zip(GRADIENTS, scales, strict=True)]
    found = forecast._of_gradients(with_layers(TRACE, *layers, x=of(100.0), cost=20.0, uninformed_cost=2.0))
    squares = 0.1**2 * 60 + 1e-3**2 * 80 + 1.0**2 * 96 + 0.01**2 * 36  # of each layer's n_in * n_out
    expected = {
        "backward falls": 2,  # from the last hidden layer to the first
        "backward grows": 1,
        "da, most": -2,
        "da, least": -4,
        "cost": 1,
        "gradient": math.log10(math.sqrt(squares)),
        "dw, first": -1,
        "dw, last": -2,
        "dw, most": 0,
        "dw, least": -3,
        "step, first": -1,
        "step, last": -3,
        "step, most": 1,
        "step, least": -3,
        "agreement, first": -1 + 3 - 2,  # dw beside dz and what comes in
        "agreement, last": -2 - 0 - 0,
        "agreement, least": -3 + 2 - 1,
        "agreement of biases": -1,
        "dw falls": 2,
        "dw grows": 3,
    }
    assert found == {name: pytest.approx(value, abs=1e-9) for name, value in expected.items()}


def test_steps_are_counted_within_thirty_decades():
    """Weights of 0 have steps without end."""
    zero, tiny = fi.summarize(np.zeros(4)), fi.summarize(np.full(4, 1e-30))
    huge, one = fi.summarize(np.full(4, 1e25)), of(1.0)
    found = forecast._of_gradients(with_layers(TRACE, *[{"w": zero, "dw": huge}] * 4))
    assert [found[f"step, {name}"] for name in ("first", "last", "most", "least")] == [30, 30, 30, 55]
    found = forecast._of_gradients(with_layers(TRACE, *[{"w": huge, "dw": tiny}] * 4))
    assert [found[f"step, {name}"] for name in ("first", "last", "most", "least")] == [-30, -30, -55, -30]
    found = forecast._of_gradients(with_layers(TRACE, {"w": one, "dw": one}, cost=0.0))
    assert (found["step, first"], found["cost"]) == (0, -30)


def test_a_layer_without_a_gradient_counts_as_one_of_1():
    gone = dict.fromkeys(("dz", "da", "dw", "db"))
    found = forecast._of_gradients(with_layers(TRACE, *[gone] * 4))
    assert [found[name] for name in ("da, most", "da, least", "dw, first", "dw, last", "agreement of biases")] == [0] * 5


@pytest.mark.parametrize(
    ("start", "leaf", "expected"),
    [
        (0.0, 0.0, 0.5),
        (1.0, 1.0, 1 / (1 + math.exp(-3))),
        (-1.0, -2.0, 1 / (1 + math.exp(5))),
        (99.0, 0.0, 1.0),
        (-99.0, 0.0, 0.0),
    ],
)
def test_the_odds_of_trees_add_up(monkeypatch, start, leaf, expected):
    """Two trees; the first asks for the depth, which is 3, and is at most 3."""
    trees = [[1, 3.0, leaf, 1e3], [0, -1e9, 1e3, leaf]]
    table = {"features": ["units", "depth"], "start": start, "trees": trees, "limit": expected}
    monkeypatch.setattr(forecast, "_tables", lambda: {"both": table, "forward": {**table, "limit": expected - 1e-3}})
    assert forecast.chance(TRACE) == pytest.approx(expected, abs=1e-15)
    assert 0 < forecast.chance(TRACE) < 1 or start == 99
    table["limit"] = forecast.chance(TRACE)
    assert forecast.expected_outlook(TRACE) == "slow", "a chance at the limit is not above it"
    assert forecast.expected_outlook(FORWARD) == "trains"


def test_half_of_an_uninformed_cost_has_learned():
    table = {"features": [], "start": -9.0, "trees": [], "limit": 0.5}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "_tables", lambda: dict.fromkeys(("both", "forward"), table))
        for cost, uninformed, expected in ((0.49, 1.0, "trains"), (0.5, 1.0, "slow"), (0.1, None, "slow"), (9.0, 1.0, "slow")):
            t = dataclasses.replace(TRACE, cost=cost, uninformed_cost=uninformed)
            assert forecast.expected_outlook(t) == expected
        assert forecast.expected_outlook(FORWARD) == "slow"


@pytest.mark.parametrize("part", ["w", "b", "z", "a", "dz", "da", "dw"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_not_finite_diverge(part, value):
    broken = with_layers(TRACE, {}, {part: fi.summarize(np.array([1.0, value]))}, cost=0.01)
    assert not forecast.is_finite(broken)
    assert forecast.expected_outlook(broken) == "diverges"
    assert forecast.is_finite(TRACE)


def test_networks_that_no_table_has_seen():
    class Other(fi.Trace):
        """Of another library's modules."""

    fields = {field.name: getattr(TRACE, field.name) for field in dataclasses.fields(TRACE)}
    assert forecast._kind(fi.Trace(**fields)) == "both"
    assert forecast._kind(Other(**fields)) is None
    linear = with_layers(TRACE, *[{"activation": "identity"}] * 3)
    partly = with_layers(TRACE, *[{"activation": "identity"}] * 2)
    assert (forecast._kind(linear), forecast._kind(partly)) == (None, "both")
    bare = fi.summarize(np.array([1.0, 2.0]), bins=None)
    assert bare.histogram is None
    for cost, kind in ((1.0, "moments"), (None, None)):
        assert forecast._kind(dataclasses.replace(TRACE, x=bare, cost=cost)) == kind


def test_a_plateau_where_nothing_stands_out_and_little_is_expected(monkeypatch):
    """The verdict is not "healthy" then; where it is expected to train a signal costs nothing."""
    well = fi.trace(fi.Network((6, 10, 10, 10, 3), "tanh", "orthogonal", seed=4, dtype="float64"), X, Y)
    vanishing = fi.trace(fi.Network(SIZES, "tanh", "normal(std=0.05)", seed=4, dtype="float64"), X, Y)
    for outlook, healthy, ill in (
        ("slow", "plateau", "vanishing"),
        ("trains", "healthy", "healthy"),
        (None, "healthy", "vanishing"),
    ):
        monkeypatch.setattr("fanin.diagnosis.diagnosis.expected_outlook", lambda _, outlook=outlook: outlook)
        assert (fi.diagnose(well).verdict, fi.diagnose(vanishing).verdict) == (healthy, ill)
        assert fi.diagnose(well).expected == fi.diagnose(well).outlook == outlook
        costly = dataclasses.replace(well, cost=30.0)
        assert fi.diagnose(costly).verdict == {"slow": "exploding", "trains": "healthy", None: "healthy"}[outlook]
        dead = with_layers(well, *[{"dw": fi.summarize(np.zeros(4))}] * 3)
        assert fi.diagnose(dead).verdict == "no gradient", "no training mends that"
