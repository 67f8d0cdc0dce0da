"""`fi.find_lr`: what is tried at each rate, what is found, what is refused."""

from __future__ import annotations

import dataclasses
import math
import warnings

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis.attempt import Rows

X = fi.init.normal((96, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
GRID = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def net(loss: str = "cross_entropy", activation: str = "tanh") -> fi.Network:
    return fi.Network((6, 8, 8, 3), activation, seed=4, dtype="float64", loss=loss)


@pytest.mark.parametrize("base", [None, fi.SGD(lr=0.5, momentum=0.9)])
def test_every_rate_takes_its_steps(base):
    start, rows = net(), Rows(net(), X, Y)
    found = fi.find_lr(start, X, Y, optimizer=base, steps=7)
    assert (found.rates, found.steps) == (GRID, 7)
    assert found.constant_cost == rows.constant_cost
    for rate, cost, score in zip(found.rates, found.costs, found.scores, strict=True):
        copy, optimizer = start.copy(), fi.SGD(lr=rate, momentum=0.0 if base is None else 0.9)
        for i in range(7):
            copy.step(*rows.batches[i % 3], optimizer=optimizer)
        assert cost == pytest.approx(copy.loss(X, Y), rel=1e-12)
        assert score == copy.score(X, Y)
    assert found.best == GRID[int(np.argmin(found.costs))]
    assert np.array_equal(start.weights[0], net().weights[0]), "the network stays as it is"
    if base is None:
        assert repr(found.base) == repr(fi.SGD(lr=0.1))
    else:
        assert repr(found.base) == repr(base) == repr(fi.SGD(lr=0.5, momentum=0.9))
        assert found.base is not base
    assert found.optimizer is not found.base
    assert repr(found.optimizer) == repr(fi.SGD(lr=found.best, momentum=0.0 if base is None else 0.9))


def test_rates_that_diverge_have_no_figures():
    y = np.stack([Y, -Y, 2 * Y], axis=1).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that a copy diverges is a result, and no warning
        found = fi.find_lr(net("mean_squared_error", "identity"), X, y, steps=100)
    assert (found.costs[-1], found.scores[-1]) == (math.inf, -math.inf)
    assert math.isfinite(found.costs[0])
    assert found.table()[1][-1] == ["10", "diverges", "", ""]
    assert found.scores[GRID.index(found.best)] > 0.5


def test_the_range_of_rates_gains_half_of_what_the_best_does():
    some = fi.find_lr(net(), X, Y, steps=1)
    fields = {"rates": (0.1, 0.2, 0.3, 0.4), "scores": (0.0,) * 4, "constant_cost": 1.0}
    for costs, best, found in (
        ((0.75, 0.5, 0.75, 0.76), 0.2, (0.1, 0.3)),
        ((0.76, 0.5, 0.9, 0.75), 0.2, (0.2, 0.4)),
        ((0.5, 0.5, 1.0, 1.0), 0.1, (0.1, 0.2)),
        ((1.0, 1.0, 2.0, 2.0), None, None),
        ((0.99, 1.0, 2.0, 2.0), 0.1, (0.1, 0.1)),
    ):
        one = dataclasses.replace(some, costs=costs, **fields)
        assert (one.best, one.range) == (best, found)


def test_what_find_lr_refuses(said):
    for call, words in (
        (lambda: fi.find_lr(net(), X, Y, steps=0), "ValueError: steps must be an integer of at least 1, got 0"),
        (lambda: fi.find_lr(net(), X, Y, steps=1.5), "TypeError: steps must be an integer of at least 1, got 1.5"),
        (lambda: fi.find_lr(net(), X[:, :5], Y), "ValueError: x must have shape (batch, n_in) = (1 or more, 6), got (96, 5)"),
        (lambda: fi.find_lr(net(), X, np.full(96, 3)), "ValueError: y must hold labels in 0 .. 2, got 3 at row 0"),
        (lambda: fi.find_lr(net(), X, Y[:-1]), "ValueError: y must have shape (batch,) = (96,), got (95,)"),
        (lambda: fi.find_lr(net(), X, [math.nan] * 96), "TypeError: y must hold integer labels for cross_entropy"),
    ):
        assert said(call).startswith(words)
    with pytest.raises(TypeError):
        fi.find_lr(net(), X, Y, fi.SGD(lr=0.1))


def test_a_hundred_steps_unless_told_otherwise():
    assert fi.find_lr(fi.Network((6, 4, 3), seed=1), X[:32], Y[:32]).steps == 100
    assert fi.find_lr(fi.Network((6, 4, 3), seed=1), X[:32], Y[:32], steps=1).title().startswith("1 steps of SGD a rate: ")
