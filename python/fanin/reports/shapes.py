"""What pictures and pages draw of a run: histograms scaled to be seen, smoothed costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fanin.common.text import brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.tracing.record import LayerTrace

_FAR = 30.0  # times as wide: two histograms are no longer seen on one axis
_MANY = 0.1  # of the activations


def smooth(costs: NDArray[np.float64], points: int = 150) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return steps and means over windows of equal length, about `points` of them, the first step as it is."""
    window = max(1, len(costs) // points)
    whole = len(costs) // window * window
    means = costs[:whole].reshape(-1, window).mean(axis=1)
    steps = np.arange(whole).reshape(-1, window).mean(axis=1) + 1
    if window == 1:
        return steps, means
    return np.concatenate([[1], steps]), np.concatenate([costs[:1], means])


def extent(layer: LayerTrace) -> tuple[float, float]:
    """Where a layer's histogram lies; around its one value if it has no other."""
    histogram = layer.a.histogram
    if histogram is None:
        value = float(layer.a.mean) if math.isfinite(layer.a.mean) else 0.0
        return value - 1, value + 1
    return float(histogram.edges[0]), float(histogram.edges[-1])


def extents(layers: Sequence[LayerTrace]) -> tuple[list[tuple[float, float]], bool]:
    """Return each layer's range to draw, and whether all share one: they do unless their scales are too far apart."""
    own = [extent(layer) for layer in layers]
    widths = [high - low for low, high in own]
    if max(widths) > _FAR * min(widths):
        return own, False
    return [(min(low for low, _ in own), max(high for _, high in own))] * len(own), True


def heights(layer: LayerTrace) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return edges, and heights over the peak; None where every value is the same, or none is finite.

    The zeros of ReLU stand beyond the top, 1, so that the rest can be seen.
    """
    summary = layer.a
    if summary.histogram is None or summary.std == 0:
        return None
    counts = np.asarray(summary.histogram.counts, dtype=np.float64)
    edges = np.asarray(summary.histogram.edges, dtype=np.float64)
    peak = counts.max()
    if zeros(layer) > _MANY:
        rest = np.delete(counts, min(max(int(np.searchsorted(edges, 0.0, side="right")) - 1, 0), len(counts) - 1))
        peak = rest.max() or peak
    return edges, counts / peak


def zeros(layer: LayerTrace) -> float:
    """Return the fraction of the activations that are 0."""
    return float(layer.a.zeros / layer.a.count)


def spread(layer: LayerTrace) -> list[str]:
    """Return the standard deviation in words, and what is saturated or 0."""
    lines = [f"std {brief(float(layer.a.std), 2)}"]
    if layer.saturated is not None and layer.saturated >= 0.01:
        lines.append(f"{100 * layer.saturated:.0f} % saturated")
    if layer.a.std > 0 and zeros(layer) > _MANY:
        lines.append(f"{100 * zeros(layer):.0f} % are 0")
    return lines
