"""A sweep as a picture: the held-out error of every point, a colour a law. Needs ``fanin[report]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.common import text
from fanin.reports import grid, palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fanin.experiments.sweep_result import Sweep

WORDS = {"depth": "number of hidden layers", "width": "units in a hidden layer", "lr": "learning rate", "seed": "seed"}


def figure(result: Sweep) -> Figure:
    """Return the figure of `Sweep.plot`: dots are points, lines their medians over one side of the grid."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 5.0), facecolor="white", layout="constrained")
    axes = figure.subplots()
    percent = result.settings.get("loss") != "mean_squared_error"
    by = 100 if percent else 1
    name = grid.axis(result)
    for i, curve in enumerate(grid.curves(result)):
        lost = f" ({curve.lost} diverged or failed)" if curve.lost else ""
        colour = palette.law(i)
        axes.plot(curve.at, [by * e for e in curve.errors], "o", color=colour, markersize=4, alpha=0.45)
        axes.plot(
            [x for x, _ in curve.medians],
            [by * e for _, e in curve.medians],
            color=colour,
            linewidth=1.8,
            marker="o",
            label=curve.law + lost,
        )
    if name in ("lr", "width") and len(set(result.column(name))) > 2:
        axes.set_xscale("log")
    ticks = sorted(set(result.column(name)))
    if len(ticks) <= 12:
        axes.set_xticks(ticks, [text.brief(float(one)) for one in ticks])
        axes.minorticks_off()
    axes.set_xlabel(WORDS[name])
    axes.set_ylabel("held-out error, %" if percent else "held-out cost")
    axes.grid(True, color=palette.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(result):
        axes.legend(frameon=False, fontsize=9)
    figure.suptitle(result.title(), x=0.01, ha="left", fontsize=8, color=palette.TEXT, wrap=True)
    return figure
