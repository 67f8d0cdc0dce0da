"""Traces while a network learns: of the very batches that it steps over, at the price of their statistics alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.tracing.record import Trace


class Tracer:
    """What `Network.fit` keeps under ``trace_every=``."""

    def __init__(self, net: Any, every: int, shuffle: bool, batch_size: int) -> None:
        self._net, self._every, self._shuffle, self._batch = net, every, shuffle, batch_size
        self._round, self._order = -1, np.empty(0, np.int64)
        self.traces: list[tuple[int, Trace]] = []

    def look(self, x: NDArray[Any], y: NDArray[Any], state: Any) -> int:
        """Trace the batch of the next step of a `FitState` if it is its turn; returns the steps until the next look."""
        ahead = self._every - int(state.steps) % self._every
        fits = x.ndim == 2 and x.shape[1] == self._net.sizes[0] and len(y) == len(x) > 0
        if ahead == self._every and fits:  # the fit itself refuses other data
            self._trace(x, y, state)
        return ahead

    def _trace(self, x: NDArray[Any], y: NDArray[Any], state: Any) -> None:
        from fanin.tracing.measure import measure

        rows: Any = slice(state.row, state.row + (self._batch or len(x)))
        if self._shuffle:
            now = state.round if state.row else self._net._core.epochs  # a new epoch has a new order
            if now != self._round:
                self._round, self._order = now, np.empty(len(x), np.int64)
                _core.permutation(self._order, self._net.seed, _core.own_stream("fanin/shuffle"), now)
            rows = self._order[rows]
        batch = x[rows]
        if not np.isfinite(batch).all():
            return
        own = not self._net.shared  # a matrix of its own for each layer: the gradients are those of the step
        with np.errstate(all="ignore"):
            found = measure(self._net, batch, y[rows], full=False, per_unit=False, keep=own)
        self.traces.append((state.steps, found.trace))
        if own and found.trace.cost is not None and math.isfinite(found.trace.cost):
            self._net._core.give_gradients(found.trace.cost, found.gradients)
