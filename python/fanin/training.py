"""The training loop of `fanin.Network`: whole epochs run in the core."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin.history import History
from fanin.optimizer import Optimizer, core_of

if TYPE_CHECKING:
    from typing_extensions import Self


class Training:
    """What `fanin.Network` inherits."""

    _core: Any
    loss_name: str
    _x: Callable[[ArrayLike], NDArray[Any]]
    _y: Callable[[ArrayLike], NDArray[Any]]
    predict: Callable[[ArrayLike], NDArray[Any]]

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        shuffle: bool = True,
        optimizer: Optimizer,
        held_out: tuple[ArrayLike, ArrayLike] | None = None,
        progress: bool | Callable[[int, int, float], None] | None = None,
        callback: Callable[[Self, int], None] | None = None,
    ) -> History:
        """Step over all rows, epoch by epoch.

        Parameters
        ----------
        x, y : array_like
            Data, converted once.
        epochs : int
            At least 0.
        batch_size : int, optional
            Rows of a step; the last batch of an epoch may be short. None: all rows.
        shuffle : bool
            Whether an epoch takes the rows by the permutation of (seed, ``"fanin/shuffle"``, round), the round being the number
            of epochs that this network has seen; otherwise they come in order.
        optimizer : Optimizer
            For example ``fi.SGD(lr=0.1)``.
        held_out : (x, y), optional
            Data to be judged on after each epoch.
        progress : bool or callable
            True writes a line to the standard error; a callable is called after each epoch as progress(epoch, epochs, cost).
        callback : callable
            Called after each epoch as callback(network, epoch), epoch counting from 1.

        Returns
        -------
        History

        Notes
        -----
        Ctrl-C ends it between steps with KeyboardInterrupt, and what was learned stays. A cost that is not finite does not end
        it: see `History.diverged`.
        """
        epochs, rows = operator.index(epochs), 0 if batch_size is None else operator.index(batch_size)
        if epochs < 0:
            raise ValueError(f"epochs must be at least 0, got {epochs}")
        if batch_size is not None and rows < 1:
            raise ValueError(f"batch_size must be at least 1, or None for all rows, got {rows}")
        x, y, core = self._x(x), self._y(y), core_of(optimizer)
        judge = None if held_out is None else (self._x(held_out[0]), self._y(held_out[1]))
        if judge is not None:
            self._core.loss(*judge)  # refuses bad data before anything changes
        history = History()
        show = _progress_line if progress is True else progress or None
        at_once = epochs if judge is None and show is None and callback is None else 1
        costs, means, judged = [], [], []
        for epoch in range(at_once, epochs + 1, at_once or 1) if epochs else ():
            each, mean = self._core.fit(x, y, at_once, rows, bool(shuffle), core)
            costs.append(each)
            means.append(mean)
            if judge is not None:
                judged.append((self._core.loss(*judge), self._error(*judge)))
            if show is not None:
                show(epoch, epochs, float(mean[-1]))
            if callback is not None:
                callback(self, epoch)
        if epochs:
            history.costs, history.epoch_costs = np.concatenate(costs), np.concatenate(means)
        if judged:
            history.held_out_costs = np.array([cost for cost, _ in judged])
            history.held_out_errors = np.array([error for _, error in judged if error is not None])
        return history

    def _error(self, x: NDArray[Any], y: NDArray[Any]) -> float | None:
        return None if self.loss_name == "mean_squared_error" else float(np.mean(self.predict(x) != y))


def _progress_line(epoch: int, epochs: int, cost: float) -> None:
    end = "\n" if epoch == epochs else ""
    sys.stderr.write(f"\repoch {epoch} of {epochs}  cost {cost:.4g}    {end}")
    sys.stderr.flush()
