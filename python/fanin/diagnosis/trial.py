"""The trial: a network and its reference, the same architecture begun by the rule, are tried side by side.

An attempt of each, `fanin.diagnosis.attempt`, is held against the other and the best constant prediction. Where they come out
too near to a limit for that to decide, both are tried again, up to five times, with the rows in other orders and other draws of
the rule, and the middle ones count; then in batches of 96, whose gradients are as noisy as those of the three plain steps
together. Work is counted in multiply-adds, never in seconds, so that the result is a function of network, data, optimizer and
the number of steps, with the same bits at any thread count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.diagnosis.attempt import BATCH, PACE, RATES, WORKS, Attempt, Rows, attempt, looking_ahead
from fanin.network.network import Network
from fanin.optimizer import SGD, Optimizer

STEPS = 100
REPEATS = 5  # attempts anew, at most: three that agree decide
NEAR, COST = 0.1, 2.0  # so near to the better one's accuracy, or within so many times its cost, a network trains
BUDGET = 5e10  # multiply-adds of a trial that is made unasked: 26e9 a second on one core with AVX-512, about two seconds


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


def work(net: Network, rows: int, steps: int = STEPS) -> float:
    """Return the multiply-adds of a trial: two starts, as many attempts each as there are rates."""
    each = 3 * min(BATCH, rows) * sum(w.size for w in net.weights)
    return each * steps * len(RATES) * 2


def judge(
    net: Network, begun: Callable[[int], Attempt | None], law: str, rows: Rows, steps: int, optimizer: Optimizer | None
) -> Trial:
    """Train the network, hold it against its reference, and say what to expect of it.

    Parameters
    ----------
    net, law, rows, steps, optimizer
        The network, the rule of its reference, and how it is tried.
    begun : callable
        Returns the attempt of the reference by its number: the first, 0, or of draw i - 1 on rows in that order.
    """
    named, pace = None, pace_of(optimizer)
    if optimizer is not None:
        rate = _plain_rate(optimizer)
        named = f"with {optimizer!r}" if rate is None else f"at {rate:g}"

    def run(rows: Rows, rates: Sequence[float], *, again: bool = False) -> Attempt | None:
        if optimizer is not None and _plain_rate(optimizer) is None:
            return attempt(net, rows, steps, [(math.nan, optimizer.copy())])
        return looking_ahead(net, rows, steps, rates, both=again)

    rates: Sequence[float] = RATES
    if optimizer is not None and (rate := _plain_rate(optimizer)) is not None:
        rates = [rate]
    own, reference = run(rows, rates), begun(0)
    regression = net.loss_name == "mean_squared_error"

    if not _is_clear(own, reference, rows, regression=regression):
        around = rates if len(rates) == 1 else near(own, rows)
        mine: list[Attempt | None] = []
        other: list[Attempt | None] = []
        while len(mine) < REPEATS and not _is_decided(mine, other, rows, regression=regression):
            mine.append(run(rows.again(len(mine)), around, again=True))
            other.append(begun(len(mine)))
        own, reference = _middle(mine), _middle(other)
    outlook = _outlook(own, reference, rows, regression=regression)
    times = None if own is None or reference is None else _times(own, reference)
    return Trial(steps, own, reference, law, rows.constant_cost, rows.constant_score, outlook, times, named, pace)


def _is_decided(mine: Sequence[Attempt | None], other: Sequence[Attempt | None], rows: Rows, *, regression: bool) -> bool:
    """Whether most of the repeats say the same of well or ill, or two do at half and at twice the limit too."""
    pairs = list(zip(mine, other, strict=True))

    def well(share: float) -> list[bool]:
        return [_outlook(*pair, rows, regression=regression, share=share) == "trains" for pair in pairs]

    said = well(1.0)
    if len(said) == 2:
        return len({*said, *well(0.5), *well(2.0)}) == 1
    return max(sum(said), len(said) - sum(said)) > REPEATS / 2


def near(found: Attempt | None, rows: Rows) -> Sequence[float]:
    """Return the rate of an attempt with its neighbours, or all rates where it learned less than half of what can be."""
    wide = (1.0, *RATES)
    if found is None or found.rate not in wide or rows.gain(found.score) < 0.5:
        return wide
    at = wide.index(found.rate)
    return wide[max(at - 1, 0) : at + 2]


def _middle(found: Sequence[Attempt | None]) -> Attempt | None:
    """Return the attempt of the median score."""
    ranked = sorted(found, key=lambda one: (-math.inf, -math.inf) if one is None else (one.score, -one.cost))
    return ranked[len(ranked) // 2]


def _is_clear(own: Attempt | None, best: Attempt | None, rows: Rows, *, regression: bool) -> bool:
    """Whether one attempt of each decides: both learned nearly all that can be, or one much and the other little.

    Costs fall late and at once, and nearly to 0 where rows come round often enough to be learned by heart, as in the repeats'
    larger batches: of a regression one attempt decides only where the network is ahead.
    """
    if own is None or best is None:
        return best is not None and rows.gain(best.score) > 0.5
    mine, other = rows.gain(own.score), rows.gain(best.score)
    if regression:
        return other > 0.5 and own.cost <= best.cost
    return (mine > 0.85 and other - mine < NEAR / 2) or (other > 0.5 and mine < other / 2)


def pace_of(optimizer: Optimizer | None) -> int:
    """Return how many plain steps one of a trial's stands for: only plain SGD can be looked ahead of."""
    return PACE if optimizer is None or _plain_rate(optimizer) is not None else 1


def _plain_rate(optimizer: Optimizer) -> float | None:
    """Return the rate of plain SGD; None for momentum, clipping, rates of layers or another method."""
    lr = optimizer.lr
    plain = isinstance(optimizer, SGD) and isinstance(lr, float) and repr(optimizer) == repr(SGD(lr=lr))
    return lr if plain and isinstance(lr, float) else None


def _outlook(own: Attempt | None, best: Attempt | None, rows: Rows, *, regression: bool, share: float = 1.0) -> str | None:
    """Hold what was reached against the better of both and the constant prediction.

    The limits are those of an outcome that a person would call so, ten points of accuracy, twice the cost, half of the gain;
    `share` of the first two counts.
    """
    if regression:
        mine, other = (rows.constant_cost if one is None else min(one.cost, rows.constant_cost) for one in (own, best))
        top = min(mine, other)
        if top > 0.7 * rows.constant_cost:
            return None if own is not None else "diverges"
        near, half = mine <= COST**share * top and mine < 0.9 * rows.constant_cost, 0.5 * (rows.constant_cost + top) >= mine
    else:
        mine, other = (rows.constant_score if one is None else one.score for one in (own, best))
        top = max(mine, other)
        if top < rows.constant_score + WORKS:
            return None if own is not None else "diverges"
        near, half = mine >= top - share * NEAR and mine > rows.constant_score + 0.05, mine >= 0.5 * (rows.constant_score + top)
    if own is None:
        return "diverges"
    return "trains" if near else "slow" if half else "stuck"


def _times(own: Attempt, best: Attempt) -> float | None:
    """How many times as many steps the network takes: where the reference first had the network's last cost."""
    width = max(len(own.costs) // 10, 1)
    last = float(np.mean(own.costs[-width:]))
    smooth: NDArray[np.float64] = np.convolve(best.costs, np.full(width, 1 / width), mode="valid")
    there = np.flatnonzero(smooth <= last)
    return len(own.costs) / (int(there[0]) + width) if there.size else None
