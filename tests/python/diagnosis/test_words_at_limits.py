"""What is said at the limits: theory beside a trend, dead units, notes about the batch, and advice that was not tried."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis.advice import untried
from fanin.diagnosis.signals.findings import Finding
from fanin.diagnosis.signals.notes import assumptions
from fanin.diagnosis.signals.reasons import reasons

X = fi.init.normal((60, 6), seed=2, stream="x", dtype="float64")
X = (X - X.mean()) / X.std()
Y = np.arange(60) % 3
NET = fi.Network((6, 10, 10, 10, 10, 3), "tanh", "xavier_normal", seed=4, dtype="float64")
TRACE = fi.trace(NET, X, Y)
FORWARD = fi.trace(NET, X)


# ------------------------------------------------------------------------------------------------ reasons


def summary(rms: float) -> SimpleNamespace:
    return SimpleNamespace(rms=rms, nans=0, infs=0)


def theorized(first: float, last: float, expected: tuple[float, float], **fields: Any) -> list[str]:
    """What is said of two hidden layers between which the activations vanish, from the rms of these and of theory's."""
    plain = {"n_var_w": 1.5, "activation": "relu", "dead": 0, "expected_dead": None, "saturated": 0}
    plain |= dict.fromkeys(("w", "b", "z", "dz", "da", "dw", "db"))
    hidden = [
        SimpleNamespace(**{**plain, **fields}, name=name, a=summary(rms), expected=SimpleNamespace(a_rms=theory, a_error=0.2))
        for name, rms, theory in zip(("hidden 1", "hidden 2"), (first, last), expected, strict=True)
    ]
    t = SimpleNamespace(hidden=hidden, layers=hidden, forward_scales=[], backward_scales=[], cost=None)
    return reasons(t, [Finding("vanishing", "activations", (), 0.1, "activations vanish")])


SCATTER = "layers so few and narrow scatter, by a factor of 1.3: another draw may be healthy"  # exp(sqrt(2) * 0.2)
TANH = "tanh under n_in * Var(w) = 1 decays as 1 / sqrt(2 l) by itself: so deep, it needs a gain above 1"


@pytest.mark.parametrize(
    ("first", "last", "expected", "fields", "words"),
    [
        (1.0, 0.5, (2.0, 2.0), {}, ["theory expects x 1 a layer from n_in * Var(w) = 1.5000", SCATTER]),
        (0.1, 0.05, (2.0, 1.6), {}, ["theory expects x 0.8 a layer from n_in * Var(w) = 1.5000", SCATTER]),
        (1.0, 0.4, (1.0, 1.0), {}, ["theory expects x 1 a layer from n_in * Var(w) = 1.5000"]),  # log .4 is 3.2 times .283
        (1.0, 0.9, (1.0, 0.7), {}, ["theory expects x 0.7 a layer from n_in * Var(w) = 1.5000"]),  # it explains the trend
        (1.0, 1.2, (1.0, 1.4), {}, ["theory expects x 1.4 a layer from n_in * Var(w) = 1.5000"]),
        (0.0, 0.9, (1.0, 1.0), {}, ["theory expects x 1 a layer from n_in * Var(w) = 1.5000"]),
        (1.0, 0.0, (1.0, 1.0), {}, ["theory expects x 1 a layer from n_in * Var(w) = 1.5000"]),
        (1.0, 0.5, (0.0, 1.0), {}, []),
        (1.0, 0.5, (1.0, 0.0), {}, []),
        (
            1.0,
            0.4,
            (1.0, 0.7),
            {"activation": "tanh", "n_var_w": 1.0},
            ["theory expects x 0.7 a layer from n_in * Var(w) = 1.0000", TANH],
        ),
        (
            1.0,
            0.4,
            (1.0, 0.7),
            {"activation": "tanh", "n_var_w": 1.25},
            ["theory expects x 0.7 a layer from n_in * Var(w) = 1.2500"],
        ),
        (
            1.0,
            0.4,
            (1.0, 0.7),
            {"activation": "tanh", "n_var_w": 0.8},
            ["theory expects x 0.7 a layer from n_in * Var(w) = 0.8000"],
        ),
    ],
)
def test_what_theory_says_of_a_trend(first, last, expected, fields, words):
    assert theorized(first, last, expected, **fields) == ["activations vanish", *words]


@pytest.mark.parametrize(
    ("dead", "bias", "own"), [(0.019, 0.0, None), (0.02, 0.0, "2 %"), (0.3, 0.0, "30 %"), (0.3, 0.1, None)]
)
def test_dead_units_that_depth_brings(with_layers, dead, bias, own):
    """They are named from 2 % on, of the worst layer, and not where biases kill units, too."""
    net = fi.Network((6, 10, 10, 10, 10, 3), "relu", "he_normal", seed=4, dtype="float64")
    net.biases[0][...] = bias
    t = fi.trace(net, X)
    t = with_layers(t, {i: {"dead": dead if i == 2 else 0.0} for i in range(4)})
    usual = f"{100 * fi.theory.dead_fraction(t.hidden[2].expected.z_cosine, 60):.0f} %"
    words = f"hidden 3: {own} of the units are dead; ReLU has {usual} at this depth by itself, on a batch of 60"
    assert [one for one in reasons(t, []) if "dead" in one] == ([] if own is None else [words])


# ------------------------------------------------------------------------------------------------ notes


def notes(**fields: Any) -> list[str]:
    return assumptions(dataclasses.replace(FORWARD, **fields))


def batch(mean: float, std: float, rms: float) -> SimpleNamespace:
    return SimpleNamespace(mean=mean, std=std, rms=rms, nans=0, infs=0, finite=9, count=9)


def test_notes_begin_beyond_the_limits():
    assert notes() == []
    centre, size = "inputs are not centred", "inputs are not of unit size"
    for x, heads in (
        (batch(0.1, 1.0, 1.0), []),
        (batch(-0.11, 1.0, 1.0), [centre]),
        (batch(0.11, 1.0, 1.0), [centre]),
        (batch(0.0, 1.0, 1.42), [size]),
        (batch(0.0, 1.0, 1.41), []),
        (batch(0.0, 1.0, 0.71), []),
        (batch(0.0, 1.0, 0.7), [size]),
    ):
        assert [note.partition(":")[0] for note in notes(x=x)] == heads
    assert notes(neighbours=0.5) == notes(neighbours=None) == []
    for sign, shown in ((1, "0.51"), (-1, "-0.51")):
        assert notes(neighbours=sign * 0.51) == [
            f"inputs are not independent: neighbours correlate by {shown} (median); expectations are rough there"
        ]


def test_targets_of_another_size_are_noted_of_real_ones_alone():
    """Ten times the cost of targets of variance 1."""
    rms = float(TRACE.output.a.rms)
    limit = 10 * (1 + rms**2)
    assert notes(loss_name="mean_squared_error", cost=limit) == []
    assert notes(loss_name="mean_squared_error", cost=None) == []
    assert notes(loss_name="cross_entropy", cost=2 * limit) == []
    assert notes(loss_name="mean_squared_error", cost=limit + 1) == [
        f"targets are not of unit size: E[(y - output)^2] = {limit + 1:.3g}; standardize them: (y - mean) / std"
    ]


# ------------------------------------------------------------------------------------------------ advice that was not tried


def test_advice_for_values_that_are_not_finite(with_layers):
    """It is the inputs, then the weights, then what they make of the batch."""
    bad = fi.summarize(np.array([1.0, math.nan]))
    inputs = "inputs without NaN and infinity: leave those rows out, or put a number there"
    assert untried("diverged", dataclasses.replace(TRACE, x=bad)) == inputs
    assert untried("diverged", with_layers(TRACE, {1: {"w": bad}}, x=bad)) == inputs
    weights = "a smaller learning rate: the weights themselves are not finite"
    for part in ("w", "b"):
        assert untried("diverged", with_layers(TRACE, {2: {part: bad}})) == weights
    law = "xavier_normal, n_in * Var(w) = 1"
    assert untried("diverged", with_layers(TRACE, {2: {"z": bad}})) == (
        f"smaller weights: {law}; the weights are finite, what they make of the batch is not"
    )
    assert untried("healthy", TRACE) == untried("plateau", TRACE) == ""
    for verdict in ("no gradient", "symmetric"):
        assert untried(verdict, TRACE) == f"independent random weights, so that units differ: {law}"
    assert untried("saturated", TRACE) == f"smaller weights: {law}; inputs of mean 0 and variance 1"


@pytest.mark.parametrize(
    ("verdict", "scales", "words"),
    [
        ("vanishing", (1.0,) * 4, "xavier_normal, n_in * Var(w) = 1; fewer layers"),
        ("vanishing", (0.65,) * 4, "xavier_normal, n_in * Var(w) = 1; fewer layers"),  # a factor of 1.24
        ("vanishing", (0.25,) * 4, "larger weights, x 2: xavier_normal, n_in * Var(w) = 1 (n_in * Var(w) is 0.2500 here)"),
        ("exploding", (0.25,) * 4, "xavier_normal, n_in * Var(w) = 1; fewer layers"),
        ("exploding", (1.5,) * 4, "xavier_normal, n_in * Var(w) = 1; fewer layers"),  # a factor of 0.82
        ("exploding", (4.0,) * 4, "smaller weights, x 0.5: xavier_normal, n_in * Var(w) = 1 (n_in * Var(w) is 4.0000 here)"),
        ("vanishing", (4.0,) * 4, "xavier_normal, n_in * Var(w) = 1; fewer layers"),
        (
            "vanishing",
            (1, 0.01, 1, 1),
            "larger weights in hidden 2, x 10: xavier_normal, n_in * Var(w) = 1 (n_in * Var(w) is 0.0100 here)",
        ),
        (
            "exploding",
            (1, 100, 1, 1),
            "smaller weights in hidden 2, x 0.1: xavier_normal, n_in * Var(w) = 1 (n_in * Var(w) is 100 here)",
        ),
        ("exploding", (1, 0.01, 1, 1), "xavier_normal, n_in * Var(w) = 1; fewer layers"),
    ],
)
def test_advice_for_a_scale(with_layers, verdict, scales, words):
    """Weights are scaled by the factor that is missing, unless it is near 1 or goes the wrong way."""
    t = with_layers(TRACE, {i: {"n_var_w": float(v)} for i, v in enumerate(scales)})
    assert untried(verdict, t).startswith(words)


@pytest.mark.parametrize(
    ("activation", "layers", "law"),
    [
        ("tanh", 20, "xavier_normal, n_in * Var(w) = 1"),
        ("tanh", 21, "xavier_normal(gain=tanh), n_in * Var(w) = 2.54"),
        ("identity", 21, "xavier_normal, n_in * Var(w) = 1"),
        ("relu", 2, "he_normal, n_in * Var(w) = 2 for ReLU"),
        ("selu", 2, "lecun_normal, n_in * Var(w) = 1 for SELU"),
        ("gelu", 2, f"xavier_normal(gain=gelu), n_in * Var(w) = {fi.activation.gain('gelu') ** 2:.3g}"),
    ],
)
def test_the_law_that_suits_an_activation(activation, layers, law):
    hidden = [SimpleNamespace(activation=activation)] * layers
    assert untried("symmetric", SimpleNamespace(hidden=hidden)).endswith(f"differ: {law}")
    mixed = [SimpleNamespace(activation="relu"), *hidden, *hidden]
    if layers == 2:
        assert untried("symmetric", SimpleNamespace(hidden=mixed)).endswith(f"differ: {law}"), "of most hidden layers"
