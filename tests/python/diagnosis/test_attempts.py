"""The parts of a trial by themselves: what attempts reached, when they decide, which rates come again; remedies."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import advice, attempt, remedy, trial
from fanin.diagnosis.attempt import Attempt, Rows
from fanin.diagnosis.trial import Trial

X = fi.init.normal((200, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def net(*sizes: int, activation="tanh", law="xavier_normal", loss="cross_entropy", **options) -> fi.Network:
    return fi.Network(sizes or (6, 20, 20, 3), activation, law, seed=4, dtype="float64", loss=loss, **options)


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
    best, now = d.trial.reference, d.trial.own
    assert d.advice == f"{law}: cost {best.cost:.3g} after 60 steps at {best.rate:g}, now {now.cost:.3g}"
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


def test_two_rates_that_stay_at_chance_say_nothing_of_one_that_learns():
    """Twenty narrow layers of ReLU: units die at .3 and at .1, after steps by some hundredths of a layer's largest weight."""
    rng = np.random.default_rng(3)
    centres, y = rng.standard_normal((4, 8)), rng.integers(0, 4, 300)
    x = (centres[y] + 0.5 * rng.standard_normal((300, 8))).astype(np.float32)
    narrow = fi.Network([8, *[10] * 20, 4], "relu", "he_normal", seed=5)
    rows = Rows(narrow, x, y)
    found = [attempt.looking_ahead(narrow, rows, 300, [rate]) for rate in (0.3, 0.1, 0.03)]
    assert [one.score > rows.constant_score + 0.5 for one in found] == [False, False, True]
    best = attempt.looking_ahead(narrow, rows, 300)
    assert best is not None
    assert best.rate == 0.03
