"""Numbers, tables, sizes and choices in text, and rows as comma-separated values.

Every number that fanin prints is written by one of four functions, by what it is for: `number` in the columns of a trace,
`brief` in sentences and on axes, `narrow` where several share a cell, `cost` for costs.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import IO, Any


def number(value: float | None, width: int = 8) -> str:
    """Format a number in `width` columns (7 or more), so that scales from 1e-300 to 1e300 compare at a glance."""
    if value is None:
        text = "-"
    elif value == 0 or not math.isfinite(value):
        text = f"{value:g}"
    elif 1e-3 <= abs(value) < 1e4:
        text = f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"
    else:
        text = f"{value:.1e}"
        if 0 < width < len(text):
            text = f"{value:.0e}"
    return f"{text:>{width}}"


def brief(value: float, places: int | None = None) -> str:
    """Format a number shortly: "0.26", "1e-5", "3e6"; with `places` decimals between 0.01 and 10."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if not 0.001 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.{places}f}" if places and 0.01 <= abs(value) < 10 else f"{value:.4g}"


def narrow(value: float) -> str:
    """Format a number with two digits in at most five columns: ".26", "5.1", "1e-4"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if 0.01 <= value < 100:
        return f"{value:.2f}".lstrip("0") if value < 1 else f"{value:.2g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def cost(value: float | None) -> str:
    """Format a cost with three digits, zeros included: "2.30"."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e4:
        return f"{value:#.3g}".rstrip(".")
    return brief(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = (), width: int = 0) -> list[str]:
    """Return the lines of a table whose columns are two spaces apart.

    Parameters
    ----------
    heads : sequence of str
    rows : sequence of sequences of str
    right : collection of int
        The columns that are flush right.
    width : int
        If above 0, the longest cells of columns that are flush left are cut until a line fits it.
    """
    cells = [heads, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    words = [i for i in range(len(heads)) if i not in right]
    while width and words and sum(widths) + 2 * (len(widths) - 1) > width and max(widths[i] for i in words) > 1:
        widths[max(words, key=lambda i: widths[i])] -= 1

    def fitted(cell: str, i: int) -> str:
        cut = cell if len(cell) <= widths[i] else f"{cell[: widths[i] - 1]}…"
        return f"{cut:>{widths[i]}}" if i in right else f"{cut:<{widths[i]}}"

    return ["  ".join(fitted(cell, i) for i, cell in enumerate(row)).rstrip() for row in cells]


def layer_name(index: int, layers: int) -> str:
    """Return what layer `index`, counted from 0, of `layers` is called: "hidden 1", "hidden 2", ..., "output"."""
    return "output" if index == layers - 1 else f"hidden {index + 1}"


def sizes(widths: Sequence[int]) -> str:
    """Return the widths of a network in words, long runs of one width short: "64-300x4-10"."""
    runs = [(size, len(list(group))) for size, group in groupby(widths)]
    return "-".join(f"{size}x{count}" if count > 2 else "-".join([str(size)] * count) for size, count in runs)


def evenly(layers: int, most: int) -> list[int]:
    """Return all layers, or of more than `most` the first, the last and some between."""
    if layers <= most:
        return list(range(layers))
    return sorted({round(i * (layers - 1) / (most - 1)) for i in range(most)})


def write_rows(rows: Sequence[dict[str, Any]], file: str | os.PathLike[str] | IO[str]) -> None:
    """Write dictionaries of the same keys to a path, anew, or to a text file; None is left empty, a list is "0.1 0.2"."""
    if isinstance(file, str | os.PathLike):
        with open(file, "w", encoding="utf-8", newline="") as opened:
            write_rows(rows, opened)
        return
    if not hasattr(file, "write"):
        raise TypeError(f"file must be a path or a text file, got {file!r}")
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: " ".join(map(repr, v)) if isinstance(v, list | tuple) else v for k, v in row.items()})
