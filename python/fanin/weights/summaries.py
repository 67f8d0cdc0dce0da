"""Summaries of a file's tensors: where they lie in it as in memory the core reads and measures them, others come in pieces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fanin.stats import Summary, summarize, summarize_bfloat16, summarize_stored
from fanin.weights.formats.tensors import Elements, Tensor
from fanin.weights.units import Units, most_elements

OUTLIERS = 6.0  # standard deviations: 2 of 10^9 elements of a normal law lie beyond


def summary(tensor: Tensor, units: Units | None) -> tuple[Summary, int]:
    """Summarize a tensor that can be read, count its finite elements beyond 6 standard deviations, and look at its units."""
    if tensor.place is not None:
        heads = None if units is None else units.heads
        return summarize_stored(*tensor.place, tensor.dtype, tensor.shape, heads=heads, deviations=OUTLIERS)
    most = most_elements(tensor, units)

    def measure(begin: int, values: Elements) -> Summary:
        if units is not None:
            units.look(begin, values)
        return _summarize(tensor)(values.reshape(tensor.shape) if tensor.size <= most else values, bins=None)

    whole = _of_pieces(tensor, most, measure)
    if whole is None:
        return summarize(np.empty(0, np.float32), bins=None), 0
    limits = whole.mean - OUTLIERS * whole.std, whole.mean + OUTLIERS * whole.std
    if not whole.finite or limits[0] <= whole.min <= whole.max <= limits[1]:
        return whole, 0

    def count(_: int, values: Elements) -> Summary:
        return _summarize(tensor)(values, bins=None, moments="two", saturation=limits)

    again = _of_pieces(tensor, most, count)
    return whole, 0 if again is None else again.saturated - whole.infs


def _summarize(tensor: Tensor) -> Callable[..., Summary]:
    """What summarizes pieces of the tensor: each in the type in which it is stored."""
    return summarize_bfloat16 if tensor.dtype == "BF16" else summarize


def _of_pieces(tensor: Tensor, most: int, measure: Callable[[int, Elements], Summary]) -> Summary | None:
    """The sum of what was measured of the pieces, each with the elements before it; None where there is no piece."""
    assert tensor.pieces is not None
    whole, begin = None, 0
    for piece in tensor.pieces(most):
        values = piece()
        part = measure(begin, values)
        whole = part if whole is None else whole + part
        begin += values.size
    return whole
