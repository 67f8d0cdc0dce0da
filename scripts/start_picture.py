"""Draw docs/start.png and docs/start-dark.png, the pictures of the README: one network from four starts, its signal, its end.

Phones show the README about 340 pixels wide: the letters are so large that they are read there too. Each picture brings its
paper along, since an index shows it on white whatever the reader's system prefers.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fanin as fi
from fanin.common import text
from fanin.experiments.run import Run
from fanin.reports import palette, shapes

DOCS = Path(__file__).resolve().parents[1] / "docs"


class Paper(NamedTuple):
    """What a picture is drawn on, and with."""

    name: str
    paper: str
    text: str
    grid: str
    dark: bool


PAPERS = (
    Paper("start.png", "#ffffff", palette.TEXT, palette.GRID, dark=False),
    Paper("start-dark.png", "#0d1117", "#c9d1d9", "#30363d", dark=True),
)
# Title, law, what is said of it below the title; the colours are those of fanin.compare for laws in this order.
STARTS = (
    ("zeros", "zeros", "std 0"),
    ("too small", "normal(std=0.02)", "std 0.02"),
    ("too large", "normal(std=1)", "std 1"),
    ("right", "xavier_normal", "Xavier"),
)
HIDDEN = [100] * 6
EPOCHS = 10
LARGE, MIDDLE, SMALL = 15.5, 13.5, 12.5  # points of 432 across: the smallest has 10 pixels on a phone


def main() -> None:
    x, y = fi.datasets.digits()
    laws = [law for _, law, _ in STARTS]
    runs = fi.compare(laws, x, y, hidden=HIDDEN, activation="tanh", epochs=EPOCHS, seed=0).runs
    for paper in PAPERS:
        _figure(runs, paper).savefig(DOCS / paper.name, dpi=160, facecolor=paper.paper)


def _figure(runs: tuple[Run, ...], paper: Paper) -> Figure:
    figure = Figure(figsize=(6, 5.4), facecolor=paper.paper)
    panels = figure.subplots(2, len(STARTS), sharex="row", sharey="row", height_ratios=[1.5, 1])
    figure.subplots_adjust(left=0.125, right=0.985, top=0.86, bottom=0.13, wspace=0.16, hspace=0.24)
    for column, ((title, _, size), run) in enumerate(zip(STARTS, runs, strict=True)):
        law, (signal, cost) = palette.LAWS[column], panels[:, column]
        colour = law.dark if paper.dark else law.light
        _words(signal, 1.13, title, colour, LARGE, "bold")
        _words(signal, 1.02, size, paper.text, SMALL)
        for layer, at in enumerate(run.trace.hidden):
            floor, drawn = len(HIDDEN) - 1 - layer, shapes.heights(at)
            if drawn is None:  # every activation is one number
                signal.plot([float(at.a.mean)] * 2, [floor, floor + 0.85], color=colour, linewidth=3)
                continue
            edges, heights = drawn
            signal.stairs(floor + 0.85 * heights, edges, baseline=floor, fill=True, color=colour, alpha=0.85)
        signal.set(xlim=(-1.03, 1.03), ylim=(-0.1, len(HIDDEN)), yticks=np.arange(len(HIDDEN)), xticks=[-1, 0, 1])
        for label, side in zip(signal.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)  # neighbouring panels' numbers stay apart
        signal.tick_params(labelleft=column == 0)
        signal.set_yticklabels([f"{layer}" for layer in range(len(HIDDEN), 0, -1)], va="bottom")
        steps, means = shapes.smooth(run.costs)
        cost.plot(steps, means, color=colour, linewidth=2.5)
        cost.set(yscale="log", xlim=(1, len(run.costs)), xticks=[1, len(run.costs)], ylim=(0.08, 30), yticks=[0.1, 1, 10])
        cost.tick_params(labelbottom=False)
        cost.yaxis.set_major_formatter(lambda value, _: text.brief(value))
        _words(cost, -0.2, run.verdict.partition(":")[0], colour, MIDDLE, "bold")
        _words(cost, -0.38, f"{100 * run.error:.0f} % wrong", colour, MIDDLE)
        for axes in (signal, cost):
            axes.set(facecolor=paper.paper)
            axes.grid(True, color=paper.grid, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(which="both", length=0, colors=paper.text, labelsize=SMALL)
            axes.minorticks_off()
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
            axes.spines["bottom"].set_color(paper.text)
    for axes, label in ((panels[0, 0], "signal in layer"), (panels[1, 0], "cost")):
        axes.set_ylabel(label, fontsize=SMALL, color=paper.text)
        axes.yaxis.set_label_coords(-0.32, 0.5)
    return figure


def _words(axes: Axes, height: float, words: str, colour: str, size: float, weight: str = "normal") -> None:
    axes.text(0.5, height, words, transform=axes.transAxes, ha="center", fontsize=size, color=colour, fontweight=weight)


if __name__ == "__main__":
    main()
