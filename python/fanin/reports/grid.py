"""What pictures and pages draw of a sweep: the held-out error of its points over one side of the grid."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fanin.experiments.sweep_result import Sweep

AXES = ("depth", "width", "lr", "seed")


class Curve(NamedTuple):
    """The points of one law that did not diverge, and the medians over all that share a position."""

    law: str
    at: list[float]
    errors: list[float]
    medians: list[tuple[float, float]]
    lost: int  # points that diverged or failed


def axis(result: Sweep) -> str:
    """Return the side of the grid to draw over: of "depth", "width", "lr" and "seed" the one with the most values."""
    numbers = [name for name in AXES if name != "lr" or not any(isinstance(lr, tuple) for lr in result.column("lr"))]
    return max(numbers, key=lambda name: min(len(set(result.column(name))), 2 if name == "seed" else 10**9))


def curves(result: Sweep) -> list[Curve]:
    """Return a curve for each law, in the order of the grid."""
    name, found = axis(result), []
    for law in dict.fromkeys(result.column("law")):
        rows = [row for row in result.rows if row.law == law]
        seen: list[Any] = [
            (float(getattr(row, name)), row.error) for row in rows if row.error is not None and np.isfinite(row.error)
        ]
        medians = [(at, float(np.median([e for x, e in seen if x == at]))) for at in sorted({x for x, _ in seen})]
        found.append(Curve(law, [x for x, _ in seen], [e for _, e in seen], medians, len(rows) - len(seen)))
    return found
