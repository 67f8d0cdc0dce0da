"""Where the limits of the signals lie: traces whose figures are set by hand, at a limit and just beyond it."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis.signals import findings as rules
from fanin.diagnosis.signals.evidence import evidence, names
from fanin.diagnosis.signals.findings import findings, odd_layers, of_activations, of_gradients, word_of
from fanin.diagnosis.signals.reasons import typical

X = fi.init.normal((60, 6), seed=2, stream="x", dtype="float64")
X = (X - X.mean()) / X.std()
Y = np.arange(60) % 3
NET = fi.Network((6, 10, 10, 10, 10, 3), "tanh", "orthogonal", seed=4, dtype="float64")
TRACE = fi.trace(NET, X, Y)
FORWARD = fi.trace(NET, X)


def said(found) -> list[tuple[str, str, tuple[str, ...], float | None]]:
    return [(one.word, one.side, one.layers, one.figure) for one in found]


# ------------------------------------------------------------------------------------------------ names of layers


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("hidden 1", "hidden 1"),
        ("hidden 1,hidden 2,hidden 3", "hidden 1, hidden 2, hidden 3"),
        ("hidden 1,hidden 2,hidden 3,hidden 4", "hidden 1 to hidden 4"),
        ("hidden 9,hidden 10,hidden 11,output", "hidden 9 to output"),
        ("hidden 1,hidden 2,hidden 4,hidden 5", "hidden 1, hidden 2, hidden 4, hidden 5"),
        ("hidden 1,hidden 3,hidden 5,output", "hidden 1, hidden 3, hidden 5, output"),
        ("net.0,net.2,net.4,net.6", "net.0, net.2, net.4, net.6"),
        ("fc 1,fc 2,fc 3,fc 4", "fc 1, fc 2, fc 3, fc 4"),
        ("fc 1,hidden 2,hidden 3,hidden 4", "fc 1, hidden 2, hidden 3, hidden 4"),
        ("hidden 1 a,hidden 2 a,hidden 3 a,hidden 4 a", "hidden 1 a, hidden 2 a, hidden 3 a, hidden 4 a"),
        ("a,b,c,d,e,f,g,h", "a, b, c, d, e, f, g, h"),
        ("a,b,c,d,e,f,g,h,i", "a, b, c to i (9 layers)"),
    ],
)
def test_names_of_layers(found, words):
    assert names(SimpleNamespace(name=name) for name in found.split(",")) == words


# ------------------------------------------------------------------------------------------------ evidence, layer by layer


@pytest.mark.parametrize(
    ("fields", "forward", "backward"),
    [
        ({}, (), ()),
        ({"forward_ratio": 0.75, "backward_ratio": 1.33}, (), ()),
        ({"forward_ratio": 0.749, "backward_ratio": 1.331}, ("shrinks",), ("grows",)),
        ({"forward_ratio": 1.331, "backward_ratio": 0.749}, ("grows",), ("shrinks",)),
        ({"forward_ratio": math.nan, "backward_ratio": math.nan}, (), ()),
        ({"forward_ratio": None, "backward_ratio": None}, (), ()),
        ({"dead": 0.5, "saturated": 0.5, "copies": 4}, (), ()),
        ({"dead": 0.51}, ("dead",), ()),
        ({"saturated": 0.51}, ("saturated",), ()),
        ({"saturated": None}, (), ()),
        ({"copies": 5}, ("copies",), ()),
        ({"n_out": 2, "copies": 1}, (), ()),
        ({"n_out": 2, "copies": 2}, ("copies",), ()),
        ({"dw": fi.summarize(np.zeros(4))}, (), ("no gradient",)),
        ({"w": fi.summarize(np.array([1.0, math.nan]))}, ("not finite",), ()),
        ({"b": fi.summarize(np.array([1.0, math.inf]))}, ("not finite",), ()),
        ({"z": fi.summarize(np.array([1.0, math.inf]))}, ("not finite",), ()),
        ({"a": fi.summarize(np.array([1.0, math.nan]))}, ("not finite",), ()),
        ({"dz": fi.summarize(np.array([1.0, math.nan]))}, (), ("not finite",)),
        ({"da": fi.summarize(np.array([1.0, math.nan]))}, (), ("not finite",)),
        ({"dw": fi.summarize(np.array([1.0, math.nan]))}, (), ("not finite",)),
        ({"db": fi.summarize(np.array([1.0, math.nan]))}, (), ("not finite",)),
        ({"dead": 0.9, "saturated": 0.8, "copies": 9, "forward_ratio": 2.0}, ("dead", "saturated", "copies", "grows"), ()),
    ],
)
def test_what_is_found_in_a_layer(with_layers, fields, forward, backward):
    plain = {"forward_ratio": 1.0, "backward_ratio": 1.0, "dead": 0.0, "saturated": 0.0, "copies": 0}
    one = evidence(with_layers(TRACE, {1: plain | fields}))[1]
    assert (one.name, one.forward, one.backward) == ("hidden 2", forward, backward)
    given = plain | fields
    for name in ("dead", "saturated", "copies", "forward_ratio", "backward_ratio"):
        assert getattr(one, name) == pytest.approx(given[name], nan_ok=True)
    a, b = (layer.expected.a_rms for layer in TRACE.hidden[:2])
    assert one.expected_forward_ratio == b / a


# ------------------------------------------------------------------------------------------------ findings


def test_dead_and_saturated_units_from_half_a_layer_on(with_layers):
    at = with_layers(TRACE, {1: {"dead": 0.5, "saturated": 0.5}})
    assert of_activations(at) == of_activations(TRACE) == []
    more = with_layers(TRACE, {0: {"dead": 0.6}, 2: {"dead": 0.8}, 1: {"saturated": 0.7}, 3: {"saturated": 0.55}})
    found = of_activations(more)
    assert said(found) == [
        ("dead", "activations", ("hidden 1", "hidden 3"), 0.8),
        ("saturated", "activations", ("hidden 2", "hidden 4"), 0.7),
    ]
    assert [one.text for one in found] == [
        "units that are 0 for every input: hidden 1 60 %, hidden 3 80 %",
        "activations at the flat ends of their function: hidden 2 70 %, hidden 4 55 %",
    ]


@pytest.mark.parametrize(
    ("cost", "uninformed", "figure"),
    [(2.0, 1.0, None), (2.5, 1.0, 2.5), (None, 1.0, None), (9.0, None, None), (math.inf, 1.0, None)],
)
def test_a_first_cost_twice_that_of_a_network_that_favours_no_class(cost, uninformed, figure):
    found = [one for one in findings(dataclasses.replace(TRACE, cost=cost, uninformed_cost=uninformed)) if one.side == "cost"]
    assert said(found) == ([] if figure is None else [("exploding", "cost", ("output",), figure)])
    assert [one.text for one in found] == ([] if figure is None else ["cost 2.5: a network that favours no class has 1"])


def test_gradients_of_a_trace_without_a_cost_and_of_a_cost_that_is_none(with_layers):
    assert of_gradients(FORWARD) == []
    assert of_gradients(dataclasses.replace(TRACE, cost=None)) == of_gradients(TRACE) == []
    for cost in (math.inf, math.nan):
        (one,) = of_gradients(dataclasses.replace(TRACE, cost=cost))
        assert (one.word, one.layers, one.text) == ("diverged", (), "cost: gradients that are not finite")
    (one,) = of_gradients(with_layers(TRACE, {4: {"db": fi.summarize(np.array([math.nan]))}}, cost=None))
    assert (one.word, one.layers, one.text) == ("diverged", ("output",), "output: gradients that are not finite")


@pytest.mark.parametrize(
    ("twins", "words"),
    [(10, " and the same gradients, bit for bit, and will stay alike"), (9, ", bit for bit, and compute the same")],
)
def test_copies_that_stay_alike_and_those_that_part(with_layers, twins, words):
    (one,) = findings(with_layers(TRACE, {2: {"copies": 10, "twins": twins}, 0: {"copies": 8, "twins": 8}}))
    assert said([one]) == [("symmetric", "weights", ("hidden 1", "hidden 3"), 1.0)]
    assert one.text == f"hidden 1, hidden 3: units have the same weights{words}"


LAYERS = [SimpleNamespace(name=f"hidden {i}") for i in range(1, 31)]


def trend(*rms: float, tolerance: float = 1.0, layers: int | None = None) -> list[tuple[Any, ...]]:
    return [
        (one.word, one.layers, one.figure) for one in rules._trend(LAYERS[: layers or len(rms)], rms, "activations", tolerance)
    ]


def test_a_scale_that_falls_or_rises_from_end_to_end():
    ends = ("hidden 1", "hidden 30")
    for total, word in ((0.09, "vanishing"), (0.11, None), (9.0, None), (11.0, "exploding")):
        rms = np.geomspace(1, total, 30)
        assert trend(*rms) == ([] if word is None else [(word, ends, pytest.approx(total))])
    for ratio, word in ((0.74, "vanishing"), (0.76, None), (1.32, None), (1.34, "exploding")):
        assert [one[0] for one in trend(1, ratio, ratio**2)] == ([] if word is None else [word])
    assert trend(1, 0.5, 0) == [("vanishing", ("hidden 1", "hidden 3"), 0)]
    assert trend(0, 0.5, 1) == [("exploding", ("hidden 1", "hidden 3"), math.inf)]
    assert trend(1.0) == trend() == trend(0, 0, 0) == trend(0, 1, 0) == []


def test_a_tolerance_is_a_power_of_the_limits():
    """As of gradients through layers that scatter more: tolerance 2 squares 10, .75 and 1.33."""
    for total, word in ((1 / 90, None), (1 / 110, "vanishing"), (90, None), (110, "exploding")):
        rms = np.geomspace(1, total, 30)
        assert [one[0] for one in trend(*rms, tolerance=2)] == ([] if word is None else [word])
        assert len(trend(*rms)) == 1
    for ratio, word in ((0.55, "vanishing"), (0.57, None), (1.76, None), (1.78, "exploding")):
        assert [one[0] for one in trend(1, ratio, tolerance=2)] == ([] if word is None else [word])


def test_the_worst_step_between_neighbours():
    assert trend(1, 1e-5, 1e-3, 1) == [("vanishing", ("hidden 1", "hidden 2"), pytest.approx(1e-5))]
    assert trend(1, 1e-3, 1e-1, 1e4, 1) == [("exploding", ("hidden 3", "hidden 4"), pytest.approx(1e5))]
    assert trend(1, 1000, 1) == []
    assert trend(1, 1001, 1) == [("exploding", ("hidden 1", "hidden 2"), 1001)]
    assert trend(1, 1e-9, 0.9) == [("vanishing", ("hidden 1", "hidden 2"), pytest.approx(1e-9))], "ends that nearly agree"
    assert trend(1, 0, 1) == [], "no ratio is known beside a scale of 0"
    assert trend(1, 1e-9, 1, layers=2) == trend(1, 1e-9, 0.9, layers=2) == [], "the names of the layers are not known"


def test_the_text_of_a_step():
    (one,) = rules._trend(LAYERS[:3], (1.0, 2000.0, 1.0), "gradients")
    assert (one.side, one.text) == ("gradients", "gradients explode: x 2e+03 from hidden 1 to hidden 2")


def scaled(*n_var_w: float) -> fi.Trace:
    return SimpleNamespace(hidden=[SimpleNamespace(name=f"hidden {i}", n_var_w=v) for i, v in enumerate(n_var_w, 1)])


@pytest.mark.parametrize(
    ("scales", "odd", "rest"),
    [
        ((1, 1, 10, 1), "", 10**0.25),
        ((1, 1, 11, 1), "hidden 3", 1),
        ((1, 0.1, 1, 1), "", 10**-0.25),
        ((1, 0.09, 1, 1), "hidden 2", 1),
        ((4, 100, 4, 4, 4, 0), "hidden 2, hidden 6", 4),
        ((1, 100, 1, 100), "", 10),
        ((20, 1, 20, 1, 20), "hidden 2, hidden 4", 20),
        ((1, 100), "", 10),
        ((1, 100, 1), "hidden 2", 1),
        ((2, 2, math.nan), "", math.nan),
    ],
)
def test_layers_whose_weights_are_of_another_scale(scales, odd, rest):
    t = scaled(*scales)
    assert names(odd_layers(t)) == odd
    assert typical(t) == pytest.approx(rest, nan_ok=True)


def test_no_hidden_layer_has_no_typical_scale():
    assert math.isnan(typical(scaled()))


def test_the_order_of_findings(with_layers):
    """What is not finite, no gradient, copies, dead, saturated, vanishing or exploding; a large first cost comes last."""
    found = findings(with_layers(TRACE, {1: {"dead": 0.6, "saturated": 0.6, "copies": 10, "twins": 10}}, cost=30.0))
    assert [(one.word, one.side) for one in found] == [
        ("symmetric", "weights"),
        ("dead", "activations"),
        ("saturated", "activations"),
        ("exploding", "cost"),
    ]
    assert word_of(found) == "symmetric"
    assert word_of([]) == "healthy"


def test_the_cause_of_no_gradient_comes_first(with_layers):
    zero = {i: {"dw": fi.summarize(np.zeros(4))} for i in range(4)}
    below = fi.summarize(np.array([-2.0, -1.0]))
    full = {"saturated": 1.0, "z": fi.summarize(np.array([30.0, 40.0]))}
    for fields, first in (
        ({"dead": 1.0, "z": below}, "dead"),
        ({"dead": 1.0, "z": fi.summarize(np.array([-2.0, 0.0]))}, "no gradient"),
        ({"dead": 0.9, "z": below}, "no gradient"),
        (full, "saturated"),
        (full | {"saturated": 0.9}, "no gradient"),
        (full | {"z": fi.summarize(np.zeros(2))}, "no gradient"),
    ):
        found = findings(with_layers(TRACE, {**zero, 2: zero[2] | fields}))
        assert found[0].word == first
        assert "no gradient" in [one.word for one in found]


def test_weights_of_zeros_in_the_last_layer_alone_are_a_closed_door(with_layers):
    """The output's own gradient opens it, if the units before differ and are not 0."""
    nothing = fi.summarize(np.zeros(4))
    zero = {i: {"dw": nothing} for i in range(4)}
    for output, last, words in (
        ({"w": nothing}, {}, []),
        ({}, {}, ["no gradient"]),
        ({"w": nothing, "dw": nothing}, {}, ["no gradient"]),
        ({"w": nothing}, {"w": nothing}, ["no gradient"]),
        ({"w": nothing}, {"copies": 10, "twins": 10}, ["no gradient"]),
    ):
        t = with_layers(TRACE, {**zero, 3: zero[3] | last, 4: output})
        assert [one.word for one in of_gradients(t)] == words
