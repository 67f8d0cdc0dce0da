"""The parts of a diagnosis by themselves: courses, figures of a trace, learning rates, refusals, what is printed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import course, forecast
from fanin.diagnosis.learning_rate import LearningRates

X = fi.init.normal((200, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def net(*sizes: int, activation="tanh", law="xavier_normal", loss="cross_entropy", **options) -> fi.Network:
    return fi.Network(sizes or (6, 20, 20, 3), activation, law, seed=4, dtype="float64", loss=loss, **options)


# ------------------------------------------------------------------------------------------------ courses


@pytest.mark.parametrize(
    ("costs", "constant", "expected"),
    [
        ([2.0, 1.0, math.nan], None, ("diverged", "cost not finite at step 3, after 2 at the first")),
        ([3.0, 2.0], 1.0, None),
        (
            [0.7, 3e11, *[0.7] * 20],
            None,
            ("diverged", "cost 0.7 at the first step, 3e+11 at step 2, 0.7 over the last"),
        ),
        (
            [1.0, 1.0, *np.geomspace(1, 60, 28)],
            None,
            ("diverged", "cost 1 at the first step, 60 at step 30, 51.95 over the last"),
        ),
        (
            [*np.geomspace(2.3, 0.1, 50), *[1.9] * 50],
            2.303,
            ("diverged", "cost 2.3 at the first step, 0.1356 at its best, 1.9 over the last"),
        ),
        ([1.0] * 30, 2.1, None),  # below half of the constant prediction's cost
        (
            [2.8, 2.5, *[2.3] * 40],
            2.303,
            ("plateau", "cost 2.8 at the first step, 2.3 over the last: the best constant prediction has 2.303"),
        ),
        ([1.5] * 40, None, ("plateau", "cost 1.5 over the first steps, 1.5 over the last of 40")),
        ([1.5, *[1.0] * 39], None, None),  # it fell at once
        (list(np.linspace(1.5, 1.2, 40)), None, None),
        (list(np.linspace(1.5, 1.4999, 40)), None, ("plateau", "cost 1.5 over the first steps, 1.4999 over the last of 40")),
    ],
)
def test_what_costs_say(costs, constant, expected):
    assert course.judge(np.array(costs), constant) == expected


def test_spikes():
    assert not course.spiked(np.array([]))
    assert not course.spiked(np.array([2.0, 19.0, 1.0]))
    assert course.spiked(np.array([2.0, 21.0, 1.0]))
    assert not course.spiked(np.array([0.1, 0.9]))
    assert course.spiked(np.array([0.1, 1.1]))


def test_courses_that_came_down():
    assert course.came_down(np.array([5.0, 2.4, 2.5]), 2.4)
    assert not course.came_down(np.array([5.0, 2.6, 2.5]), 2.4)
    assert not course.came_down(np.array([5.0, 2.4]), 2.5), "the first cost was not twice the constant prediction's"
    assert not course.came_down(np.array([5.0, 2.4]), None)
    assert not course.came_down(np.array([]), 2.4)


# ------------------------------------------------------------------------------------------------ figures of a trace


def test_figures_of_a_trace():
    """By NumPy, from the same network's own values."""
    n = net(bias_init="normal(std=0.1)")
    x = X + 0.5
    t = fi.trace(n, x, Y)
    found = forecast.features(t)
    layers = list(zip(n.weights, n.biases, strict=True))
    a, z = x, None
    outputs = []
    for i, (w, b) in enumerate(layers):
        z = a @ w.T + b
        a = np.tanh(z) if i < 2 else z
        outputs.append(a)
    gradients = n.gradients(x, Y)
    log = math.log10

    def rms(v):
        return float(np.sqrt(np.mean(np.square(v))))

    n_var = [w.shape[1] * float(np.mean(w**2)) for w in n.weights]
    expected = {
        "depth": 2,
        "forward falls": max(log(outputs[0].std()) - log(outputs[1].std()), 0),
        "forward grows": max(log(outputs[1].std()) - log(outputs[0].std()), 0),
        "a, last": log(outputs[1].std()),
        "a, least": log(min(outputs[0].std(), outputs[1].std())),
        "z of the output": log(z.std()),
        "gain": 2 * log(fi.activation.gain("tanh")),
        "dw, first": log(rms(gradients[0][0])),
        "dw, last": log(rms(gradients[2][0])),
        "step, first": log(rms(gradients[0][0]) / rms(n.weights[0])),
        "step, last": log(rms(gradients[2][0]) / rms(n.weights[2])),
        "dead": 0,
        "copies": 0,
        "mean of a": max(abs(one.mean() / rms(one)) for one in outputs[:2]),
        "units": 20,
        "x": log(rms(x)),
        "mean of x": abs(x.mean()) / x.std(),
        "biases": max(rms(b) for b in n.biases),
        "regression": 0,
        "cost": log(t.cost / math.log(3)),
        "gradient": log(math.sqrt(sum(float(np.sum(dw**2)) for dw, _ in gradients))),
        "dw, most": max(log(rms(dw)) for dw, _ in gradients),
        "dw, least": min(log(rms(dw)) for dw, _ in gradients),
        "step, most": max(log(rms(dw) / rms(w)) for (dw, _), w in zip(gradients, n.weights, strict=True)),
        "step, least": min(log(rms(dw) / rms(w)) for (dw, _), w in zip(gradients, n.weights, strict=True)),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    assert found["n var(w), least"] == pytest.approx(log(min(n_var[:2])), abs=0.02)  # centred
    beside = [log(v) - expected["gain"] for v in n_var[:2]]
    for name, value in (("first", beside[0]), ("last", beside[1]), ("least", min(beside)), ("most", max(beside))):
        assert found[f"beside the rule, {name}"] == pytest.approx(value, abs=0.02), name
    assert found["beside the rule, mean"] == pytest.approx(sum(beside) / 2, abs=0.02)
    assert found["n var(w) of the output"] == pytest.approx(log(n_var[2]), abs=0.05)
    steps = [log(rms(dw)) for dw, _ in gradients]
    assert found["dw falls"] == pytest.approx(max(steps[0] - steps[1], steps[1] - steps[2]), rel=1e-6)
    assert found["dw grows"] == pytest.approx(max(steps[1] - steps[0], steps[2] - steps[1]), rel=1e-6)
    sources = [x, *outputs[:2]]
    agree = [
        step - log(t.layers[i].dz.rms) - log(rms(source)) for i, (step, source) in enumerate(zip(steps, sources, strict=True))
    ]
    assert [found["agreement, first"], found["agreement, last"]] == pytest.approx([agree[0], agree[-1]], rel=1e-6)
    assert found["agreement, least"] == pytest.approx(min(agree), rel=1e-6)


def test_what_a_trace_has_names_its_table():
    whole, forward = fi.trace(net(), X, Y), fi.trace(net(), X)
    figures = set(forecast.features(forward))
    assert figures < set(forecast.features(whole))
    assert set(forecast._tables()) == {"both", "forward", "moments"}
    for t, kind in ((whole, "both"), (forward, "forward")):
        assert forecast._kind(t) == kind
        assert 0 < forecast.chance(t) < 1
        assert set(forecast._tables()[kind]["features"]) <= set(forecast.features(t))
    moments = fi.Network((6, 20, 20, 3), seed=4)
    moments.fit(X[:64], Y[:64], batch_size=64, optimizer=fi.SGD(lr=0.1), trace_every=1)
    (_, last), *_ = moments.history.traces[::-1]
    assert forecast._kind(last) in ("both", "moments")
    for nothing in (fi.trace(net(6, 3), X, Y), fi.trace(net(activation="identity"), X, Y)):
        assert forecast._kind(nothing) is None
        assert math.isnan(forecast.chance(nothing))
        assert forecast.expected_outlook(nothing) is None
    broken = net()
    broken.weights[0][0, 0] = np.nan
    assert forecast.expected_outlook(fi.trace(broken, X, Y)) == "diverges"
    assert forecast.expected_outlook(dataclasses.replace(whole, cost=0.1)) == "trains"


def test_trees():
    tree = [0, 1.5, [1, 0.0, 10.0, 20.0], 30.0]  # [feature, limit, where at most, where above]
    assert [forecast._leaf(tree, v) for v in ((1.5, 0.0), (1.5, 0.1), (1.6, 0.0))] == [10, 20, 30]
    assert forecast._leaf(7, ()) == 7
    assert forecast._fall([1.0, 3.0, 2.5, 0.5, 2.0]) == 2.5
    assert forecast._fall([1.0, 2.0]) == 0
    assert [forecast._log(v) for v in (0, 1e-40, 100, 1e40, math.inf, math.nan)] == [-30, -30, 2, 30, 30, 0]
    assert [forecast._finite(v, 7.0) for v in (None, math.nan, math.inf, 2)] == [7, 7, 7, 2]


# ------------------------------------------------------------------------------------------------ learning rates


RATES = LearningRates((0.01, 0.1, 1.0, 10.0), (0.9, 0.2, 0.5, math.inf), (0.5, 0.95, 0.8, -math.inf), 50, 1.1, fi.SGD(lr=0.3))


def test_learning_rates():
    assert (RATES.best, RATES.range) == (0.1, (0.1, 1.0))
    assert RATES.title() == "50 steps of SGD a rate: those from 0.1 to 1 train"
    assert RATES.constant() == "constant prediction: cost 1.1"
    assert RATES.table() == (
        ["lr", "cost", "score", ""],
        [["0.01", "0.9", "0.500", ""], ["0.1", "0.2", "0.950", "best"], ["1", "0.5", "0.800", ""], ["10", "diverges", "", ""]],
    )
    assert str(RATES) == (
        "      lr       cost    score\n    0.01        0.9    0.500\n     0.1        0.2    0.950  best\n"
        "       1        0.5    0.800\n      10   diverges\nconstant prediction: cost 1.1; 50 steps a rate"
    )
    rows = [
        {"lr": lr, "cost": cost, "score": score} for lr, cost, score in zip(RATES.rates, RATES.costs, RATES.scores, strict=True)
    ]
    assert RATES.to_dict() == {
        "steps": 50,
        "optimizer": repr(fi.SGD(lr=0.3)),
        "best": 0.1,
        "range": [0.1, 1.0],
        "constant_cost": 1.1,
        "rates": rows,
    }
    assert repr(RATES.optimizer) == repr(fi.SGD(lr=0.1))


def test_learning_rates_of_which_none_trains(said):
    none = dataclasses.replace(RATES, constant_cost=0.1)
    assert (none.best, none.range) == (None, None)
    assert none.title() == "50 steps of SGD a rate: none beats a constant prediction"
    assert (none.to_dict()["best"], none.to_dict()["range"]) == (None, None)
    assert said(lambda: none.optimizer) == (
        "ValueError: optimizer needs a rate that trains, and none of those tried is better than a constant prediction"
    )


# ------------------------------------------------------------------------------------------------ refusals


def test_refusals_in_full(said):
    n, t = net(), fi.trace(net(), X, Y)
    course_ = fi.History(costs=np.array([1.0]))
    for call, message in [
        (lambda: fi.diagnose(n), "TypeError: x is needed to diagnose a network: fi.diagnose(net, x, y)"),
        (lambda: fi.diagnose(n, X, trial=True), "TypeError: y is needed for a trial: fi.diagnose(net, x, y, trial=True)"),
        (lambda: fi.diagnose(n, X, Y, trial=0), "ValueError: trial must be an integer of at least 1, or True or False, got 0"),
        (lambda: fi.diagnose(t, X), "TypeError: a trace has its data already: fi.diagnose(trace)"),
        (lambda: fi.diagnose(course_, y=Y), "TypeError: a history has its data already: fi.diagnose(history)"),
        (lambda: fi.diagnose(t, trial=True), "TypeError: a trace has its data already: fi.diagnose(trace)"),
        (lambda: fi.diagnose("net"), "TypeError: what must be a Trace, a Network or a History, got str"),
        (lambda: fi.diagnose(fi.History()), "ValueError: what must be a History of at least one step, got one of none"),
    ]:
        assert said(call) == message
    assert fi.diagnose(n, X, trial=False).trial is None


def test_advice_of_histories():
    n = net()
    n.fit(X, Y, epochs=1, batch_size=20, optimizer=fi.SGD(lr=0.1), trace_every=5)
    flat = dataclasses.replace(n.history, costs=np.full(40, 1.5), constant_cost=None)
    assert fi.diagnose(flat).advice == (
        "the network was healthy at the first trace: the learning rate is at fault, not the initialization; "
        "a larger learning rate"
    )
    small = net(law="normal(std=0.001)")
    small.fit(X, Y, epochs=1, batch_size=20, optimizer=fi.SGD(lr=0.1), trace_every=5)
    begun = fi.diagnose(small.history.traces[0][1])
    flat = dataclasses.replace(small.history, costs=np.full(40, 1.5), constant_cost=None)
    assert fi.diagnose(flat).advice == f"the network was vanishing at the first trace: {begun.advice}"
    alone = fi.diagnose(fi.History(costs=np.full(40, 1.5)))
    assert alone.advice == (
        "a larger learning rate. First ask fi.diagnose(net, x, y) about the network as it was before training. "
        "If it was not healthy, follow that advice instead"
    )
    assert str(alone).startswith("plateau (activations: not measured; gradients: not measured)")
    wild = fi.diagnose(fi.History(costs=np.array([1.0, math.inf])))
    assert wild.advice.startswith("a smaller learning rate. First ")
    assert fi.diagnose(fi.History(costs=np.linspace(2, 1, 40))).course == ("the cost falls",)
    assert fi.diagnose(fi.History(costs=np.array([2.0, 1.0]))).course == ()


def test_a_diagnosis_in_full():
    """Of a healthy network that was tried: the lines about the trial, and no advice."""
    n = net()
    d = fi.diagnose(n, X, Y, trial=30)
    assert (d.verdict, d.outlook, d.advice, d.fix) == ("healthy", "trains", "", None)
    lines = str(d).splitlines()
    assert lines[0] == f"healthy: {d.trial.words()} (activations: {d.forward}; gradients: {d.backward})"
    assert lines[1] == f"  tried: this network: cost {d.trial.own.cost:.3g} after 90 steps at {d.trial.own.rate:g}"
    law = "xavier_normal(gain=tanh)"
    assert lines[2] == f"  tried: {law}: cost {d.trial.reference.cost:.3g} after 90 steps at {d.trial.reference.rate:g}"
    assert lines[3] == f"  tried: the best constant prediction: cost {d.trial.constant_cost:.3g}"
    assert not any(line.startswith("  try:") for line in lines)
    assert np.array_equal(d.apply(n).weights[0], n.weights[0])
    named = fi.diagnose(n, X, Y, optimizer=fi.Adam(lr=0.01), trial=30)
    assert str(named).splitlines()[1] == f"  tried: this network: cost {named.trial.own.cost:.3g} after 30 steps"
    assert fi.diagnose(n, X, Y, trial=False).headline == "healthy: expected to train"
