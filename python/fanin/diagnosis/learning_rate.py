"""`fanin.find_lr`: the range of learning rates that train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from fanin.common import require
from fanin.common.result import Result
from fanin.diagnosis.attempt import Attempt, Rows, attempt
from fanin.network.batch import batch
from fanin.network.network import Network
from fanin.optimizer import SGD, Optimizer

GRID = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class LearningRates(Result):
    """What `find_lr` returns; print it for a table, `plot` it for a picture. ``fit(optimizer=...)`` takes it.

    Attributes
    ----------
    rates, costs, scores : tuple of float
        The rates tried, the cost and the score (accuracy, or the coefficient of determination) that each reached.
    steps : int
        That each rate took.
    constant_cost : float
        Of the best constant prediction.
    """

    rates: tuple[float, ...]
    costs: tuple[float, ...]
    scores: tuple[float, ...]
    steps: int
    constant_cost: float
    base: Optimizer

    _kind: ClassVar[str] = "learning rates"
    _json: ClassVar[str] = "learning rates"

    @property
    def best(self) -> float | None:
        """The rate with the lowest cost; None where none is better than the constant prediction."""
        cost, rate = min(zip(self.costs, self.rates, strict=True))
        return rate if cost < self.constant_cost else None

    @property
    def range(self) -> tuple[float, float] | None:
        """The smallest and the largest rate that gain half of what the best gains over the constant prediction."""
        if self.best is None:
            return None
        limit = self.constant_cost - 0.5 * (self.constant_cost - min(self.costs))
        good = [rate for rate, cost in zip(self.rates, self.costs, strict=True) if cost <= limit]
        return min(good), max(good)

    @property
    def optimizer(self) -> Optimizer:
        """A fresh optimizer at the best rate."""
        if self.best is None:
            raise ValueError("optimizer needs a rate that trains, and none of those tried is better than a constant prediction")
        return _at(self.base, self.best)

    def title(self) -> str:
        """Return what was tried, in one line."""
        found = self.range
        words = "none beats a constant prediction" if found is None else f"those from {found[0]:g} to {found[1]:g} train"
        return f"{self.steps} steps of {type(self.base).__name__} a rate: {words}"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return heads and rows: rate, cost, score, and which is best."""
        rows = []
        for lr, cost, score in zip(self.rates, self.costs, self.scores, strict=True):
            shown = [f"{cost:.4g}", f"{score:.3f}"] if math.isfinite(cost) else ["diverges", ""]
            rows.append([f"{lr:g}", *shown, "best" if lr == self.best else ""])
        return ["lr", "cost", "score", ""], rows

    def constant(self) -> str:
        """Return the line about the best constant prediction."""
        return f"constant prediction: cost {self.constant_cost:.4g}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            "steps": self.steps,
            "optimizer": repr(self.base),
            "best": self.best,
            "range": None if self.range is None else list(self.range),
            "constant_cost": self.constant_cost,
            "rates": self.to_rows(),
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dictionary a rate: lr, cost, score."""
        return [
            {"lr": lr, "cost": cost, "score": score}
            for lr, cost, score in zip(self.rates, self.costs, self.scores, strict=True)
        ]

    def __str__(self) -> str:
        heads, rows = self.table()
        lines = [f"{lr:>8}  {cost:>9}  {score:>7}  {mark}".rstrip() for lr, cost, score, mark in (heads, *rows)]
        return "\n".join([*lines, f"{self.constant()}; {self.steps} steps a rate"])


def find_lr(net: Network, x: ArrayLike, y: ArrayLike, *, optimizer: Optimizer | None = None, steps: int = 100) -> LearningRates:
    """Train copies of a network at learning rates from 1e-4 to 10 and return what each reached.

    Parameters
    ----------
    net : Network
        It is not changed.
    x, y : array
        As `Network.fit` takes them; at most 1000 rows are used.
    optimizer : Optimizer, optional
        ``SGD`` by default; its rate is replaced. It is not touched.
    steps : int
        Of every rate, at least 1, in batches of 32 rows.

    Returns
    -------
    LearningRates
        The same bits at any number of threads.

    Examples
    --------
    >>> import fanin as fi
    >>> x, y = fi.datasets.digits()
    >>> net = fi.Network([64, 30, 10], seed=1)
    >>> found = fi.find_lr(net, x, y, steps=50)
    >>> history = net.fit(x, y, optimizer=found)
    """
    steps = require.integer("steps", steps, 1)
    base = SGD(lr=0.1) if optimizer is None else optimizer
    data = batch(net, x)
    targets = net._y(y)
    net.loss(data, targets)  # refuses what does not fit
    rows = Rows(net, data, targets)
    found: list[Attempt | None] = [attempt(net, rows, steps, [(rate, _at(base, rate))]) for rate in GRID]
    costs = tuple(math.inf if one is None else one.cost for one in found)
    scores = tuple(-math.inf if one is None else one.score for one in found)
    return LearningRates(GRID, costs, scores, steps, rows.constant_cost, base.copy())


def _at(base: Optimizer, rate: float) -> Optimizer:
    fresh = base.copy()
    fresh.lr = rate
    return fresh
