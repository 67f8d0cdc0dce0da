"""Traces while a network learns: of the very batches that it steps over, at the price of their statistics alone.

The core's pass measures the step (`fanin::StepObserver`); here its summaries become a `fanin.Trace`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.activation import traits
from fanin.stats import Summary, SummaryOptions, summary_options
from fanin.tracing.assemble import layer_of, trace_of
from fanin.tracing.measure import MOMENTS
from fanin.tracing.record import Trace


class Tracer:
    """What `Network.fit` keeps under ``trace_every=``."""

    def __init__(self, net: Any, every: int) -> None:
        self._net, self._every = net, every
        self.traces: list[tuple[int, Trace]] = []

    def observe(self, x: NDArray[Any]) -> tuple[int, SummaryOptions, list[SummaryOptions], Any]:
        """Return what the core's fit takes: every how many steps, how to summarize, and the function that it calls."""
        self._x, self._room = x, np.empty((0, x.shape[1]), x.dtype)
        of_a = [summary_options(**MOMENTS, saturation=traits(name).limits) for name in self._net.activations]
        return self._every, summary_options(**MOMENTS), of_a, self._see

    def _see(self, step: int, rows: Any, cost: float, x: Summary, layers: list[tuple[Any, ...]], dw: list[Any]) -> None:
        """Called by the core after a step; `dw` holds views that end with the call."""
        if x.nans or x.infs:
            return
        net, found = self._net, []
        biases = net.biases or (None,) * len(net.weights)
        for w, b, activation, gradient, one in zip(net.weights, biases, net.activations, dw, layers, strict=True):
            z, a, of_w, of_b, dz, da, of_dw, of_db, dead = one
            layer = layer_of(w, b, activation, z=z, a=a, of_w=of_w, of_b=None if b is None else of_b, dead=dead / len(w))
            layer.add_gradients(gradient, da=da, dz=dz, of_dw=of_dw, of_db=None if b is None else of_db)
            found.append(layer)
        with np.errstate(all="ignore"):
            self.traces.append((step, trace_of(net, found, self._batch(rows), x, cost)))

    def _batch(self, rows: NDArray[Any] | slice) -> NDArray[Any]:
        """Return rows of x, in memory that the next batch takes over: fresh pages would cost more than the copy."""
        if isinstance(rows, slice):
            return self._x[rows]
        if len(rows) > len(self._room):
            self._room = np.empty((len(rows), self._x.shape[1]), self._x.dtype)
        return np.take(self._x, rows, axis=0, out=self._room[: len(rows)], mode="clip")  # "raise" would copy once more
