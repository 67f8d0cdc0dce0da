"""The trial: copies of a network and of its reference take a few steps at several learning rates.

The trial looks ahead. With momentum m and rate r, gradient descent moves as far in one step as plain SGD in 1 / (1 - m) steps
at r (Polyak 1964), so a step with momentum 0.8 at 0.6 r covers what three plain ones at r do: 100 steps tell what 300 will do.
Work is counted in multiply-adds, never in seconds, so that the result is a function of network, data, optimizer and the number
of steps, with the same bits at any thread count.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.diagnosis.signals.thresholds import limit
from fanin.network.network import Network
from fanin.network.targets import constant_prediction
from fanin.optimizer import SGD, Optimizer

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
MOMENTUM, PACE = 0.8, 3  # plain steps that one step of the trial stands for
STEPS, BATCH, ROWS = 100, 32, 1000
BUDGET = 5e10  # multiply-adds of a trial that is made unasked: 26e9 a second on one core with AVX-512, about two seconds


@dataclass(frozen=True)
class Attempt:
    """The best run of one start: its rate, the score and the cost that it reached, the costs of its steps."""

    rate: float  # of plain SGD; NaN for an optimizer at its own
    score: float  # accuracy; for mean_squared_error the coefficient of determination
    cost: float
    costs: tuple[float, ...]
    works: tuple[float, ...]  # rates that came within ten points of the best score


@dataclass(frozen=True)
class Trial:
    """What a trial found.

    Attributes
    ----------
    steps : int
        That each rate took, in batches of 32 rows.
    pace : int
        Plain steps of SGD that one of them stands for: 3, or 1 with an optimizer other than plain SGD.
    own, reference : Attempt or None
        The network, and the same architecture begun by the rule for its activation; None where no rate stayed finite.
    law : str
        The rule of the reference.
    constant_cost, constant_score : float
        Of the best constant prediction: the frequencies of the classes, or the mean.
    outlook : str or None
        "trains", "slow", "stuck" or "diverges"; None where neither learns more than the constant prediction.
    times : float or None
        How many times the reference's steps the network takes to its own cost.
    optimizer : str or None
        The optimizer that the outlook is about; None: SGD at the rates tried.
    """

    steps: int
    own: Attempt | None
    reference: Attempt | None
    law: str
    constant_cost: float
    constant_score: float
    outlook: str | None
    times: float | None
    optimizer: str | None = None
    pace: int = PACE

    def words(self) -> str:
        """Return what came out in a few words."""
        if self.outlook is None:
            return "no start learns from x in so few steps"
        slowly = f" {self.times:.2g} times as slowly" if self.times is not None and self.times >= 1.5 else ""
        if self.optimizer is not None:
            return f"{self.outlook}{slowly if self.outlook == 'trains' else ''} {self.optimizer}"
        if self.outlook == "diverges" or self.own is None:
            return "diverges at every rate tried"
        if self.outlook == "stuck":
            return "stuck at every rate tried"
        verb = "trains" if self.outlook == "trains" or slowly else "slow"
        return f"{verb}{slowly}, at rates up to {max(self.own.works):g}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain strings, numbers, lists and dictionaries."""

        def plain(one: Attempt | None) -> dict[str, Any] | None:
            return None if one is None else {k: list(v) if isinstance(v, tuple) else v for k, v in vars(one).items()}

        return {**vars(self), "own": plain(self.own), "reference": plain(self.reference)}


class Rows:
    """The rows of a trial in a fixed order, cut into batches, with the best constant prediction."""

    def __init__(self, net: Network, x: NDArray[Any], y: NDArray[Any]) -> None:
        n = len(x)
        stride = max(int(0.618 * n), 1)  # mixes rows that are sorted by class; coprime to n, so that each row comes once
        while math.gcd(stride, n) > 1:
            stride += 1
        order = (np.arange(min(n, ROWS)) * stride) % n
        self.x, self.y = np.ascontiguousarray(x[order]), np.ascontiguousarray(y[order])
        width = min(BATCH, len(order))
        cuts = range(0, len(order) - width + 1, width)
        self.batches = [(self.x[i : i + width], self.y[i : i + width]) for i in cuts]
        self._loss = net.loss_name
        self.constant_cost, self.constant_score = constant_prediction(self._loss, self.y)

    def is_standard(self) -> bool:
        """Whether the inputs are near mean 0 and variance 1, as the rules of initialization assume."""
        x = self.x.astype(np.float64)
        mean, std = float(x.mean()), float(x.std())
        size = mean**2 + std**2
        return abs(mean) <= limit("mean of inputs") * std and 1 / limit("size of inputs") <= size <= limit("size of inputs")

    def standardized(self) -> Rows:
        """Return the same rows with each input of mean 0 and variance 1; an input that does not vary becomes 0."""
        out = copy(self)
        x = self.x.astype(np.float64)
        std = x.std(axis=0)
        out.x = ((x - x.mean(axis=0)) / np.where(std > 0, std, 1)).astype(self.x.dtype)
        width = len(self.batches[0][0])
        out.batches = [(out.x[i * width : (i + 1) * width], y) for i, (_, y) in enumerate(self.batches)]
        return out


def work(net: Network, rows: int, steps: int = STEPS) -> float:
    """Return the multiply-adds of a trial: two starts, as many attempts each as there are rates."""
    each = 3 * min(BATCH, rows) * sum(w.size for w in net.weights)
    return each * steps * len(RATES) * 2


class _Course:
    def __init__(self, net: Network, optimizer: Optimizer) -> None:
        self.net, self.optimizer = net.copy(), optimizer
        self.costs: list[float] = []
        self.alive = True

    def go(self, rows: Rows, steps: int) -> None:
        while self.alive and len(self.costs) < steps:
            x, y = rows.batches[len(self.costs) % len(rows.batches)]
            self.costs.append(self.net.step(x, y, optimizer=self.optimizer))
            self.alive = math.isfinite(self.costs[-1])


def ahead(rate: float, pace: int = PACE) -> SGD:
    """Return the optimizer each of whose steps stands for so many of plain SGD at a rate."""
    return SGD(lr=pace * (1 - MOMENTUM) * rate, momentum=MOMENTUM)


def attempt(net: Network, rows: Rows, steps: int, optimizers: Sequence[tuple[float, Optimizer]]) -> Attempt | None:
    """Train one copy with each optimizer, named by its rate, and return the best; None where none stays finite."""
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that a copy diverges is a result
        for rate, optimizer in optimizers:
            one = _Course(net, optimizer)
            one.go(rows, steps)
            found.append((rate, one, *_reached(one, rows)))
    best = max(found, key=lambda one: (one[2], -one[3]))
    if not math.isfinite(best[3]):
        return None
    works = tuple(rate for rate, _, score, _ in found if score >= best[2] - 0.1)
    return Attempt(best[0], best[2], best[3], tuple(best[1].costs), works)


def looking_ahead(net: Network, rows: Rows, steps: int, rates: Sequence[float] = RATES, pace: int = PACE) -> Attempt | None:
    """Train copies at several rates, each step for so many of plain SGD."""
    return attempt(net, rows, steps, [(rate, ahead(rate, pace)) for rate in rates])


def _reached(one: _Course, rows: Rows) -> tuple[float, float]:
    cost = float(one.net.loss(rows.x, rows.y)) if one.alive else math.inf
    if not math.isfinite(cost):
        return -math.inf, math.inf
    return float(one.net.score(rows.x, rows.y)), cost


def judge(net: Network, reference: Attempt | None, law: str, rows: Rows, steps: int, optimizer: Optimizer | None) -> Trial:
    """Train the network, hold it against its reference, and say what to expect of it."""
    named, pace = None, PACE
    if optimizer is None:
        own = looking_ahead(net, rows, steps)
    elif (rate := _plain_rate(optimizer)) is not None:
        own, named = looking_ahead(net, rows, steps, [rate]), f"at {rate:g}"
    else:
        own, named, pace = attempt(net, rows, steps, [(math.nan, optimizer.copy())]), f"with {optimizer!r}", 1
    outlook = _outlook(own, reference, rows, regression=net.loss_name == "mean_squared_error")
    times = None if own is None or reference is None else _times(own, reference)
    return Trial(steps, own, reference, law, rows.constant_cost, rows.constant_score, outlook, times, named, pace)


def pace_of(optimizer: Optimizer | None) -> int:
    """Return how many plain steps one of a trial's stands for: only plain SGD can be looked ahead of."""
    return PACE if optimizer is None or _plain_rate(optimizer) is not None else 1


def _plain_rate(optimizer: Optimizer) -> float | None:
    """Return the rate of plain SGD; None for momentum, clipping, rates of layers or another method."""
    lr = optimizer.lr
    plain = isinstance(optimizer, SGD) and isinstance(lr, float) and repr(optimizer) == repr(SGD(lr=lr))
    return lr if plain and isinstance(lr, float) else None


def _outlook(own: Attempt | None, best: Attempt | None, rows: Rows, *, regression: bool) -> str | None:
    """Hold what was reached against the better of both and the constant prediction.

    The limits are those of an outcome that a person would call so: ten points of accuracy, twice the cost, half of the gain.
    """
    if regression:
        mine, other = (rows.constant_cost if one is None else min(one.cost, rows.constant_cost) for one in (own, best))
        top = min(mine, other)
        if top > 0.7 * rows.constant_cost:
            return None if own is not None else "diverges"
        if mine <= 2 * top and mine < 0.9 * rows.constant_cost:
            return "trains"
        half = rows.constant_cost - mine >= 0.5 * (rows.constant_cost - top)
    else:
        mine, other = (rows.constant_score if one is None else one.score for one in (own, best))
        top = max(mine, other)
        if top < rows.constant_score + 0.1:
            return None if own is not None else "diverges"
        if mine >= top - 0.1 and mine > rows.constant_score + 0.05:
            return "trains"
        half = mine - rows.constant_score >= 0.5 * (top - rows.constant_score)
    if own is None:
        return "diverges"
    return "slow" if half else "stuck"


def _times(own: Attempt, best: Attempt) -> float | None:
    """How many times as many steps the network takes: where the reference first had the network's last cost."""
    width = max(len(own.costs) // 10, 1)
    last = float(np.mean(own.costs[-width:]))
    smooth: NDArray[np.float64] = np.convolve(best.costs, np.full(width, 1 / width), mode="valid")
    there = np.flatnonzero(smooth <= last)
    return len(own.costs) / (int(there[0]) + width) if there.size else None
