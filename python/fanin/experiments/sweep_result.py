"""What a sweep found: rows that filter, print in a terminal and become CSV."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import IO, Any

from fanin.common.result import Result
from fanin.common.text import cost, number, table, write_rows

_WIDTH = 100  # columns of a terminal
_LINES = 40  # rows printed of a long table


@dataclass(frozen=True)
class Point:
    """One combination of a grid."""

    law: str
    activation: str
    depth: int
    width: int
    seed: int
    lr: float | tuple[float, ...]

    @property
    def work(self) -> int:
        """Weights, roughly: what a step costs."""
        return self.width * (1 + self.width * self.depth)


AXES = tuple(field.name for field in fields(Point))


@dataclass(frozen=True)
class Row(Point):
    """One point of a sweep: its settings, and what became of it.

    Rows compare equal when everything but the time is: a point has the same row wherever it ran.

    Attributes
    ----------
    law, activation, depth, width, seed, lr
        The point: `depth` hidden layers of `width` units.
    cost_start, cost_end : float or None
        Mean cost of the training rows before the first and after the last step; infinite where it is not finite, and at the
        end of a training that diverged.
    error : float or None
        Of the held-out rows: the fraction misclassified; the cost for mean_squared_error. None where training diverged.
    verdict : str
        Of `fanin.diagnose` at the start, on the first rows; "failed" where the point raised.
    diverged : bool
        Whether a cost, a gradient or a parameter was infinite or NaN. Training stopped there.
    steps : int
        Steps taken.
    failure : str or None
        The error that the point raised. The numbers are None then.
    digest : str
        The first 16 digits of the SHA-256 of all parameters at the end, weights before biases, as little-endian bytes.
    seconds : float
        That the training took.
    """

    cost_start: float | None
    cost_end: float | None
    error: float | None
    verdict: str
    diverged: bool
    steps: int
    failure: str | None
    digest: str
    seconds: float = field(compare=False)

    @property
    def words(self) -> str:
        """The verdict at the start, with what became of it."""
        if self.failure is not None:
            return f"failed: {self.failure}"
        return f"{self.verdict}, diverges" if self.diverged else self.verdict


COLUMNS = tuple(one.name for one in fields(Row))


@dataclass(frozen=True)
class Sweep(Result):
    """What `fanin.sweep` returns; print it for a table.

    Attributes
    ----------
    rows : tuple of Row
        In the order of the grid: laws outermost, learning rates innermost.
    settings : dict
        What all points share: n_in, outputs, loss, optimizer, epochs, batch_size, dtype, rows, held_out, split_seed.
    """

    _kind = _json = "sweep"

    rows: tuple[Row, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> list[Any]:
        """Return what all rows have under a name, such as ``"error"``."""
        return [getattr(row, name) for row in self.rows] if _known(name) else []

    def where(self, **values: Any) -> Sweep:
        """Return the rows with these values: ``where(law="he_normal", depth=[4, 8])``; a list gives several to choose from."""
        chosen = [(name, value if isinstance(value, (list, set, range)) else [value]) for name, value in values.items()]
        kept = [row for row in self.rows if all(getattr(row, name) in several for name, several in chosen if _known(name))]
        return Sweep(tuple(kept), self.settings)

    def best(self, by: str = "error") -> Row:
        """Return the row with the least held-out error, or the least of another column of numbers; the first of equals.

        Raises
        ------
        ValueError
            If the column is unknown or holds no numbers, or no row has a finite one: all diverged or failed.
        """
        if by not in ("error", "cost_start", "cost_end", "steps", "seconds"):
            raise ValueError(f"by must be 'error', 'cost_start', 'cost_end', 'steps' or 'seconds', got {by!r}")
        found = [row for row in self.rows if row.failure is None and _finite(getattr(row, by))]
        if not found:
            raise ValueError(f"no row has a finite {by}: of {len(self)} points all diverged or failed")
        return min(found, key=lambda row: float(getattr(row, by)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries, ready for JSON but for infinity."""
        return {"settings": dict(self.settings), "rows": self.to_rows()}

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each point, its keys the attributes of `Row`; a learning rate for each layer is a list."""
        return [{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(row).items()} for row in self.rows]

    def to_csv(self, file: str | os.PathLike[str] | IO[str]) -> None:
        """Write a line for each point, its columns the attributes of `Row`.

        Parameters
        ----------
        file : path or text file
            A path is written anew. None is left empty; a learning rate for each layer is written ``"0.1 0.2"``.
        """
        write_rows(self.to_rows() or [dict.fromkeys(COLUMNS)], file)

    def to_html(self, path: str | os.PathLike[str], *, title: str = "Which networks learn?") -> None:
        """Write a page for the browser: the error of every point over the grid, the best of each law, and the table.

        The page is one file and makes no network requests.

        Parameters
        ----------
        path : path
            Ends with .html; overwritten if it exists.
        title : str
            The heading.

        Raises
        ------
        ValueError
            If the ending is another, or the page would be larger than 6 MB.
        OSError
            If there is no such folder, or the path may not be written.
        ModuleNotFoundError
            If Bokeh is missing; the extra ``fanin[report]`` installs it.
        """
        self._page(path, title)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the heads and the rows of the table as text. Settings that all points share are left to the title."""
        percent = self.settings.get("loss") != "mean_squared_error"
        axes = [name for name in AXES if len(set(self.column(name))) > 1] or ["law"]
        heads = [*axes, "cost", "at end", "error" if percent else "held out", "verdict at the start", "steps", "seconds"]
        rows = [
            [
                *(_text(getattr(row, name)) for name in axes),
                cost(row.cost_start),
                cost(row.cost_end),
                "-" if row.error is None else f"{100 * row.error:.1f} %" if percent else number(row.error, 0),
                row.words,
                str(row.steps),
                f"{row.seconds:.3g}",
            ]
            for row in self.rows
        ]
        return heads, rows

    def title(self) -> str:
        """Return in words what all points share."""
        s = self.settings
        same = {name: values.pop() for name in AXES if len(values := set(self.column(name))) == 1}
        shared = [_text(value) if name in ("law", "activation") else f"{name} {_text(value)}" for name, value in same.items()]
        epochs = "1 epoch" if s.get("epochs") == 1 else f"{s.get('epochs')} epochs"
        words = [*shared, s.get("loss"), s.get("optimizer"), f"batch {s.get('batch_size') or 'of all rows'}", epochs]
        words += [f"{s.get('rows')} rows", f"{s.get('held_out')} held out"]
        return f"{len(self)} point{'s' * (len(self) != 1)}: " + ", ".join(str(word) for word in words)

    def __str__(self) -> str:
        heads, rows = self.table()
        left_out = len(rows) - _LINES
        if left_out > 0:
            rows = [*rows[: _LINES // 2], *rows[-_LINES // 2 :]]
        lines = table(heads, rows, width=_WIDTH)
        if left_out > 0:
            lines.insert(1 + _LINES // 2, f"... {left_out} more: .where(), .best(), .to_csv() ...")
        return "\n".join([*textwrap.wrap(self.title(), _WIDTH), "", *lines])


def _known(name: str) -> bool:
    if name not in COLUMNS:
        raise ValueError(f"a column must be one of {', '.join(COLUMNS)}, got {name!r}")
    return True


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(f"{one:g}" for one in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
