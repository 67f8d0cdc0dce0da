"""Reports for people: a Rich table and a picture of a comparison. They need the extra ``fanin[report]``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.common import files, text
from fanin.experiments.comparison import Comparison
from fanin.experiments.run import Run
from fanin.reports import palette, shapes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

    from fanin.tracing.record import LayerTrace

_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
_ROWS = 5  # layers drawn; of a deeper network the first, the last and some between


def rich_table(result: Comparison, width: int = 120) -> Table:
    """Return the comparison as a Rich table for a terminal of `width` columns (80 or more), the verdict coloured."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    heads, rows = result.table()
    cells = [heads, *rows]
    natural = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    narrow = sum(natural) + 2 * len(heads) > width
    table = Table(
        title=result.title(),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
    for i, head in enumerate(heads):
        size = natural[i]
        if narrow and i in (1, 2):
            size = max(_two_lines(row[i]) for row in rows)
        elif narrow and i > 2:
            size = max(len(word) for row in cells for word in row[i].replace(" %", "_%").split())
        table.add_column(head, justify="right" if 3 <= i <= 5 else "left", width=size)
    for run, row in zip(result.runs, rows, strict=True):
        style = palette.rich_style(run.verdict)
        table.add_row(*(Text(cell) for cell in row[:-1]), Text(row[-1], style=style))
    return table


def _two_lines(text: str) -> int:
    """Return the width at which words fill two lines, of at least six columns for the head."""
    words = text.split()
    half = -(-len(words) // 2)
    return max(len(" ".join(words[:half])), len(" ".join(words[half:])), 6)


def check_path(path: str | os.PathLike[str]) -> None:
    """Refuse a path that `save_figure` could not write, before hours of training.

    Raises
    ------
    ValueError
        If Matplotlib knows no format of that ending.
    OSError
        If the folder does not exist, the path is a folder, or it may not be written.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    files.check("figure", path, FigureCanvasBase.get_supported_filetypes())


def save_figure(result: Comparison, path: str | os.PathLike[str]) -> None:
    """Draw `figure` into a file; the name's ending chooses the format (PNG, PDF, SVG).

    Raises
    ------
    ValueError
        If Matplotlib knows no such format.
    """
    figure(result).savefig(path, dpi=150)


def figure(result: Comparison) -> Figure:
    """Return a Matplotlib figure: cost curves above, below them every layer's activations at the start.

    Each column of histograms is an initialization, each row a hidden layer; a histogram is scaled to its own peak. Costs are
    drawn on a logarithmic axis, averaged over short windows of steps; a cross marks the step where a cost stopped being finite.
    """
    from matplotlib.figure import Figure

    columns = len(result.runs)
    layers = text.evenly(len(result.runs[0].trace.hidden), _ROWS)
    width = min(max(9.0, 2.6 * columns), 40.0)
    tall = 3.9 + 0.95 * len(layers)
    figure = Figure(figsize=(width, tall), facecolor="white", layout="constrained")
    parts: Any = [figure]
    if layers:
        parts = figure.subfigures(2, 1, height_ratios=[3.5, 0.4 + 0.95 * len(layers)])
    curves = parts[0].subplots()
    _draw_costs(curves, result)
    if layers:
        grid = parts[1].subplots(len(layers), columns, squeeze=False)
        for column, run in enumerate(result.runs):
            _draw_histograms(grid[:, column], run, layers, palette.law(column), first=column == 0)
        parts[1].supxlabel("activation at the start, on one batch", fontsize=9, color=palette.TEXT)
    return figure


def _draw_costs(axes: Axes, result: Comparison) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    last = 1
    for i, run in enumerate(result.runs):
        colour, dash = palette.law(i), _DASHES[i % len(_DASHES)]
        real = result.settings["loss"] == "mean_squared_error"
        error = f"   held-out cost {text.brief(run.error)}" if real else f"   held-out error {100 * run.error:.1f} %"
        finite = np.isfinite(run.costs)
        steps, means = shapes.smooth(np.where(finite & (run.costs > 0), run.costs, np.nan))
        axes.plot(steps, means, color=colour, linestyle=dash, linewidth=1.8, label=f"{run.law}: {run.verdict}{error}")
        if not finite.all():
            k = int(np.argmin(finite))
            height = run.costs[k - 1] if k and run.costs[k - 1] > 0 else 1.0
            axes.plot([k + 1], [height], marker="x", markersize=9, markeredgewidth=2.2, color=colour)
            axes.annotate("not finite", (k + 1, height), textcoords="offset points", xytext=(8, 0), fontsize=8, color=colour)
        last = max(last, len(run.costs))
    axes.set_yscale("log")
    axes.set_xlim(1, max(last, 2))
    axes.set_xlabel(f"step (a batch of {result.settings['batch_size']})")
    axes.set_ylabel("cost of the batch")
    axes.grid(True, which="major", color=palette.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _tidy(axes)
    plain = FuncFormatter(lambda value, _: text.brief(value))
    axes.yaxis.set_major_formatter(plain)
    low, high = axes.get_ylim()
    few = LogLocator(subs=(2.0, 5.0)) if high / low < 300 else NullLocator()
    axes.yaxis.set_minor_locator(few)
    axes.yaxis.set_minor_formatter(plain)
    axes.tick_params(which="both", labelsize=9, colors=palette.TEXT, length=2)
    legend = axes.figure.legend(
        loc="outside upper left", frameon=False, fontsize=9, handlelength=3.2, title=result.title(), alignment="left"
    )
    legend.get_title().set(fontsize=9, color=palette.TEXT)


def _draw_histograms(column: Any, run: Run, layers: list[int], colour: str, *, first: bool) -> None:
    """Draw one initialization; layers share an axis unless their scales are too far apart to be seen on one."""
    shown = [run.trace.hidden[index] for index in layers]
    ranges, shared = shapes.extents(shown)
    for row, (axes, layer, (low, high)) in enumerate(zip(column, shown, ranges, strict=True)):
        _draw_histogram(axes, layer, colour)
        axes.set_xlim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        axes.set_ylim(0, 1.12)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=5)
        if shared and row < len(shown) - 1:
            axes.tick_params(labelbottom=False)
        if not shared:
            axes.xaxis.set_major_formatter(lambda value, _: text.brief(value))
        full = layer.saturated is not None and layer.saturated > 0.2  # the middle is empty then, the corner is not
        words = shapes.spread(layer)
        if not full and _corner(layer, low, high) > 0.75:
            axes.set_ylim(0, 1.2 + 0.3 * len(words))
        place, side = (0.5, "center") if full else (0.98, "right")
        axes.text(
            place,
            0.94,
            "\n".join(words),
            transform=axes.transAxes,
            ha=side,
            va="top",
            fontsize=8,
            color=palette.TEXT,
        )
        axes.tick_params(labelsize=8, colors=palette.TEXT, length=2)
        _tidy(axes, "left")
        if row == 0:
            axes.set_title(run.law, fontsize=10, color=colour, fontweight="bold")
        if first:
            axes.set_ylabel(layer.name, fontsize=8, rotation=0, ha="right", va="center", color=palette.TEXT)


def _corner(layer: LayerTrace, low: float, high: float) -> float:
    """Return how high a histogram stands in the right third of its axis, where the words are."""
    drawn = shapes.heights(layer)
    if drawn is None:
        return 0.0
    edges, heights = drawn
    return float(heights[edges[1:] > low + (high - low) * 2 / 3].max(initial=0.0))


def _draw_histogram(axes: Axes, layer: LayerTrace, colour: str) -> None:
    drawn = shapes.heights(layer)
    if drawn is None:
        axes.axvline(float(layer.a.mean), color=colour, linewidth=2.5)
        return
    edges, heights = drawn
    axes.stairs(heights, edges, fill=True, color=colour, alpha=0.35)
    axes.stairs(heights, edges, color=colour, linewidth=1.0)


def _tidy(axes: Axes, *sides: str) -> None:
    for side in ("top", "right", *sides):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(palette.RULE)
