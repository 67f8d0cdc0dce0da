"""One picture a topic: ratios with their spread, or curves over the size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from results import RIVALS

# Okabe and Ito's colours, which the colour-blind tell apart; red stays free for what is slower.
COLOURS = {"fanin": "#000000", "NumPy": "#0072B2", "PyTorch": "#E69F00", "JAX": "#009E73", "scikit-learn": "#CC79A7"}
SLOWER = "#C00000"
DASHES = {1: (0, (4, 2)), 2: "-"}  # threads


def draw(topic: str, rows: list[dict[str, Any]], limits: dict[str, list[float]] | None, path: Path) -> None:
    """Draw the rows of a topic: as curves where every one has a size, otherwise as ratios."""
    curves = all("size" in row for row in rows)
    figure = growth(rows, limits) if curves else ratios(rows)
    figure.suptitle(f"{topic}: {'time of a call' if curves else 'time of the others over that of fanin'}", fontsize=12)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def ratios(rows: list[dict[str, Any]]) -> Figure:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    figure = Figure(figsize=(9, 1.1 + 0.36 * len(cases)), layout="constrained")
    axes = figure.subplots()
    rivals = [name for name in RIVALS if any(name in row for row in rows)]
    for row in rows:
        for i, name in enumerate(rival for rival in rivals if rival in row):
            y = cases.index(row["case"]) + 0.16 * (i - (len(rivals) - 1) / 2) + (0.06 if row["threads"] == 2 else -0.06)
            colour = SLOWER if row[name] < 1 else COLOURS[name]
            low, high = row["spread"][name]
            axes.plot([low, high], [y, y], color=colour, linewidth=1, alpha=0.6)
            fill = colour if row["threads"] == 2 else "white"
            axes.plot(row[name], y, "o", color=colour, markerfacecolor=fill, markersize=6)
    axes.axvline(1, color="#808080", linewidth=1)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.25)
    for name in rivals:
        axes.plot([], [], "o", color=COLOURS[name], label=name)
    axes.plot([], [], "o", color="#808080", markerfacecolor="white", label="1 thread")
    axes.plot([], [], "o", color="#808080", label="2 threads")
    axes.plot([], [], "o", color=SLOWER, label="fanin is slower")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)
    return figure


def growth(rows: list[dict[str, Any]], limits: dict[str, list[float]] | None) -> Figure:
    kinds = list(dict.fromkeys(row["case"].rpartition(":")[0] for row in rows))
    figure = Figure(figsize=(10, 3.6 * ((len(kinds) + 1) // 2)), layout="constrained")
    for kind, axes in zip(kinds, figure.subplots((len(kinds) + 1) // 2, 2, squeeze=False).flat, strict=False):
        curves(axes, kind, [row for row in rows if row["case"].rpartition(":")[0] == kind], limits)
    return figure


def curves(axes: Axes, kind: str, rows: list[dict[str, Any]], limits: dict[str, list[float]] | None) -> None:
    name, _, unit = kind.rpartition(", ")
    axes.set(title=name, xlabel=unit, ylabel="seconds", xscale="log", yscale="log")
    for threads in sorted({row["threads"] for row in rows}):
        found = [row for row in rows if row["threads"] == threads]
        style, plural = DASHES.get(threads, "-"), "s" if threads > 1 else ""
        for rival in ("fanin", *RIVALS):
            times = {row["size"]: row["seconds"] * row.get(rival, 1.0) for row in found if rival == "fanin" or rival in row}
            if times:
                look = {"color": COLOURS[rival], "linestyle": style, "linewidth": 2 if rival == "fanin" else 1, "marker": "."}
                axes.plot(list(times), list(times.values()), label=f"{rival}, {threads} thread{plural}", **look)
        if limits is not None and "work" in found[0]:
            unit = found[0]["work"][1]
            times = {row["size"]: row["work"][0] / limits[unit][threads - 1] for row in found}
            look = {"color": "#808080", "linestyle": style, "linewidth": 1}
            axes.plot(list(times), list(times.values()), label=f"limit ({unit}), {threads} thread{plural}", **look)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, frameon=False)
