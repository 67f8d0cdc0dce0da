"""Draw docs/start.png, the picture of the README: one network from four starts, its signal, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fanin as fi
from fanin.common import text
from fanin.reports import palette, shapes

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "start.png"
# Title, law, and its colour as fanin.compare gives it to laws in this order.
STARTS = (
    ("zeros", "zeros"),
    ("too small", "normal(std=0.02)"),
    ("too large", "normal(std=1)"),
    ("right", "xavier_normal"),
)
HIDDEN = [100] * 6
EPOCHS = 10


def main() -> None:
    x, y = fi.datasets.digits()
    laws = [law for _, law in STARTS]
    result = fi.compare(laws, x, y, hidden=HIDDEN, activation="tanh", epochs=EPOCHS, seed=0)
    figure = Figure(figsize=(9.6, 4.3), facecolor="white", layout="constrained")
    panels = figure.subplots(2, len(STARTS), sharex="row", sharey="row", height_ratios=[1.25, 1])
    for column, ((title, law), run) in enumerate(zip(STARTS, result.runs, strict=True)):
        colour, (signal, cost) = palette.law(column), panels[:, column]
        word = run.verdict.partition(":")[0]
        signal.set_title(f"{title}\n", fontsize=13, fontweight="bold", color=colour)
        signal.text(
            0.5, 1.03, "" if law == title else law, transform=signal.transAxes, ha="center", fontsize=8.5, color=palette.TEXT
        )
        for layer, at in enumerate(run.trace.hidden):
            floor, drawn = len(HIDDEN) - 1 - layer, shapes.heights(at)
            if drawn is None:  # every activation is one number
                signal.plot([float(at.a.mean)] * 2, [floor, floor + 0.85], color=colour, linewidth=2.5)
                continue
            edges, heights = drawn
            signal.stairs(floor + 0.85 * heights, edges, baseline=floor, fill=True, color=colour, alpha=0.8)
        signal.set(xlim=(-1, 1), ylim=(-0.1, len(HIDDEN)), yticks=np.arange(len(HIDDEN)) + 0.2, xticks=[-1, 0, 1])
        signal.set_yticklabels([f"layer {layer}" for layer in range(len(HIDDEN), 0, -1)], fontsize=8)
        steps, means = shapes.smooth(run.costs)
        cost.plot(steps, means, color=colour, linewidth=2)
        cost.set(yscale="log", xlim=(1, len(run.costs)))
        error = f"{100 * run.error:.0f} % wrong"
        cost.text(0.96, 0.92, f"{word}\n{error}", transform=cost.transAxes, ha="right", va="top", fontsize=10, color=colour)
        for axes in (signal, cost):
            axes.grid(True, color=palette.GRID, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(labelsize=8, length=0)
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
    panels[1, 0].yaxis.set_major_formatter(lambda value, _: text.brief(value))
    panels[0, 0].set_ylabel("signal at the start", fontsize=9)
    panels[1, 0].set_ylabel("cost while it trains", fontsize=9)
    for axes in panels[1]:
        axes.set_xlabel("step", fontsize=8, color=palette.TEXT)
    figure.savefig(PICTURE, dpi=100)


if __name__ == "__main__":
    main()
