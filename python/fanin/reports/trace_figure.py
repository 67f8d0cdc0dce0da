"""A trace as a picture: scales over depth, measured and expected, and every layer's histogram. Needs ``fanin[report]``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.common.text import evenly
from fanin.reports import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fanin.tracing.record import LayerTrace, Trace

_COLUMNS = 6  # histograms in a row
_ROWS = 3  # of them; of a deeper network, layers evenly spaced


def figure(t: Trace) -> Figure:
    """Return the figure of `Trace.plot`: above, the spread of a and the size of da over depth; below, histograms of a."""
    from matplotlib.figure import Figure

    layers = t.hidden or t.layers
    shown = [layers[i] for i in evenly(len(layers), _COLUMNS * _ROWS)]
    rows = -(-len(shown) // _COLUMNS)
    figure = Figure(figsize=(10.5, 3.6 + 1.45 * rows), facecolor="white", layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[3.4, 0.3 + 1.45 * rows])
    above, below = parts
    panels = above.subplots(1, 2 if t.cost is not None else 1, squeeze=False)[0]
    depth = np.arange(1, len(layers) + 1)
    expected = [layer.expected for layer in layers]
    spread = [float(layer.a.std) for layer in layers]
    band = [one.a_error if one is not None else math.nan for one in expected]
    _draw_scale(panels[0], depth, spread, [layer.expected_std for layer in layers], band, palette.FORWARD)
    panels[0].set_title("activations: standard deviation of a", fontsize=10, color=palette.FORWARD)
    if t.cost is not None:
        sizes = [math.nan if layer.da is None else float(layer.da.rms) for layer in layers]
        theory = [math.nan if layer.expected_da is None else layer.expected_da for layer in layers]
        band = [one.da_error if one is not None else math.nan for one in expected]
        _draw_scale(panels[1], depth, sizes, theory, band, palette.BACKWARD)
        panels[1].set_title("gradients: rms of da", fontsize=10, color=palette.BACKWARD)
    above.suptitle(_title(t), x=0.01, ha="left", fontsize=9, color=palette.TEXT)
    grid = below.subplots(rows, min(_COLUMNS, len(shown)), squeeze=False).reshape(-1)
    for axes, layer in zip(grid, shown, strict=False):
        _draw_histogram(axes, layer)
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    return figure


def _title(t: Trace) -> str:
    names = ", ".join(dict.fromkeys(layer.activation for layer in t.hidden)) or "no hidden layers"
    cost = "" if t.cost is None else f"; cost {t.cost:.4g}"
    beside = "" if t.cost is None or t.uninformed_cost is None else f" ({t.uninformed_cost:.4g} favours no class)"
    return f"{names}; batch of {t.batch}{cost}{beside}. Dots: measured. Lines: expected, with two standard deviations."


def _draw_scale(
    axes: Axes, depth: Any, measured: Sequence[float], expected: Sequence[float], error: Sequence[float], colour: str
) -> None:
    """Draw one scale over depth, logarithmic where it spans more than a factor of 5."""
    from matplotlib.ticker import MaxNLocator

    line, relative = np.array(expected, dtype=float), np.array(error, dtype=float)
    dots = np.array(measured, dtype=float)
    known = np.isfinite(line) & (line > 0)
    seen = np.isfinite(dots) & (dots > 0)
    values = np.concatenate([line[known], dots[seen]])
    top = 0.0
    if known.any():
        # A relative error is one of the logarithm: the band stays above 0.
        reach = np.exp(np.minimum(2 * relative, 50.0))
        axes.fill_between(depth, line / reach, line * reach, color=colour, alpha=0.18, linewidth=0)
        axes.plot(depth, line, color=colour, linewidth=1.5, label="expected")
        top = float(np.max((line * reach)[known], initial=0.0, where=relative[known] < 1))
    axes.plot(depth[seen], dots[seen], "o", color=colour, markersize=5, markeredgecolor="white", label="measured")
    if values.size and values.max() > 5 * values.min():
        axes.set_yscale("log")
        axes.set_ylim(values.min() / 2, values.max() * 2)
    elif values.size:
        axes.set_ylim(0, 1.05 * max(1.2 * float(values.max()), top))
    else:
        axes.text(0.5, 0.5, "exactly 0, or not finite", transform=axes.transAxes, ha="center", color=palette.TEXT)
    axes.set_xlim(0.5, len(depth) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("hidden layer", fontsize=9, color=palette.TEXT)
    axes.grid(True, which="major", color=palette.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _tidy(axes)


def _draw_histogram(axes: Axes, layer: LayerTrace) -> None:
    """Draw a layer's activations, scaled to the highest bin beside that of the zeros."""
    summary = layer.a
    lines = [f"std {summary.std:.2g}"]
    if layer.saturated is not None and layer.saturated >= 0.01:
        lines.append(f"{100 * layer.saturated:.0f} % sat.")
    if layer.dead >= 0.005:
        lines.append(f"{100 * layer.dead:.0f} % dead")
    histogram = summary.histogram
    if histogram is None or summary.std == 0:
        axes.axvline(float(summary.mean) if math.isfinite(summary.mean) else 0.0, color=palette.FORWARD, linewidth=2.5)
    else:
        counts, edges = np.asarray(histogram.counts, dtype=float), np.asarray(histogram.edges)
        peak = counts.max()
        if summary.zeros > 0.1 * summary.count:  # the zeros of ReLU stand out beyond the top
            rest = np.delete(counts, min(max(int(np.searchsorted(edges, 0.0, side="right")) - 1, 0), len(counts) - 1))
            peak = rest.max() or peak
        axes.stairs(counts / peak, edges, fill=True, color=palette.FORWARD, alpha=0.35)
        axes.stairs(counts / peak, edges, color=palette.FORWARD, linewidth=0.9)
    axes.set_ylim(0, 1.15)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=3)
    axes.set_title(layer.name, fontsize=8, color=palette.TEXT, pad=3)
    full = layer.saturated is not None and layer.saturated > 0.5  # the middle is empty then, the corner is not
    place, side = (0.5, "center") if full else (0.98, "right")
    axes.text(place, 0.95, "\n".join(lines), transform=axes.transAxes, ha=side, va="top", fontsize=7, color=palette.TEXT)
    _tidy(axes, "left")


def _tidy(axes: Axes, *sides: str) -> None:
    axes.tick_params(labelsize=8, colors=palette.TEXT, length=2)
    for side in ("top", "right", *sides):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(palette.RULE)
