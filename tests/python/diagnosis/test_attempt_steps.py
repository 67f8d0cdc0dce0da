"""How an attempt goes: plain steps and those with momentum, when smaller rates are left out, hidden layers that stay."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import attempt
from fanin.diagnosis.attempt import Rows, _Course

X = fi.init.normal((96, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def net(*sizes: int, activation="tanh", law="xavier_normal", loss="cross_entropy", **options) -> fi.Network:
    return fi.Network(sizes or (6, 12, 12, 3), activation, law, seed=4, dtype="float64", loss=loss, **options)


def one(score: float, cost: float = 1.0, *, wild: bool = False, still: bool = False, most: float = 1.0) -> SimpleNamespace:
    return SimpleNamespace(score=score, cost=cost, wild=wild, still=still, costs=[1.0, most])


# Scores are gains here: a constant prediction scores 0 and costs 1.
ZERO = SimpleNamespace(constant_score=0.0, constant_cost=1.0, gain=lambda score: score)


@pytest.mark.parametrize(
    ("found", "settled", "why"),
    [
        ([one(0.96)], True, "nearly all is learned"),
        ([one(0.95)], False, "not quite"),
        ([one(0.05, still=True)], False, "one rate says little"),
        ([one(0.85, 1.0), one(0.84, 1.1)], True, "the last is behind one that learned most"),
        ([one(0.85, 1.0), one(0.84, 1.0)], False, "it costs no more"),
        ([one(0.8, 1.0), one(0.79, 1.1)], False, "the better one did not learn most"),
        ([one(0.6), one(0.49)], True, "the last is far behind one that learned half"),
        ([one(0.6), one(0.5)], False, "ten points are not far"),
        ([one(0.6), one(0.49, wild=True)], False, "its cost was so high that smaller rates may survive"),
        ([one(0.6), one(0.55), one(0.3)], True, "far behind the best, not the one before"),
        ([one(0.5), one(0.3)], False, "half is not more than half, and one of the last two is the best"),
        ([one(0.5), one(0.3), one(0.3)], True, "the last two are behind one that learned at all"),
        ([one(0.5), one(0.3), one(0.45)], False, "the last is near"),
        ([one(0.5), one(0.3, wild=True), one(0.3)], False, "one of the two was wild"),
        ([one(0.09, still=True), one(0.1, still=True)], True, "both stay at chance, and no layer moves"),
        ([one(0.09, still=True), one(0.1, still=True, most=1.2)], True, "a cost within the noise"),
        ([one(0.09, still=True), one(0.1, still=True, most=1.21)], False, "a cost beyond it"),
        ([one(0.09), one(0.1, still=True)], False, "a layer moved at the larger rate"),
        ([one(0.09, still=True), one(0.1)], False, "a layer moved at the smaller rate"),
        ([one(0.11, still=True), one(0.11, still=True)], False, "both have learned something"),
    ],
)
def test_when_smaller_rates_are_left_out(found, settled, why):
    assert attempt._is_settled(found, ZERO) == settled, why


def test_steps_are_plain_while_the_cost_is_above_the_constant_prediction():
    plain, momentum = fi.SGD(lr=0.1), attempt.ahead(0.1)
    course = _Course(0.1, net(), momentum, plain)
    fresh = course._stepping(1.2, ZERO)
    assert not course.wild
    assert (repr(fresh), fresh is momentum) == (repr(momentum), False)
    assert course._stepping(0.5, ZERO) is fresh
    assert course._stepping(1.21, ZERO) is plain
    assert course.wild
    after = course._stepping(1.0, ZERO)
    assert repr(after) == repr(momentum), "momentum begins anew"
    assert after is not fresh
    alone = _Course(0.1, net(), momentum)
    assert alone._stepping(99.0, ZERO) is momentum
    assert not alone.wild


def test_a_step_for_three():
    assert repr(attempt.ahead(0.1)) == repr(fi.SGD(lr=3 * (1 - 0.8) * 0.1, momentum=0.8))
    assert repr(attempt.ahead(0.1, 1)) == repr(fi.SGD(lr=1 * (1 - 0.8) * 0.1, momentum=0.8))


def test_a_wild_start_is_followed_step_by_step():
    """By hand: the mean of the cost so far and the last one decides between plain steps and momentum."""
    start = net()
    start.weights[-1][...] *= 8
    rows = Rows(start, X, Y)
    best = attempt.looking_ahead(start, rows, 30, [0.1])
    copy, now, costs, kinds = start.copy(), start.loss(*rows.batches[0]), [], []
    momentum = None
    for i in range(30):
        plainly = now > 1.2 * rows.constant_cost
        momentum = None if plainly else momentum or fi.SGD(lr=3 * (1 - 0.8) * 0.1, momentum=0.8)
        costs.append(copy.step(*rows.batches[i % 3], optimizer=momentum or fi.SGD(lr=0.1)))
        kinds.append(plainly)
        now = (now + costs[-1]) / 2
    assert 0 < sum(kinds) < 30, "some of each"
    assert best.costs == tuple(costs)
    assert best.cost == pytest.approx(copy.loss(rows.x, rows.y), rel=1e-12)
    assert best.score == copy.score(rows.x, rows.y)


def test_with_both_kinds_of_steps_the_better_one_counts():
    """Where a course had plain steps, `both` tries momentum alone, too; each wins somewhere."""
    seen = set()
    for scale, rate in ((8, 0.1), (8, 1.0), (60, 0.3), (60, 1.0)):
        start = net()
        start.weights[-1][...] *= scale
        rows = Rows(start, X, Y)
        plainly, alone = (attempt.attempt(start, rows, 12, [(rate, attempt.ahead(rate))], plainly=p) for p in (True, False))
        assert plainly.costs != alone.costs
        best = max(plainly, alone, key=lambda found: (found.score, -found.cost))
        assert attempt.looking_ahead(start, rows, 12, [rate], both=True) == best
        assert attempt.looking_ahead(start, rows, 12, [rate]) == plainly
        assert attempt.looking_ahead(start, rows, 12, [rate], pace=1, both=True) == attempt.attempt(
            start, rows, 12, [(rate, attempt.ahead(rate, 1))]
        )
        seen.add(best == plainly)
    assert seen == {True, False}


def gone(start: fi.Network, x: np.ndarray, rate: float, steps: int = 5) -> _Course:
    course = _Course(rate, start.copy(), fi.SGD(lr=rate))
    course.go(Rows(start, x, Y), steps)
    return course


def test_hidden_layers_that_stay():
    assert not gone(net(), X, 0.1).still
    assert gone(net(), X, 1e-6).still
    second = net()
    second.biases[0][...] = 1  # with inputs of 0 the first layer has no gradient, and the second has
    assert not gone(second, 0 * X, 0.1).still
    last = net(activation="relu")
    last.biases[0][...], last.biases[1][...] = -20, 1
    last.weights[1][...] = 0
    course = gone(last, X, 0.1)
    assert course.still, "the last layer's weights alone moved"
    assert not np.array_equal(course.net.weights[-1], last.weights[-1])


@pytest.mark.parametrize(("share", "still"), [(0.9, True), (1.1, False)])
def test_one_percent_of_the_largest_weight_is_the_limit(share, still):
    start = net()
    start.weights[1][...] *= 100  # so that the first layer decides
    moved = np.abs(start.gradients(X[:32], Y[:32])[0][0]).max()
    rate = share * 0.01 * np.abs(start.weights[0]).max() / moved
    course = _Course(rate, start.copy(), fi.SGD(lr=rate))
    course.go(SimpleNamespace(batches=[(X[:32], Y[:32])], x=X, y=Y), 1)
    assert course.still == still


def test_a_course_that_ends_in_no_number():
    """What is not finite has no score; the attempt takes the rate that survives, with the costs that it had."""
    wild = net(6, 12, 12, 3, activation="identity", loss="mean_squared_error")
    y = np.stack([Y, -Y, 2 * Y], axis=1).astype(float)
    rows = Rows(wild, X, y)
    dead = _Course(1.0, wild.copy(), fi.SGD(lr=1e6))
    with pytest.warns(RuntimeWarning, match="the cost is nan"):
        dead.go(rows, 50)
    assert len(dead.costs) < 50
    assert not math.isfinite(dead.costs[-1])
    assert all(map(math.isfinite, dead.costs[:-1]))
    assert (dead.cost, dead.score, dead.still) == (math.inf, -math.inf, False)
    best = attempt.attempt(wild, rows, 20, [(1.0, fi.SGD(lr=1e6)), (0.01, fi.SGD(lr=0.01))])
    assert (best.rate, best.works, len(best.costs)) == (0.01, (0.01,), 20)
    copy = wild.copy()
    for i in range(20):
        copy.step(*rows.batches[i % 3], optimizer=fi.SGD(lr=0.01))
    assert best.cost == pytest.approx(copy.loss(X, y), rel=1e-12)
    assert best.score == pytest.approx(copy.score(rows.x, rows.y), rel=1e-12)


def test_rates_that_come_near_the_best_work_too():
    start, rows = net(), Rows(net(), X, Y)
    alone = {rate: attempt.looking_ahead(start, rows, 10, [rate]).score for rate in (0.3, 0.1, 0.03)}
    best = attempt.looking_ahead(start, rows, 10, list(alone))
    assert (best.rate, best.score) == (0.3, alone[0.3])
    assert 0 < best.score - alone[0.1] < 0.1 < best.score - alone[0.03]
    assert best.works == (0.1, 0.3)


def test_a_wild_rate_changes_no_network():
    start = net()
    before = [w.copy() for w in (*start.weights, *start.biases)]
    attempt.looking_ahead(start, Rows(start, X, Y), 5, both=True)
    assert all(np.array_equal(w, old) for w, old in zip((*start.weights, *start.biases), before, strict=True))


def test_an_input_that_does_not_vary_is_standardized_to_0():
    """The types and the targets stay."""
    x = np.column_stack([np.full(96, 3.0), 5 * X[:, 1:] + 1])
    flat = Rows(net(), x.astype(np.float32), Y).standardized()
    assert flat.x.dtype == np.float32
    np.testing.assert_array_equal(flat.x[:, 0], 0)
    np.testing.assert_allclose(flat.x[:, 1:].std(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(flat.y, Rows(net(), X, Y).y)


@pytest.mark.parametrize(
    ("shift", "factor", "standard"),
    [
        (0.09, 1.0, True),
        (0.11, 1.0, False),
        (-0.11, 1.0, False),
        (0.0, 1.4, True),
        (0.0, 1.42, False),
        (0.0, 0.71, True),
        (0.0, 0.7, False),
    ],
)
def test_inputs_as_the_rules_assume(shift, factor, standard):
    """A mean within a tenth of the standard deviation, a mean square between a half and 2."""
    flat = (X - X.mean()) / X.std()
    assert Rows(net(), flat * factor + shift, Y).is_standard() == standard


def test_orders_of_the_rows():
    """Strides near .618, .382, .755, .447 and .851 of the rows, each without a factor that the number of rows has."""
    rows = Rows(net(), X, Y)
    for order, stride in enumerate((59, 37, 73, 43, 83)):  # of 96
        taken = np.arange(96) * stride % 96
        again = rows.again(order)
        for found in (again, Rows(net(), X, Y, order, 96)):
            np.testing.assert_array_equal(found.x, X[taken])
            np.testing.assert_array_equal(found.y, Y[taken])
            assert [len(x) for x, _ in found.batches] == [96]
    assert [len(x) for x, _ in Rows(net(), X[:5], Y[:5]).batches] == [5], "fewer rows than a batch are one"
    assert [len(x) for x, _ in Rows(net(), X[:64], Y[:64]).batches] == [32, 32]
    assert [len(x) for x, _ in Rows(net(), X[:63], Y[:63]).batches] == [32], "a rest is left out"
    one_row = Rows(net(), X[:1], Y[:1])
    np.testing.assert_array_equal(one_row.x, X[:1])
    batch_x, batch_y = rows.batches[1]
    np.testing.assert_array_equal(batch_x, rows.x[32:64])
    np.testing.assert_array_equal(batch_y, rows.y[32:64])


def test_what_can_be_gained():
    labels = np.zeros(96, int)
    assert Rows(net(), X, labels).constant_score == 1
    assert Rows(net(), X, labels).gain(1.0) == 0, "nothing"
    half = Rows(net(), X, np.arange(96) % 2)
    assert [half.gain(score) for score in (0.5, 0.75, 1.0, 0.0)] == [0, 0.5, 1, -1]
