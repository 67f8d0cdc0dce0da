"""How a trial decides: at its limits, how often it is repeated and with what, and what its outlook makes of the signals."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import advice, diagnosis, trial
from fanin.diagnosis.attempt import RATES, Attempt, Rows, looking_ahead
from fanin.diagnosis.trial import Trial

X = fi.init.normal((96, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def net(*sizes: int, activation="tanh", law="orthogonal", loss="cross_entropy") -> fi.Network:
    return fi.Network(sizes or (6, 12, 12, 3), activation, law, seed=4, dtype="float64", loss=loss)


def reached(score: float, cost: float = 1.0, *, rate: float = 0.1, costs=(1.0,) * 20, works=(0.03, 0.1)) -> Attempt:
    return Attempt(rate, score, cost, tuple(costs), works)


# A constant prediction costs 1 and scores 0, so that scores are gains; binary fractions are exact.
ROWS = SimpleNamespace(constant_cost=1.0, constant_score=0.0, gain=lambda score: score)


@pytest.mark.parametrize(
    ("own", "best", "expected"),
    [
        (0.75, 0.75 + 0.1, "trains"),
        (0.74, 0.85, "slow"),
        (0.5, 1.0, "slow"),
        (0.49, 1.0, "stuck"),
        (0.05, 0.1, "slow"),
        (0.06, 0.1, "trains"),
        (0.06, 0.09, None),
        (0.1, 0.0, "trains"),
        (None, 0.09, "diverges"),
        (None, 0.5, "diverges"),
        (0.09, None, None),
    ],
)
def test_outlooks_at_their_limits(own, best, expected):
    """Ten points of accuracy, half of the gain, five points over a constant prediction; ten that anyone must learn."""
    given = [None if score is None else reached(score) for score in (own, best)]
    assert trial._outlook(*given, ROWS, regression=False) == expected


@pytest.mark.parametrize(
    ("own", "best", "expected"),
    [
        (0.5, 0.25, "trains"),
        (0.51, 0.25, "slow"),
        (0.625, 0.25, "slow"),
        (0.63, 0.25, "stuck"),
        (0.9, 0.6, "stuck"),
        (0.89, 0.6, "trains"),
        (0.91, 0.45, "stuck"),
        (0.7, 0.7, "trains"),
        (0.71, 0.71, None),
        (9.0, 0.71, None),
        (9.0, 0.5, "stuck"),
        (0.3, None, "trains"),
        (None, 0.9, "diverges"),
        (None, 0.3, "diverges"),
    ],
)
def test_outlooks_of_costs_at_their_limits(own, best, expected):
    """Twice the cost, nine tenths of a constant prediction's, half of the gain; a cost above it counts as that one."""
    given = [None if cost is None else reached(0.0, cost) for cost in (own, best)]
    assert trial._outlook(*given, ROWS, regression=True) == expected


def test_a_share_of_the_limits():
    for own, share, expected in ((0.8, 1.0, "slow"), (0.8, 2.0, "trains"), (0.96, 0.5, "trains"), (0.94, 0.5, "slow")):
        assert trial._outlook(reached(own), reached(1.0), ROWS, regression=False, share=share) == expected
    for own, share, expected in ((0.3, 1.0, "slow"), (0.3, 2.0, "trains"), (0.14, 0.5, "trains"), (0.15, 0.5, "slow")):
        assert trial._outlook(reached(0, own), reached(0, 0.1), ROWS, regression=True, share=share) == expected


@pytest.mark.parametrize(
    ("own", "best", "clear"),
    [
        (0.85, 0.86, False),
        (0.86, 0.86, True),
        (0.875, 0.925, False),
        (0.88, 0.92, True),
        (0.25, 0.5, False),
        (0.25, 0.51, True),
        (0.375, 0.75, False),
        (0.37, 0.75, True),
        (None, 0.5, False),
        (None, 0.51, True),
        (0.9, None, False),
    ],
)
def test_what_decides_at_once_at_its_limits(own, best, clear):
    given = [None if score is None else reached(score) for score in (own, best)]
    assert trial._is_clear(*given, ROWS, regression=False) == clear


def test_a_regression_decides_at_once_where_it_is_ahead():
    for score, own, best, clear in ((0.6, 0.2, 0.2, True), (0.6, 0.21, 0.2, False), (0.5, 0.1, 0.2, False)):
        assert trial._is_clear(reached(0.9, own), reached(score, best), ROWS, regression=True) == clear


# ------------------------------------------------------------------------------------------------ how often it is tried


@pytest.fixture
def tried(monkeypatch):
    """Let attempts of the network come out as given; returns what was tried, and the trial."""

    def run(own, references, *, optimizer=None, loss="cross_entropy"):
        calls, left = [], list(own)

        def come_out(network, rows, steps, rates=RATES, pace=3, *, both=False):
            calls.append((rows, steps, tuple(rates), both))
            return left.pop(0)

        monkeypatch.setattr(trial, "looking_ahead", come_out)
        orders = []
        rows = SimpleNamespace(**vars(ROWS), again=lambda order: f"order {order}")

        def begun(i):
            orders.append(i)
            return references[i]

        found = trial.judge(net(loss=loss), begun, "a law", rows, 50, optimizer)
        assert (found.steps, found.law, found.constant_cost, found.constant_score) == (50, "a law", 1.0, 0.0)
        assert calls[0][0] is rows
        return found, [(calls[0][0] is rows and "order given", *calls[0][1:]), *calls[1:]], orders

    return run


WIDE = (1.0, *RATES)


def test_one_attempt_that_decides(tried):
    found, calls, orders = tried([reached(0.96)], [reached(0.99)])
    assert calls == [("order given", 50, RATES, False)]
    assert orders == [0]
    assert (found.own, found.reference, found.outlook) == (reached(0.96), reached(0.99), "trains")
    assert (found.optimizer, found.pace) == (None, 3)


def test_two_repeats_that_agree(tried):
    """At the rates about the best one, in other orders; their middle ones are what the trial found."""
    found, calls, orders = tried([reached(0.85), reached(0.7), reached(0.72)], [reached(0.95), reached(0.96), reached(0.94)])
    near = (0.3, 0.1, 0.03)
    assert calls == [("order given", 50, RATES, False), ("order 0", 50, near, True), ("order 1", 50, near, True)]
    assert orders == [0, 1, 2]
    assert (found.own.score, found.reference.score, found.outlook) == (0.72, 0.96, "slow")


def test_five_repeats_at_most(tried):
    own = [0.85, 0.9, 0.7, 0.9, 0.7, 0.9]
    found, calls, orders = tried([reached(score) for score in own], [reached(0.95)] * 6)
    assert [call[0] for call in calls] == ["order given", *(f"order {i}" for i in range(5))]
    assert orders == [0, 1, 2, 3, 4, 5]
    assert (found.own.score, found.outlook) == (0.9, "trains")


def test_a_network_that_learned_little_is_tried_at_every_rate(tried):
    _, calls, _ = tried([reached(0.4), reached(0.1), reached(0.1)], [reached(0.45)] * 3)
    assert [call[2] for call in calls] == [RATES, WIDE, WIDE]
    found, calls, _ = tried([None] * 3, [reached(0.4)] * 3)
    assert [call[2] for call in calls] == [RATES, WIDE, WIDE]
    assert (found.own, found.times, found.outlook) == (None, None, "diverges")
    found, _, _ = tried([reached(0.9)] * 3, [None] * 3)
    assert (found.reference, found.times, found.outlook) == (None, None, "trains")


def test_an_optimizer_of_its_own_rate(tried):
    found, calls, _ = tried([reached(0.7)] * 3, [reached(0.95)] * 3, optimizer=fi.SGD(lr=0.25))
    assert [call[2:] for call in calls] == [((0.25,), False), ((0.25,), True), ((0.25,), True)]
    assert (found.optimizer, found.pace) == ("at 0.25", 3)


def test_a_regression_is_repeated_and_judged_by_its_costs(tried):
    costs = [0.3, 0.12, 0.12]
    found, calls, _ = tried([reached(0.9, c) for c in costs], [reached(0.9, 0.1)] * 3, loss="mean_squared_error")
    assert len(calls) == 3
    assert found.outlook == "trains"
    assert found.own.cost == 0.12


def test_an_optimizer_that_cannot_be_looked_ahead_of():
    """It takes its own steps, at its own rate, and stays as it is."""
    n, optimizer = net(), fi.Adam(lr=1e-4)
    rows = Rows(n, X, Y)
    found = trial.judge(n, lambda _: reached(0.99), "a law", rows, 30, optimizer)
    assert (found.optimizer, found.pace) == (f"with {optimizer!r}", 1)
    copy, own = n.copy(), fi.Adam(lr=1e-4)
    costs = [copy.step(*rows.batches[i % 3], optimizer=own) for i in range(30)]
    assert found.own.costs == tuple(costs)
    assert math.isnan(found.own.rate)
    assert repr(optimizer) == repr(fi.Adam(lr=1e-4))


# ------------------------------------------------------------------------------------------------ what the outlook makes


FOUND = Trial(20, reached(0.5), reached(0.9), "a law", 1.0, 0.4, None, None)
FIX = advice.Fix("he_normal", seed=3)
SMALL = net(law="normal(std=0.001)")


def judged(monkeypatch, start: fi.Network, outlook, remedy, *, optimizer=None):
    """The diagnosis of a network whose trial and remedies come out as given."""
    found = dataclasses.replace(FOUND, outlook=outlook)
    asked = []

    def best(network, rows, a_trial, an_optimizer, begun):
        asked.append((network is start, isinstance(rows, Rows), a_trial is found, an_optimizer is optimizer, callable(begun)))
        return remedy

    monkeypatch.setattr(diagnosis.trials, "judge", lambda *_: found)
    monkeypatch.setattr(diagnosis, "best_fix", best)
    d = fi.diagnose(start, X, Y, optimizer=optimizer, trial=20)
    assert d.trial is found
    assert asked in ([], [(True,) * 5])
    return d


def test_the_verdict_that_an_outlook_makes_of_signals(monkeypatch):
    signals, healthy = fi.diagnose(SMALL, X, Y, trial=False), fi.diagnose(net(), X, Y, trial=False)
    assert (signals.verdict, healthy.verdict, healthy.findings) == ("vanishing", "healthy", ())
    for start, outlook, remedy, expected in (
        (SMALL, "trains", None, ("healthy", None, "")),
        (SMALL, "slow", (FIX, "words"), ("vanishing", FIX, "words")),
        (SMALL, "stuck", (FIX, "words"), ("vanishing", FIX, "words")),
        (SMALL, "diverges", (None, ""), ("vanishing", None, "")),
        (SMALL, None, (FIX, "words"), ("vanishing", FIX, "words")),
        (SMALL, None, (None, ""), ("vanishing", None, signals.advice)),
        (net(), "trains", None, ("healthy", None, "")),
        (net(), None, None, ("healthy", None, "")),
        (net(), "diverges", (FIX, "words"), ("diverged", FIX, "words")),
        (net(), "slow", (FIX, "words"), ("plateau", FIX, "words")),
        (net(), "stuck", (None, ""), ("plateau", None, "")),
    ):
        d = judged(monkeypatch, start, outlook, remedy)
        assert (d.verdict, d.fix, d.advice) == expected, (start, outlook)
        assert d.outlook == outlook
    assert signals.advice


def test_remedies_are_asked_for_with_the_optimizer(monkeypatch):
    for start, outlook in ((SMALL, None), (SMALL, "stuck"), (net(), "slow")):
        assert judged(monkeypatch, start, outlook, (FIX, "words"), optimizer=fi.Adam(lr=0.1)).fix == FIX


def test_references_are_begun_by_the_rule_and_kept(monkeypatch):
    """The first draw on the given rows, then draw after draw on other orders, about its rate, with both kinds of steps."""
    start, known = net(law="normal(std=0.1)"), {}
    law, rows = "xavier_normal(gain=tanh)", Rows(start, X, Y)
    first = looking_ahead(advice.Fix(law).apply(start), rows, 10)
    asked = []

    def judge(network, begun, name, the_rows, steps, optimizer):
        asked.append((name, steps, optimizer, np.array_equal(the_rows.x, rows.x), [begun(i) for i in (2, 0, 1, 1)]))
        return dataclasses.replace(FOUND, outlook="trains")

    monkeypatch.setattr(diagnosis.trials, "judge", judge)
    d = fi.diagnose(start, X, Y, trial=False)
    for _ in range(2):
        assert diagnosis.tried(start, d, X, Y, None, 10, references=known).verdict == "healthy"
    again = [
        looking_ahead(advice.Fix(law, seed=i).apply(start), rows.again(i), 10, trial.near(first, rows), both=True)
        for i in (0, 1)
    ]
    expected = [again[1], first, again[0], again[0]]
    assert asked == [(law, 10, None, True, expected)] * 2
    assert len(known) == 3
    diagnosis.tried(start, d, X, Y, fi.Adam(lr=0.1), 10, references=known)
    assert len(known) == 6, "at another pace others"
    slow = looking_ahead(advice.Fix(law).apply(start), rows, 10, pace=1)
    assert asked[-1][-1][1] == slow != first
    diagnosis.tried(start, d, X, Y, None, 5, references=known)
    assert len(known) == 9


def test_a_budget_is_kept_where_nobody_asked_for_a_trial(monkeypatch):
    start = net()
    needed = trial.work(start, 96, 10)
    d = fi.diagnose(start, X, Y, trial=False)
    monkeypatch.setattr(diagnosis.trials, "BUDGET", needed)
    assert diagnosis.tried(start, d, X, Y, None, 10).trial is not None
    monkeypatch.setattr(diagnosis.trials, "BUDGET", needed - 1)
    left = diagnosis.tried(start, d, X, Y, None, 10)
    assert (left.trial, left.verdict) == (None, d.verdict)
    assert left.untried == f"{needed:.1e} multiply-adds; fi.diagnose(net, x, y, trial=True)"
    assert diagnosis.tried(start, d, X, Y, None, 10, ask=False).trial is not None
    assert fi.diagnose(start, X, Y, trial=10).trial is not None
    assert fi.diagnose(start, X, Y).trial is None
