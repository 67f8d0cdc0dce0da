"""Learning rates as a picture: the cost that each reached, beside the best constant prediction. Needs ``fanin[report]``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fanin.common import text
from fanin.reports import palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fanin.diagnosis.learning_rate import LearningRates


def figure(result: LearningRates) -> Figure:
    """Return the figure of `LearningRates.plot`: a dot a rate, a ring around the best, crosses above where it diverged.

    A band marks the rates that train. Costs far above the constant prediction's are drawn at the upper edge.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.0), facecolor="white", layout="constrained")
    axes = figure.subplots()
    top = 1.25 * result.constant_cost
    ends = [(rate, cost) for rate, cost in zip(result.rates, result.costs, strict=True) if math.isfinite(cost)]
    lost = [rate for rate, cost in zip(result.rates, result.costs, strict=True) if not math.isfinite(cost)]
    if result.range is not None:
        axes.axvspan(*result.range, color=palette.FORWARD, alpha=0.08, linewidth=0)
    axes.axhline(result.constant_cost, color=palette.RULE, linewidth=1, label="best constant prediction")
    heights = [min(cost, top) for _, cost in ends]
    axes.plot([rate for rate, _ in ends], heights, "o-", color=palette.FORWARD, linewidth=1.8, markersize=5, label="cost")
    if lost:
        axes.plot(lost, [top] * len(lost), "x", color=palette.BACKWARD, markersize=7, label="diverges")
    if result.best is not None:
        ring: dict[str, Any] = {"markersize": 12, "fillstyle": "none", "label": f"best: {result.best:g}"}
        axes.plot([result.best], [min(result.costs)], "o", color=palette.FORWARD, **ring)
    axes.set_xscale("log")
    axes.set_xticks(result.rates, [text.brief(rate) for rate in result.rates])
    axes.minorticks_off()
    axes.set_ylim(bottom=0, top=1.04 * top)
    axes.set_xlabel("learning rate")
    axes.set_ylabel(f"cost after {result.steps} steps")
    axes.grid(True, color=palette.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.suptitle(result.title(), x=0.01, ha="left", fontsize=8, color=palette.TEXT, wrap=True)
    return figure
