"""What training leaves behind: the costs, step by step and epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def _empty() -> NDArray[np.float64]:
    return np.empty(0)


@dataclass
class History:
    """The course of one `Network.fit`.

    Attributes
    ----------
    costs : ndarray, shape (steps,), float64
        Mean cost of each step's batch, before its update.
    epoch_costs : ndarray, shape (epochs,), float64
        Mean over each epoch's rows of those costs.
    held_out_costs : ndarray, shape (epochs,), float64
        Cost on the held-out data after each epoch; empty without ``held_out=``.
    held_out_errors : ndarray, shape (epochs,), float64
        Fraction of the held-out rows that were misclassified after each epoch; empty without ``held_out=`` and for
        mean_squared_error.
    """

    costs: NDArray[np.float64] = field(default_factory=_empty)
    epoch_costs: NDArray[np.float64] = field(default_factory=_empty)
    held_out_costs: NDArray[np.float64] = field(default_factory=_empty)
    held_out_errors: NDArray[np.float64] = field(default_factory=_empty)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.epoch_costs)

    @property
    def diverged(self) -> bool:
        """Whether any step's cost was infinite or NaN."""
        return not bool(np.isfinite(self.costs).all())

    def __repr__(self) -> str:
        if not self.epochs:
            return "History(epochs=0)"
        first, last = self.costs[0], self.epoch_costs[-1]
        diverged = ", diverged" if self.diverged else ""
        return f"History(epochs={self.epochs}, steps={len(self.costs)}, cost {first:.4g} -> {last:.4g}{diverged})"
