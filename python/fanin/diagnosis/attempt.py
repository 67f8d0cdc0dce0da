"""An attempt: copies of one start take a few steps at several learning rates, and the best of them counts.

Steps look ahead. With momentum m and rate r, gradient descent moves as far in one step as plain SGD in 1 / (1 - m) steps at r
(Polyak 1964), so a step with momentum 0.8 at 0.6 r covers what three plain ones at r do: 100 steps tell what 300 will do.
Momentum carries a copy through what plain steps of the same rate would not survive, or past what they find: its limit of
stability is three times as high. So while the cost is above the constant prediction's, and the first steps decide what is left
of a network, they are plain. Rates come from the largest down, and those that cannot matter are left out: see `_is_settled`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin import loss
from fanin.diagnosis.signals.thresholds import limit
from fanin.network import predict
from fanin.network.network import Network
from fanin.network.targets import constant_prediction
from fanin.optimizer import SGD, Optimizer

RATES = (0.3, 0.1, 0.03, 0.01, 0.001)
MOMENTUM, PACE = 0.8, 3  # plain steps that one step stands for
BATCH, ROWS = 32, 1000
WORKS = 0.1  # of the score: rates that come so near to the best work, too
_WILD = 1.2  # times the constant prediction's cost: above it, by more than the noise of batches, steps are plain
_MOST, _ALL = 0.8, 0.95  # of what can be gained over the constant prediction
_STILL = 0.01  # of a layer's largest weight: where none has moved so far, a smaller rate moves it less
_STRIDES = (0.618, 0.382, 0.755, 0.447, 0.851)  # of the number of rows: each an order of them


@dataclass(frozen=True)
class Attempt:
    """The best run of one start: its rate, the score and the cost that it reached, the costs of its steps."""

    rate: float  # of plain SGD; NaN for an optimizer at its own
    score: float  # accuracy; for mean_squared_error the coefficient of determination
    cost: float
    costs: tuple[float, ...]
    works: tuple[float, ...]  # of the rates tried, those within ten points of the best score


class Rows:
    """The rows of a trial in a fixed order, cut into batches, with the best constant prediction."""

    def __init__(self, net: Network, x: NDArray[Any], y: NDArray[Any], order: int = 0, batch: int = BATCH) -> None:
        n = len(x)
        stride = max(int(_STRIDES[order] * n), 1)  # mixes rows that are sorted by class; coprime, so that each row comes once
        while math.gcd(stride, n) > 1:
            stride += 1
        taken = (np.arange(min(n, ROWS)) * stride) % n
        self._source, self._batch = (net, x, y), batch
        self.x, self.y = np.ascontiguousarray(x[taken]), np.ascontiguousarray(y[taken])
        self._cut()
        self.constant_cost, self.constant_score = constant_prediction(net.loss_name, self.y)

    def _cut(self) -> None:
        width = min(self._batch, len(self.x))
        cuts = range(0, len(self.x) - width + 1, width)
        self.batches = [(self.x[i : i + width], self.y[i : i + width]) for i in cuts]

    def again(self, order: int) -> Rows:
        """Return the rows in another order, 0 to 4, in batches that hold as many as the plain steps that one stands for."""
        return Rows(*self._source, order, PACE * self._batch)

    def gain(self, score: float) -> float:
        """Return how much of what can be gained over the constant prediction a score has."""
        return (score - self.constant_score) / max(1 - self.constant_score, 1e-9)

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
        out._cut()
        return out


@dataclass
class _Course:
    """One copy on its way, and where it ended."""

    rate: float
    net: Network
    optimizer: Optimizer
    plain: Optimizer | None = None  # what steps while the cost is above the constant prediction's
    wild: bool = False  # whether it ever did
    costs: list[float] = field(default_factory=list)
    score: float = -math.inf
    cost: float = math.inf
    still: bool = False  # whether it took all steps, and no hidden layer moved
    _fresh: Optimizer | None = None

    def go(self, rows: Rows, steps: int) -> None:
        alive, start = True, [w.copy() for w in self.net.weights[:-1]]
        now = math.inf if self.plain is None else self.net.loss(*rows.batches[0])
        while alive and len(self.costs) < steps:
            x, y = rows.batches[len(self.costs) % len(rows.batches)]
            self.costs.append(self.net.step(x, y, optimizer=self._stepping(now, rows)))
            now = (now + self.costs[-1]) / 2
            alive = math.isfinite(self.costs[-1])
        if not alive:
            return
        pairs = zip(self.net.weights, start, strict=False)
        self.still = all(np.abs(w - was).max() <= _STILL * np.abs(was).max() for w, was in pairs)
        z, name = self.net.forward(rows.x), self.net.loss_name
        cost = loss.evaluate(name, z, rows.y.reshape(z.shape if name == "mean_squared_error" else -1), gradient=False).cost
        if math.isfinite(cost):
            self.cost, self.score = cost, predict.agreement(self.net, predict.labels_of(self.net, z), rows.y)

    def _stepping(self, now: float, rows: Rows) -> Optimizer:
        """Return what takes the next step; momentum begins anew after plain ones."""
        if self.plain is None:
            return self.optimizer
        if now > _WILD * rows.constant_cost:
            self.wild, self._fresh = True, None
            return self.plain
        if self._fresh is None:
            self._fresh = self.optimizer.copy()
        return self._fresh


def ahead(rate: float, pace: int = PACE) -> SGD:
    """Return the optimizer each of whose steps stands for so many of plain SGD at a rate."""
    return SGD(lr=pace * (1 - MOMENTUM) * rate, momentum=MOMENTUM)


def attempt(
    net: Network,
    rows: Rows,
    steps: int,
    optimizers: Sequence[tuple[float, Optimizer]],
    *,
    plainly: bool = False,
    both: bool = False,
) -> Attempt | None:
    """Train one copy with each optimizer, named by its rate, the largest first, and return the best.

    Parameters
    ----------
    net, rows, steps, optimizers
        The start, the rows, how many steps, and the optimizers.
    plainly : bool
        Whether steps are those of plain SGD while the cost is above the constant prediction's.
    both : bool
        Whether rates that had such steps are tried without, too; the better one counts.

    Returns
    -------
    Attempt or None
        None where no copy stays finite.
    """
    found: list[_Course] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that a copy diverges is a result
        for rate, optimizer in optimizers:
            one = _Course(rate, net.copy(), optimizer, SGD(lr=rate) if plainly else None)
            one.go(rows, steps)
            if both and one.wild:
                other = _Course(rate, net.copy(), optimizer.copy())
                other.go(rows, steps)
                one = max(one, other, key=_rank)
            found.append(one)
            if _is_settled(found, rows):
                break
    best = max(found, key=_rank)
    if not math.isfinite(best.cost):
        return None
    works = tuple(sorted({one.rate for one in found if one.score >= best.score - WORKS}))
    return Attempt(best.rate, best.score, best.cost, tuple(best.costs), works)


def _rank(one: _Course) -> tuple[float, float]:
    return one.score, -one.cost


def _is_settled(found: Sequence[_Course], rows: Rows) -> bool:
    """Whether the rates to come can be left out.

    So it is where one learned nearly all that can be; where the last came behind one that learned most, or fell far behind one
    that learned half, or the last two behind one that learned at all: smaller rates are slower still, unless the cost was so
    high that they alone may survive; and where two stayed at the constant prediction's cost without moving a hidden layer.
    """
    best, last = max(found, key=_rank), found[-2:]
    gain = rows.gain(best.score)
    if gain > _ALL:
        return True
    if len(found) < 2:
        return False
    if best.score > rows.constant_score + WORKS:
        behind = [one.score < best.score - WORKS and not one.wild for one in last]
        if gain > _MOST and last[-1].cost > best.cost:
            return True
        return behind[-1] if gain > 0.5 else all(behind)
    return all(one.still and max(one.costs) <= _WILD * rows.constant_cost for one in last)


def looking_ahead(
    net: Network, rows: Rows, steps: int, rates: Sequence[float] = RATES, pace: int = PACE, *, both: bool = False
) -> Attempt | None:
    """Train copies at several rates, the largest first, each step for so many of plain SGD; `both` as of `attempt`."""
    return attempt(net, rows, steps, [(rate, ahead(rate, pace)) for rate in rates], plainly=pace > 1, both=both)
