"""What training leaves behind: the costs, step by step and epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fanin.network.network import Network
    from fanin.tracing.record import Trace


def _empty() -> NDArray[np.float64]:
    return np.empty(0)


class FitEvent(NamedTuple):
    """What `Network.fit` hands to its callbacks.

    Attributes
    ----------
    network : Network
        The one that learns. It may be used, changed and saved.
    epoch, epochs : int
        The epoch, from 1, and how many were asked for.
    step : int
        Steps taken by this fit.
    cost : float
        Of this step's batch before its update; after an epoch the mean over its rows of those costs.
    validation_cost, validation_score : float, optional
        After an epoch, with ``validation=``.
    """

    network: Network
    epoch: int
    epochs: int
    step: int
    cost: float
    validation_cost: float | None = None
    validation_score: float | None = None


@dataclass
class History:
    """The course of one `Network.fit`.

    Attributes
    ----------
    costs : ndarray, shape (steps,), float64
        Mean cost of each step's batch, before its update.
    epoch_costs : ndarray, shape (epochs,), float64
        Mean over each whole epoch's rows of those costs.
    validation_costs, validation_scores : ndarray, shape (epochs,), float64
        Cost and `Network.score` on the validation data after each epoch; empty without ``validation=``.
    traces : list of (step, Trace)
        With ``trace_every=``: what the network did to the batch of a step (counted from 1) before its update.
    nonfinite : str, optional
        The first cost, gradient or parameter that was infinite or NaN: its layer and step.
    constant_cost : float, optional
        Of the best prediction that does not look at x: the frequencies of the classes, or the mean.
    """

    costs: NDArray[np.float64] = field(default_factory=_empty)
    epoch_costs: NDArray[np.float64] = field(default_factory=_empty)
    validation_costs: NDArray[np.float64] = field(default_factory=_empty)
    validation_scores: NDArray[np.float64] = field(default_factory=_empty)
    nonfinite: str | None = None
    traces: list[tuple[int, Trace]] = field(default_factory=list)
    constant_cost: float | None = None

    @property
    def epochs(self) -> int:
        """Number of whole epochs."""
        return len(self.epoch_costs)

    @property
    def diverged(self) -> bool:
        """Whether anything was infinite or NaN."""
        return self.nonfinite is not None or not bool(np.isfinite(self.costs).all())

    def __repr__(self) -> str:
        if not len(self.costs):
            return "History(epochs=0)"
        first, last = self.costs[0], self.epoch_costs[-1] if self.epochs else self.costs[-1]
        diverged = ", diverged" if self.diverged else ""
        return f"History(epochs={self.epochs}, steps={len(self.costs)}, cost {first:.4g} -> {last:.4g}{diverged})"
