"""The parts of a diagnosis by themselves: courses, figures of a trace, trials and attempts as plain data, learning rates."""

from __future__ import annotations

import dataclasses
import math
import types

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import advice, attempt, course, forecast, remedy, trial
from fanin.diagnosis.attempt import Attempt, Rows
from fanin.diagnosis.learning_rate import LearningRates
from fanin.diagnosis.trial import Trial

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


# ------------------------------------------------------------------------------------------------ attempts and trials


def reached(score: float, cost: float = 1.0, *, rate: float = 0.1, costs=(1.0,) * 20, works=(0.03, 0.1)) -> Attempt:
    return Attempt(rate, score, cost, tuple(costs), works)


ROWS = types.SimpleNamespace(constant_cost=1.0, constant_score=0.4, gain=lambda score: (score - 0.4) / 0.6)


def outlook(own, best, *, regression=False):
    return trial._outlook(own, best, ROWS, regression=regression)


def test_outlooks_of_scores():
    best = reached(0.95)
    assert outlook(reached(0.9), best) == "trains"
    assert outlook(reached(0.7), best) == "slow"
    assert outlook(reached(0.5), best) == "stuck"
    assert outlook(None, best) == "diverges"
    assert outlook(reached(0.45), reached(0.45)) is None
    assert outlook(None, reached(0.45)) == "diverges"
    assert outlook(reached(0.95), None) == "trains"


def test_outlooks_of_costs():
    best = reached(0.8, 0.1)
    assert outlook(reached(0.8, 0.15), best, regression=True) == "trains"
    assert outlook(reached(0.5, 0.4), best, regression=True) == "slow"
    assert outlook(reached(0.1, 0.8), best, regression=True) == "stuck"
    assert outlook(None, best, regression=True) == "diverges"
    assert outlook(reached(0.0, 0.9), reached(0.0, 0.8), regression=True) is None
    assert outlook(None, reached(0.0, 0.8), regression=True) == "diverges"


def test_middle_and_near():
    three = [reached(0.3), reached(0.9), reached(0.6)]
    assert trial._middle(three) == three[2]
    assert trial._middle([None, three[1], three[0]]) == three[0]
    assert trial._middle([None, three[0], None]) is None
    assert trial._middle([reached(0.5, 2.0), reached(0.5, 1.0), reached(0.5, 3.0)]).cost == 2
    every = (1.0, *attempt.RATES)
    assert trial.near(None, ROWS) == every
    assert trial.near(reached(0.8, rate=7.0), ROWS) == every
    assert trial.near(reached(0.6, rate=0.3), ROWS) == every, "a third of what can be learned says little of the rate"
    assert trial.near(reached(0.8, rate=0.3), ROWS) == (1.0, 0.3, 0.1)
    assert trial.near(reached(0.8, rate=0.03), ROWS) == (0.1, 0.03, 0.01)
    assert trial.near(reached(0.8, rate=0.001), ROWS) == (0.01, 0.001)


def test_when_repeats_decide():
    best, well, ill, close = reached(0.95), reached(0.93), reached(0.7), reached(0.87)

    def decided(*mine: Attempt, regression: bool = False) -> bool:
        return trial._is_decided(mine, [best] * len(mine), ROWS, regression=regression)

    assert not decided()
    assert not decided(well)
    assert decided(well, well)
    assert decided(ill, ill)
    assert not decided(close, close), "half of the limit would change them"
    assert not decided(reached(0.8), reached(0.8)), "twice the limit would"
    assert not decided(close, close, ill)
    assert decided(close, close, close)
    assert decided(close, ill, ill, close, ill)


def test_what_one_attempt_decides():
    def clear(mine: Attempt | None, other: Attempt | None, *, regression: bool = False) -> bool:
        return trial._is_clear(mine, other, ROWS, regression=regression)

    assert clear(reached(0.97), reached(0.99))
    assert not clear(reached(0.95), reached(0.99)), "a fifteenth of what can be learned is near a tenth"
    assert not clear(reached(0.8), reached(0.8))
    assert clear(reached(0.5), reached(0.9))
    assert not clear(reached(0.7), reached(0.9))
    assert clear(None, reached(0.9))
    assert not clear(None, reached(0.5))
    assert not clear(reached(0.9), None)
    assert clear(reached(0.9, 0.1), reached(0.9, 0.2), regression=True)
    assert not clear(reached(0.9, 0.2), reached(0.9, 0.15), regression=True)
    assert not clear(reached(0.4, 1.0), reached(0.9, 0.1), regression=True)


def test_how_many_times_as_slowly():
    quick, slow = np.linspace(2, 0, 100), np.linspace(2, 1, 100)
    times = trial._times(reached(0.5, costs=slow), reached(0.9, costs=quick))
    there = int(np.flatnonzero(np.convolve(quick, np.full(10, 0.1), mode="valid") <= slow[-10:].mean())[0])
    assert times == pytest.approx(100 / (there + 10))
    assert 1.8 < times < 2.2
    assert trial._times(reached(0.5, costs=quick), reached(0.5, costs=slow)) is None


def test_rates_of_optimizers():
    assert trial._plain_rate(fi.SGD(lr=0.2)) == 0.2
    for other in (fi.SGD(lr=0.2, momentum=0.5), fi.Adam(lr=0.2), fi.SGD(lr=[0.1, 0.2, 0.1])):
        assert trial._plain_rate(other) is None
        assert trial.pace_of(other) == 1
    assert trial.pace_of(None) == trial.pace_of(fi.SGD(lr=0.2)) == 3


def test_work_of_a_trial():
    n = net()
    assert trial.work(n, 1000, 10) == 3 * 32 * sum(w.size for w in n.weights) * 10 * 5 * 2
    assert trial.work(n, 5, 10) == 3 * 5 * sum(w.size for w in n.weights) * 10 * 5 * 2


@pytest.mark.parametrize(
    ("outlook", "times", "optimizer", "own", "words"),
    [
        (None, None, None, reached(0.4), "no start learns from x in so few steps"),
        ("trains", None, None, reached(0.9), "trains, at rates up to 0.1"),
        ("trains", 2.345, None, reached(0.9), "trains 2.3 times as slowly, at rates up to 0.1"),
        ("trains", 1.4, None, reached(0.9), "trains, at rates up to 0.1"),
        ("slow", 4.0, None, reached(0.7), "trains 4 times as slowly, at rates up to 0.1"),
        ("slow", None, None, reached(0.7), "slow, at rates up to 0.1"),
        ("stuck", None, None, reached(0.4), "stuck at every rate tried"),
        ("diverges", None, None, None, "diverges at every rate tried"),
        ("diverges", None, None, reached(0.4), "diverges at every rate tried"),
        ("trains", 3.0, "at 0.5", reached(0.9), "trains 3 times as slowly at 0.5"),
        ("stuck", 3.0, "with Adam(lr=0.1)", reached(0.4), "stuck with Adam(lr=0.1)"),
    ],
)
def test_words_of_a_trial(outlook, times, optimizer, own, words):
    best = reached(0.95, 0.2, costs=(1.0, 0.2))
    found = Trial(100, own, best, "he_normal", 1.1, 0.4, outlook, times, optimizer)
    assert found.words() == words
    plain = found.to_dict()
    assert plain["reference"] == {"rate": 0.1, "score": 0.95, "cost": 0.2, "costs": [1.0, 0.2], "works": [0.03, 0.1]}
    assert plain["own"] == (None if own is None else {**plain["own"], "score": own.score})
    assert {
        k: plain[k] for k in ("steps", "law", "constant_cost", "constant_score", "outlook", "times", "optimizer", "pace")
    } == {
        "steps": 100,
        "law": "he_normal",
        "constant_cost": 1.1,
        "constant_score": 0.4,
        "outlook": outlook,
        "times": times,
        "optimizer": optimizer,
        "pace": 3,
    }


def test_rows_of_a_trial():
    n = net()
    rows = Rows(n, X, Y)
    assert [len(x) for x, _ in rows.batches] == [32] * 6
    assert sorted(map(tuple, rows.x)) == sorted(map(tuple, X))  # each row once
    assert [tuple(x) for x in rows.x[:3]] == [tuple(X[i * 123 % 200]) for i in range(3)]  # the stride .618 n, coprime to n
    again = rows.again(1)
    assert [len(x) for x, _ in again.batches] == [96] * 2
    assert sorted(map(tuple, again.x)) == sorted(map(tuple, X))
    assert not np.array_equal(again.x, rows.x)
    share = np.bincount(Y) / len(Y)
    assert rows.constant_score == pytest.approx(share.max())
    assert rows.constant_cost == pytest.approx(-(share * np.log(share)).sum())
    assert rows.is_standard()
    assert rows.gain(rows.constant_score) == 0
    assert rows.gain(1.0) == 1
    for x in (X + 0.3, X * 1.7, X / 1.7):
        other = Rows(n, x, Y)
        assert not other.is_standard()
        flat = other.standardized()
        assert flat.is_standard()
        np.testing.assert_allclose(flat.x.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(flat.x.std(axis=0), 1, rtol=1e-12)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in flat.batches]), flat.x[:192])
    still = np.where(np.arange(6) == 2, 0.25, X)
    assert not Rows(n, still, Y).standardized().x[:, 2].any()
    many = Rows(n, np.repeat(X, 8, axis=0), np.repeat(Y, 8))
    assert len(many.x) == 1000


def test_attempts():
    n, rows = net(), Rows(net(), X, Y)
    best = attempt.looking_ahead(n, rows, 60)
    assert best is not None
    assert best.score > rows.constant_score + 0.3
    assert len(best.costs) == 60
    assert best.rate in best.works
    assert tuple(sorted(best.works)) == best.works
    # A step of an attempt is one of momentum .8 at .6 of the rate, on the rows' batches in turn.
    copy = n.copy()
    optimizer = fi.SGD(lr=3 * (1 - 0.8) * best.rate, momentum=0.8)
    costs = [copy.step(*rows.batches[i % 6], optimizer=optimizer) for i in range(60)]
    assert best.costs == tuple(costs)
    assert best.cost == pytest.approx(copy.loss(rows.x, rows.y), rel=1e-12)
    assert best.score == copy.score(rows.x, rows.y)
    huge = fi.SGD(lr=1e200)
    assert (
        attempt.attempt(
            net(activation="identity", loss="mean_squared_error"),
            Rows(net(loss="mean_squared_error"), X, np.tile(Y[:, None], 3).astype(float)),
            10,
            [(1.0, huge)],
        )
        is None
    )


def test_the_first_draw_that_is_as_good():
    found = Trial(100, None, reached(0.9), "he_normal", 1.0, 0.4, "stuck", None)
    draws = [reached(0.5), None, reached(0.85), reached(0.95)]
    assert remedy._best_draw(found, lambda i: draws[i]) == (1, draws[2])
    assert remedy._best_draw(found, lambda i: reached(0.9, rate=i)) == (0, reached(0.9, rate=0))
    assert remedy._best_draw(found, lambda _: None) == (0, None)
    assert remedy._best_draw(dataclasses.replace(found, reference=None), lambda i: draws[i]) == (0, draws[0])


# ------------------------------------------------------------------------------------------------ remedies


def test_remedies_by_name():
    gain = "xavier_normal(gain=tanh)"
    last = {f"another last layer, {gain}": advice.Fix(gain, last_only=True, zero_biases=False)}
    assert advice.remedies(net()) == {**last, "xavier_normal": advice.Fix("xavier_normal")}
    biased = net(activation="relu", law="he_normal", bias_init="normal(std=1.0)")
    assert advice.remedies(biased) == {
        "another last layer, he_normal": advice.Fix("he_normal", last_only=True, zero_biases=False),
        "zero biases": advice.Fix(None),
        "xavier_normal": advice.Fix("xavier_normal"),
    }
    assert list(advice.remedies(net(activation="identity"))) == ["another last layer, xavier_normal"]
    for activations, law in ((["relu", "tanh", "tanh"], gain), (["relu", "tanh"], "he_normal"), (["selu"], "lecun_normal")):
        sizes = [4, *[5] * len(activations), 2]
        assert advice.reference_law(fi.Network(sizes, activation=activations, seed=0)) == law


def test_fixes():
    n = net(bias_init="normal(std=1.0)")
    rule = fi.Network(n.sizes, "tanh", "he_normal", seed=5, dtype="float64")
    last = advice.Fix("he_normal", last_only=True, zero_biases=False, seed=5).apply(n)
    for i in range(3):
        np.testing.assert_array_equal(last.weights[i], (rule if i == 2 else n).weights[i])
        np.testing.assert_array_equal(last.biases[i], n.biases[i])
    whole = advice.Fix("he_normal", seed=5).apply(n)
    assert [np.array_equal(a, b) for a, b in zip(whole.weights, rule.weights, strict=True)] == [True] * 3
    assert not any(b.any() for b in whole.biases)
    plain = advice.Fix(None, zero_biases=False, rate=0.1).apply(n)
    assert all(np.array_equal(a, b) for a, b in zip((*plain.weights, *plain.biases), (*n.weights, *n.biases), strict=True))


def test_a_rate_is_a_remedy():
    d = fi.diagnose(net(), X, Y, optimizer=fi.SGD(lr=1e-7), trial=20)
    assert d.outlook == "stuck"
    best = attempt.looking_ahead(net(), Rows(net(), X, Y), 20)
    assert d.fix == advice.Fix(None, zero_biases=False, rate=best.rate)
    assert d.advice == f"SGD at {best.rate:g}: cost {best.cost:.3g} after 60 steps, now {d.trial.own.cost:.3g}"
    copy = net()
    copy.biases[0][...] = 1
    assert d.apply(copy).biases[0].all()


def test_the_rule_is_a_remedy():
    d = fi.diagnose(net(law="zeros"), X, Y, trial=20)
    law = "xavier_normal(gain=tanh)"
    assert (d.verdict, d.outlook, d.fix.law, d.fix.last_only) == ("no gradient", "stuck", law, False)
    assert d.advice == f"{law}: cost {d.trial.reference.cost:.3g} after 60 steps, now {d.trial.own.cost:.3g}"
    assert d.trial.times == trial._times(d.trial.own, d.trial.reference)


def test_a_trial_that_is_too_long_is_left_out():
    wide = net(6, 1000, 1000, 1000, 3)
    d = fi.diagnose(wide, X, Y)
    assert d.trial is None
    assert d.untried == f"{trial.work(wide, 200):.1e} multiply-adds; fi.diagnose(net, x, y, trial=True)"
    assert str(d).splitlines()[1] == f"  not tried: {d.untried}"


def test_a_regression_is_judged_by_its_cost():
    y = (X @ np.ones(6))[:, None]
    n = net(6, 20, 20, 1, loss="mean_squared_error")
    d = fi.diagnose(n, X, y, trial=60)
    assert (d.verdict, d.outlook, d.advice) == ("healthy", "trains", "")
    assert d.signal != "healthy"  # it costs nothing here
    assert d.trial.constant_cost == pytest.approx(float(y.var()), rel=1e-12)
    assert d.trial.times is None  # its cost is the lower one
    assert fi.diagnose(net(6, 20, 20, 1, loss="mean_squared_error", law="zeros"), X, y, trial=60).outlook == "stuck"


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
        "a larger learning rate if fi.diagnose(net, x, y) calls the network healthy before it is trained, else what that says"
    )
    assert str(alone).startswith("plateau (activations: not measured; gradients: not measured)")
    wild = fi.diagnose(fi.History(costs=np.array([1.0, math.inf])))
    assert wild.advice.startswith("a smaller learning rate if ")
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
