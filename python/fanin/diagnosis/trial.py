"""The trial: copies of a network and of its reference take a few steps at several learning rates.

Successive halving (Jamieson and Talwalkar 2016): all rates take a quarter of the steps, the better half twice as many, the best
two all of them. Work is counted in multiply-adds, never in seconds, so that the result is a function of network, data,
optimizer and the number of steps, with the same bits at any thread count.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.network.network import Network
from fanin.optimizer import SGD, Optimizer

RATES = (0.003, 0.03, 0.1, 0.3, 1.0)
STEPS, BATCH, ROWS = 100, 32, 1000
BUDGET = 2e10  # multiply-adds of a trial that is made unasked: 26e9 a second on one core with AVX-512, so under a second


@dataclass(frozen=True)
class Attempt:
    """The best run of one start: its rate, the score and the cost that it reached, the costs of its steps."""

    rate: float
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
        That the best rates took, in batches of 32 rows.
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

    def words(self) -> str:
        """Return what came out in a few words."""
        if self.outlook is None:
            return "no start learns from x in so few steps"
        if self.optimizer is not None:
            return f"{self.outlook} with {self.optimizer}"
        if self.outlook == "diverges" or self.own is None:
            return "diverges at every rate tried"
        if self.outlook == "stuck":
            return "stuck: no better than half way from the constant prediction to the reference"
        slowly = f" {self.times:.2g} times as slowly" if self.times is not None and self.times >= 1.5 else ""
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
        self.constant_cost, self.constant_score = _constant(net.loss_name, self.y)


def _constant(loss: str, y: NDArray[Any]) -> tuple[float, float]:
    if loss == "mean_squared_error":
        return float(np.mean(np.var(y.astype(np.float64), axis=0))), 0.0
    _, counts = np.unique(y, return_counts=True)
    share = counts / counts.sum()
    top = float(share.max())
    return (2 * (1 - top) if loss == "hinge" else float(-(share * np.log(share)).sum())), top


def work(net: Network, rows: int, steps: int = STEPS) -> float:
    """Return the multiply-adds of a trial: two starts, four further attempts, 3.75 times the steps each."""
    each = 3 * min(BATCH, rows) * sum(w.size for w in net.weights)
    return each * steps * 3.75 * 4


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

    def recent(self) -> float:
        last = self.costs[-max(len(self.costs) // 4, 1) :]
        return float(np.mean(last)) if self.alive else math.inf


def attempt(net: Network, rows: Rows, steps: int, optimizer: Optimizer | None, rates: Sequence[float] | None) -> Attempt | None:
    """Train copies at several rates by successive halving; `rates` None: at the optimizer's own rate."""
    base = SGD(lr=1.0) if optimizer is None else optimizer
    runs: list[tuple[float, _Course]] = []
    for rate in rates or [math.nan]:
        own = base.copy()
        if rates is not None:
            own.lr = rate
        runs.append((rate, _Course(net, own)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that a copy diverges is a result
        left = runs
        for share, keep in ((4, (len(runs) + 1) // 2), (2, min(2, len(runs))), (1, len(runs))):
            for _, one in left:
                one.go(rows, max(steps // share, 1))
            left = sorted(left, key=lambda run: run[1].recent())[: max(keep, 1)]
        found = [(rate, one, *_reached(one, rows)) for rate, one in runs]
    best = max(found, key=lambda one: (one[2], -one[3]))
    if not math.isfinite(best[3]):
        return None
    works = tuple(rate for rate, _, score, _ in found if score >= best[2] - 0.1)
    return Attempt(best[0], best[2], best[3], tuple(best[1].costs), works)


def _reached(one: _Course, rows: Rows) -> tuple[float, float]:
    cost = float(one.net.loss(rows.x, rows.y)) if one.alive else math.inf
    if not math.isfinite(cost):
        return -math.inf, math.inf
    return float(one.net.score(rows.x, rows.y)), cost


def judge(net: Network, reference: Network, law: str, rows: Rows, steps: int, optimizer: Optimizer | None) -> Trial:
    """Train the network and its reference, and say what to expect of the network."""
    own = attempt(net, rows, steps, optimizer, RATES if optimizer is None else None)
    best = attempt(reference, rows, steps, optimizer, RATES)
    outlook = _outlook(own, best, rows, regression=net.loss_name == "mean_squared_error")
    times = None if own is None or best is None else _times(own, best)
    named = None if optimizer is None else repr(optimizer)
    return Trial(steps, own, best, law, rows.constant_cost, rows.constant_score, outlook, times, named)


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


def tried(starts: dict[str, Callable[[Network], Network]], net: Network, rows: Rows, trial: Trial) -> dict[str, Attempt]:
    """Train each start at the rates that suit the reference; the ones that stay finite."""
    near = trial.reference or trial.own
    if near is None:
        return {}
    rates = sorted(near.works)[-2:]
    found = {name: attempt(start(net), rows, trial.steps, None, rates) for name, start in starts.items()}
    return {name: one for name, one in found.items() if one is not None}
